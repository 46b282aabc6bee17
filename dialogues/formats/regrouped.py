"""Rows of a file brought together by dialogue, on disk: a log sorted by time may be larger than memory."""

import json
import sqlite3
from collections.abc import Iterable, Iterator
from typing import Any, Protocol

from dialogues.formats.reading import UnreadableFileError

CACHE_KIB = 16 * 1024


class Keyed(Protocol):
    @property
    def key(self) -> str: ...


class Regrouped:
    """Rows by dialogue, dialogues in the order in which they begin; rows of one dialogue as they stood in the file.

    Iterating gives (dialogue from 0, place in the file from 0, the row's cells as JSON keeps them), as often as wanted.
    The database has no name, so SQLite makes a temporary file of it that is gone once it is closed, also by a crash.
    """

    def __init__(self, rows: Iterable[Keyed]) -> None:
        self._base = sqlite3.connect("", isolation_level=None, check_same_thread=False)
        self._base.execute("PRAGMA journal_mode = OFF")
        self._base.execute("PRAGMA synchronous = OFF")
        self._base.execute(f"PRAGMA cache_size = -{CACHE_KIB}")
        self._base.execute("CREATE TABLE rows (dialogue INTEGER, place INTEGER, cells TEXT)")
        try:
            self._fill(rows)
        except sqlite3.OperationalError as error:
            self.close()
            raise UnreadableFileError(
                f"Rows of one dialogue stand apart in this file, and they cannot be brought together ({error}). Make "
                "room for temporary files, or sort the file so that each dialogue stands together."
            ) from error

    def __iter__(self) -> Iterator[tuple[int, int, list[Any]]]:
        for dialogue, place, cells in self._base.execute("SELECT * FROM sorted ORDER BY rowid"):
            yield dialogue, place, json.loads(cells)

    def close(self) -> None:
        self._base.close()

    def _fill(self, rows: Iterable[Keyed]) -> None:
        self._base.execute("BEGIN")
        self._base.executemany("INSERT INTO rows VALUES (?, ?, ?)", _numbered(rows))
        # Sorted once, in a merge that reads and writes in sequence; an index would jump to and fro.
        self._base.execute("CREATE TABLE sorted AS SELECT * FROM rows ORDER BY dialogue, place")
        self._base.execute("DROP TABLE rows")
        self._base.execute("COMMIT")


def _numbered(rows: Iterable[Keyed]) -> Iterator[tuple[int, int, str]]:
    dialogues: dict[str, int] = {}
    for place, row in enumerate(rows):
        # As ASCII, because SQLite takes no half of a surrogate pair.
        yield dialogues.setdefault(row.key, len(dialogues)), place, json.dumps(row)
