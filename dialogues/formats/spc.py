"""Synthetic-Persona-Chat's CSV: two cells of traits and one of conversation, all with line breaks inside.

How lines of a conversation become messages:

- only LF, CRLF and CR end a line; form feeds and other separators stay inside their message;
- `User 1: …` begins a message, and so does a decorated label (`*User 1:* …`, `* * User 1: * * …`, `* User 1: … *`);
  the tally keeps the two apart as `plain_labels` and `decorated_labels`. Counts published for these files are of plain
  labels only: 27,704 in the validation file, where three more dialogues have 73 decorated ones.
- blank lines are ignored;
- a whole line in brackets or asterisks (`[Later]`, `(They walk.)`, `*At the bar*`, `* * *`) is a stage
  direction, not a message: it is left out and counted as `stage_directions`;
- any other line without a label continues the message before it, after a line break (a recipe), and is
  counted as `joined_lines`; before the first label it has no speaker and is counted as `unspoken_lines`.
"""

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping

from core.lines import filled_lines
from dialogues.formats.head import Head
from dialogues.formats.reading import UnreadableFileError, csv_rows, missing_columns
from dialogues.formats.records import AS_IT_COMES, BadRecord, Choices, Record, checked

COLUMNS = ("user 1 personas", "user 2 personas", "best generated conversation")

# A label with the asterisks around it. Asterisks after the colon close it if they follow at once (`:*`) or a space
# follows them; `: *waves*` is text.
_LABEL = re.compile(r"((?:\*\s*){0,6})User ([12])\s*((?:\*\s*){0,6}):", re.IGNORECASE)
_CLOSING = re.compile(r"\*+|(?:\s*\*)+(?!\S)")
_DIRECTION = re.compile(r"\[.*\]|\(.*\)|\*.*\*")


def fits(head: Head) -> str:
    first = next(iter(head.lines()), "").lstrip()
    _, cells = next(csv_rows([first]), (1, []))
    return f"a header with the columns {', '.join(COLUMNS)}" if not isinstance(cells, str) and is_header(cells) else ""


def is_header(cells: list[str]) -> bool:
    return set(COLUMNS) <= {cell.strip().lower() for cell in cells}


def parse(lines: Iterable[str], choices: Choices = AS_IT_COMES) -> Iterator[Record | BadRecord]:
    """One record a row, keyed by its place after the header (`00001`, …); raises UnreadableFileError without one."""
    rows = csv_rows(lines)
    _, header = next(rows, (1, []))
    if isinstance(header, str) or not is_header(header):
        raise UnreadableFileError(missing_columns(COLUMNS, header))
    places = {name: [cell.strip().lower() for cell in header].index(name) for name in COLUMNS}
    for row, cells in rows:
        if not cells:
            continue
        if isinstance(cells, str):
            yield BadRecord(row, cells)
        elif len(cells) != len(header):
            yield BadRecord(row, f"{len(cells)} cells where the header has {len(header)}")
        else:
            yield _record(row, *(cells[places[name]] for name in COLUMNS))


def _record(row: int, traits_1: str, traits_2: str, conversation: str) -> Record | BadRecord:
    key = f"{row - 1:05}"
    if not conversation.strip():
        return BadRecord(row, "the conversation is empty", key)
    pairs, tally = messages(conversation)
    if not pairs:
        return BadRecord(row, "no line of the conversation has a speaker label such as “User 1:”", key)
    return checked(row, key, pairs, traits_1=filled_lines(traits_1), traits_2=filled_lines(traits_2), tally=tally)


def messages(conversation: str) -> tuple[list[tuple[int, str]], Mapping[str, int]]:
    """([speaker, text], …) and the tally of lines; a label without text is no message."""
    found: list[tuple[int, list[str]]] = []
    tally: Counter[str] = Counter()
    for line in filled_lines(conversation):
        kind, speaker, text = _read(line)
        if kind == "joined_lines" and not found:
            kind = "unspoken_lines"
        tally[kind] += 1
        if speaker:
            found.append((speaker, [text] if text else []))
        elif kind == "joined_lines":
            found[-1][1].append(line)
    return [(speaker, "\n".join(texts)) for speaker, texts in found if texts], tally


def _read(line: str) -> tuple[str, int, str]:
    """The kind of a line, its speaker (0: none) and its text."""
    label = _LABEL.match(line)
    if not label:
        return ("stage_directions" if _DIRECTION.fullmatch(line) else "joined_lines"), 0, line
    speaker, text = int(label[2]), line[label.end() :]
    asterisks = label[1].count("*")
    if not asterisks:
        return "plain_labels", speaker, text.strip()
    if label[3]:
        return "decorated_labels", speaker, text.strip()
    if closing := _CLOSING.match(text):
        return "decorated_labels", speaker, text[closing.end() :].strip()
    return "decorated_labels", speaker, _without_end(text, asterisks)


def _without_end(text: str, asterisks: int) -> str:
    """The text without its closing asterisks, as many as opened it."""
    text = text.strip()
    for _ in range(asterisks):
        text = text.removesuffix("*").rstrip()
    return text
