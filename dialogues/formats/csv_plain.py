"""CSV with a message a row, in the columns dialogue_id, speaker and text, or in those that a person names.

The header shows whether commas, semicolons or tabs separate. The columns order, time, theme, traits_1 and traits_2 are
read if there are any; others are ignored. `message_rows` says how rows become dialogues.

Speaker labels can be any, two in a dialogue; `sides` says who is speaker 1.
"""

import re
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from itertools import chain
from operator import itemgetter

from dialogues.formats.branches import MESSAGE_ID, REPLY_TO
from dialogues.formats.columns import OPTIONAL, REQUIRED, advice, guess_columns
from dialogues.formats.head import Head
from dialogues.formats.message_rows import Beside, Row, parsed
from dialogues.formats.reading import UnreadableFileError, csv_rows, missing_columns, quoted
from dialogues.formats.records import AS_IT_COMES, BadRecord, Choices, Record

DELIMITERS = (",", ";", "\t")
_OF_REPLIES = (MESSAGE_ID, REPLY_TO)
_TRAITS_END = re.compile(r"[|\r\n]")


def delimiter_of(header: str, wanted: Iterable[str] = REQUIRED) -> str | None:
    """Which delimiter makes this line a header with the wanted columns, or None."""
    for delimiter in DELIMITERS:
        names = {name.strip().strip('"').lower() for name in header.rstrip("\r\n").split(delimiter)}
        if set(wanted) <= names:
            return delimiter
    return None


def looks_like_csv(lines: Sequence[str]) -> bool:
    """Whether the first lines are a header of at least two names and a row of as many cells."""
    cells = [row for _, row in csv_rows(lines[:2], likeliest_delimiter(lines[0])) if not isinstance(row, str)]
    return len(cells) == 2 and len(cells[0]) == len(cells[1]) >= 2 and all(map(str.strip, cells[0]))


def fits(head: Head) -> str:
    """Comes after the other forms of text: any header with as many cells as the row below it will do."""
    lines = head.lines()
    if delimiter_of(lines[0]):
        return f"a header with the columns {', '.join(REQUIRED)}"
    return "a header and a row of as many cells" if looks_like_csv(lines) else ""


def first_rows(head: Head) -> tuple[list[str], list[list[str]]]:
    """The names in the header and the cells of the first rows, for a person to say which column is which."""
    lines = [f"{line}\n" for line in head.lines()]
    rows = [cells for _, cells in csv_rows(lines, likeliest_delimiter(lines[0])) if not isinstance(cells, str)]
    names = [name.strip() for name in rows[0]] if rows else []
    return names, [cells for cells in rows[1:] if len(cells) == len(names)]


def parse(lines: Iterable[str], choices: Choices = AS_IT_COMES) -> Iterator[Record | BadRecord]:
    """One record for each dialogue_id. `lines` are read twice: only the end shows how many speakers the file has.

    Raises UnreadableFileError without a header.
    """
    return parsed(lambda: _rows(lines, choices.columns), choices)


def likeliest_delimiter(header: str) -> str:
    return max(DELIMITERS, key=header.count)


def _rows(lines: Iterable[str], columns: Mapping[str, str]) -> Iterator[Row | BadRecord]:
    """Rows of messages, counted from the header, which is row 1."""
    lines = iter(lines)
    first = next(lines, "")
    wanted = [columns.get(name, name).strip().lower() for name in dict.fromkeys((*REQUIRED, *columns))]
    rows = csv_rows(chain([first], lines), delimiter_of(first, wanted) or likeliest_delimiter(first))
    _, header = next(rows, (1, []))
    row_of = _row_maker([] if isinstance(header, str) else header, columns)
    if row_of is None:
        raise UnreadableFileError(f"{missing_columns(wanted, header)} {advice(_guess(header, rows))}")
    width = len(header)
    for number, cells in rows:
        if isinstance(cells, str):
            yield BadRecord(number, cells)
        elif len(cells) == width:
            yield row_of(number, cells)
        elif cells:
            yield BadRecord(number, f"{len(cells)} cells where the header has {width}")


def _guess(header: Sequence[str] | str, rows: Iterable[tuple[int, list[str] | str]]) -> dict[str, str]:
    if isinstance(header, str):
        return {}
    first = [cells for _, (_, cells) in zip(range(20), rows, strict=False)]
    return guess_columns([name.strip() for name in header], [cells for cells in first if len(cells) == len(header)])


def _row_maker(header: Sequence[str], columns: Mapping[str, str]) -> Callable[[int, list[str]], Row] | None:
    """What makes a row of its cells, or None if the header lacks a column."""
    wanted = {name: columns.get(name, name).strip() for name in (*REQUIRED, *OPTIONAL)}
    found = {name: _place_of(called, header) for name, called in wanted.items()}
    places = {name: place for name, place in found.items() if place is not None}
    if not places.keys() >= {*REQUIRED, *columns}:
        return None
    message = itemgetter(*(places[name] for name in REQUIRED))
    # Columns that are not there lie behind the last cell.
    beside = [places.get(name, len(header)) for name in OPTIONAL] + _reply_places(header, places.values())
    has_beside = any(place < len(header) for place in beside)

    def row_of(number: int, cells: list[str]) -> Row:
        key, speaker, text = message(cells)
        return Row(number, key.strip(), speaker.strip(), text.strip(), _beside(beside, cells) if has_beside else None)

    return row_of


def _place_of(called: str, header: Sequence[str]) -> int | None:
    """Where a column stands, in capitals or not; as it is written, if several differ in capitals only."""
    names = [name.strip() for name in header]
    alike = [place for place, name in enumerate(names) if name.lower() == called.lower()]
    exact = [place for place in alike if names[place] == called]
    if len(alike) > 1 and len(exact) != 1:
        raise UnreadableFileError(
            f"{len(alike)} columns are called “{quoted(called)}”. Give each column a name of its own, or say which one "
            "is meant: under Columns on the import page, or by --columns."
        )
    return next(iter(exact or alike), None)


def _reply_places(header: Sequence[str], taken: Collection[int]) -> list[int]:
    """Where a message's id and that of the message it replies to stand, by known names; a file without replies has
    neither."""
    free = {name.strip().lower(): place for place, name in reversed(list(enumerate(header))) if place not in taken}
    own, reply_to = (next((free[name] for name in names if name in free), len(header)) for names in _OF_REPLIES)
    return [own, reply_to] if reply_to < len(header) else [len(header)] * 2


def _beside(places: Sequence[int], cells: Sequence[str]) -> Beside:
    """What stands in these places, of which those that the file does not have lie behind the last cell."""
    order, time, theme, first, second, *ids = (cells[place].strip() if place < len(cells) else "" for place in places)
    return Beside(order, time, theme, _traits(first), _traits(second), *ids)


def _traits(cell: str) -> tuple[str, ...]:
    """Traits in one cell, which a bar or a line's end separates."""
    return tuple(filter(None, map(str.strip, _TRAITS_END.split(cell))))
