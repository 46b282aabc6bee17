"""Rows as CSV: plain for programs, or in one of two forms that Excel opens correctly. No cell can run as a formula.

Excel reads a file as UTF-8 only if it begins with a byte order mark. It splits at the list separator of the reader's
country: a comma, or a semicolon where people write a decimal comma, so those two go together.
"""

import csv
import io
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice

from core.lines import BYTE_ORDER_MARK

LINES_AT_ONCE = 1000
LINE_END = "\r\n"
FORMULA_STARTS = tuple("=+-@\t\r\n＝＋－＠")
PLAIN_NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?")
# A program that splits at another separator than ours starts a cell in the middle of one of ours. A sign before a
# closing bracket is a smiley, not a formula.
FORMULA_WITHIN = re.compile(r'([,;\t\r\n][" ]*)([=+\-@＝＋－＠])(?!\))')


@dataclass(frozen=True, slots=True)
class CsvForm:
    """The beginning of a file, the separator between cells, and the decimal mark of numbers."""

    label: str
    start: str = ""
    separator: str = ","
    decimal: str = "."

    def text(self, lines: Iterable[Sequence[object]]) -> str:
        """These lines as CSV, each cell made safe for a spreadsheet, without the file's beginning."""
        buffer = io.StringIO()
        rows = ([self._cell(cell) for cell in line] for line in lines)
        csv.writer(buffer, delimiter=self.separator).writerows(rows)
        return buffer.getvalue()

    def part(self, cells: Sequence[object]) -> str:
        """A part of a line: several cells, or one that is not empty; `line` joins parts."""
        return self.text([cells]).removesuffix(LINE_END)

    def line(self, *parts: str) -> str:
        return self.separator.join(parts) + LINE_END

    def _cell(self, cell: object) -> object:
        return str(cell).replace(".", self.decimal) if isinstance(cell, float) else safe_cell(cell)


PLAIN = CsvForm("CSV")
# By its name in an address or an option.
EXCEL = {
    "comma": CsvForm("Excel, list separator comma", BYTE_ORDER_MARK),
    "semicolon": CsvForm("Excel, list separator semicolon", BYTE_ORDER_MARK, ";", ","),
}


def csv_text(lines: Iterable[Sequence[object]], form: CsvForm = PLAIN) -> str:
    """A whole file of any rows."""
    return form.start + form.text(lines)


def csv_stream(head: Sequence[str], lines: Iterable[str], form: CsvForm = PLAIN) -> Iterator[str]:
    """A whole file as a stream: the heading, then a thousand lines at a time."""
    yield csv_text([head], form)
    rest = iter(lines)
    while some := "".join(islice(rest, LINES_AT_ONCE)):
        yield some


def safe_cell(cell: object) -> object:
    """The cell, with an apostrophe before each part of its text that a spreadsheet would run as a formula.

    That can be its beginning, or what follows a separator or line end within it. Numbers stay numbers, and so does text
    that is only a number (`-1.5`).
    """
    if not isinstance(cell, str) or PLAIN_NUMBER.fullmatch(cell):
        return cell
    text = FORMULA_WITHIN.sub(r"\1'\2", cell)
    return f"'{text}" if text.startswith(FORMULA_STARTS) else text


def unguarded(cell: str) -> str:
    """The cell of a file without the apostrophe that `safe_cell`, or a spreadsheet, has set before its beginning."""
    return cell[1:] if cell.startswith("'") and cell[1:].startswith(FORMULA_STARTS) else cell
