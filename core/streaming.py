"""Rows and lines for a file that is sent while it is written, however slowly it is taken."""

from collections.abc import Iterator
from typing import TypeVar

from django.db.models import Model, QuerySet

M = TypeVar("M", bound=Model)
ROWS_AT_ONCE = 500


def in_pages(rows: QuerySet[M], size: int = ROWS_AT_ONCE) -> Iterator[M]:
    """All rows by primary key, a query for each page: memory stays flat, and no cursor outlives its transaction."""
    last = 0
    while page := list(rows.filter(pk__gt=last).order_by("pk")[:size]):
        yield from page
        last = page[-1].pk


def joined(lines: Iterator[str], most: int = ROWS_AT_ONCE) -> Iterator[str]:
    """The same text in fewer, larger pieces."""
    batch: list[str] = []
    for line in lines:
        batch.append(line)
        if len(batch) == most:
            yield "".join(batch)
            batch = []
    if batch:
        yield "".join(batch)
