"""Many rows changed in one go, several times faster than a CASE over all of them."""

from collections.abc import Sequence
from typing import Any

from django.db import connection, models

Field = models.Field[Any, Any]


def update_rows(rows: Sequence[models.Model], names: Sequence[str]) -> None:
    """Write the named fields of rows of one model by primary key; call it inside a transaction."""
    if not rows:
        return
    by_name = {field.name: field for field in rows[0]._meta.concrete_fields}
    fields = [by_name[name] for name in names]
    if connection.vendor == "postgresql":
        _update_together(rows, fields)
    else:
        _update_one_by_one(rows, fields)


def _update_together(rows: Sequence[models.Model], fields: Sequence[Field]) -> None:
    """One statement for all rows: planned once, one answer."""
    table, key, columns = _names(rows[0], fields)
    pk: Field = rows[0]._meta.pk
    types = [pk.rel_db_type(connection), *(field.db_type(connection) for field in fields)]
    # The first row tells the types of all.
    first = ", ".join(f"%s::{name}" for name in types)
    others = f", ({', '.join(['%s'] * len(types))})" * (len(rows) - 1)
    changes = ", ".join(f"{column} = new.{column}" for column in columns)
    # Names come from the model, values are parameters.
    sql = (
        f"UPDATE {table} SET {changes} FROM (VALUES ({first}){others}) "  # noqa: S608
        f"AS new ({', '.join([key, *columns])}) WHERE {table}.{key} = new.{key}"
    )
    with connection.cursor() as cursor:
        cursor.execute(sql, [value for row in rows for value in (row.pk, *_values(row, fields))])


def _update_one_by_one(rows: Sequence[models.Model], fields: Sequence[Field]) -> None:
    table, key, columns = _names(rows[0], fields)
    changes = ", ".join(f"{column} = %s" for column in columns)
    with connection.cursor() as cursor:
        cursor.executemany(
            f"UPDATE {table} SET {changes} WHERE {key} = %s",  # noqa: S608 as above
            [[*_values(row, fields), row.pk] for row in rows],
        )


def _names(row: models.Model, fields: Sequence[Field]) -> tuple[str, str, list[str]]:
    """Quoted: the table, its key's column, the fields' columns."""
    quote, meta = connection.ops.quote_name, row._meta
    return quote(meta.db_table), quote(str(meta.pk.column)), [quote(str(field.column)) for field in fields]


def _values(row: models.Model, fields: Sequence[Field]) -> list[Any]:
    return [field.get_db_prep_save(getattr(row, field.attname), connection) for field in fields]
