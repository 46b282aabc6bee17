"""Runs whose calls go through a Batch API, and the rounds that look after its batches."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from django.utils import timezone

from demo.model.faults import BatchSettings
from dialogues.models import Dialogue
from generation.batching import rounds
from generation.models import BatchJob, Call, Endpoint, Run
from tests.demo_server import DemoServer
from tests.generation.runs import endpoint_at, fetched, small_corpus, started


def with_batches(server: DemoServer, **fields: Any) -> Endpoint:
    server.settings = replace(server.settings, batches=BatchSettings(seconds=0.0))
    return endpoint_at(server.base_url, supports_batch=True, **fields)


def batched(server: DemoServer, size: int = 6, **choice: Any) -> Run:
    return started(small_corpus(size), with_batches(server), use_batch=True, **choice)


def written(run: Run) -> Counter[str]:
    return Counter(Dialogue.objects.filter(output__call__run=run).values_list("version_id", flat=True))


def one_round(runs: Sequence[int] = ()) -> None:
    """A round for which nothing is too early: pauses between tries and looks are skipped."""
    Call.objects.filter(state=Call.State.TODO).update(not_before=timezone.now())
    Endpoint.objects.update(blocked_until=None)
    BatchJob.objects.update(next_look_at=timezone.now())
    rounds.advance(runs)


def until_done(run: Run) -> Run:
    for _ in range(60):
        one_round()
        run = fetched(run)
        if run.state != Run.State.RUNNING:
            return run
    raise AssertionError(f"still {run.state}: {list(BatchJob.objects.values_list('state', 'problem'))}")
