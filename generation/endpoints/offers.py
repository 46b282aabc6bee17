"""The list of models that an endpoint offers, with the day on which it says that a model will be gone. Pure."""

from collections.abc import Mapping
from datetime import date
from typing import Any, NamedTuple

from generation.endpoints.answers import text
from generation.endpoints.shapes import decoded, mapping

# As OpenAI and OpenRouter call the day, which others may adopt.
_SHUTDOWN_FIELDS = ("shutdown_date", "expiration_date")
_DAY = len("2027-01-06")


class Offer(NamedTuple):
    """A model by name; `shutdown` is None where no day is announced."""

    model: str
    shutdown: date | None


def read_offers(body: str) -> list[Offer]:
    """The body of `GET /models`; entries that name no model are left out."""
    rows = mapping(decoded(body)).get("data")
    named = [row for row in rows if text(mapping(row).get("id"))] if isinstance(rows, list) else []
    return [Offer(text(row["id"]), _shutdown(row)) for row in named]


def _shutdown(row: Mapping[str, Any]) -> date | None:
    given = next((text(row.get(field)) for field in _SHUTDOWN_FIELDS if text(row.get(field))), "")
    try:
        # A time of the day may follow.
        return date.fromisoformat(given[:_DAY])
    except ValueError:
        return None
