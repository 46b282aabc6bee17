"""A report's table as a value, and its output as a page, as CSV and as text for a terminal; `core.latex` writes LaTeX.

Every report builds `Table` objects; `templates/_table.html` shows one. Text in a cell is data: no spreadsheet may run
it, and LaTeX may not read it as a command.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import NamedTuple

from core.intervals import Estimate as Estimate
from core.spreadsheets import PLAIN, CsvForm, csv_text

NOTHING = "—"
# The columns that follow an estimate's value in CSV.
ESTIMATE_PARTS = ("n", "low", "high", "no interval")


class Label(NamedTuple):
    """Text with a remark that always goes with it, such as who wrote a version; in smaller type on a page."""

    text: str
    remark: str


Cell = str | int | float | Estimate | Label | None


class PValue(float):
    """A p value, which is shown as smaller than the last decimal that its column has, never as nought."""


class ShownCell(NamedTuple):
    """One cell as a page shows it: in smaller type `detail` (interval or remark) and `n`.

    `again`: it names its row as the one above is named, so only those who cannot see the rows need it once more.
    """

    text: str
    detail: str = ""
    n: str = ""
    numeric: bool = False
    version: str = ""
    again: bool = False

    @property
    def line(self) -> str:
        """All of it as one line of text."""
        return " ".join(filter(None, (self.text, ", ".join(filter(None, (self.detail, self.n))))))


class ShownHead(NamedTuple):
    """A heading; `n` in smaller type below it, if all of its column's estimates have the same."""

    text: str
    span: int
    numeric: bool
    n: str = ""


class KnownN(NamedTuple):
    """Where a table says n once: for all its estimates, for each column's, for each row's, or else beside each."""

    everywhere: int | None = None
    by_column: tuple[int | None, ...] = ()
    by_row: tuple[int | None, ...] = ()

    @property
    def is_beside(self) -> bool:
        return self == KnownN()


@dataclass(frozen=True, slots=True)
class Column:
    """`label` heads the column, `group` heads its neighbours of the same group above it.

    `decimals` is for floats on page and in LaTeX; CSV keeps every digit.
    """

    label: str
    decimals: int = 2
    numeric: bool = True
    group: str = ""


@dataclass(frozen=True, slots=True)
class Table:
    """A caption, columns, rows of cells, and notes.

    A cell is text (a `Label` with its remark), a number, an `Estimate`, or None for a gap, shown as a dash. `slug`
    names the table in addresses and files. `row_versions` may name one version hue a row, for its colour on a page.
    """

    slug: str
    caption: str
    columns: tuple[Column, ...]
    rows: tuple[tuple[Cell, ...], ...]
    notes: tuple[str, ...] = ()
    row_versions: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        for row in self.rows:
            if len(row) != len(self.columns):
                raise ValueError(f"table {self.slug}: a row of {len(row)} cells under {len(self.columns)} columns")
        if self.row_versions and len(self.row_versions) != len(self.rows):
            raise ValueError(f"table {self.slug}: {len(self.row_versions)} versions for {len(self.rows)} rows")

    @property
    def group_heads(self) -> list[ShownHead]:
        """The upper row of headings; empty if no column has a group."""
        if not any(column.group for column in self.columns):
            return []
        runs = [(group, len(list(run))) for group, run in groupby(column.group for column in self.columns)]
        return [ShownHead(group, span, numeric=False) for group, span in runs]

    @property
    def heads(self) -> list[ShownHead]:
        return [ShownHead(column.label, 1, column.numeric) for column in self.columns]

    @property
    def known_n(self) -> KnownN:
        """Where n is said once; a table without estimates has none to say."""
        rows = [[cell.n if isinstance(cell, Estimate) else None for cell in row] for row in self.rows]
        columns = list(zip(*rows, strict=True))
        everywhere = _distinct(n for row in rows for n in row)
        if len(everywhere) == 1:
            return KnownN(everywhere=everywhere.pop())
        if all(len(_distinct(column)) <= 1 for column in columns):
            return KnownN(by_column=tuple(_only(column) for column in columns))
        if all(len(_distinct(row)) <= 1 for row in rows):
            return KnownN(by_row=tuple(_only(row) for row in rows))
        return KnownN()

    @property
    def page_heads(self) -> list[ShownHead]:
        """The headings on a page, with a column for n where each row has its own."""
        known = self.known_n
        heads = self.heads
        for place, n in enumerate(known.by_column):
            heads[place] = heads[place]._replace(n="" if n is None else f"n = {n:,}")
        return [*heads, ShownHead("n", 1, numeric=True)] if known.by_row else heads

    @property
    def page_group_heads(self) -> list[ShownHead]:
        """The upper row of headings on a page, with an empty one above a column for n."""
        heads = self.group_heads
        return [*heads, ShownHead("", 1, numeric=False)] if heads and self.known_n.by_row else heads

    @property
    def page_rows(self) -> Iterator[list[ShownCell]]:
        """The rows on a page: n beside an estimate only where it is said nowhere else."""
        known, named = self.known_n, None
        for number, row in enumerate(self.shown_rows):
            first, *cells = row if known.is_beside else [cell._replace(n="") for cell in row]
            again = first == named and not first.numeric
            named = first
            yield [first._replace(again=again), *cells, *(_count(n) for n in known.by_row[number : number + 1])]

    @property
    def page_notes(self) -> tuple[str, ...]:
        everywhere = self.known_n.everywhere
        return self.notes if everywhere is None else (f"n = {everywhere:,} throughout.", *self.notes)

    @property
    def shown_rows(self) -> Iterator[list[ShownCell]]:
        versions = self.row_versions or ("",) * len(self.rows)
        for row, version in zip(self.rows, versions, strict=True):
            cells = [shown(cell, column) for cell, column in zip(row, self.columns, strict=True)]
            yield [cells[0]._replace(version=version), *cells[1:]]


def _distinct(numbers: Iterable[int | None]) -> set[int]:
    return {n for n in numbers if n is not None}


def _only(numbers: Iterable[int | None]) -> int | None:
    return next(iter(_distinct(numbers)), None)


def _count(n: int | None) -> ShownCell:
    return ShownCell("" if n is None else f"{n:,}", numeric=True)


def shown(cell: Cell, column: Column) -> ShownCell:
    """A cell as a page shows it: thousands separated, floats rounded to the column's decimals."""
    if isinstance(cell, Estimate):
        interval = interval_text(cell, column.decimals)
        return ShownCell(number_text(cell.value, column.decimals), interval, f"n = {cell.n:,}", numeric=True)
    if isinstance(cell, Label):
        return ShownCell(cell.text, cell.remark, numeric=column.numeric)
    if cell is None:
        return ShownCell(NOTHING, numeric=column.numeric)
    if isinstance(cell, str):
        return ShownCell(cell, numeric=column.numeric)
    return ShownCell(number_text(cell, column.decimals), numeric=True)


def number_text(value: float, decimals: int) -> str:
    if isinstance(value, int):
        return f"{value:,}"
    if isinstance(value, PValue) and value < 10**-decimals:
        return f"< {10**-decimals:.{decimals}f}"
    return f"{value:z,.{decimals}f}"


def interval_text(cell: Estimate, decimals: int) -> str:
    """The interval in brackets, or the reason why there is none."""
    if cell.low is None or cell.high is None:
        return f"no interval: {cell.no_interval}" if cell.no_interval else ""
    return f"[{number_text(cell.low, decimals)}, {number_text(cell.high, decimals)}]"


def to_csv(table: Table, form: CsvForm = PLAIN) -> str:
    """The whole table, unrounded, gaps empty. An estimate takes a column for its value and one for each part."""
    parts = [_parts(table, place) for place in range(len(table.columns))]
    head: list[str] = []
    for column, names in zip(table.columns, parts, strict=True):
        label = f"{column.group} {column.label}".strip()
        head += [label, *(f"{label} {name}" for name in names)]
    return csv_text([head, *(csv_row(row, parts) for row in table.rows)], form)


def _parts(table: Table, place: int) -> Sequence[str]:
    """The columns after a column of estimates; the reason for a missing interval only if one is missing."""
    estimates = [row[place] for row in table.rows if isinstance(row[place], Estimate)]
    if not any(isinstance(cell, Estimate) and cell.no_interval for cell in estimates):
        return ESTIMATE_PARTS[:-1] if estimates else ()
    return ESTIMATE_PARTS


def csv_row(row: Sequence[Cell], parts: Sequence[Sequence[str]]) -> list[object]:
    cells: list[object] = []
    for cell, names in zip(row, parts, strict=True):
        if isinstance(cell, Estimate):
            cells += cell[: 1 + len(names)]
        else:
            plain = " ".join(filter(None, cell)) if isinstance(cell, Label) else cell
            cells += [plain, *(None for _ in names)]
    return cells


def to_text(table: Table) -> str:
    """The table for a terminal: aligned columns, then the notes."""
    lines = [[column.label for column in table.columns]]
    lines += [[cell.line for cell in row] for row in table.shown_rows]
    widths = [max(len(line[place]) for line in lines) for place in range(len(table.columns))]
    aligned = [
        "  ".join(
            text.rjust(width) if column.numeric else text.ljust(width)
            for text, width, column in zip(line, widths, table.columns, strict=True)
        ).rstrip()
        for line in lines
    ]
    return "\n".join([table.caption, *text_group_line(table, widths), *aligned, *table.notes]) + "\n"


def text_group_line(table: Table, widths: Sequence[int]) -> list[str]:
    line, place = "", 0
    for head in table.group_heads:
        if head.text:
            line = line.ljust(sum(widths[:place]) + 2 * place) + f"{head.text}: "
        place += head.span
    return [line.rstrip()] if line else []
