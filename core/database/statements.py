"""A part of the `UPDATE … RETURNING` that claims a slot, which the ORM cannot write, and of the updates beside it."""

from collections.abc import Mapping
from typing import Any

from django.db import connection, models


def set_clause(model: type[models.Model], values: Mapping[str, Any]) -> tuple[str, list[Any]]:
    """The SET clause of an update of these fields (`"state" = %s, …`) and its parameters.

    Values pass through the model's fields, as with the ORM, and travel as parameters.
    """
    fields: dict[str, Any] = {name: model._meta.get_field(name) for name in values}
    names = ", ".join(f'"{field.column}" = %s' for field in fields.values())
    return names, [fields[name].get_db_prep_save(value, connection) for name, value in values.items()]
