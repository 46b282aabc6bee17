"""Where one row of the fault suite plays: a database, a broker, a model server, and a folder for logs."""

import os
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from tests.faults.model_server import ModelServer
from tests.faults.servers import PrivatePostgres, PrivateRedis

ROOT = Path(__file__).resolve().parents[2]


@dataclass(frozen=True)
class Site:
    """Everything that workers are told, and what may be broken under them.

    `short` asks a row for its small form. `postgres` is None where the database is shared and may not be restarted.
    """

    database_url: str
    redis: PrivateRedis
    postgres: PrivatePostgres | None
    model: ModelServer
    folder: Path
    short: bool
    say: Callable[[str], None] = field(default=lambda words: None)

    @property
    def log(self) -> Path:
        return self.folder / "workers.log"

    def environment(self, **more: str) -> dict[str, str]:
        """For a process that works on this site."""
        return {
            **os.environ,
            "DATABASE_URL": self.database_url,
            "REDIS_URL": self.redis.url,
            "DATA_DIR": str(self.folder),
            **more,
        }


@dataclass(frozen=True)
class Figure:
    """One number of a row, what was promised about it, and whether that was kept."""

    name: str
    value: float | str
    promise: str = ""
    kept: bool = True


@dataclass
class Report:
    """A row's figures, in the order in which they were found."""

    title: str
    figures: list[Figure] = field(default_factory=list)

    def told(self, name: str, value: float | str) -> None:
        """A figure that nothing was promised about."""
        self.figures.append(Figure(name, value))

    def promise(self, name: str, value: float | str, promise: str, kept: bool) -> None:
        self.figures.append(Figure(name, value, promise, kept))

    def exactly(self, name: str, value: float | str, wanted: float | str) -> None:
        self.promise(name, value, f"= {wanted}", value == wanted)

    def at_most(self, name: str, value: float, most: float) -> None:
        self.promise(name, value, f"≤ {most:g}", value <= most)

    def at_least(self, name: str, value: float, least: float) -> None:
        self.promise(name, value, f"≥ {least:g}", value >= least)

    @property
    def broken(self) -> list[Figure]:
        return [figure for figure in self.figures if not figure.kept]
