"""Large training sets, built by a worker that tells how far it is and can be stopped.

A set whose worker died is begun anew by the next sweep. Each write looks first whether the set is still this worker's:
one that was only slow stops where another has taken over.
"""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

from django.db import InterfaceError, OperationalError, transaction
from django.db.models import Q
from django.utils import timezone

from generation.models import TrainingSet
from generation.training.building import asked_before, begun, checked_name, corpus_of, fill, finish
from generation.training.choosing import choose
from generation.training.recipe import Recipe, RecipeError
from generation.training.surveying import Tell, survey

# A request builds sets of up to so many dialogues itself: some seconds.
LARGE = 2000
SILENT_AFTER = timedelta(minutes=2)
State = TrainingSet.State
_FAILED = "The program failed at this set, and nothing of it was kept. Tell whoever runs this site; its log says more."


class BuildStoppedError(Exception):
    """Somebody stopped the building, or another worker does it."""


def is_large(recipe: Recipe) -> bool:
    """Raises RecipeError."""
    return len(choose(recipe, corpus_of(recipe)).planned) > LARGE


def ordered(recipe: Recipe, name: str, *, by: Any, version: int | None, wake: Callable[[int], object]) -> TrainingSet:
    """The row of a set that a worker builds; `wake` tells one. Raises RecipeError for what can be known at once."""
    if there := asked_before(recipe, checked_name(name), version):
        return there
    corpus = corpus_of(recipe)
    total = len(choose(recipe, corpus).planned)
    with transaction.atomic():
        made, is_new = begun(recipe, name, corpus, by=by, version=version)
        if is_new:
            TrainingSet.objects.filter(pk=made.pk).update(total=total)
            transaction.on_commit(lambda: wake(made.pk))
    return made


def stop(training_set: TrainingSet) -> bool:
    """Remove a set that is being built; its worker notices at its next step."""
    with transaction.atomic():
        row = TrainingSet.objects.select_for_update().filter(pk=training_set.pk, state=State.BUILDING).first()
        if row:
            row.delete()
    return row is not None


def silent_sets() -> list[int]:
    """Sets that no worker builds: their message was lost, or their worker died."""
    return list(TrainingSet.objects.filter(_left(), state=State.BUILDING).values_list("pk", flat=True))


def work(pk: int) -> None:
    """Build a set that waits, or that its worker has left; do nothing about any other."""
    row = _claimed(pk)
    if not row:
        return
    hold = _Hold(row)
    try:
        _build(row, hold)
    except BuildStoppedError:
        pass
    except RecipeError as refused:
        hold.refuse(str(refused))
    except (OperationalError, InterfaceError):
        # The database went away: the next sweep begins anew.
        raise
    except Exception:
        # Whatever it is, it would happen again with every sweep.
        hold.refuse(_FAILED)
        raise


def _build(row: TrainingSet, hold: "_Hold") -> None:
    recipe = Recipe.of(row.recipe)
    found = survey(recipe, row.corpus, tell=hold.teller(written=False))
    fill(row, found, tell=hold.teller(written=True))
    with transaction.atomic():
        hold.keep(row.done)
        finish(row, found, by=row.created_by)


class _Hold:
    """A worker's claim to a set: it holds as long as nobody else has written the time that this worker wrote last."""

    def __init__(self, row: TrainingSet) -> None:
        self._pk, self._told_at = row.pk, row.told_at

    def teller(self, *, written: bool) -> Tell:
        return lambda done: self.keep(done if written else 0)

    def keep(self, done: int) -> None:
        """Write down how far it is; raises BuildStoppedError."""
        self._change(done=done)

    def refuse(self, problem: str) -> None:
        with transaction.atomic():
            self._change(state=State.REFUSED, problem=problem, done=0)
            TrainingSet.objects.get(pk=self._pk).items.all().delete()

    def _change(self, **fields: Any) -> None:
        now = timezone.now()
        mine = TrainingSet.objects.filter(pk=self._pk, state=State.BUILDING, told_at=self._told_at)
        if not mine.update(told_at=now, **fields):
            raise BuildStoppedError
        self._told_at = now


def _left() -> Q:
    before = timezone.now() - SILENT_AFTER
    return Q(told_at=None, created_at__lt=before) | Q(told_at__lt=before)


def _claimed(pk: int) -> TrainingSet | None:
    """The set, which nobody else builds now, without what a worker that died wrote; None if it is not free."""
    now = timezone.now()
    with transaction.atomic():
        free = TrainingSet.objects.filter(Q(told_at=None) | _left(), pk=pk, state=State.BUILDING)
        if not free.update(told_at=now, done=0):
            return None
        row = TrainingSet.objects.select_related("corpus", "created_by").get(pk=pk)
        row.items.all().delete()
    return row
