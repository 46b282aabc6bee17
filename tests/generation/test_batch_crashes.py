"""Processes that die or race while they hand a batch over: one batch at the provider, and nothing paid twice."""

import asyncio
import io
import os
import signal
from contextlib import ExitStack
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from django.utils import timezone

from demo.model.faults import BatchSettings
from generation.endpoints.batch_lines import LABEL
from generation.endpoints.client import Client, Target
from generation.engine import lifecycle
from generation.models import BatchJob, Call, Endpoint, Run
from tests.demo_server import DemoServer
from tests.generation.batched import one_round, until_done, with_batches, written
from tests.generation.processes import finished, process
from tests.generation.runs import draft, small_corpus
from tests.waiting import until

pytestmark = pytest.mark.django_db(transaction=True)

SIZE = 5


def planned(server: DemoServer) -> Run:
    return draft(small_corpus(SIZE), with_batches(server), use_batch=True)


def forget_the_dead() -> None:
    """As if their leases had run out."""
    BatchJob.objects.update(busy_until=timezone.now() - timedelta(seconds=1))


def test_a_process_killed_before_it_knows_of_its_batch_leads_to_no_second_one(
    demo_model: DemoServer, tmp_path: Path
) -> None:
    run = planned(demo_model)
    # The batch exists at once, and the answer that says so never arrives.
    demo_model.settings = replace(demo_model.settings, batches=BatchSettings(seconds=0.0, silence=60.0))
    with process(["manage.py", "run", "start", str(run.pk)], tmp_path) as runner:
        until(lambda: demo_model.stats()["batches"] == 1, "a batch", seconds=90)
        os.killpg(runner.pid, signal.SIGKILL)
        runner.wait(10)
    demo_model.settings = replace(demo_model.settings, batches=BatchSettings(seconds=0.0))
    job = BatchJob.objects.get()
    assert (job.state, job.provider_id, job.begun) == (BatchJob.State.PLANNED, "", 1)
    assert run.calls.filter(state=Call.State.SENT).count() == SIZE
    one_round()  # the dead process might still be at it
    assert demo_model.stats()["batches"] == 1
    forget_the_dead()
    one_round()
    assert demo_model.stats()["batches"] == 1
    assert until_done(run).state == Run.State.FINISHED
    assert written(run) == {"beta": SIZE, "gamma": SIZE, "stephanie": SIZE}
    stats = demo_model.stats()
    assert (stats["batches"], stats["requests"], stats["answered_again"]) == (3, 3 * SIZE, 0)


@pytest.mark.parametrize("begun", [0, 1])
def test_a_batch_that_never_came_to_be_is_made_by_the_next_process(demo_model: DemoServer, begun: int) -> None:
    run = planned(demo_model)
    lifecycle.start(run)
    demo_model.settings = replace(demo_model.settings, faults={})
    one_round()
    # As the row was before its maker died; at the provider there is another account's batch alone.
    BatchJob.objects.update(
        label="stephanie-of-another-life", state=BatchJob.State.PLANNED, provider_id="", begun=begun, sent_at=None
    )
    Call.objects.filter(state=Call.State.SENT).update(owner="batch:stephanie-of-another-life")
    before = demo_model.stats()["batches"]
    one_round()
    assert demo_model.stats()["batches"] == before + 1
    assert until_done(run).state == Run.State.FINISHED
    assert written(run)["stephanie"] == SIZE


def test_a_process_killed_while_results_come_in_loses_none_and_doubles_none(
    demo_model: DemoServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = planned(demo_model)
    lifecycle.start(run)
    one_round()
    monkeypatch.setattr("generation.batching.jobs.CHUNK", 2)
    monkeypatch.setattr("generation.models.BatchJob.keep", _die)
    with pytest.raises(ZeroDivisionError):
        one_round()
    monkeypatch.undo()
    assert 0 < run.backgrounds.count() < SIZE
    assert BatchJob.objects.get().state == BatchJob.State.COLLECTING
    forget_the_dead()
    assert until_done(run).state == Run.State.FINISHED
    assert run.backgrounds.count() == SIZE
    assert written(run) == {"beta": SIZE, "gamma": SIZE, "stephanie": SIZE}
    assert demo_model.stats()["answered_again"] == 0


def _die(job: BatchJob, *args: object) -> None:
    raise ZeroDivisionError


def test_two_processes_at_once_make_one_batch_a_stage(demo_model: DemoServer, tmp_path: Path) -> None:
    run = planned(demo_model)
    demo_model.settings = replace(demo_model.settings, batches=BatchSettings(seconds=0.3, silence=0.3))
    with ExitStack() as both:
        for _ in range(2):
            both.enter_context(process(["manage.py", "run", "start", str(run.pk)], tmp_path))
        until(finished(run), "the run ends", seconds=90)
    stats = demo_model.stats()
    assert (stats["requests"], stats["answered_again"]) == (3 * SIZE, 0)
    assert stats["batches"] == BatchJob.objects.count()
    assert written(run) == {"beta": SIZE, "gamma": SIZE, "stephanie": SIZE}


def test_a_batch_among_many_of_an_account_is_found(demo_model: DemoServer) -> None:
    run = planned(demo_model)
    lifecycle.start(run)
    one_round()
    job = BatchJob.objects.get()
    asyncio.run(others(run.endpoints[0], 105))
    assert demo_model.stats()["batches"] == 106
    known = job.provider_id
    BatchJob.objects.filter(pk=job.pk).update(state=BatchJob.State.PLANNED, provider_id="", begun=1)
    one_round()
    job.refresh_from_db()
    assert job.provider_id == known


async def others(endpoint: Endpoint, many: int) -> None:
    """Batches of somebody else on the same account."""
    client = Client(Target(endpoint.base_url, "", 10, 2, ("127.0.0.1",)))
    file_id = await client.upload("other.jsonl", io.BytesIO(b"{}"))
    for number in range(many):
        await client.create_batch(file_id, {LABEL: f"other-{number}"})
    await client.close()
