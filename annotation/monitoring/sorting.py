"""Rows of a page's table, sorted by the column that its address names."""

from collections.abc import Callable, Mapping
from typing import Any, TypeVar

Row = TypeVar("Row")


def sorted_by(rows: list[Row], sort: str, keys: Mapping[str, Callable[[Row], Any]]) -> tuple[list[Row], str]:
    """The rows sorted by one of the keys, descending after a minus; rows without a value come last in either direction.

    Any other text keeps their order, and is returned as "".
    """
    key = keys.get(sort.removeprefix("-"))
    if key is None:
        return rows, ""
    known = [row for row in rows if key(row) is not None]
    unknown = [row for row in rows if key(row) is None]
    return sorted(known, key=key, reverse=sort.startswith("-")) + unknown, sort
