"""A table of a report as a value, and the forms it leaves in: page, CSV and LaTeX.

Every report builds `Table` objects; `templates/_table.html` shows one, `to_csv` and `to_latex` export it. Text in a
cell is data: spreadsheets must not run it and LaTeX must not read it as a command.
"""

import csv
import io
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import NamedTuple

from dialogues.statistics.intervals import Estimate as Estimate

NOTHING = "—"
# What stands behind an estimate's value in CSV.
ESTIMATE_PARTS = ("n", "low", "high", "no interval")
FORMULA_STARTS = tuple("=+-@\t\r\n＝＋－＠")
PLAIN_NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?")


class Label(NamedTuple):
    """Text with a remark that must stand wherever it does, smaller on a page: who wrote a version, say."""

    text: str
    remark: str


Cell = str | int | float | Estimate | Label | None


class AtMost(float):
    """A number that is known only not to be larger: a p value as small as its resamples can show."""


class ShownCell(NamedTuple):
    """One cell as a page shows it: in smaller type `detail` (interval or remark) and `n`."""

    text: str
    detail: str = ""
    n: str = ""
    numeric: bool = False
    version: str = ""

    @property
    def line(self) -> str:
        """All of it, for one line of text."""
        return " ".join(filter(None, (self.text, ", ".join(filter(None, (self.detail, self.n))))))


class ShownHead(NamedTuple):
    text: str
    span: int
    numeric: bool


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
        """The upper row of headings; empty where no column has a group."""
        if not any(column.group for column in self.columns):
            return []
        runs = [(group, len(list(run))) for group, run in groupby(column.group for column in self.columns)]
        return [ShownHead(group, span, numeric=False) for group, span in runs]

    @property
    def heads(self) -> list[ShownHead]:
        return [ShownHead(column.label, 1, column.numeric) for column in self.columns]

    @property
    def shown_rows(self) -> Iterator[list[ShownCell]]:
        versions = self.row_versions or ("",) * len(self.rows)
        for row, version in zip(self.rows, versions, strict=True):
            cells = [shown(cell, column) for cell, column in zip(row, self.columns, strict=True)]
            yield [cells[0]._replace(version=version), *cells[1:]]


def shown(cell: Cell, column: Column) -> ShownCell:
    """A cell in the words of a page: thousands marked, floats rounded to the column's decimals."""
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
    return f"{'≤ ' if isinstance(value, AtMost) else ''}{value:z,.{decimals}f}"


def interval_text(cell: Estimate, decimals: int) -> str:
    """The interval in brackets, or why there is none."""
    if cell.low is None or cell.high is None:
        return f"no interval: {cell.no_interval}" if cell.no_interval else ""
    return f"[{number_text(cell.low, decimals)}, {number_text(cell.high, decimals)}]"


def to_csv(table: Table) -> str:
    """The whole table, unrounded, gaps empty. An estimate takes a column for its value and for each of its parts."""
    parts = [_parts(table, place) for place in range(len(table.columns))]
    head: list[str] = []
    for column, names in zip(table.columns, parts, strict=True):
        label = f"{column.group} {column.label}".strip()
        head += [label, *(f"{label} {name}" for name in names)]
    return csv_text([head, *(csv_row(row, parts) for row in table.rows)])


def _parts(table: Table, place: int) -> Sequence[str]:
    """What stands behind the values of a column of estimates; why there is no interval only where one is missing."""
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


def csv_text(lines: Iterable[Sequence[object]]) -> str:
    """CSV of any rows, each cell made safe for a spreadsheet."""
    buffer = io.StringIO()
    csv.writer(buffer).writerows([safe_cell(cell) for cell in line] for line in lines)
    return buffer.getvalue()


def safe_cell(cell: object) -> object:
    """The cell, with an apostrophe before text that a spreadsheet would run as a formula.

    Numbers stay numbers, and so does text that is only a number (`-1.5`).
    """
    if not isinstance(cell, str) or not cell.startswith(FORMULA_STARTS) or PLAIN_NUMBER.fullmatch(cell):
        return cell
    return f"'{cell}"


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
        '"': r"\textquotedbl{}",
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
        "\n": " ",
        "\r": " ",
        "\t": " ",
    }
)


def latex_text(text: str) -> str:
    """Text that LaTeX prints as it is: no character of it starts a command."""
    return text.translate(LATEX)


def to_latex(table: Table) -> str:
    """A `table` environment with booktabs rules, ready to be put into a paper."""
    spec = "".join("r" if column.numeric else "l" for column in table.columns)
    lines = [
        r"% needs \usepackage{booktabs}",
        r"\begin{table}[t]",
        r"\centering",
        rf"\begin{{tabular}}{{{spec}}}",
        r"\toprule",
        *latex_group_line(table),
        latex_line(latex_text(column.label) for column in table.columns),
        r"\midrule",
        *(latex_line(latex_text(cell.line) for cell in row) for row in table.shown_rows),
        r"\bottomrule",
        r"\end{tabular}",
        rf"\caption{{{' '.join(latex_text(text) for text in (table.caption, *table.notes))}}}",
        rf"\label{{tab:{re.sub('[^A-Za-z0-9-]', '-', table.slug)}}}",
        r"\end{table}",
    ]
    return "\n".join(lines) + "\n"


def latex_group_line(table: Table) -> list[str]:
    if not table.group_heads:
        return []
    return [latex_line(rf"\multicolumn{{{head.span}}}{{c}}{{{latex_text(head.text)}}}" for head in table.group_heads)]


def latex_line(cells: Iterable[str]) -> str:
    line = " & ".join(cells) + r" \\"
    # A bracket or a star would be read as an option of the `\\` that ends the line before.
    return f"{{}}{line}" if line.startswith(("[", "*")) else line


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
