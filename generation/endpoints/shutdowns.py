"""When models will be gone: what endpoints announced when they were last checked."""

from collections.abc import Collection, Iterable, Iterator, Mapping
from datetime import date
from typing import Any

from django.db.models import QuerySet
from django.utils import timezone

from core.dates import day_in_words
from generation.endpoints.addresses import base_of
from generation.endpoints.offers import Offer
from generation.models import Endpoint, RunStage, Shutdown

# By base address and model.
Days = Mapping[tuple[str, str], date]


def keep(endpoint: Endpoint, offers: Iterable[Offer]) -> None:
    """Store the days announced for the endpoint's model and for those that its runs used.

    A day that is announced no longer is removed; a model that is not offered any more keeps the day it was told.
    """
    used = {endpoint.model, *RunStage.objects.filter(endpoint=endpoint).values_list("model", flat=True)}
    days = {offer.model: offer.shutdown for offer in offers if offer.model in used}
    if not days:
        return
    address, now = base_of(endpoint.base_url), timezone.now()
    withdrawn = [model for model, day in days.items() if day is None]
    Shutdown.objects.filter(address=address, model__in=withdrawn).delete()
    Shutdown.objects.bulk_create(
        [Shutdown(address=address, model=model, day=day, told_at=now) for model, day in days.items() if day],
        update_conflicts=True,
        unique_fields=["address", "model"],
        update_fields=["day", "told_at"],
    )


def announced() -> Days:
    return {(row.address, row.model): row.day for row in Shutdown.objects.all()}


def as_read(models: Collection[str] | QuerySet[Any, str]) -> list[list[str]]:
    """[address, model, day] of each day announced for these models: what a kept result depends on."""
    rows = Shutdown.objects.filter(model__in=models).order_by("address", "model")
    return [[row.address, row.model, row.day.isoformat()] for row in rows]


def in_words(days: Days, who: str, address: str, model: str) -> Iterator[str]:
    """On which day the model of `who` will be gone, where that is known; true after the day, too."""
    if day := days.get((address, model)):
        yield f"The endpoint of {who} announced that it shuts {model} down on {day_in_words(day)}."
