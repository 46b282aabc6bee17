"""Researchers' own rubrics: make, copy, delete, and change while unused."""

from typing import Any

from django.contrib.auth.models import User
from django.db import IntegrityError, transaction
from django.utils.text import slugify

from annotation.models import Study
from core.fingerprint import StaleError, fingerprint, stored
from dialogues.audit import AuditVerb
from dialogues.models import FROZEN_RUBRIC, AuditEvent, FrozenRubricError, Rubric
from dialogues.rubric import Metric, Scale, to_json
from generation.models import Run

PARTS = ("name", "metrics", "scale_low", "scale_high")
LONGEST_SLUG = 40


@transaction.atomic
def make_rubric(*, name: str, metrics: tuple[Metric, ...], scale: Scale, by: User | None) -> Rubric:
    """Make a rubric with a slug derived from its name."""
    made = _with_free_slug(name, metrics=to_json(metrics), scale_low=scale.low, scale_high=scale.high)
    AuditEvent.record(by, AuditVerb.RUBRIC_CREATED, made)
    return made


@transaction.atomic
def change_rubric(
    *, rubric: Rubric, seen: str, name: str, metrics: tuple[Metric, ...], scale: Scale, by: User | None
) -> None:
    """Change an unused rubric; `seen` is the fingerprint of what the page showed.

    Raises FrozenRubricError once it has been used, StaleError if somebody has changed it since.
    """
    now = _locked(rubric)
    # Lists instead of tuples, as the database returns them.
    wanted = {"name": name, "metrics": to_lists(metrics), "scale_low": scale.low, "scale_high": scale.high}
    if all(getattr(now, part) == value for part, value in wanted.items()):
        return
    if seen != shown(now):
        raise StaleError
    for part, value in wanted.items():
        setattr(now, part, value)
    now.save(update_fields=list(PARTS))
    AuditEvent.record(by, AuditVerb.RUBRIC_CHANGED, now)


@transaction.atomic
def clone_rubric(*, rubric: Rubric, name: str, by: User | None) -> Rubric:
    """Make a copy that can be changed."""
    made = _with_free_slug(name, metrics=rubric.metrics, scale_low=rubric.scale_low, scale_high=rubric.scale_high)
    AuditEvent.record(by, AuditVerb.RUBRIC_COPIED, made, of=rubric.pk)
    return made


@transaction.atomic
def delete_rubric(*, rubric: Rubric, by: User | None) -> None:
    """Delete an unused rubric; raises FrozenRubricError if a study or a judge uses it."""
    now = _locked(rubric)
    if Study.objects.filter(rubric=now).exists():
        raise FrozenRubricError("A study uses these questions. Choose others there first.")
    AuditEvent.record(by, AuditVerb.RUBRIC_DELETED, now, name=now.name)
    now.delete()


def is_used(rubric: Rubric) -> bool:
    """Whether people have scored, or a model has judged, by this rubric."""
    return rubric.frozen_at is not None or Run.objects.filter(rubric=rubric).exists()


def shown(rubric: Rubric) -> str:
    """The fingerprint of what the rubric's form shows."""
    return fingerprint({part: stored(rubric, part) for part in PARTS})


def to_lists(metrics: tuple[Metric, ...]) -> list[dict[str, Any]]:
    """The metrics in the form that the database returns."""
    return [
        {key: list(value) if isinstance(value, tuple) else value for key, value in row.items()}
        for row in to_json(metrics)
    ]


def _locked(rubric: Rubric) -> Rubric:
    now = Rubric.objects.select_for_update(no_key=True).get(pk=rubric.pk)
    if is_used(now):
        raise FrozenRubricError(FROZEN_RUBRIC)
    return now


def _with_free_slug(name: str, **fields: Any) -> Rubric:
    """Create a rubric with the name's slug, numbered if it is taken, also if it is taken at this very moment."""
    base = slugify(name)[:LONGEST_SLUG].strip("-") or "rubric"
    number = 1
    while True:
        slug = base if number == 1 else f"{base}-{number}"
        if not Rubric.objects.filter(slug=slug).exists():
            try:
                with transaction.atomic():
                    return Rubric.objects.create(slug=slug, name=name, **fields)
            except IntegrityError:
                if not Rubric.objects.filter(slug=slug).exists():
                    raise
        number += 1
