"""Batches and the ledger: calls go into a batch, its results come out, and people see how far it is.

The transaction that writes the batch's row also claims its calls in its name and reserves their worst case. From then
on they are in flight like any other call, and settled by the same guarded function.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import islice
from typing import Any, BinaryIO, TypeVar

from django.conf import settings
from django.db import transaction

from generation.endpoints import batch_lines
from generation.endpoints.answers import CallError, Trouble
from generation.engine import ledger, reading
from generation.engine.ledger import Settlement
from generation.engine.requests import build, with_stages
from generation.engine.settling import mostly_failed
from generation.models import BatchJob, Call, Run, RunStage

# Providers keep results for thirty days; after that a call whose batch stayed silent is in doubt.
LEASE = timedelta(days=30)
MOST_BYTES = 150 * 2**20  # of one file; the Batch API takes 200 MB
CHUNK = 200  # calls built or settled at once
PAUSE_SHARE = 0.5  # of a batch's calls; if more failed, the run pauses
FEWEST_TO_JUDGE = 20
T = TypeVar("T")
JOBS_SHOWN = 50


@dataclass(slots=True)
class Collected:
    """Results of a batch, counted, and its latest error."""

    answered: int = 0
    errors: int = 0
    latest: CallError | None = None


def plan_jobs(runs: Sequence[int], now: datetime) -> list[BatchJob]:
    """A batch for every stage whose calls wait for one; one for each stage at a time."""
    rows = RunStage.objects.filter(use_batch=True, run__state=Run.State.RUNNING).select_related("endpoint")
    if runs:
        rows = rows.filter(run__in=runs)
    return [job for row in rows.order_by("pk") if (job := plan_job(row, now)) is not None]


def plan_job(row: RunStage, now: datetime) -> BatchJob | None:
    """Claim a stage's waiting calls for a new batch; None if none wait, or while a batch of the run is coming in.

    The results of a batch make the next calls, a few hundred at a time; those go together once all results are in.
    """
    if row.endpoint.is_blocked(now) or not Call.objects.due([row.pk], now).exists():
        return None
    with transaction.atomic():
        # Serialises processes that plan at the same time.
        RunStage.objects.select_for_update(no_key=True).get(pk=row.pk)
        if BatchJob.objects.filter(run_stage__run=row.run_id, state=BatchJob.State.COLLECTING).exists():
            return None
        job = BatchJob(run_stage=row, created_at=now, next_look_at=now)
        job.calls = _claimed(job, row, now)
        if not job.calls:
            return None
        job.save(force_insert=True)
    return job


def _claimed(job: BatchJob, row: RunStage, now: datetime) -> int:
    """Claim calls until the batch is full, none wait or the budget is used up; returns how many."""
    total = size = 0
    while total < settings.BATCH_CALLS and size < MOST_BYTES:
        most = min(CHUNK, settings.BATCH_CALLS - total)
        claimed = ledger.claim_for_batch(job.owner, row, most, lease=LEASE, now=now)
        total += len(claimed)
        size += sum(len(line_of(call)) for call in claimed)
        if len(claimed) < most:
            break
    return total


def line_of(call: ledger.Claimed) -> bytes:
    return batch_lines.request_line(call.pk, call.attempt, call.request.messages, call.request.parameters)


def write_input(job: BatchJob, into: BinaryIO) -> None:
    """Write the batch's file: one line for each request, as the ledger has them claimed."""
    sent = Call.objects.filter(owner=job.owner, state=Call.State.SENT).order_by("pk").select_related("dialogue")
    for calls in chunks(sent.iterator(CHUNK)):
        for call, request in zip(calls, build(with_stages(calls)), strict=True):
            into.write(batch_lines.request_line(call.pk, call.attempt, request.messages, request.parameters))


def settle_lines(job: BatchJob, source: Iterable[bytes], collected: Collected) -> Iterator[None]:
    """Settle a file of results, a chunk at a time; yields after each. Safe to run again on the same file."""
    found = (line for line in map(batch_lines.read_line, source) if line is not None)
    for chunk in chunks(found):
        settled = [Settlement(line.call, line.attempt, line.result) for line in chunk]
        answered = ledger.settle(job.owner, settled)
        reading.read_replies(answered)
        failures = [error for line in chunk if isinstance(error := line.result, CallError) and error.is_failure]
        collected.errors += len(failures)
        collected.answered += len(chunk) - len(failures)
        collected.latest = next(reversed(failures), collected.latest)
        yield


def settle_rest(job: BatchJob, trouble: Trouble, words: str) -> int:
    """Settle every call of the batch that is still in flight with the same error; returns how many."""
    rest = list(Call.objects.filter(owner=job.owner, state=Call.State.SENT).values_list("pk", "attempt"))
    for chunk in chunks(iter(rest)):
        ledger.settle(job.owner, [Settlement(pk, attempt, CallError(trouble, words)) for pk, attempt in chunk])
    return len(rest)


def pause_where_most_failed(job: BatchJob, collected: Collected) -> None:
    """Pause the run if most calls of the batch failed, as for calls sent one by one: a person should look first."""
    total = collected.answered + collected.errors
    if total >= FEWEST_TO_JUDGE and collected.errors > PAUSE_SHARE * total:
        words = f"{collected.errors} of the {total} calls of a batch failed"
        job.run.pause(mostly_failed(words, collected.latest), Run.PauseCause.PROVIDER)


def waiting(now: datetime) -> bool:
    """Whether calls wait to go in a batch."""
    rows = RunStage.objects.filter(use_batch=True, run__state=Run.State.RUNNING)
    return Call.objects.due(list(rows.values_list("pk", flat=True)), now).exists()


def chunks(rows: Iterator[T]) -> Iterator[list[T]]:
    while chunk := list(islice(rows, CHUNK)):
        yield chunk


@dataclass(slots=True)
class BatchProgress:
    """The newest batches of a run, and the sums over its open ones."""

    jobs: list[BatchJob] = field(default_factory=list)

    @property
    def open(self) -> list[BatchJob]:
        return [job for job in self.jobs if job.is_open]

    @property
    def in_batch(self) -> int:
        """Calls in open batches."""
        return sum(job.calls for job in self.open)

    @property
    def sentence(self) -> str:
        """ "1,200 calls in 2 batches, 340 of them answered"; "" while there are none."""
        if not self.open:
            return ""
        batches = "1 batch" if len(self.open) == 1 else f"{len(self.open)} batches"
        answered = sum(job.answered for job in self.open)
        told = f", {answered:,} of them answered" if answered else ""
        return f"{self.in_batch:,} call{'s' if self.in_batch != 1 else ''} in {batches}{told}"

    @property
    def problem(self) -> str:
        """Why the newest open batch is stuck; "" if it is not."""
        return next((job.problem for job in self.open if job.problem), "")

    def as_json(self) -> list[dict[str, Any]]:
        return [
            {"batch": job.pk, "stage": job.run_stage.stage, "branch": job.run_stage.branch, "state": job.state,
             "words": job.words, "provider_id": job.provider_id, "calls": job.calls, "answered": job.answered,
             "errors": job.errors, "problem": job.problem}
            for job in self.jobs
        ]  # fmt: skip


def batches_of(runs: Sequence[Run]) -> dict[int, BatchProgress]:
    """Load runs with their stages. One query if some of them use batches, else none."""
    found = {run.pk: BatchProgress() for run in runs}
    stages = {row.pk: row for run in runs for row in run.run_stages.all() if row.use_batch}
    rows = BatchJob.objects.filter(run_stage__in=stages).order_by("-pk") if stages else []
    for job in rows:
        job.run_stage = stages[job.run_stage_id]
        kept = found[job.run_stage.run_id].jobs
        if len(kept) < JOBS_SHOWN or job.is_open:
            kept.append(job)
    return found
