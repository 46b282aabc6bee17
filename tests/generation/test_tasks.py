"""What a worker process keeps from task to task, and when it wakes the next worker."""

from collections.abc import Iterator
from datetime import timedelta

import pytest
from django.utils import timezone

from generation import tasks
from generation.endpoints.client import Client, Target
from generation.engine import lifecycle, loops
from generation.models import Call, Endpoint, Run, Runner, Stage
from tests.demo_server import DemoServer
from tests.generation.runs import NOWHERE, endpoint_at, small_corpus, started

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def process_ends() -> Iterator[None]:
    yield
    loops.close()


@pytest.fixture
def woken(monkeypatch: pytest.MonkeyPatch) -> list[timedelta]:
    heard: list[timedelta] = []
    monkeypatch.setattr(tasks, "wake_workers", lambda delay=timedelta(): heard.append(delay))
    return heard


def test_a_worker_builds_one_client_for_all_its_tasks(
    demo_model: DemoServer, woken: list[timedelta], monkeypatch: pytest.MonkeyPatch
) -> None:
    built: list[Target] = []
    build = Client.__init__

    def counted(self: Client, target: Target) -> None:
        built.append(target)
        build(self, target)

    monkeypatch.setattr(Client, "__init__", counted)
    corpus, endpoint = small_corpus(2), endpoint_at(demo_model.base_url)
    for _ in range(2):
        run = started(corpus, endpoint, stages=[Stage.THEME])
        tasks.run_calls()
        run.refresh_from_db()
        assert run.state == Run.State.FINISHED
    assert len(built) == 1
    assert woken == []


def test_a_worker_that_leaves_held_back_calls_behind_is_woken_when_they_are_due(woken: list[timedelta]) -> None:
    run = started(small_corpus(2), endpoint_at(NOWHERE))
    run.calls.update(not_before=timezone.now() + timedelta(seconds=90))
    tasks.wake_if_needed(soon=True)
    assert timedelta(seconds=80) < woken.pop() < timedelta(seconds=91)
    Endpoint.objects.update(blocked_until=timezone.now() + timedelta(seconds=200))
    tasks.wake_if_needed(soon=True)
    assert timedelta(seconds=190) < woken.pop() < timedelta(seconds=201)
    Call.objects.update(not_before=timezone.now() + timedelta(days=1))
    tasks.wake_if_needed(soon=True)
    assert woken.pop() == tasks.LONGEST_DELAY


def test_nobody_is_woken_where_a_runner_is_at_it_or_the_run_is_paused(woken: list[timedelta]) -> None:
    run = started(small_corpus(2), endpoint_at(NOWHERE))
    Runner.beat("someone", timezone.now())
    tasks.wake_if_needed(soon=True)
    Runner.objects.all().delete()
    Run.objects.filter(pk=run.pk).update(state=Run.State.PAUSED)
    tasks.wake_if_needed(soon=True)
    assert woken == []


def test_a_runner_waits_for_calls_that_become_due_soon(demo_model: DemoServer, woken: list[timedelta]) -> None:
    run = started(small_corpus(2), endpoint_at(demo_model.base_url), stages=[Stage.THEME])
    run.calls.update(not_before=timezone.now() + timedelta(seconds=4))
    tasks.run_calls()
    run.refresh_from_db()
    assert run.state == Run.State.FINISHED


def test_a_worker_told_to_shut_down_claims_nothing_more(
    demo_model: DemoServer, woken: list[timedelta], monkeypatch: pytest.MonkeyPatch
) -> None:
    run = started(small_corpus(2), endpoint_at(demo_model.base_url))
    monkeypatch.setattr(loops, "is_shutting_down", lambda: True)
    tasks.run_calls()
    assert set(run.calls.values_list("state", flat=True)) == {Call.State.TODO}
    assert woken == [timedelta()]


def test_a_process_that_sends_for_one_run_keeps_no_other_run_waiting(woken: list[timedelta]) -> None:
    endpoint = endpoint_at(NOWHERE)
    own, other = (started(small_corpus(1, name), endpoint) for name in ("Own", "Other"))
    Runner.beat("a terminal", timezone.now(), [own.pk])
    tasks.wake_if_needed()
    assert woken == [timedelta()]
    other.calls.update(not_before=timezone.now() + timedelta(seconds=90))
    tasks.wake_if_needed(soon=True)
    assert timedelta(seconds=80) < woken.pop() < timedelta(seconds=91)
    lifecycle.pause(other)
    woken.clear()
    tasks.wake_if_needed(soon=True)
    assert woken == []
