"""A researcher's own questions: make, change while nobody has used them, copy, delete."""

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
    """A new rubric under a slug made from its name."""
    made = _with_free_slug(name, metrics=to_json(metrics), scale_low=scale.low, scale_high=scale.high)
    AuditEvent.record(by, AuditVerb.RUBRIC_CREATED, made)
    return made


@transaction.atomic
def change_rubric(
    *, rubric: Rubric, seen: str, name: str, metrics: tuple[Metric, ...], scale: Scale, by: User | None
) -> None:
    """Raises FrozenRubricError once it was used, StaleError where somebody changed it since `seen`."""
    now = _locked(rubric)
    # As JSON gives it back: lists, not tuples.
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
    """A copy that can be changed."""
    made = _with_free_slug(name, metrics=rubric.metrics, scale_low=rubric.scale_low, scale_high=rubric.scale_high)
    AuditEvent.record(by, AuditVerb.RUBRIC_COPIED, made, of=rubric.pk)
    return made


@transaction.atomic
def delete_rubric(*, rubric: Rubric, by: User | None) -> None:
    """Raises FrozenRubricError where a study or a judge uses it."""
    now = _locked(rubric)
    if Study.objects.filter(rubric=now).exists():
        raise FrozenRubricError("A study uses these questions. Choose others there first.")
    AuditEvent.record(by, AuditVerb.RUBRIC_DELETED, now, name=now.name)
    now.delete()


def is_used(rubric: Rubric) -> bool:
    """Whether people have scored by it, or a model has judged by it."""
    return rubric.frozen_at is not None or Run.objects.filter(rubric=rubric).exists()


def shown(rubric: Rubric) -> str:
    """The fingerprint of what a form about the rubric shows."""
    return fingerprint({part: stored(rubric, part) for part in PARTS})


def to_lists(metrics: tuple[Metric, ...]) -> list[dict[str, Any]]:
    """The metrics as they come back from the database."""
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
    """Numbered where the name's slug is taken; whoever takes one at the same moment makes the next number be tried."""
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
