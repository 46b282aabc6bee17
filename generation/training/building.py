"""Build a training set: survey its dialogues, write its items, and freeze it with the hash of its examples.

A small set is built while its person waits, in one transaction: refused, it leaves nothing behind. A large one is
written by a worker (`generation.training.build_jobs`).
"""

import hashlib
from collections.abc import Iterator
from itertools import islice
from typing import Any

from django.db import IntegrityError, transaction
from django.db.models import Max, ProtectedError
from django.utils import timezone

from core.database.bulk import insert
from dialogues.audit import AuditVerb
from dialogues.models import AuditEvent, Corpus
from generation.models import TrainingItem, TrainingSet
from generation.training.examples import canonical_line, rendered
from generation.training.recipe import Recipe, RecipeError
from generation.training.surveying import AT_ONCE, Survey, Tell, items_of, silent, survey

LONGEST_NAME = 80
State = TrainingSet.State


class SetInUseError(ValueError):
    """A set that cannot be deleted; the text says what uses it."""


def next_version(name: str) -> int:
    newest = TrainingSet.objects.filter(name=name).aggregate(newest=Max("version"))["newest"]
    return (newest or 0) + 1


def build(
    recipe: Recipe,
    name: str,
    *,
    by: Any,
    version: int | None = None,
    tell: Tell = silent,
) -> TrainingSet:
    """The built set, at once; raises RecipeError. A second click with the same `version` finds the first one's set."""
    if there := asked_before(recipe, checked_name(name), version):
        return there
    corpus = corpus_of(recipe)
    found = survey(recipe, corpus, tell=tell)
    with transaction.atomic():
        made, is_new = begun(recipe, name, corpus, by=by, version=version)
        if is_new:
            fill(made, found)
            finish(made, found, by=by)
    return made


def corpus_of(recipe: Recipe) -> Corpus:
    """Raises RecipeError."""
    corpus = Corpus.objects.listed().filter(pk=recipe.corpus).first()
    if corpus is None:
        raise RecipeError("corpus", "The corpus of this set is not there. Choose another.")
    return corpus


def asked_before(recipe: Recipe, name: str, version: int | None) -> TrainingSet | None:
    """The set that another click has begun; raises RecipeError if that is another recipe's."""
    there = TrainingSet.objects.filter(name=name, version=version).first() if version else None
    if there and there.recipe != _as_stored(recipe):
        raise RecipeError("name", f"{there} was built since you looked. Preview again to build the next version.")
    return there


def begun(
    recipe: Recipe, name: str, corpus: Corpus, *, by: Any, version: int | None = None
) -> tuple[TrainingSet, bool]:
    """The set's row, and whether it is new: a click at the same moment may have made it. Raises RecipeError."""
    version = version or next_version(name)
    fields = {"corpus": corpus, "recipe": _as_stored(recipe), "created_by": by}
    try:
        with transaction.atomic():
            return TrainingSet.objects.create(name=name, version=version, **fields), True
    except IntegrityError:
        there = asked_before(recipe, name, version)
        if there is None:
            raise
        return there, False


def checked_name(name: str) -> str:
    """Itself; raises RecipeError for one that cannot be stored."""
    if not name.strip() or len(name) > LONGEST_NAME or "\0" in name:
        raise RecipeError("name", f"Give the set a name of at most {LONGEST_NAME} characters.")
    return name


def fill(training_set: TrainingSet, found: Survey, tell: Tell = silent) -> None:
    """Write the items and take their hash; each chunk is whole or not there."""
    digest = hashlib.sha256()
    rows = _numbered(training_set, found)
    done = 0
    while chunk := list(islice(rows, AT_ONCE)):
        for item in chunk:
            for made in rendered(item, found.recipe):
                digest.update(canonical_line(item, made).encode())
        done += len(chunk)
        with transaction.atomic():
            tell(done)
            insert(chunk)
    training_set.sha256 = digest.hexdigest()
    training_set.counts, training_set.done = found.counts(), done


def finish(training_set: TrainingSet, found: Survey, *, by: Any) -> None:
    """Freeze the set; call it inside a transaction."""
    training_set.state, training_set.built_at = State.BUILT, timezone.now()
    training_set.total = len(found.kept)
    training_set.save(update_fields=["sha256", "counts", "state", "built_at", "done", "total"])
    detail = {"name": str(training_set), "dialogues": training_set.total, "sha256": training_set.sha256}
    AuditEvent.record(by, AuditVerb.TRAINING_SET_BUILT, training_set, **detail)


@transaction.atomic
def delete_set(training_set: TrainingSet, *, by: Any) -> None:
    """Remove a set that no training run uses; raises SetInUseError."""
    row = TrainingSet.objects.select_for_update().get(pk=training_set.pk)
    used_by = row.runs.order_by("pk").first()
    if used_by:
        raise SetInUseError(f"The training run “{used_by}” uses {row}, so it stays: it says what the model learned.")
    AuditEvent.record(by, AuditVerb.TRAINING_SET_DELETED, row, name=str(row), sha256=row.sha256)
    # Items of a built set are frozen, so the set is thawed first: nobody sees that before it is gone.
    TrainingSet.objects.filter(pk=row.pk).update(state=State.REFUSED)
    try:
        row.delete()
    except ProtectedError as error:
        raise SetInUseError(f"Something uses {row}, so it stays.") from error


def _numbered(training_set: TrainingSet, found: Survey) -> Iterator[TrainingItem]:
    for number, (planned, item) in enumerate(items_of(found.kept), 1):
        item.training_set, item.number, item.split = training_set, number, found.splits[planned.background]
        yield item


def _as_stored(recipe: Recipe) -> dict[str, Any]:
    """As JSON gives it back: lists, not tuples."""
    stored = recipe.as_json()
    return {name: list(value) if isinstance(value, tuple) else value for name, value in stored.items()}
