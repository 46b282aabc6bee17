"""Bytes of a file → its lines of text, with a clear word where a file is not text at all."""

import csv
import re
from collections.abc import Iterable, Iterator
from typing import BinaryIO

MAX_LINE = 4 * 2**20  # bytes; the longest real dialogue is a few hundred kilobytes

_SIGNATURES = (
    (b"PK\x03\x04", "This is a zip archive or an Excel workbook. Unpack it, or save the sheet as CSV (UTF-8)."),
    (b"PK\x05\x06", "This is an empty zip archive."),
    (b"\x1f\x8b", "This is a gzip archive. Unpack it first."),
    (b"BZh", "This is a bzip2 archive. Unpack it first."),
    (b"\xfd7zXZ\x00", "This is an xz archive. Unpack it first."),
    (b"7z\xbc\xaf\x27\x1c", "This is a 7-Zip archive. Unpack it first."),
    (b"\x28\xb5\x2f\xfd", "This is a zstd archive. Unpack it first."),
    (b"%PDF", "This is a PDF document, not a dialogue file."),
    (b"\xff\xfe\x00\x00", "The file is UTF-32. Save it as UTF-8."),
    (b"\xff\xfe", "The file is UTF-16 (little-endian). Save it as UTF-8."),
    (b"\xfe\xff", "The file is UTF-16 (big-endian). Save it as UTF-8."),
)
_UTF8_BOM = b"\xef\xbb\xbf"
# What the surrogateescape handler leaves for a byte that is not UTF-8.
_ESCAPED_BYTE = re.compile("[\udc80-\udcff]")


class UnreadableFileError(ValueError):
    """Nothing of the file can be read; the text says why and what to do."""


def text_lines(stream: BinaryIO, limit: int = MAX_LINE) -> Iterator[str]:
    """Lines with their ends; a byte that is not UTF-8 is kept escaped, for `encoding_problem` to name.

    Raises UnreadableFileError for archives, other encodings, and lines of more than `limit` bytes.
    """
    for number, line in enumerate(iter(lambda: stream.readline(limit + 1), b""), 1):
        if len(line) > limit:
            raise UnreadableFileError(
                f"Line {number} is longer than {limit // 2**20} MB. One dialogue is never that long."
            )
        if number == 1:
            _refuse_other_than_text(line)
            line = line.removeprefix(_UTF8_BOM)
        yield line.decode("utf-8", "surrogateescape")


def _refuse_other_than_text(first_line: bytes) -> None:
    for signature, sentence in _SIGNATURES:
        if first_line.startswith(signature):
            raise UnreadableFileError(sentence)
    head = first_line[:256]
    if len(head) >= 4 and head.count(0) * 3 >= len(head):
        raise UnreadableFileError("The file looks like UTF-16 without a mark. Save it as UTF-8.")


def encoding_problem(text: str) -> str | None:
    """Which byte of a line from `text_lines` is not UTF-8, or None."""
    if text.isascii():
        return None
    found = _ESCAPED_BYTE.search(text)
    if not found:
        return None
    byte = ord(found.group()) - 0xDC00
    return f"not UTF-8 (byte 0x{byte:02X} at character {found.start() + 1}); save the file as UTF-8"


def csv_rows(lines: Iterable[str], delimiter: str = ",") -> Iterator[tuple[int, list[str] | str]]:
    """(row, cells), the first row being 1; where a row is not CSV, (row, reason) with the reason as a string."""
    csv.field_size_limit(MAX_LINE)
    reader = csv.reader(lines, delimiter=delimiter, strict=True)
    row = 0
    while True:
        row += 1
        try:
            cells = next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            yield row, f"broken CSV near line {reader.line_num}: {error}"
            continue
        problem = next(filter(None, map(encoding_problem, cells)), None)
        yield row, problem or cells
