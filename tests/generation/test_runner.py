"""The runner against a model server with faults: what it sends, when it stops, and that it drains."""

import asyncio
import threading
from collections.abc import Sequence
from pathlib import Path
from time import sleep
from types import SimpleNamespace
from typing import cast

import pytest
from django.conf import settings
from django.db import connection, connections

from config.celery import app
from demo.model.faults import DemoSettings
from generation import tasks
from generation.endpoints.client import CallError, Client, Reply, Trouble
from generation.endpoints.limits import LocalLimiter, Rates
from generation.engine import ledger, lifecycle, reading
from generation.engine.lane import Lane
from generation.engine.runner import MOST_FAILURES, CallRunner, Plan
from generation.models import Call, Endpoint, Run, Runner, Stage
from tests.demo_server import DemoServer
from tests.generation.runs import NOWHERE, endpoint_at, small_corpus, started, work
from tests.waiting import until

pytestmark = pytest.mark.django_db(transaction=True)


def test_faulty_replies_are_repaired_and_the_rest_fails_under_its_name(demo_model: DemoServer) -> None:
    demo_model.settings = DemoSettings(seed=1, faults={"unparsable": 0.2, "lost_content": 0.2, "truncated": 0.1})
    run = started(small_corpus(20), endpoint_at(demo_model.base_url))
    work(run)
    run.refresh_from_db()
    assert run.state == Run.State.FINISHED
    last = run.calls.filter(stage="further_split", outcome="ok").count()
    failed = run.calls.filter(state=Call.State.FAILED)
    assert last + failed.count() == 20
    assert set(failed.values_list("outcome", flat=True)) <= {"unparsable", "lost_content", "truncated"}
    assert run.calls.filter(repair__gt=0).exists()
    assert run.calls.filter(repair__gt=2).count() == 0


def test_rate_limits_slow_a_run_down_and_fail_nothing(demo_model: DemoServer) -> None:
    demo_model.settings = DemoSettings(seed=2, retry_after=0.2, faults={"rate_limited": 0.3})
    run = started(small_corpus(15), endpoint_at(demo_model.base_url))
    work(run)
    run.refresh_from_db()
    assert run.state == Run.State.FINISHED
    assert run.calls.exclude(state=Call.State.DONE).count() == 0
    assert demo_model.stats()["outcomes"]["rate_limited"] > 0
    assert demo_model.stats()["answered_again"] == 0


@pytest.mark.parametrize(("fault", "words"), [("quota", "no quota left"), ("unauthorized", "API key")])
def test_a_refused_account_pauses_the_run_and_one_click_goes_on(demo_model: DemoServer, fault: str, words: str) -> None:
    demo_model.settings = DemoSettings(faults={fault: 1.0})
    run = started(small_corpus(5), endpoint_at(demo_model.base_url))
    work(run)
    run.refresh_from_db()
    assert run.state == Run.State.PAUSED
    assert words in run.state_reason
    demo_model.settings = DemoSettings()
    work(started_again(run))
    run.refresh_from_db()
    assert run.state == Run.State.FINISHED
    assert run.calls.filter(state=Call.State.FAILED).count() == 0


def started_again(run: Run) -> Run:
    assert lifecycle.start(run)
    return run


def test_a_failing_provider_pauses_the_run_before_all_is_tried(demo_model: DemoServer) -> None:
    demo_model.settings = DemoSettings(faults={"bad_request": 1.0})
    run = started(small_corpus(60), endpoint_at(demo_model.base_url, max_in_flight=4))
    work(run)
    run.refresh_from_db()
    assert run.state == Run.State.PAUSED
    assert "20 of the last 20 calls failed" in run.state_reason
    assert demo_model.stats()["requests"] < 50


def test_the_endpoints_limit_of_calls_in_flight_is_kept(demo_model: DemoServer) -> None:
    demo_model.settings = DemoSettings(latency=0.1)
    run = started(small_corpus(9), endpoint_at(demo_model.base_url, max_in_flight=3), stages=[Stage.THEME])
    work(run)
    assert demo_model.stats()["most_in_flight"] == 3


def test_a_stopped_runner_drains_and_leaves_nothing_sent(demo_model: DemoServer) -> None:
    demo_model.settings = DemoSettings(latency=0.3)
    run = started(small_corpus(30), endpoint_at(demo_model.base_url, max_in_flight=4))

    async def interrupted() -> None:
        runner = CallRunner(Plan())
        task = asyncio.create_task(runner.run())
        await asyncio.to_thread(until, lambda: runner.totals.sent, "a call")
        runner.stop()
        await task

    asyncio.run(interrupted())
    assert run.calls.filter(state=Call.State.SENT).count() == 0
    assert run.calls.filter(state=Call.State.DONE).exists()
    assert run.calls.filter(state=Call.State.TODO).exists()
    assert not Runner.objects.exists()


def test_resuming_a_finished_run_makes_no_call(demo_model: DemoServer) -> None:
    run = started(small_corpus(2), endpoint_at(demo_model.base_url))
    work(run)
    before = demo_model.stats()["requests"]
    work(run)
    assert demo_model.stats()["requests"] == before == 6


def test_two_runs_on_two_endpoints_go_side_by_side(demo_model: DemoServer) -> None:
    corpus = small_corpus(3)
    first = started(corpus, endpoint_at(demo_model.base_url))
    second = started(corpus, endpoint_at(demo_model.base_url, name="Second"))
    work(first, second)
    assert set(Run.objects.values_list("state", flat=True)) == {"finished"}


def test_an_endpoint_that_may_not_be_reached_pauses_its_run_in_words() -> None:
    run = started(small_corpus(1), endpoint_at("http://10.0.0.1/v1"))
    work(run)
    run.refresh_from_db()
    assert run.state == Run.State.PAUSED
    assert "ENDPOINT_ALLOWED_HOSTS" in run.state_reason


def test_a_changed_endpoint_reaches_a_runner_that_is_at_work(demo_model: DemoServer) -> None:
    run = started(small_corpus(2), endpoint_at(NOWHERE, max_in_flight=1))

    def correct() -> None:
        Endpoint.objects.update(base_url=demo_model.base_url)
        Call.objects.update(not_before=run.started_at)
        connections.close_all()

    async def mended_on_the_way() -> None:
        runner = CallRunner(Plan(runs=(run.pk,)))
        task = asyncio.create_task(runner.run())
        await asyncio.to_thread(until, lambda: runner.totals.troubles, "a call that fails")
        await asyncio.to_thread(correct)
        await task

    asyncio.run(mended_on_the_way())
    run.refresh_from_db()
    assert run.state == Run.State.FINISHED
    assert demo_model.stats()["requests"] == 6


class BrokenLimiter(LocalLimiter):
    """Grants everything, and fails whenever something is handed back, as a Redis that was just stopped would."""

    async def give_back(self, key: str, rates: Rates, requests: int, tokens: int) -> None:
        raise ConnectionError("gone")


def test_a_broken_limiter_loses_no_answer_that_was_paid_for(
    demo_model: DemoServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("generation.engine.runner.limiter", lambda url: BrokenLimiter())
    run = started(small_corpus(1), endpoint_at(demo_model.base_url, requests_per_minute=600))
    work(run)
    run.refresh_from_db()
    assert run.state == Run.State.FINISHED
    assert demo_model.stats()["answered_again"] == 0


def test_a_failure_without_a_name_ends_the_call_and_not_the_runner(
    demo_model: DemoServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def broken(self: Client, *args: object) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr(Client, "chat", broken)
    run = started(small_corpus(1), endpoint_at(demo_model.base_url), ambiguous_policy=Run.AmbiguousPolicy.HOLD)
    work(run)
    run.refresh_from_db()
    assert run.state == Run.State.PAUSED
    assert "ZeroDivisionError" in run.calls.get().error


def test_a_key_that_cannot_be_opened_pauses_its_run_in_words(demo_model: DemoServer) -> None:
    endpoint = endpoint_at(demo_model.base_url)
    Endpoint.objects.update(encrypted_key="junk", key_origin=demo_model.base_url.removesuffix("/v1"))
    run = started(small_corpus(1), endpoint)
    work(run)
    run.refresh_from_db()
    assert run.state == Run.State.PAUSED
    assert "FIELD_ENCRYPTION_KEYS" in run.state_reason


def test_the_sweep_wakes_a_worker_only_if_calls_wait_and_no_runner_is_alive(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    heard: list[bool] = []
    monkeypatch.setattr(tasks, "wake_workers", lambda: heard.append(True))
    tasks.sweep()
    assert heard == []
    run = started(small_corpus(1), endpoint_at(NOWHERE))
    tasks.sweep()
    assert heard == [True]
    Runner.beat("someone", run.started_at)
    tasks.sweep()
    assert heard == [True]
    assert ledger.recover() == 0


def test_the_schedule_names_a_task_that_exists() -> None:
    app.loader.import_default_modules()
    assert {entry["task"] for entry in settings.CELERY_BEAT_SCHEDULE.values()} <= set(app.tasks)


def test_a_wrong_key_says_nothing_about_the_provider_once_it_is_corrected() -> None:
    paused: list[object] = []

    class FakeThread:
        async def do(self, *work: object) -> None:
            paused.append(work)

    lane = Lane(SimpleNamespace(db_thread=FakeThread()), endpoint_at(NOWHERE), cast(Client, None))  # type: ignore[arg-type]
    answer = Reply("", "stop", "m", 1, 1, is_demo=False)

    async def results(*found: Reply | CallError) -> None:
        for result in found:
            await lane._watch(1, result)

    asyncio.run(results(*[CallError(Trouble.AUTH, "wrong key")] * 16, *[answer] * 4))
    assert paused == []
    asyncio.run(results(*[CallError(Trouble.PROVIDER, "down")] * 20))
    assert len(paused) == 1


@pytest.mark.skipif(connection.vendor == "sqlite", reason="with SQLite one thread reads and asks, one after the other")
def test_a_runner_stays_while_a_reply_is_read_whose_next_call_nobody_sees_yet(
    demo_model: DemoServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    really_read, really_ask = reading.read_replies, CallRunner._work_left
    asked, idle = threading.Event(), threading.Event()
    idle.set()

    def read(keys: Sequence[int]) -> int:
        idle.clear()
        asked.clear()
        asked.wait(3)
        try:
            return really_read(keys)
        finally:
            idle.set()

    def ask(runner: CallRunner) -> bool:
        answer = really_ask(runner)
        asked.set()
        idle.wait(10)  # a reply whose reading has begun is read before the answer is heard
        return answer

    monkeypatch.setattr(reading, "read_replies", read)
    monkeypatch.setattr(CallRunner, "_work_left", ask)
    run = started(small_corpus(1), endpoint_at(demo_model.base_url))
    work(run)
    run.refresh_from_db()
    assert run.state == Run.State.FINISHED


def test_a_refusal_holds_further_calls_until_the_ledger_knows_it(
    demo_model: DemoServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One call at a time, a slow database, and an endpoint that says at once: later."""
    sent: list[object] = []
    really_settle = ledger.settle

    def settle(owner: str, settlements: Sequence[ledger.Settlement]) -> list[int]:
        sleep(1)  # a slow database
        runner.stop()
        return really_settle(owner, settlements)

    async def chat(client: Client, messages: object, parameters: object) -> Reply:
        sent.append(messages)
        raise CallError(Trouble.RATE_LIMITED, "Slow down.", retry_after=30)

    async def send() -> None:
        nonlocal runner
        runner = CallRunner(Plan(runs=(run.pk,)))
        await runner.run()

    monkeypatch.setattr(ledger, "settle", settle)
    monkeypatch.setattr(Client, "chat", chat)
    run = started(small_corpus(6), endpoint_at(demo_model.base_url, max_in_flight=1))
    runner: CallRunner = cast(CallRunner, None)
    asyncio.run(send())
    assert len(sent) == 1


def test_a_runner_tells_its_calls_on_the_wire_from_answers_that_wait_to_be_stored(
    demo_model: DemoServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    told: list[list[int]] = []
    really_settle, really_report = ledger.settle, Runner.report

    def settle(owner: str, settlements: Sequence[ledger.Settlement]) -> list[int]:
        sleep(0.5)  # a slow database
        return really_settle(owner, settlements)

    def report(owner: str, calls: dict[str, dict[str, list[int]]]) -> None:
        told.extend(pair for runs in calls.values() for pair in runs.values())
        really_report(owner, calls)

    monkeypatch.setattr(ledger, "settle", settle)
    monkeypatch.setattr(Runner, "report", report)
    monkeypatch.setattr("generation.engine.runner.REPORT_SECONDS", 0.02)
    run = started(small_corpus(12), endpoint_at(demo_model.base_url, max_in_flight=4), stages=["theme"])
    work(run)
    assert told
    assert max(wire for wire, _ in told) <= 4
    assert max(waiting for _, waiting in told) > 0
    assert run.calls.filter(outcome="ok").count() == 12


def test_an_error_that_no_further_try_mends_pauses_the_runs_instead_of_trying_for_ever(
    demo_model: DemoServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    tries: list[str] = []

    def broken(owner: str, *args: object, **kwargs: object) -> None:
        tries.append(owner)
        raise KeyError("a row that is not there")

    monkeypatch.setattr(ledger, "claim", broken)
    run = started(small_corpus(1), endpoint_at(demo_model.base_url))
    work(run)
    run.refresh_from_db()
    assert run.state == Run.State.PAUSED
    assert "its calls cannot be claimed because of an error in this program" in run.state_reason
    assert MOST_FAILURES <= len(tries) <= MOST_FAILURES + 2
