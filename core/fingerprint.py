"""A hash of what a form showed, to notice a save that is based on an older state."""

import hashlib
import json
from collections.abc import Mapping
from typing import Any

from django.db import models


class StaleError(Exception):
    """Somebody else saved a change after the page was opened; this change was not written."""


def plain(value: Any) -> Any:
    """A field's value as JSON: a row by its primary key."""
    return value.pk if isinstance(value, models.Model) else value


def stored(row: models.Model, name: str) -> Any:
    """The row's value of this field as JSON; a many-to-many field as its sorted keys."""
    value = getattr(row, name)
    if hasattr(value, "values_list"):
        return sorted(value.values_list("pk", flat=True))
    return plain(value)


def fingerprint(values: Mapping[str, Any]) -> str:
    written = json.dumps(values, sort_keys=True, ensure_ascii=False, default=str)
    return hashlib.sha256(written.encode()).hexdigest()
