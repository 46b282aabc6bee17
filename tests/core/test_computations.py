"""Results that take longer than a page may: one computation each, told, stopped, begun anew, never of older data."""

import os
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path

import pytest
from django.core.cache import caches
from django.utils import timezone
from hypothesis import HealthCheck, given
from hypothesis import settings as tried
from hypothesis import strategies as st
from pytest_django import DjangoCaptureOnCommitCallbacks, Settings

from core import computations, results
from core.computations import Answer, answer
from core.models import SILENT_AFTER, Computation
from core.results import Result, Size
from core.steps import Steps
from tests.examples import many

pytestmark = pytest.mark.django_db
STEPS = ("Reading", "Counting")
LONG, SHORT = 10.0, 1.0
State = Computation.State


@dataclass
class Data:
    """Something to be computed; `computed` are the values that anybody computed."""

    value: int = 1
    computed: list[int] = field(default_factory=list)

    def result(self, seconds: float = LONG) -> Result[str]:
        return Result(
            key=lambda: f"data:1:{self.value}",
            compute=self.compute,
            size=lambda: Size(seconds, len(STEPS)),
            task="a.task",
            arguments={"data": 1},
        )

    def compute(self, step: Steps) -> str:
        value = self.value
        self.computed.append(value)
        for doing in STEPS:
            step(doing)
        return f"of {value}"

    def work(self, computation: Computation | None) -> None:
        """What a worker does who is told of the computation."""
        assert computation is not None
        computations.compute(computation.pk, lambda data: self.result())


@pytest.fixture
def data(monkeypatch: pytest.MonkeyPatch) -> Iterator[Data]:
    monkeypatch.setattr(computations, "YOUNG", timedelta(0))
    caches["results"].clear()
    yield Data()
    caches["results"].clear()


@pytest.fixture
def sent(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, list[int]]]:
    """The messages to workers."""
    messages: list[tuple[str, list[int]]] = []
    monkeypatch.setattr(computations.current_app, "send_task", lambda task, keys: messages.append((task, keys)))
    return messages


def test_what_is_quick_is_computed_at_once_and_once(data: Data) -> None:
    assert [answer(data.result(SHORT)) for _ in range(2)] == [Answer("of 1"), Answer("of 1")]
    assert (data.computed, Computation.objects.count()) == ([1], 0)


def test_what_takes_long_is_left_to_one_worker_whoever_asks(
    data: Data, sent: list[tuple[str, list[int]]], django_capture_on_commit_callbacks: DjangoCaptureOnCommitCallbacks
) -> None:
    with django_capture_on_commit_callbacks(execute=True):
        first, second = answer(data.result()), answer(data.result())
    assert first.computation is not None
    assert (first.found, first.computation) == (None, second.computation)
    assert sent == [("a.task", [first.computation.pk])]
    for _ in range(2):
        data.work(first.computation)
    assert (data.computed, answer(data.result())) == ([1], Answer("of 1"))


def test_each_step_is_told_before_it_is_done(data: Data, monkeypatch: pytest.MonkeyPatch) -> None:
    computation = answer(data.result()).computation
    seen: list[tuple[int, int, str]] = []
    told = Computation.told

    def watched(row: Computation, state: State, **fields: object) -> bool:
        found = told(row, state, **fields)
        row.refresh_from_db()
        seen.append((row.done, row.total, row.doing))
        return found

    monkeypatch.setattr(Computation, "told", watched)
    data.work(computation)
    assert seen[:2] == [(0, 2, "Reading"), (1, 2, "Counting")]


def test_a_stopped_computation_keeps_nothing_and_begins_only_when_somebody_asks_it_to(
    data: Data, monkeypatch: pytest.MonkeyPatch
) -> None:
    computation = answer(data.result()).computation
    assert computation is not None
    with monkeypatch.context() as patch:
        patch.setattr("tests.core.test_computations.STEPS", ("Reading",))
        compute = data.compute

        def stopped(step: Steps) -> str:
            computations.stop(computation)
            return compute(step)

        patch.setattr(data, "compute", stopped)
        data.work(computation)
    assert not computations.stop(computation)
    assert (answer(data.result()).found, Computation.objects.get().state) == (None, State.STOPPED)
    assert computations.again(computation)
    data.work(computation)
    assert answer(data.result()) == Answer("of 1")


def test_a_fault_of_the_program_is_told_and_does_not_repeat_itself(data: Data, monkeypatch: pytest.MonkeyPatch) -> None:
    computation = answer(data.result()).computation
    with monkeypatch.context() as patch:
        patch.setattr(data, "compute", lambda step: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            data.work(computation)
    failed = answer(data.result()).computation
    assert failed is not None
    assert (failed.state, failed.problem[:18]) == (State.FAILED, "The program failed")
    assert computations.again(failed)
    data.work(failed)
    assert answer(data.result()) == Answer("of 1")


def test_a_worker_that_died_is_told_of_and_another_begins_when_asked(
    data: Data, monkeypatch: pytest.MonkeyPatch
) -> None:
    def killed(step: Steps) -> str:
        raise KeyboardInterrupt

    computation = answer(data.result()).computation
    with monkeypatch.context() as patch:
        patch.setattr(data, "compute", killed)
        with pytest.raises(KeyboardInterrupt):
            data.work(computation)
    assert not computations.again(Computation.objects.get())
    Computation.objects.update(told_at=timezone.now() - 2 * SILENT_AFTER)
    lost = answer(data.result()).computation
    assert lost is not None
    assert (lost.is_lost, lost.is_open) == (True, False)
    assert computations.again(lost)
    data.work(lost)
    assert answer(data.result()) == Answer("of 1")


def test_after_a_change_the_earlier_result_is_shown_as_earlier(data: Data) -> None:
    first = answer(data.result()).computation
    data.work(first)
    data.value = 2
    found = answer(data.result())
    assert found.found == "of 1"
    assert found.computation is not None
    assert found.as_of == Computation.objects.get(pk=first.pk if first else 0).started_at
    data.work(found.computation)
    assert answer(data.result()) == Answer("of 2")


def test_a_young_earlier_result_is_shown_before_the_next_is_computed(
    data: Data, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(computations, "YOUNG", timedelta(minutes=1))
    data.work(answer(data.result()).computation)
    data.value = 2
    young = answer(data.result())
    assert (young.found, young.computation, young.as_of is None) == ("of 1", None, False)
    Computation.objects.update(told_at=timezone.now() - timedelta(minutes=2))
    assert answer(data.result()).computation is not None


def test_what_changed_while_it_was_computed_is_not_taken_for_current(
    data: Data, monkeypatch: pytest.MonkeyPatch
) -> None:
    computation = answer(data.result()).computation
    compute = data.compute

    def changing(step: Steps) -> str:
        found = compute(step)
        data.value = 2
        return found

    with monkeypatch.context() as patch:
        patch.setattr(data, "compute", changing)
        data.work(computation)
    # Back to what it was: what was computed may still hold some of the change.
    for value in (2, 1):
        data.value = value
        found = answer(data.result())
        assert (found.found, found.computation is not None) == ("of 1", True)


def test_a_quick_result_that_changed_while_it_was_computed_is_not_kept(data: Data) -> None:
    def changing(step: Steps) -> str:
        data.value = 2
        return "of 1"

    data.compute = changing  # type: ignore[method-assign]
    assert answer(data.result(SHORT)).found == "of 1"
    assert [results.kept(f"data:1:{value}") for value in (1, 2)] == [None, None]


def test_a_result_that_had_to_go_is_computed_again(data: Data) -> None:
    data.work(answer(data.result()).computation)
    caches["results"].clear()
    again = answer(data.result())
    assert again.computation is not None
    assert (again.found, again.computation.state) == (None, State.WAITING)


def test_a_result_of_another_form_is_not_shown_as_an_earlier_one(data: Data) -> None:
    data.work(answer(data.result()).computation)
    newer = Result(lambda: "data:2:1", data.compute, lambda: Size(LONG, 2), "a.task", {"data": 1})
    assert answer(newer).found is None


def test_a_sweep_tells_of_what_was_forgotten_and_removes_what_is_old(
    data: Data,
    sent: list[tuple[str, list[int]]],
    settings: Settings,
    tmp_path: Path,
    django_capture_on_commit_callbacks: DjangoCaptureOnCommitCallbacks,
) -> None:
    waiting = answer(data.result()).computation
    assert waiting is not None
    now = timezone.now()
    with django_capture_on_commit_callbacks(execute=True):
        computations.sweep(now)
        computations.sweep(now + timedelta(minutes=2))
    assert sent == [("a.task", [waiting.pk])]
    data.work(waiting)
    settings.CACHES = {
        "results": {"BACKEND": "django.core.cache.backends.filebased.FileBasedCache", "LOCATION": str(tmp_path)}
    }
    for key in ("old", "new"):
        results.keep(key, "a result")
    (path, _) = sorted(tmp_path.iterdir())
    os.utime(path, (time.time() - 2 * results.DAY,) * 2)
    computations.sweep(now + timedelta(hours=1))
    assert (Computation.objects.count(), len(list(tmp_path.iterdir()))) == (1, 1)
    computations.sweep(now + timedelta(days=2))
    assert Computation.objects.count() == 0


def test_kept_files_are_their_owners_alone(settings: Settings, tmp_path: Path) -> None:
    place = tmp_path / "results"
    settings.CACHES = {
        "results": {"BACKEND": "django.core.cache.backends.filebased.FileBasedCache", "LOCATION": str(place)}
    }
    results.keep("a-key", "a result")
    assert results.kept("a-key") == "a result"
    assert [oct(path.stat().st_mode & 0o777) for path in (place, *place.iterdir())] == ["0o700", "0o600"]


def happen(one: str, data: Data, newest: Computation | None) -> None:
    if one in ("change", "back"):
        data.value = 2 if one == "change" else 1
    elif one == "forget":
        caches["results"].clear()
    elif newest:
        acts: dict[str, Callable[[Computation], object]] = {
            "work": data.work, "stop": computations.stop, "again": computations.again, "look": bool,
        }  # fmt: skip
        acts[one](newest)


@given(st.lists(st.sampled_from(["change", "back", "look", "work", "stop", "again", "forget"]), max_size=14))
@tried(max_examples=many(150), deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_whatever_happens_what_is_called_current_is_of_now(happenings: list[str]) -> None:
    caches["results"].clear()
    Computation.objects.all().delete()
    data = Data()
    for one in happenings:
        happen(one, data, Computation.objects.first())
        found = answer(data.result())
        if found.as_of is None and found.found:
            assert found == Answer(f"of {data.value}")
        assert found.found or found.computation
        assert Computation.objects.filter(key=data.result().key()).count() <= 1
