"""The paper's Tables 1–6 as data, so that a report can show them beside its own figures.

Figures are exactly as printed, contradictions included; each table's notes say what is odd about it.
"""

import json
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from core.tables import Column, Table

FILE = Path(__file__).with_name("tables.json")


@dataclass(frozen=True, slots=True)
class PublishedColumn:
    """`key` is a version's slug, a number of messages or a system's name; `system` the model that wrote the text."""

    key: str
    label: str
    system: str


@dataclass(frozen=True, slots=True)
class PublishedRow:
    key: str
    label: str
    values: tuple[float | None, ...]


@dataclass(frozen=True, slots=True)
class PublishedTable:
    """One table of the paper; None for a printed dash."""

    number: int
    caption: str
    unit: str
    columns: tuple[PublishedColumn, ...]
    rows: tuple[PublishedRow, ...]
    notes: tuple[str, ...]

    @property
    def systems(self) -> tuple[str, ...]:
        return tuple(dict.fromkeys(column.system for column in self.columns))

    def value(self, row: str, column: str, system: str | None = None) -> float | None:
        """The printed figure, or None for a dash or a cell that the table does not have.

        Row and column go by key or by printed label (`on_topic` or `On-topic`). Without `system`, the first system
        that has the column (GPT-4 in Table 1).
        """
        for line in self.rows:
            if row in (line.key, line.label):
                for head, value in zip(self.columns, line.values, strict=True):
                    if column in (head.key, head.label) and system in (None, head.system):
                        return value
        return None

    def as_table(self) -> Table:
        """The table for a page or an export, with its notes."""
        several = len(self.systems) > 1
        return Table(
            slug=f"published-{self.number}",
            caption=f"Paper, Table {self.number}. {self.caption}",
            columns=(
                Column("Version" if self.number == 5 else "Metric", numeric=False),
                *(Column(column.label, group=column.system if several else "") for column in self.columns),
            ),
            rows=tuple((row.label, *row.values) for row in self.rows),
            notes=self.notes,
        )


@cache
def published_tables() -> dict[int, PublishedTable]:
    """All six, by number."""
    document = json.loads(FILE.read_text(encoding="utf-8"))
    return {row["number"]: from_json(row) for row in document["tables"]}


def published_table(number: int) -> PublishedTable:
    """Table 1 … 6; KeyError for another number."""
    return published_tables()[number]


def value(number: int, first: str, second: str, system: str | None = None) -> float | None:
    """The figure at two headings of Table `number`, in either order.

    Tables 1–4 have versions as columns, Table 5 as rows; the caller need not know.
    """
    table = published_table(number)
    found = table.value(first, second, system)
    return table.value(second, first, system) if found is None else found


def uncompared(names: Iterable[str]) -> str:
    """The note that says why metrics have no published value; empty if no metric is given."""
    listed = ", ".join(names)
    return (
        f"Without a value of the paper: {listed}. Its rubric asks something else, or on another scale."
        if listed
        else ""
    )


def source() -> str:
    """The paper in one line, for captions."""
    return str(json.loads(FILE.read_text(encoding="utf-8"))["source"])


def from_json(row: dict[str, Any]) -> PublishedTable:
    return PublishedTable(
        number=row["number"],
        caption=row["caption"],
        unit=row["unit"],
        columns=tuple(PublishedColumn(**column) for column in row["columns"]),
        rows=tuple(PublishedRow(line["key"], line["label"], tuple(line["values"])) for line in row["rows"]),
        notes=tuple(row["notes"]),
    )
