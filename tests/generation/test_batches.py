"""Whole runs through a Batch API over real HTTP: every call once, whatever ends a batch or a process."""

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from typing import Any, BinaryIO

import pytest
from django.utils import timezone

from demo.model.faults import BatchSettings
from generation import tasks
from generation.batching import rounds
from generation.endpoints import batch_lines
from generation.endpoints.client import Client
from generation.engine import ledger, lifecycle
from generation.models import BatchJob, Call, Endpoint, Run
from generation.plans.run_plan import PlanError
from tests.demo_server import DemoServer
from tests.generation.batched import batched, one_round, until_done, with_batches, written
from tests.generation.runs import draft, endpoint_at, small_corpus, started, work

pytestmark = pytest.mark.django_db(transaction=True)


def test_a_whole_run_goes_through_batches_each_call_once(demo_model: DemoServer) -> None:
    run = batched(demo_model)
    work(run)
    run.refresh_from_db()
    assert run.state == Run.State.FINISHED
    assert written(run) == {"beta": 6, "gamma": 6, "stephanie": 6}
    stats = demo_model.stats()
    assert (stats["batches"], stats["requests"], stats["answered_again"]) == (3, 18, 0)
    assert stats["most_in_flight"] == 0
    assert set(BatchJob.objects.values_list("state", "calls", "answered", "errors")) == {("done", 6, 6, 0)}


def test_a_call_in_a_batch_costs_its_share_of_the_price_and_nothing_stays_reserved(demo_model: DemoServer) -> None:
    endpoint = with_batches(demo_model, price_in=Decimal(2), price_out=Decimal(8), batch_price_share=Decimal("0.5"))
    run = until_done(started(small_corpus(3), endpoint, use_batch=True, budget=Decimal(5)))
    assert run.state == Run.State.FINISHED
    exact = sum(Decimal(call.prompt_tokens * 2 + call.completion_tokens * 8) / 2_000_000 for call in run.calls.all())
    assert run.spent == pytest.approx(exact, abs=Decimal("0.00001"))
    assert run.spent > 0
    assert (run.reserved, run.tokens_reserved) == (0, 0)


def test_a_batch_takes_no_more_calls_than_the_budget_covers_at_worst(demo_model: DemoServer) -> None:
    endpoint = with_batches(demo_model, price_in=Decimal(100), price_out=Decimal(100))
    run = started(small_corpus(8), endpoint, use_batch=True, budget=Decimal("0.9"), max_tokens=4096)
    one_round()
    first = BatchJob.objects.get()
    assert 0 < first.calls < 8
    run.refresh_from_db()
    assert 0 < run.reserved <= Decimal("0.9")
    run = until_done(run)
    assert run.state == Run.State.PAUSED
    assert run.pause_cause == Run.PauseCause.BUDGET
    assert run.spent + run.reserved <= Decimal("0.9")


def test_lines_that_fail_are_retried_repaired_or_named_and_the_rest_goes_on(demo_model: DemoServer) -> None:
    run = batched(demo_model, 16)
    demo_model.settings = replace(
        demo_model.settings, faults={"server_error": 0.15, "bad_request": 0.1, "unparsable": 0.15, "cut": 0.05}
    )
    run = until_done(run)
    assert run.state == Run.State.FINISHED
    failed = run.calls.filter(state=Call.State.FAILED)
    assert written(run)["stephanie"] + failed.count() == 16
    assert set(failed.values_list("outcome", flat=True)) <= {"rejected", "unparsable", "provider"}
    assert run.calls.filter(repair__gt=0, outcome="ok").exists()
    assert run.calls.filter(attempt__gt=1, state=Call.State.DONE).exists()
    assert demo_model.stats()["answered_again"] == 0


def test_what_a_batch_left_unanswered_when_its_time_ran_out_goes_into_the_next(demo_model: DemoServer) -> None:
    run = batched(demo_model, 10)
    demo_model.settings = replace(demo_model.settings, batches=BatchSettings(seconds=0.0, answered=0.5))
    one_round()
    one_round()
    first = BatchJob.objects.earliest("pk")
    assert (first.provider_status, first.answered, first.errors) == ("expired", 5, 5)
    assert run.calls.filter(stage="theme", state=Call.State.TODO, tries=1).count() == 5
    demo_model.settings = replace(demo_model.settings, batches=BatchSettings(seconds=0.0))
    run = until_done(run)
    assert written(run) == {"beta": 10, "gamma": 10, "stephanie": 10}
    assert demo_model.stats()["answered_again"] == 0


def test_a_batch_that_the_provider_finds_invalid_pauses_the_run_and_loses_nothing(demo_model: DemoServer) -> None:
    run = batched(demo_model)
    demo_model.settings = replace(demo_model.settings, batches=BatchSettings(seconds=0.0, invalid=True))
    run = until_done(run)
    assert run.state == Run.State.PAUSED
    assert "did not take the batch. The input is not valid." in run.state_reason
    assert run.calls.filter(state=Call.State.TODO).count() == 6
    demo_model.settings = replace(demo_model.settings, batches=BatchSettings(seconds=0.0))
    lifecycle.start(run)
    assert until_done(run).state == Run.State.FINISHED
    assert written(run)["stephanie"] == 6


def test_an_endpoint_that_has_no_batches_after_all_gets_its_calls_back_in_line(demo_model: DemoServer) -> None:
    run = batched(demo_model)
    demo_model.settings = replace(demo_model.settings, batches=BatchSettings(offered=False))
    run = until_done(run)
    assert run.state == Run.State.PAUSED
    assert "does not take the batch" in run.state_reason
    assert run.calls.filter(state=Call.State.TODO).count() == 6
    assert run.reserved == 0


def test_a_refused_key_pauses_the_run_and_one_click_goes_on(demo_model: DemoServer) -> None:
    run = batched(demo_model)
    demo_model.settings = replace(demo_model.settings, api_keys=("another-key",))
    run = until_done(run)
    assert (run.state, run.pause_cause) == (Run.State.PAUSED, Run.PauseCause.AUTH)
    demo_model.settings = replace(demo_model.settings, api_keys=())
    lifecycle.start(run)
    assert until_done(run).state == Run.State.FINISHED
    assert demo_model.stats()["answered_again"] == 0


def test_a_cancelled_batch_comes_in_with_what_it_has(demo_model: DemoServer) -> None:
    run = batched(demo_model)
    demo_model.settings = replace(demo_model.settings, batches=BatchSettings(seconds=3600.0))
    one_round()
    job = BatchJob.objects.get()
    assert job.state == BatchJob.State.SENT
    lifecycle.pause(run)
    run.refresh_from_db()
    rounds.cancel_batch(run, job)
    one_round()
    job.refresh_from_db()
    assert (job.state, job.provider_status) == (BatchJob.State.DONE, "cancelled")
    assert run.calls.filter(state=Call.State.TODO).count() == 6


def test_a_paused_run_hands_nothing_over_and_still_takes_what_was_paid(demo_model: DemoServer) -> None:
    run = batched(demo_model)
    one_round()
    lifecycle.pause(run)
    one_round()
    one_round()
    assert run.backgrounds.count() == 6
    assert demo_model.stats()["batches"] == 1


def test_a_batch_that_the_provider_has_forgotten_leaves_its_calls_in_doubt(demo_model: DemoServer) -> None:
    run = batched(demo_model, ambiguous_policy=Run.AmbiguousPolicy.HOLD)
    one_round()
    BatchJob.objects.update(provider_id="batch_unknown")
    assert until_done(run).state == Run.State.PAUSED
    for _ in range(rounds.MOST_FAILURES):
        one_round()
    assert run.calls.filter(state=Call.State.AMBIGUOUS).count() == 6


def test_a_batch_that_is_not_found_for_a_mistaken_address_comes_in_once_it_is_corrected(demo_model: DemoServer) -> None:
    run = batched(demo_model)
    one_round()
    Endpoint.objects.update(base_url=f"{demo_model.base_url}/elsewhere")
    run = until_done(run)
    assert run.state == Run.State.PAUSED
    assert "Check its address and key" in run.state_reason
    Endpoint.objects.update(base_url=demo_model.base_url)
    lifecycle.start(run)
    assert until_done(run).state == Run.State.FINISHED
    assert written(run)["stephanie"] == 6
    assert demo_model.stats()["answered_again"] == 0


def test_no_runner_sends_a_call_by_itself_that_waits_for_a_batch(demo_model: DemoServer) -> None:
    run = batched(demo_model)
    assert ledger.claim("somebody", run.endpoints[0].pk, 10) == []
    assert not Call.objects.claimable(timezone.now()).exists()


def test_a_long_line_of_calls_goes_in_several_batches(demo_model: DemoServer, settings: Any) -> None:
    settings.BATCH_CALLS = 4
    run = until_done(batched(demo_model, 10))
    assert written(run)["stephanie"] == 10
    assert max(BatchJob.objects.values_list("calls", flat=True)) == 4


def test_the_endpoint_must_offer_batches(demo_model: DemoServer) -> None:
    with pytest.raises(PlanError, match="offers no Batch API"):
        draft(small_corpus(1), endpoint_at(demo_model.base_url), use_batch=True)


def test_the_sweep_rings_for_batches_only_where_one_is_due(
    demo_model: DemoServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    heard: list[bool] = []
    monkeypatch.setattr(tasks.tend_batches, "apply_async", lambda **options: heard.append(True))
    tasks.sweep()
    assert heard == []
    run = batched(demo_model)
    tasks.sweep()
    assert heard == [True]
    tasks.tend_batches()
    assert BatchJob.objects.get().state == BatchJob.State.SENT
    lifecycle.pause(run)
    BatchJob.objects.update(next_look_at=timezone.now() + timedelta(hours=1))
    tasks.sweep()
    assert heard == [True]


def test_an_endless_line_among_the_results_is_passed_over_in_pieces(
    demo_model: DemoServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    download, read, sizes = Client.download, batch_lines.read_line, []

    async def after_an_endless_line(self: Client, file_id: str, into: BinaryIO) -> None:
        into.write(b"x" * 1_000_000 + b"\n")
        await download(self, file_id, into)

    def measured(raw: bytes) -> Any:
        sizes.append(len(raw))
        return read(raw)

    monkeypatch.setattr(Client, "download", after_an_endless_line)
    monkeypatch.setattr(batch_lines, "read_line", measured)
    monkeypatch.setattr(rounds, "LARGEST_REPLY", 100_000)
    run = until_done(batched(demo_model, 2))
    assert (run.state, written(run)) == ("finished", {"beta": 2, "gamma": 2, "stephanie": 2})
    assert max(sizes) <= 100_000
