"""EmpatheticDialogues' CSV: a message a row, `_comma_` for a comma and quotation marks that quote nothing.

Rows are cut at commas, because text may begin with a quotation mark that never closes. The prompt, a situation that the
first speaker describes, is the theme. Emotion, self-evaluation, tags and a ninth column of candidates are ignored.
"""

from collections.abc import Iterable, Iterator

from dialogues.formats.head import Head
from dialogues.formats.message_rows import Beside, Manner, Row, parsed
from dialogues.formats.reading import UnreadableFileError, encoding_problem, missing_columns
from dialogues.formats.records import AS_IT_COMES, BadRecord, Choices, Record

COLUMNS = ("conv_id", "utterance_idx", "context", "prompt", "speaker_idx", "utterance", "selfeval", "tags")
_COMMA = "_comma_"


def fits(head: Head) -> str:
    first = next(iter(head.lines()), "")
    return f"a header with the columns {', '.join(COLUMNS)}" if _names(first)[:6] == COLUMNS[:6] else ""


def parse(lines: Iterable[str], choices: Choices = AS_IT_COMES) -> Iterator[Record | BadRecord]:
    """One record for each conv_id, messages by utterance_idx. Whoever describes the situation speaks first: speaker 1.

    `lines` are read twice. Raises UnreadableFileError without the header.
    """
    return parsed(lambda: _rows(lines), choices, Manner(may_be_empty=True, first_is_speaker_1=True))


def _names(header: str) -> tuple[str, ...]:
    return tuple(name.strip().lower() for name in header.split(","))


def _rows(lines: Iterable[str]) -> Iterator[Row | BadRecord]:
    numbered = enumerate(lines, 1)
    _, header = next(numbered, (1, ""))
    if _names(header)[:6] != COLUMNS[:6]:
        raise UnreadableFileError(missing_columns(COLUMNS, header.split(",")))
    for number, line in numbered:
        if line.strip():
            yield _row(number, line)


def _row(number: int, line: str) -> Row | BadRecord:
    if problem := encoding_problem(line):
        return BadRecord(number, problem)
    cells = line.rstrip("\r\n").split(",")
    if len(cells) < len(COLUMNS):
        return BadRecord(number, f"{len(cells)} cells where {len(COLUMNS)} are wanted")
    key, order, _, prompt, speaker, text = (cell.replace(_COMMA, ",").strip() for cell in cells[:6])
    if not order.isdecimal() or not speaker.isdecimal():
        return BadRecord(number, "utterance_idx and speaker_idx must be whole numbers; write a comma as _comma_")
    return Row(number, key, speaker, text, Beside(order, theme=prompt))
