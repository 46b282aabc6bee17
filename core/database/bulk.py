"""Store many new rows at once: `bulk_create` spends longer assembling statements than the database spends storing."""

from collections.abc import Iterable, Sequence
from typing import Any

from django.db import DEFAULT_DB_ALIAS, connections, models
from django.db.backends.base.base import BaseDatabaseWrapper


def insert(rows: Sequence[models.Model]) -> None:
    """Store rows of one model, without filling in their primary keys; use it inside a transaction."""
    if not rows:
        return
    connection = connections[DEFAULT_DB_ALIAS]
    fields = [field for field in rows[0]._meta.concrete_fields if not field.primary_key]
    names = [str(field.column) for field in fields]
    values = ([field.get_db_prep_save(field.pre_save(row, True), connection) for field in fields] for row in rows)
    store = _copy if connection.vendor == "postgresql" else _executemany
    store(connection, rows[0]._meta.db_table, names, values)


def _copy(connection: BaseDatabaseWrapper, table: str, names: list[str], rows: Iterable[list[Any]]) -> None:
    with connection.cursor() as cursor, cursor.copy(f"COPY {_into(connection, table, names)} FROM STDIN") as copy:
        for row in rows:
            copy.write_row(row)


def _executemany(connection: BaseDatabaseWrapper, table: str, names: list[str], rows: Iterable[list[Any]]) -> None:
    places = ", ".join(["%s"] * len(names))
    # Table and columns are a model's own names; values travel as parameters.
    statement = f"INSERT INTO {_into(connection, table, names)} VALUES ({places})"  # noqa: S608
    with connection.cursor() as cursor:
        cursor.executemany(statement, list(rows))


def _into(connection: BaseDatabaseWrapper, table: str, names: list[str]) -> str:
    quote = connection.ops.quote_name
    return f"{quote(table)} ({', '.join(map(quote, names))})"
