"""The rows of a Parquet file as objects, in flat memory. `parquet_process` runs this as a program of its own:

python -m dialogues.formats.parquet_reader FILE
"""

import json
import re
import resource
import sys
from collections.abc import Iterator
from io import SEEK_END
from pathlib import Path
from typing import Any, BinaryIO

from dialogues.formats.reading import UnreadableFileError

# Rows that are decoded at once, and the bytes that they may take together.
ROWS = 64
MOST_BYTES = 64 * 2**20
# A longer group of rows must not be packed more tightly than text ever is.
LONG_GROUP = 128 * 2**20
PACKED = 50
# The footer names columns and counts; a longer text or list in it is a fault.
MOST_IN_FOOTER = 2**20
# Types whose values JSON does not have.
_OTHER = re.compile("timestamp|date|time|decimal|binary|duration")


def main(path: str) -> None:
    """Write the rows as `parquet_process` reads them."""
    # A crash leaves no picture of its memory behind.
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    encode = json.JSONEncoder(check_circular=False, ensure_ascii=False, default=str).encode
    with Path(path).open("rb") as stream, open(1, "w", encoding="utf-8", newline="\n", buffering=2**16) as out:
        try:
            for number, row in enumerate(rows_of(stream)):
                out.write(f"{encode(row)}\n")
                if number % ROWS == 0:
                    out.write(f"{stream.tell()}\n")
        except UnreadableFileError as error:
            out.write(f"{encode(str(error))}\n")


def rows_of(stream: BinaryIO) -> Iterator[dict[str, Any]]:
    """Each row by column; lists and structs become lists and dicts, and what JSON does not have becomes text.

    Raises UnreadableFileError if the file is cut off or damaged, or if it unpacks to far more than dialogues do.
    """
    from pyarrow import ArrowException

    try:
        yield from _rows(stream)
    except UnreadableFileError:
        raise
    except (ArrowException, OSError, ValueError, MemoryError) as error:
        raise UnreadableFileError(f"The Parquet file cannot be read: {_sentence(error)}. Get it whole.") from error


def _rows(stream: BinaryIO) -> Iterator[dict[str, Any]]:
    from pyarrow import parquet

    file = parquet.ParquetFile(
        stream,
        pre_buffer=False,
        buffer_size=MOST_IN_FOOTER,
        thrift_string_size_limit=MOST_IN_FOOTER,
        thrift_container_size_limit=MOST_IN_FOOTER,
    )
    _check_footer(file.metadata, stream.seek(0, SEEK_END))
    is_plain = not _OTHER.search(str(file.schema_arrow))
    count = 0
    for batch in file.iter_batches(batch_size=ROWS, use_threads=False):
        if batch.nbytes > MOST_BYTES:
            raise UnreadableFileError(
                f"{ROWS} rows of the Parquet file take more than {MOST_BYTES // 2**20} MB; dialogues do not. Leave out "
                "columns of pictures or sound."
            )
        count += batch.num_rows
        yield from batch.to_pylist() if is_plain else map(_plain, batch.to_pylist())
    if count != file.metadata.num_rows:
        raise UnreadableFileError(
            f"The Parquet file should have {file.metadata.num_rows:,} rows, but {count:,} were found. Get it whole."
        )


def _check_footer(metadata: Any, size: int) -> None:
    """The parts of columns are not looked at: on a damaged footer, that ends the whole process in pyarrow 26."""
    groups = [metadata.row_group(number) for number in range(metadata.num_row_groups)]
    if sum(group.num_rows for group in groups) != metadata.num_rows:
        raise UnreadableFileError("The Parquet file counts its rows in two ways that disagree. Get it whole.")
    if any(group.total_byte_size > max(LONG_GROUP, PACKED * size) for group in groups):
        raise UnreadableFileError(
            f"The Parquet file unpacks to more than {PACKED} times its size; dialogues do not. Leave out columns of "
            "pictures or sound."
        )


def _sentence(error: BaseException) -> str:
    return "".join(letter if letter.isprintable() else " " for letter in str(error)[:200]).rstrip(" .")


def _plain(value: Any) -> Any:
    """The value as JSON could have it: times as ISO 8601, other things as text."""
    if isinstance(value, dict):
        return {key: _plain(part) for key, part in value.items()}
    if isinstance(value, list):
        return [_plain(part) for part in value]
    if value is None or isinstance(value, (str, int, float)):
        return value
    return value.isoformat() if hasattr(value, "isoformat") else str(value)[:100]


if __name__ == "__main__":
    main(sys.argv[1])
