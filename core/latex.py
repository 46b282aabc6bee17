"""A `Table` as LaTeX for a paper: booktabs rules, intervals below their values, n once where it can be.

It needs two packages that every installation has, and compiles with pdfLaTeX without setting a font encoding. Columns
align at the decimal point without siunitx, because all numbers of a column have the same number of decimals.
"""

import re
import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from core.tables import Column, ShownCell, Table

NAMED = 20  # the most characters that the header lists
# What pdfLaTeX prints without an encoding or a font; `LATEX` below writes more as commands.
PRINTED = re.compile(r"[ -~\u00a0-\u00bf\u00c6\u00d7\u00d8\u00df\u00e6\u00f7\u00f8\u0152\u0153‘’“”†‡•€™]")
IN_T1 = frozenset("«»‹›„‚ÐðÞþĐđŊŋ")
OGONEK = "\u0328"

LATEX = str.maketrans(
    {
        "\\": r"\textbackslash{}",
        "{": r"\{",
        "}": r"\}",
        "$": r"\$",
        "&": r"\&",
        "#": r"\#",
        "_": r"\_",
        "%": r"\%",
        "~": r"\textasciitilde{}",
        "^": r"\textasciicircum{}",
        "<": r"\textless{}",
        ">": r"\textgreater{}",
        "|": r"\textbar{}",
        # `\textquotedbl` needs the T1 encoding; this prints in every one.
        '"': "{''}",
        "α": r"$\alpha$",
        "β": r"$\beta$",
        "γ": r"$\gamma$",
        "κ": r"$\kappa$",
        "×": r"$\times$",
        "±": r"$\pm$",
        "≥": r"$\geq$",
        "≤": r"$\leq$",
        "−": r"$-$",
        "→": r"$\rightarrow$",
        "–": "--",
        "—": "---",
        "…": r"\ldots{}",
        **dict.fromkeys((*map(chr, range(32)), "\x7f", "\x85", "\u2028", "\u2029"), " "),
    }
)


def to_latex(table: Table) -> str:
    """A `table` environment, scaled down if it is wider than the text column."""
    known = _printed_n(table)
    spec = "".join("r" if column.numeric else "l" for column in (*table.columns, *known.column))
    text = " ".join(latex_text(text) for text in (table.caption, *known.note, *table.notes))
    lines = [
        *_needs(table),
        r"\begin{table}[t]",
        r"\centering\small",
        r"\setlength{\tabcolsep}{4pt}",
        # In a box of its own, so that its width is known: it is only ever scaled down.
        r"\sbox0{%",
        rf"\begin{{tabular}}{{@{{}}{spec}@{{}}}}",
        r"\toprule",
        *_group_lines(table),
        _line(latex_text(column.label) for column in (*table.columns, *known.column)),
        *known.below_heads,
        r"\midrule",
        *(line for number, row in enumerate(table.shown_rows) for line in _row_lines(row, known, number)),
        r"\bottomrule",
        r"\end{tabular}}",
        r"\ifdim\wd0>\linewidth\resizebox{\linewidth}{!}{\usebox0}\else\usebox0\fi",
        rf"\caption{{{text}}}",
        rf"\label{{tab:{re.sub('[^A-Za-z0-9-]', '-', table.slug)}}}",
        r"\end{table}",
    ]
    return "\n".join(lines) + "\n"


def latex_text(text: str) -> str:
    """The text with every special character escaped."""
    return text.translate(LATEX)


@dataclass(frozen=True, slots=True)
class _PrintedN:
    """Where a table prints n: in the note, below the headings, in a column, or beside each interval."""

    note: tuple[str, ...] = ()
    below_heads: tuple[str, ...] = ()
    column: tuple[Column, ...] = ()
    by_row: tuple[str, ...] = ()
    beside: bool = False


def _printed_n(table: Table) -> _PrintedN:
    known = table.known_n
    if known.everywhere is not None:
        return _PrintedN(note=(f"n = {known.everywhere:,} throughout.",))
    if any(n is not None for n in known.by_column):
        small = ["" if n is None else rf"{{\scriptsize $n = {_number(n)}$}}" for n in known.by_column]
        return _PrintedN(below_heads=(_line(small),))
    if known.by_row:
        return _PrintedN(column=(Column("n"),), by_row=tuple("" if n is None else f"{n:,}" for n in known.by_row))
    return _PrintedN(beside=known.is_beside)


def _number(n: int) -> str:
    """In mathematics a comma is followed by a space, unless it stands in braces."""
    return f"{n:,}".replace(",", "{,}")


def _row_lines(row: Sequence[ShownCell], known: _PrintedN, number: int) -> list[str]:
    """The row's values, with intervals below them, and n if no better place was found."""
    values = [*(_value(cell) for cell in row), *known.by_row[number : number + 1]]
    small = [", ".join(filter(None, (cell.detail, cell.n if known.beside else ""))) if cell.n else "" for cell in row]
    if not any(small):
        return [_line(values)]
    below = [rf"{{\scriptsize {latex_text(text)}}}".replace("-", "$-$") if text else "" for text in small]
    return [_line(values), _line([*below, *("" for _ in known.by_row[number : number + 1])]), r"\addlinespace[2pt]"]


def _value(cell: ShownCell) -> str:
    """An estimate's interval goes below it; a remark on who wrote a version stays beside it."""
    text = latex_text(cell.text if cell.n else cell.line)
    return re.sub(r"^-(?=\d)", "$-$", text) if cell.numeric else text


def _group_lines(table: Table) -> list[str]:
    """The groups' names over their columns, with a rule below each."""
    if not table.group_heads:
        return []
    cells, rules, place = [], [], 1
    for head in table.group_heads:
        cells.append(
            rf"\multicolumn{{{head.span}}}{{c}}{{{latex_text(head.text)}}}" if head.text else "&" * (head.span - 1)
        )
        rules += [rf"\cmidrule(lr){{{place}-{place + head.span - 1}}}"] if head.text else []
        place += head.span
    return [_line(cells), "".join(rules)]


def _line(cells: Iterable[str]) -> str:
    line = " & ".join(cells) + r" \\"
    # A bracket or a star would be read as an option of the `\\` that ends the line before.
    return f"{{}}{line}" if line.startswith(("[", "*")) else line


def _needs(table: Table) -> list[str]:
    """Comments at the top: the packages needed, and the characters that plain pdfLaTeX cannot print."""
    heads = [text for column in table.columns for text in (column.label, column.group)]
    cells = [cell.line for row in table.shown_rows for cell in row]
    used = sorted(set("".join((table.caption, *table.notes, *heads, *cells))) - set(map(chr, LATEX)))
    t1 = [one for one in used if one in IN_T1 or OGONEK in unicodedata.normalize("NFD", one)]
    missing = [one for one in used if one not in t1 and not _is_printed(one)]
    lines = [r"% needs \usepackage{booktabs,graphicx}"]
    if t1:
        lines.append(rf"% needs \usepackage[T1]{{fontenc}} for: {_named(t1)}")
    if missing:
        lines.append(f"% needs LuaLaTeX or XeLaTeX, and a font that has them, for: {_named(missing)}")
    return lines


def _is_printed(one: str) -> bool:
    """Whether pdfLaTeX prints it as it is, or as an ASCII letter with accents."""
    first, *accents = list(unicodedata.normalize("NFD", one))
    return bool(PRINTED.match(one)) or (first.isascii() and bool(accents) and ord(one) < 0x180)


def _named(characters: Sequence[str]) -> str:
    """The first of them with their code points; none of them can end the comment."""
    some = ", ".join(f"{one} (U+{ord(one):04X})" for one in characters[:NAMED])
    return some if len(characters) <= NAMED else f"{some} and {len(characters) - NAMED:,} more"
