"""What the pages that change example sets share: fetching a draft, and saying what a frozen set means."""

from django.contrib import messages
from django.db.models import Count
from django.http import HttpRequest
from django.shortcuts import get_object_or_404

from generation.models import Example, ExampleSet

FROZEN = "%s is frozen and never changes. Clone it, and change the new version."
FROZEN_MEANWHILE = (
    "It was frozen since you opened this page. Nothing was saved: clone the set and change the new version."
)


def fetch_set(pk: int) -> ExampleSet:
    rows = ExampleSet.objects.select_related("created_by", "parent", "snapshot_of").annotate(size=Count("examples"))
    return get_object_or_404(rows, pk=pk)


def fetch_example(pk: int) -> Example:
    links = ("example_set", "dialogue__corpus", "dialogue__version", "dialogue_after__version")
    return get_object_or_404(Example.objects.select_related(*links), pk=pk)


def refused(request: HttpRequest, example_set: ExampleSet) -> bool:
    """Whether the set is frozen; the person is told what to do instead."""
    if example_set.frozen_at is None:
        return False
    messages.error(request, FROZEN % example_set)
    return True
