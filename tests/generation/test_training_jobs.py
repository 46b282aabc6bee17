"""Large training sets are built by a worker: told about, stopped, begun anew, refused."""

from collections.abc import Callable
from datetime import timedelta

import pytest
from django.utils import timezone
from pytest_django import DjangoCaptureOnCommitCallbacks

from generation.models import TrainingItem, TrainingSet
from generation.training import build_jobs, surveying
from generation.training.build_jobs import ordered, silent_sets, stop, work
from generation.training.building import build
from generation.training.recipe import RecipeError
from tests.generation.test_training_building import families, recipe_of

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def small_chunks(monkeypatch: pytest.MonkeyPatch) -> None:
    """So that a few dialogues are several steps."""
    monkeypatch.setattr(surveying, "AT_ONCE", 4)
    monkeypatch.setattr("generation.training.building.AT_ONCE", 4)


def waiting(**choices: object) -> TrainingSet:
    return ordered(recipe_of(families(), **choices), "Large", by=None, version=1, wake=lambda pk: None)


def test_a_worker_is_told_once_and_builds_what_a_request_would(
    django_capture_on_commit_callbacks: DjangoCaptureOnCommitCallbacks,
) -> None:
    corpus, woken = families(), []
    with django_capture_on_commit_callbacks(execute=True):
        for _ in range(2):
            row = ordered(recipe_of(corpus), "Large", by=None, version=1, wake=woken.append)
    assert woken == [row.pk]
    assert (row.state, TrainingSet.objects.count()) == ("building", 1)
    work(row.pk)
    row.refresh_from_db()
    assert row.is_built
    assert row.sha256 == build(recipe_of(corpus), "Small", by=None).sha256


def test_it_tells_how_far_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    row, told = waiting(), []
    keep = build_jobs._Hold.keep

    def noted(hold: build_jobs._Hold, done: int) -> None:
        told.append(done)
        keep(hold, done)

    monkeypatch.setattr(build_jobs._Hold, "keep", noted)
    work(row.pk)
    # Three steps of looking, three of writing, and the end.
    assert told == [0, 0, 0, 4, 8, 12, 12]


def meanwhile(monkeypatch: pytest.MonkeyPatch, happens: Callable[[], object]) -> None:
    """Let something happen once, while a worker looks at the dialogues."""
    keep = build_jobs._Hold.keep

    def interrupted(hold: build_jobs._Hold, done: int) -> None:
        monkeypatch.setattr(build_jobs._Hold, "keep", keep)
        happens()
        keep(hold, done)

    monkeypatch.setattr(build_jobs._Hold, "keep", interrupted)


def test_a_stopped_set_is_gone_and_its_worker_ends(monkeypatch: pytest.MonkeyPatch) -> None:
    row = waiting()
    meanwhile(monkeypatch, lambda: stop(row))
    work(row.pk)
    assert not TrainingSet.objects.exists()
    assert not TrainingItem.objects.exists()
    assert not stop(row)


def test_a_set_whose_worker_was_silent_is_begun_anew_and_the_slow_one_gives_up(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    row = waiting()
    TrainingSet.objects.filter(pk=row.pk).update(done=4)
    left = TrainingItem(
        training_set=row, number=1, split="train", background="d0", dialogue=row.corpus.dialogues.all()[0]
    )
    left.save()

    def taken_over() -> None:
        TrainingSet.objects.filter(pk=row.pk).update(told_at=timezone.now() - timedelta(hours=1))
        assert silent_sets() == [row.pk]
        work(row.pk)

    meanwhile(monkeypatch, taken_over)
    work(row.pk)
    row.refresh_from_db()
    assert row.is_built
    assert list(row.items.values_list("number", flat=True)) == list(range(1, 13))
    assert silent_sets() == []


def test_a_set_that_another_worker_builds_is_left_alone() -> None:
    row = waiting()
    TrainingSet.objects.filter(pk=row.pk).update(told_at=timezone.now())
    work(row.pk)
    row.refresh_from_db()
    assert (row.state, row.done) == ("building", 0)


def test_a_set_whose_message_was_lost_is_found_by_the_sweep() -> None:
    row = waiting()
    assert silent_sets() == []
    TrainingSet.objects.filter(pk=row.pk).update(created_at=timezone.now() - timedelta(minutes=3))
    assert silent_sets() == [row.pk]


def test_what_only_the_worker_can_know_is_told_on_the_set() -> None:
    row = waiting(delimiter="hello")
    work(row.pk)
    row.refresh_from_db()
    assert row.state == "refused"
    assert "12 dialogues hold the delimiter 'hello'" in row.problem
    assert not row.items.exists()


def test_what_can_be_known_at_once_is_refused_at_once() -> None:
    with pytest.raises(RecipeError, match="dropped most of them"):
        waiting(filters={"fewest_messages": 99})
    assert not TrainingSet.objects.exists()
