"""Statements for the few rows of every claim and rating; the ORM takes longer to write this SQL than it runs.

Values pass through the models' fields, as with the ORM, and travel as parameters. Signals and database defaults are
left out. For many rows use `core.database.bulk`. It can go once `tests.benchmarks.rating` with 32 raters keeps 85 % of
its pairs a second with the ORM's own `save` and `update`.
"""

from collections.abc import Mapping, Sequence
from functools import cache
from typing import Any

from django.db import connection, models


def insert(rows: Sequence[models.Model]) -> None:
    """Store a few new rows of one model in one statement, and set their primary keys."""
    sql, fields = _insertion(type(rows[0]), len(rows))
    values = [field.get_db_prep_save(field.pre_save(row, True), connection) for row in rows for field in fields]
    with connection.cursor() as cursor:
        cursor.execute(sql, values)
        for row, (key,) in zip(rows, cursor.fetchall(), strict=True):
            row.pk = key
            row._state.adding, row._state.db = False, connection.alias


def set_clause(model: type[models.Model], values: Mapping[str, Any]) -> tuple[str, list[Any]]:
    """The SET clause of an update of these fields (`"state" = %s, …`) and its parameters."""
    fields: dict[str, Any] = {name: model._meta.get_field(name) for name in values}
    names = ", ".join(f'"{field.column}" = %s' for field in fields.values())
    return names, [fields[name].get_db_prep_save(value, connection) for name, value in values.items()]


@cache
def _insertion(model: type[models.Model], rows: int) -> tuple[str, list[models.Field[Any, Any]]]:
    meta = model._meta
    fields = [field for field in meta.concrete_fields if not field.primary_key]
    key = str(meta.pk.column)
    names = ", ".join(f'"{field.column}"' for field in fields)
    row = f"({', '.join(['%s'] * len(fields))})"
    sql = f'INSERT INTO "{meta.db_table}" ({names}) VALUES {", ".join([row] * rows)} RETURNING "{key}"'  # noqa: S608
    return sql, fields
