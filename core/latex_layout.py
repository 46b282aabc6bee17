"""How a table fits a width and a page: type size, widths of columns, panels, and parts one after the other. Pure.

A table that is too wide in both type sizes is set as panels below each other, each with the columns that name its rows;
one that is too high goes on in a further float. Nothing is scaled down, so a table's type is as large as a paper's.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Literal, NamedTuple

from core.latex_text import longest_word, width_of, wrapped

Fit = Literal["column", "page"]
# In points: one of two columns of ACL's style and of article on A4, and the whole of either page.
WIDTHS: dict[Fit, float] = {"column": 217.0, "page": 450.0}
# The height that a page leaves to a float, the lowest of the same.
HEIGHT = 560.0
# A part with fewer rows than this is not begun at the foot of a page.
FEW_ROWS = 3


class Size(NamedTuple):
    """A type size: points, those of a font that scales and is as wide, line height, and \\tabcolsep."""

    type: int
    points: float
    line: float
    gap: float

    @property
    def command(self) -> str:
        """In points, because \\small is larger in a paper whose text is."""
        return rf"\fontsize{{{self.type}}}{{{self.line:g}}}\selectfont"


# Computer Modern's small fonts are wider than its font of ten points scaled down.
SMALL = Size(9, 9.25, 11.0, 4.0)
FOOTNOTE = Size(8, 8.5, 9.5, 2.5)
SCRIPT = Size(7, 7.97, 8.0, 3.0)
CAPTION = Size(11, 11.0, 13.6, 0.0)
_MARK = 4.0
_RULES = 14.0
# Columns of words share this part of the width at most, and each wants at least a third of its longest cell.
_SHARE_OF_WORDS, _LEAST = 0.65, 1 / 3
_LONGEST_WORD = 60.0


class Entry(NamedTuple):
    """A cell as text: its value with the letter of a note, and below it in smaller type its interval or n."""

    text: str
    small: str = ""
    mark: str = ""


@dataclass(frozen=True, slots=True)
class TextColumn:
    """A column as text: heading with n below it, the group's name, and a cell a row."""

    head: str
    group: str
    is_numeric: bool
    entries: tuple[Entry, ...]
    small: str = ""


class Placed(NamedTuple):
    """A column with its width in points; `wraps` if its cells are wider and are broken into lines."""

    column: TextColumn
    width: float
    wraps: bool


@dataclass(frozen=True, slots=True)
class Panel:
    """Columns that stand side by side."""

    columns: tuple[Placed, ...]
    size: Size

    def lines(self, placed: Placed, row: int) -> int:
        """In how many lines a cell is set."""
        return len(wrapped(placed.column.entries[row].text, self.size.points, placed.width)) if placed.wraps else 1

    def row_height(self, row: int) -> float:
        lines = max(self.lines(placed, row) for placed in self.columns)
        has_small = any(placed.column.entries[row].small for placed in self.columns)
        return self.size.line * lines + (SCRIPT.line + 2 if has_small else 0)

    @property
    def head_height(self) -> float:
        lines = max(len(head_lines(placed, self.size)) for placed in self.columns)
        groups = max((len(span.lines) for span in self.spans), default=0)
        small = SCRIPT.line if any(placed.column.small for placed in self.columns) else 0
        return self.size.line * (lines + groups) + small + _RULES

    @property
    def spans(self) -> list["Span"]:
        """The groups' names over their columns; empty where no column has one."""
        if not any(placed.column.group for placed in self.columns):
            return []
        return [
            Span(wrapped(group, self.size.points, _total([one.width for one in run], self.size)), len(run))
            for group, run in _runs(self.columns)
        ]


class Span(NamedTuple):
    lines: list[str]
    columns: int


class Part(NamedTuple):
    """The rows of a panel, from one up to another."""

    panel: Panel
    start: int
    end: int


class Float(NamedTuple):
    """What stands together on a page."""

    parts: list[Part]
    notes: list[str]


def head_lines(placed: Placed, size: Size) -> list[str]:
    return wrapped(placed.column.head, size.points, placed.width)


def panels(columns: Sequence[TextColumn], width: float) -> list[Panel]:
    """The columns side by side in small type or, if that is too wide, in that of footnotes; or else in panels."""
    for size in (SMALL, FOOTNOTE):
        narrow = _under_groups(_narrow(columns, width, size), size)
        if _total([placed.width for placed in narrow], size) <= width:
            return [Panel(_widened(narrow, width, size), size)]
    lead = _leading(columns)
    names = _narrow(columns[:lead], width, FOOTNOTE)
    left = width - _total([placed.width for placed in names], FOOTNOTE) - 2 * FOOTNOTE.gap
    return [Panel(_widened([*names, *some], width, FOOTNOTE), FOOTNOTE) for some in _distributed(columns[lead:], left)]


def floats(panels: Sequence[Panel], rows: int, notes: Sequence[str], caption: str, width: float) -> list[Float]:
    """Panels and notes in floats that a page can hold."""
    room = HEIGHT - CAPTION.line * (2 + len(wrapped(caption, CAPTION.points, width)))
    found, left = [Float([], [])], room
    for panel in panels:
        start = 0
        while start < rows or (start == rows == 0):
            end = _last_row(panel, start, rows, left)
            if end - start < min(FEW_ROWS, rows - start) and found[-1].parts:
                found, left = [*found, Float([], [])], room
                continue
            end = max(end, min(start + 1, rows))
            found[-1].parts.append(Part(panel, start, end))
            left -= _height(panel, start, end)
            start = end if rows else 1
    for note in notes:
        needed = SCRIPT.line * len(wrapped(note, SCRIPT.points, width))
        if needed > left:
            found, left = [*found, Float([], [])], room
        found[-1].notes.append(note)
        left -= needed
    return found


def _last_row(panel: Panel, start: int, rows: int, room: float) -> int:
    """Up to which row the panel fits into the room that is left."""
    left = room - panel.head_height
    for row in range(start, rows):
        left -= panel.row_height(row)
        if left < 0:
            return row
    return rows


def _height(panel: Panel, start: int, end: int) -> float:
    return panel.head_height + sum(map(panel.row_height, range(start, end)))


def _widened(narrow: Sequence[Placed], width: float, size: Size) -> tuple[Placed, ...]:
    """The same columns, those of words wider by what is left."""
    left = width - _total([placed.width for placed in narrow], size)
    placed = []
    for one in narrow:
        natural = _natural(one.column, size)
        given = max(one.width, min(natural, one.width + left))
        left -= given - one.width
        placed.append(Placed(one.column, given, given < natural))
    return tuple(placed)


def _leading(columns: Sequence[TextColumn]) -> int:
    """How many columns name the rows: the words at the left, but not all columns."""
    words = next((place for place, column in enumerate(columns) if column.is_numeric), len(columns))
    return min(max(1, words), max(1, len(columns) - 1))


def _distributed(columns: Sequence[TextColumn], width: float) -> Iterator[tuple[Placed, ...]]:
    """The columns in as few panels as hold them; a group stays together where one panel holds it."""
    size, panel = FOOTNOTE, list[Placed]()
    for unit in _units(columns, width):
        if panel and _total([placed.width for placed in (*panel, *unit)], size) > width:
            yield tuple(panel)
            panel = []
        panel += unit
    yield tuple(panel)


def _units(columns: Sequence[TextColumn], width: float) -> Iterator[list[Placed]]:
    placed = [one for column in columns for one in _narrow([column], width, FOOTNOTE)]
    for group, run in _runs(placed):
        if group and _total([one.width for one in run], FOOTNOTE) <= width:
            yield _under_groups(run, FOOTNOTE)
        else:
            yield from (_under_groups([one], FOOTNOTE) for one in run)


def _under_groups(placed: Sequence[Placed], size: Size) -> list[Placed]:
    """The same with each group's last column as wide as the longest word of the group's name asks for."""
    found = []
    for group, run in _runs(placed):
        missing = min(_LONGEST_WORD, longest_word(group, size.points)) - _total([one.width for one in run], size)
        last = run[-1]
        found += [*run[:-1], last._replace(width=last.width + max(0.0, missing))]
    return found


def _runs(placed: Sequence[Placed]) -> list[tuple[str, list[Placed]]]:
    return [(group, list(run)) for group, run in groupby(placed, key=lambda one: one.column.group)]


def _narrow(columns: Sequence[TextColumn], width: float, size: Size) -> list[Placed]:
    """As narrow as the columns may be: numbers are never broken, and a share of the width has room for long words.

    Columns of words that want less than an equal part of the share leave the rest to the others.
    """
    natural = [_natural(column, size) for column in columns]
    given, room = list(natural), _SHARE_OF_WORDS * width
    wanted = {
        place: min(natural[place], max(min(_longest(column, size), _LONGEST_WORD), natural[place] * _LEAST))
        for place, column in enumerate(columns)
        if not column.is_numeric
    }
    for left, place in zip(range(len(wanted), 0, -1), sorted(wanted, key=wanted.__getitem__), strict=True):
        given[place] = min(wanted[place], room / left)
        room -= given[place]
    return [Placed(column, got, got < free) for column, got, free in zip(columns, given, natural, strict=True)]


def _longest(column: TextColumn, size: Size) -> float:
    return max(longest_word(text, size.points) for text in (column.head, *(one.text for one in column.entries)))


def _natural(column: TextColumn, size: Size) -> float:
    """The width of the widest cell, or of the longest word above it."""
    cells = [_entry_width(entry, size) for entry in column.entries]
    head = min(_LONGEST_WORD, longest_word(column.head, size.points))
    return max((head, width_of(column.small, SCRIPT.points), *cells))


def _entry_width(entry: Entry, size: Size) -> float:
    value = width_of(entry.text, size.points) + (_MARK if entry.mark else 0)
    return max(value, width_of(entry.small, SCRIPT.points))


def _total(widths: Sequence[float], size: Size) -> float:
    """Of columns side by side, with the gaps between them."""
    return sum(widths) + 2 * size.gap * max(0, len(widths) - 1)
