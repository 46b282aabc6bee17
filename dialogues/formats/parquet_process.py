"""The rows of a Parquet file, read by a process of its own.

On damaged metadata of columns the library ends its whole process, which must not be one that answers requests. The
other process writes JSON lines: a row as an object, how far it is in the file as a number, why the file is refused as a
text.
"""

import json
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from io import SEEK_END
from pathlib import Path
from tempfile import NamedTemporaryFile
from typing import Any, BinaryIO

from dialogues.formats.reading import PARQUET, UnreadableFileError

_ROOT = Path(__file__).parents[2]
# Its mark at both ends, and the length of the footer.
_SHORTEST = 12
_DAMAGED = "The Parquet file is damaged: it ended the program that reads it. Get it whole, or save it as JSON lines."


def parquet_rows(stream: BinaryIO) -> Iterator[dict[str, Any]]:
    """Each row by column, as `parquet_reader.rows_of` gives it; the stream is moved along, to show how far it is.

    Raises UnreadableFileError as that does, and where the other process dies.
    """
    _check_end(stream)
    with _path_of(stream) as path, _reader(path) as process:
        assert process.stdout is not None
        for line in process.stdout:
            # A line without its end is the last one of a process that died.
            found = json.loads(line) if line.endswith("\n") else None
            if isinstance(found, dict):
                yield found
            elif isinstance(found, int):
                stream.seek(found)
            elif isinstance(found, str):
                raise UnreadableFileError(found)
        if process.wait() != 0:
            raise UnreadableFileError(_DAMAGED)


def _check_end(stream: BinaryIO) -> None:
    """Refuse a file that is cut off before a process is started for it: Parquet ends as it begins."""
    size = stream.seek(0, SEEK_END)
    stream.seek(max(0, size - len(PARQUET)))
    if size < _SHORTEST or stream.read(len(PARQUET)) != PARQUET:
        raise UnreadableFileError("The Parquet file is cut off. Get it whole.")


@contextmanager
def _reader(path: str) -> Iterator["subprocess.Popen[str]"]:
    """The other process, which ends when nobody reads on."""
    process = subprocess.Popen(  # noqa: S603 our own fixed command
        _command(path),
        cwd=_ROOT,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        encoding="utf-8",
    )
    with process:
        try:
            yield process
        finally:
            # Without a wait for what nobody will read.
            process.kill()


def _command(path: str) -> list[str]:
    return [sys.executable, "-m", "dialogues.formats.parquet_reader", path]


@contextmanager
def _path_of(stream: BinaryIO) -> Iterator[str]:
    """Where the file is; what is only in memory is written to a file for as long as it is read."""
    name = getattr(stream, "name", None)
    if isinstance(name, str | Path):
        yield str(Path(name).resolve())
        return
    with NamedTemporaryFile(suffix=".parquet") as copy:
        stream.seek(0)
        copy.write(stream.read())
        copy.flush()
        yield copy.name
