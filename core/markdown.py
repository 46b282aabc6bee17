"""A `Table` as Markdown, for a README, an issue or a data set's card: a pipe table, as GitHub and pandoc read it."""

import re
from collections.abc import Iterable

from core.tables import ShownCell, Table

# What Markdown would read as markup. A vertical bar would end its cell.
SPECIAL = str.maketrans({one: f"\\{one}" for one in "\\`*_{}[]<>#|~$&"})
# At the beginning of a list's entry, another list, a heading's underline or an indented block.
BEGINNING = re.compile(r"\A([-+=]|\d{1,9}(?=[.)]))")
LINES = str.maketrans(dict.fromkeys("\r\n\t\x0b\x0c\x85\u2028\u2029", " "))


def to_markdown(table: Table) -> str:
    """The caption, the rows with intervals beside their values, and the notes as a list."""
    heads = [" ".join(filter(None, (column.group, column.label))) for column in table.columns]
    lines = [
        f"**{markdown_text(table.caption)}**",
        "",
        _line(markdown_text(head) for head in heads),
        _line("---:" if column.numeric else ":---" for column in table.columns),
        *(_line(map(_cell, row)) for row in table.shown_rows),
    ]
    if table.notes:
        lines += ["", *(f"- {_entry(note)}" for note in table.notes)]
    return "\n".join(lines) + "\n"


def markdown_text(text: str) -> str:
    """The text on one line, with every character escaped that could be read as markup."""
    return text.translate(LINES).translate(SPECIAL)


def markdown_lines(text: str) -> str:
    """The text as paragraphs, one a line, in which nothing is read as markup."""
    return "\n\n".join(_entry(line) for line in text.splitlines() if line.strip())


def _entry(note: str) -> str:
    """A list's entry, in which a number or sign at the beginning starts no list of its own."""
    text = markdown_text(note).strip()
    begun = BEGINNING.match(text)
    if begun is None:
        return text
    end = begun.end()
    return f"{text[:end]}\\{text[end:]}" if text[0].isdigit() else f"\\{text}"


def _cell(cell: ShownCell) -> str:
    return markdown_text(cell.line)


def _line(cells: Iterable[str]) -> str:
    return f"| {' | '.join(cells)} |"
