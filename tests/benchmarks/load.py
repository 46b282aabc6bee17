"""What a group of processes uses while something goes on: processor time, memory, and the database's work."""

import os
import resource
import time
from pathlib import Path
from threading import Event, Thread
from typing import Any, Self

import psycopg
from django.db import connection

from tests.browser.server import database_url

EVERY = 0.5  # seconds between two looks
OTHERS = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()"
TICKS = os.sysconf("SC_CLK_TCK")


class Load:
    """From the beginning to the end of a block; connections are those that other processes have to the database."""

    def __init__(self, pid: int) -> None:
        self._pid = pid
        self._over = Event()
        self._watching = Thread(target=self._watch, daemon=True)
        self.connections = 0

    def __enter__(self) -> Self:
        self.begin_mb = memory_mb(self._pid)
        self._began = (time.monotonic(), cpu_seconds(self._pid), self._transactions())
        self._watching.start()
        return self

    def __exit__(self, *_: Any) -> None:
        self._over.set()
        self._watching.join()
        self.seconds = time.monotonic() - self._began[0]
        self.cpu_share = 100 * (cpu_seconds(self._pid) - self._began[1]) / self.seconds
        self.queries = (self._transactions() - self._began[2]) / self.seconds
        self.end_mb = memory_mb(self._pid)

    def last(self, seconds: float) -> None:
        time.sleep(seconds)

    def _watch(self) -> None:
        with psycopg.connect(database_url(), autocommit=True) as watcher:
            while not self._over.wait(EVERY):
                row = watcher.execute(OTHERS).fetchone()
                assert row is not None
                self.connections = max(self.connections, row[0])

    def _transactions(self) -> int:
        """Of this database so far; a query outside of a transaction is one."""
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_stat_clear_snapshot()")
            cursor.execute("SELECT xact_commit FROM pg_stat_database WHERE datname = current_database()")
            return int(cursor.fetchone()[0])


def family(pid: int) -> list[int]:
    """A process and all that descend from it."""
    try:
        children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    except OSError:
        return []
    return [pid, *(one for child in children for one in family(int(child)))]


def memory_mb(pid: int) -> float:
    pages = sum(int(Path(f"/proc/{one}/statm").read_text().split()[1]) for one in family(pid))
    return pages * resource.getpagesize() / 2**20


def cpu_seconds(pid: int) -> float:
    ticks = 0
    for one in family(pid):
        fields = Path(f"/proc/{one}/stat").read_text().rsplit(")", 1)[1].split()
        ticks += int(fields[11]) + int(fields[12])
    return ticks / TICKS
