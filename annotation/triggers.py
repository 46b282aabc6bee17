"""The database's own refusal to change questions that people have scored by.

The model refuses first, with a better sentence; this holds where rows are written past it. A used rubric cannot be
deleted either: its study protects it.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from django.db import DEFAULT_DB_ALIAS, connections, router

from generation.triggers import differs, drop_statement, has_columns, statements

NAME, TABLE = "frozen_rubric_update", "dialogues_rubric"
COLUMNS = ("id", "slug", "name", "metrics", "scale_low", "scale_high", "frozen_at")
MESSAGE = "People have scored by these questions, so they never change. Make a copy and change that."


def install(using: str = DEFAULT_DB_ALIAS, **kwargs: Any) -> None:
    """Make the database hold the trigger; runs after every migration, which on SQLite may have lost it."""
    connection = connections[using]
    if not _is_here(using) or not has_columns(connection, TABLE, COLUMNS):
        return
    remove(using)
    rule = (NAME, TABLE, "UPDATE", f"OLD.frozen_at IS NOT NULL AND ({differs(COLUMNS)})")
    with connection.cursor() as cursor:
        for statement in statements(connection.vendor, [rule], MESSAGE):
            cursor.execute(statement)


def remove(using: str = DEFAULT_DB_ALIAS, **kwargs: Any) -> None:
    """Take it away; runs before every migration, because SQLite rebuilds a table by emptying and renaming it."""
    if not _is_here(using):
        return
    with connections[using].cursor() as cursor:
        cursor.execute(drop_statement(connections[using].vendor, NAME, TABLE))


@contextmanager
def lifted(using: str = DEFAULT_DB_ALIAS) -> Iterator[None]:
    """Without the trigger, for writing past it on purpose."""
    remove(using)
    try:
        yield
    finally:
        install(using)


def _is_here(using: str) -> bool:
    """False for a database without this app, or before its first migration."""
    return router.allow_migrate(using, "annotation") and TABLE in connections[using].introspection.table_names()
