"""What a form showed, in one word: a save that was made on top of something else is noticed by it."""

import hashlib
import json
from collections.abc import Mapping
from typing import Any

from django.db import models


class StaleError(Exception):
    """Somebody changed it since the page was opened; nothing of this change was written."""


def plain(value: Any) -> Any:
    """A field's value as JSON: a row by its primary key."""
    return value.pk if isinstance(value, models.Model) else value


def stored(row: models.Model, name: str) -> Any:
    """What the row holds under this name, as `plain` gives it; many rows by their keys, in order."""
    value = getattr(row, name)
    if hasattr(value, "values_list"):
        return sorted(value.values_list("pk", flat=True))
    return plain(value)


def fingerprint(values: Mapping[str, Any]) -> str:
    written = json.dumps(values, sort_keys=True, ensure_ascii=False, default=str)
    return hashlib.sha256(written.encode()).hexdigest()
