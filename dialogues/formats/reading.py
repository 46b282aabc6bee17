"""Read a file's bytes as lines of text, with a clear message if it is not text."""

import csv
import re
from codecs import getincrementaldecoder
from collections.abc import Iterable, Iterator, Sequence
from io import TextIOWrapper
from typing import BinaryIO
from unicodedata import bidirectional

from core.lines import BYTE_ORDER_MARK
from dialogues.formats.records import LIMITS

MAX_LINE = 4 * 2**20  # characters; the longest real dialogue is a few hundred thousand
HEAD = 2**20  # bytes
PIECE = 2**18  # bytes
PARQUET = b"PAR1"

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
_UTF8_MARK = BYTE_ORDER_MARK.encode()
# They join letters and parts of emoji, and turn nothing around.
_JOINERS = "\u200c\u200d"
# Around what may be written from right to left, so that it does not move the words and numbers beside it.
ISOLATED = "\u2068{}\u2069"
_FROM_RIGHT = ("R", "AL")
# The surrogateescape handler's stand-in for a byte that is not UTF-8.
_ESCAPED_BYTE = re.compile("[\udc80-\udcff]")


class UnreadableFileError(ValueError):
    """The file cannot be read at all; the text says why and what to do."""


class FileLines:
    """The lines of a file as `text_lines` gives them, from its beginning each time they are iterated."""

    def __init__(self, stream: BinaryIO) -> None:
        self._stream = stream

    def __iter__(self) -> Iterator[str]:
        return text_lines(self._stream)

    def binary(self) -> BinaryIO:
        """The file from its beginning, behind a byte order mark; raises UnreadableFileError as `text_lines` does."""
        self._stream.seek(len(_UTF8_MARK) if _beginning(self._stream, 256).startswith(_UTF8_MARK) else 0)
        return self._stream

    def pieces(self) -> Iterator[str]:
        """The text in pieces, wherever they end; bytes that are not UTF-8 stay escaped as in `text_lines`."""
        stream = self.binary()
        decoder = getincrementaldecoder("utf-8")("surrogateescape")
        while piece := stream.read(PIECE):
            if text := decoder.decode(piece):
                yield text
        yield decoder.decode(b"", final=True)


def text_lines(stream: BinaryIO, limit: int = MAX_LINE) -> Iterator[str]:
    """All lines of a file with their ends: LF, CRLF or CR.

    A byte that is not UTF-8 is kept escaped, for `encoding_problem` to name. Raises UnreadableFileError for archives,
    other encodings, and lines of more than `limit` characters.
    """
    stream.seek(len(_UTF8_MARK) if _beginning(stream, 256).startswith(_UTF8_MARK) else 0)
    text = TextIOWrapper(stream, encoding="utf-8", errors="surrogateescape", newline="")
    try:
        for number, line in enumerate(iter(lambda: text.readline(limit + 1), ""), 1):
            if len(line) > limit:
                raise UnreadableFileError(
                    f"Line {number} is longer than {limit // 2**20} million characters, the most that is read of one "
                    f"line: {LIMITS}."
                )
            yield line
    finally:
        # The wrapper would close the stream when it is collected; the caller closes it.
        if not stream.closed:
            text.detach()


def beginning_of(file: FileLines) -> str:
    """The first megabyte as text, to recognise the form; raises UnreadableFileError as `text_lines` does."""
    return _beginning(file.binary(), HEAD).removeprefix(_UTF8_MARK).decode("utf-8", "surrogateescape")


def _beginning(stream: BinaryIO, size: int) -> bytes:
    stream.seek(0)
    found = stream.read(size)
    for signature, sentence in _SIGNATURES:
        if found.startswith(signature):
            raise UnreadableFileError(sentence)
    start = found[:256]
    if not start.startswith(PARQUET) and len(start) >= 4 and start.count(0) * 3 >= len(start):
        raise UnreadableFileError("The file looks like UTF-16 without a mark. Save it as UTF-8.")
    return found


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
    """(row, cells), rows counted from 1; (row, reason) with the reason as a string if a row is not CSV."""
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
            # The library quotes the separator as it is, and a tab cannot be seen.
            why = str(error).replace("'\t'", "a tab")
            yield row, f"broken CSV near line {reader.line_num}: {why}"
            continue
        # Most rows are ASCII, and testing the whole row is faster than testing each cell.
        ascii_only = "".join(cells).isascii()
        problem = None if ascii_only else next(filter(None, map(encoding_problem, cells)), None)
        yield row, problem or cells


def missing_columns(wanted: Iterable[str], found: list[str] | str) -> str:
    """The message for a header that lacks columns; `found` are its cells, or why they cannot be read."""
    named = f"it cannot be read ({found})" if isinstance(found, str) else f"it names {listed(found)}"
    return f"The first row must name the columns {', '.join(wanted)}; {named}."


def quoted(text: str) -> str:
    """Up to 40 characters of a file, safe to print, show and store; what is written from right to left is isolated."""
    shown = "".join(letter if letter.isprintable() or letter in _JOINERS else "\ufffd" for letter in text[:40])
    if shown.isascii() or not any(bidirectional(letter) in _FROM_RIGHT for letter in shown):
        return shown
    return ISOLATED.format(shown)


def listed(names: Iterable[object]) -> str:
    """Names from a file for a message, each shortened."""
    return first_of([quoted(str(name).strip()) for name in names])


def first_of(texts: Sequence[str], most: int = 12) -> str:
    """`a, b, c and 4 more`; "none" where there is none."""
    more = f" and {len(texts) - most:,} more" if len(texts) > most else ""
    return (", ".join(texts[:most]) or "none") + more
