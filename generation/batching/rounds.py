"""Batches from waiting calls to the last result: hand over, poll, collect.

`advance` does whatever is due in one round and may be called by any number of processes at any time. A lease on each
batch lets one process at a time work on it, and every step begins from what the database and the provider say. If
creating a batch was begun before, it is looked up at the provider by its label before it is created again.
"""

from collections.abc import Callable, Coroutine, Iterable, Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from tempfile import TemporaryFile
from typing import Any, TypeVar

from django.utils import timezone

from dialogues.audit import AuditVerb
from dialogues.models import AuditEvent
from generation.batching import jobs
from generation.batching.jobs import Collected
from generation.endpoints.answers import CallError, Trouble
from generation.endpoints.batch_lines import LABEL, BatchInfo
from generation.endpoints.client import FILE_SECONDS, LARGEST_REPLY, Client, target_of
from generation.endpoints.keys import KeysMissingError
from generation.engine.loops import ProcessLoop
from generation.engine.settling import pause_for
from generation.models import BatchJob, Endpoint, Run

T = TypeVar("T")
LEASE = timedelta(seconds=FILE_SECONDS + 60)  # longer than the slowest step at the provider
SETTLING_IN = timedelta(seconds=60)  # a batch just created may not be in the provider's list yet
MOST_FAILURES = 8  # of steps in a row
LONGEST_PAUSE = 600.0  # seconds between two tries of a step
PAUSED_LOOK = timedelta(seconds=15)  # until the next look whether a paused run goes on
CLOCKS_APART = timedelta(hours=1)  # the most that our clock and the provider's may differ

_ENDINGS = {
    "completed": (Trouble.AMBIGUOUS, "The batch ended without a result for this call."),
    "expired": (Trouble.PROVIDER, "The batch's time ran out before this call was answered."),
    "cancelled": (Trouble.PROVIDER, "The batch was cancelled before this call was answered."),
    "failed": (Trouble.PROVIDER, "The provider did not take the batch."),
}


@dataclass(frozen=True, slots=True)
class Round:
    """What one round found: batches still open, and when the next one is due."""

    open: int
    next_look_at: datetime | None


class CannotCancelError(Exception):
    """Why a batch goes on; the text says what to do."""


class _TakenOverError(Exception):
    """This process was too slow, and another one has taken the batch over."""


def advance(runs: Sequence[int] = (), *, loop: ProcessLoop | None = None, now: datetime | None = None) -> Round:
    """Take every open batch one step on, then make new ones from waiting calls; of these runs, or of all.

    Endpoints are asked on `loop`; without one, a new loop is made and closed.
    """
    if loop is None:
        with closing(ProcessLoop()) as own:
            return advance(runs, loop=own, now=now)
    moment = now or timezone.now()
    rows = BatchJob.objects.of_runs(runs).select_related("run_stage__endpoint", "run_stage__run")
    # Open batches first: their results make the calls of the next ones.
    _take_up(loop, rows.due(moment), moment)
    moment = now or timezone.now()
    _take_up(loop, jobs.plan_jobs(runs, moment), moment)
    left = rows.open().order_by("next_look_at").values_list("next_look_at", flat=True)
    return Round(len(left), left[0] if left else None)


def _take_up(loop: ProcessLoop, found: Iterable[BatchJob], now: datetime) -> None:
    for job in found:
        if job.take(now, LEASE):
            BatchStep(loop, job, now).look_after()


def is_due(now: datetime) -> bool:
    """Whether `advance` would have something to do."""
    return BatchJob.objects.due(now).exists() or jobs.waiting(now)


def cancel_batch(run: Run, job: BatchJob, *, by: Any = None) -> None:
    """Ask the provider to end a batch of a run that is not running; raises CannotCancelError.

    What the provider answered until then is paid for and still comes in.
    """
    if run.state == Run.State.RUNNING:
        raise CannotCancelError("Pause the run first; its calls would go into the next batch at once.")
    if job.state != BatchJob.State.SENT:
        raise CannotCancelError("The provider no longer has the batch.")
    try:
        with closing(ProcessLoop()) as own:
            BatchStep(own, job, timezone.now()).asked(lambda client: client.cancel_batch(job.provider_id))
    except (CallError, KeysMissingError) as error:
        raise CannotCancelError(f"The batch was not cancelled: {error}") from error
    BatchJob.objects.filter(pk=job.pk).update(next_look_at=timezone.now())
    AuditEvent.record(by, AuditVerb.BATCH_CANCELLED, run, batch=job.pk, provider_id=job.provider_id)


@dataclass(frozen=True, slots=True)
class BatchStep:
    """One step of one batch, taken by the process that holds its lease."""

    loop: ProcessLoop
    job: BatchJob
    now: datetime

    @property
    def endpoint(self) -> Endpoint:
        return self.job.run_stage.endpoint

    def look_after(self) -> None:
        """Take one step and set when to look again; failures of the provider are handled too."""
        try:
            next_look_at = self._step()
        except CallError as error:
            next_look_at = self._failed_step(error)
        except KeysMissingError as error:
            self.job.run.pause(str(error), Run.PauseCause.AUTH)
            next_look_at = self.now + timedelta(seconds=LONGEST_PAUSE)
        except _TakenOverError:
            return
        self.job.let_go(next_look_at)

    def asked(self, question: Callable[[Client], Coroutine[Any, Any, T]]) -> T:
        """Ask the endpoint one thing; raises CallError, KeysMissingError."""
        target = target_of(self.endpoint)

        async def ask() -> T | CallError:
            try:
                return await question(self.loop.clients.get(target))
            except CallError as error:  # an answer like any other to the loop, which an exception would end
                return error

        found = self.loop.run(ask())
        if isinstance(found, CallError):
            raise found
        return found

    def _step(self) -> datetime:
        job = self.job
        if not job.provider_id:
            if not job.begun and job.run.state != Run.State.RUNNING:
                return self.now + PAUSED_LOOK
            self._hand_over()
            return job.next_poll(self.now)
        info = self.asked(lambda client: client.batch(job.provider_id))
        self._update(provider_status=info.status[:40], answered=info.completed, errors=info.failed, failures=0)
        if info.ended:
            self._collect(info)
        return job.next_poll(self.now)

    def _hand_over(self) -> None:
        """Create the batch at the provider, unless it is there already."""
        job = self.job
        info = self.asked(lambda client: _found(client, job)) if job.begun else None
        if info is None:
            if not job.input_file:
                self._update(input_file=self._upload())
            # From here on the batch may exist, even if this process dies.
            self._keep()
            self._update(begun=job.begun + 1)
            told = {LABEL: job.label, "run": str(job.run.pk), "stage": job.run_stage.stage, "batch": str(job.pk)}
            info = self.asked(lambda client: client.create_batch(job.input_file, told))
        expires = datetime.fromtimestamp(info.expires_at, UTC) if info.expires_at else None
        self._update(
            state=BatchJob.State.SENT, provider_id=info.id, provider_status=info.status[:40], sent_at=self.now,
            expires_at=expires, failures=0, problem="",
        )  # fmt: skip

    def _upload(self) -> str:
        with TemporaryFile() as file:
            jobs.write_input(self.job, file)
            file.seek(0)
            return self.asked(lambda client: client.upload(f"{self.job.label}.jsonl", file))

    def _collect(self, info: BatchInfo) -> None:
        """Settle the results of an ended batch, then the calls without a result."""
        job = self.job
        self._update(state=BatchJob.State.COLLECTING)
        collected = Collected()
        for file_id in filter(None, (info.output_file, info.error_file)):
            with self._downloaded(file_id) as lines:
                for _ in jobs.settle_lines(job, lines, collected):
                    self._keep()
        trouble, words = _ENDINGS[info.status]
        if info.status == "failed":
            words = f"{words} {info.problem}".strip()
            job.run.pause(f"{words} Check the endpoint, then resume.", Run.PauseCause.PROVIDER)
        rest = jobs.settle_rest(job, trouble, words)
        self._update(
            state=BatchJob.State.FAILED if info.status == "failed" else BatchJob.State.DONE,
            answered=collected.answered,
            errors=collected.errors,
            problem=f"{words} ({rest} calls)" if rest else info.problem,
            ended_at=timezone.now(),
        )
        jobs.pause_where_most_failed(job, collected)

    @contextmanager
    def _downloaded(self, file_id: str) -> Iterator[Iterator[bytes]]:
        """The lines of a file of results, without the API key in case they repeat it."""
        target = target_of(self.endpoint)
        with TemporaryFile() as file:
            self.asked(lambda client: client.download(file_id, file))
            file.seek(0)
            # A line longer than any answer is read in pieces: it is no result, and must not fill the memory.
            lines = iter(lambda: file.readline(LARGEST_REPLY), b"")
            yield (target.without_key(line.decode("utf-8", "replace")).encode() for line in lines)

    def _failed_step(self, error: CallError) -> datetime:
        """After a failed step: wait and try again, pause the run, or give the batch up. Returns when to look again."""
        job = self.job
        self._update(failures=job.failures + 1, problem=error.message)
        if job.provider_id and error.status == 404:
            # A wrong address or key answers the same, so keep what was paid for and ask a person.
            words = f"{self.endpoint} does not know a batch of this run. Check its address and key, then resume."
            job.run.pause(words, Run.PauseCause.PROVIDER)
            if job.failures >= MOST_FAILURES:
                self._give_up(Trouble.AMBIGUOUS, "The provider does not know the batch any more.")
        elif error.trouble in (Trouble.QUOTA, Trouble.AUTH):
            job.run.pause(*pause_for(error, self.endpoint))
        elif error.trouble is Trouble.REJECTED and not job.provider_id:
            self._give_up(Trouble.PROVIDER, f"The endpoint does not take the batch: {error.message}")
        elif job.failures >= MOST_FAILURES and not job.provider_id:
            trouble = Trouble.AMBIGUOUS if job.begun else Trouble.PROVIDER
            self._give_up(trouble, f"The batch could not be handed over: {error.message}")
        pause = timedelta(seconds=min(2.0**job.failures, LONGEST_PAUSE))
        least = SETTLING_IN if job.begun and not job.provider_id else timedelta(seconds=error.retry_after or 0)
        return self.now + max(pause, least)

    def _give_up(self, trouble: Trouble, words: str) -> None:
        """Put the batch's calls back or leave them in doubt, and send nothing more until a person has looked."""
        self.job.run.pause(f"{words} Check the endpoint, then resume.", Run.PauseCause.PROVIDER)
        jobs.settle_rest(self.job, trouble, words)
        self._update(state=BatchJob.State.FAILED, problem=words, ended_at=timezone.now())

    def _keep(self) -> None:
        if not self.job.keep(timezone.now(), LEASE):
            raise _TakenOverError

    def _update(self, **fields: Any) -> None:
        if not BatchJob.objects.filter(pk=self.job.pk, busy_by=self.job.busy_by).update(**fields):
            raise _TakenOverError
        for name, value in fields.items():
            setattr(self.job, name, value)


async def _found(client: Client, job: BatchJob) -> BatchInfo | None:
    """The provider's batch with our label, searched back to the time when our row was written."""
    oldest = (job.created_at - CLOCKS_APART).timestamp()
    after = ""
    while True:
        try:
            page = await client.batches(after=after)
        except CallError as error:
            # Without an answer we must not create it again.
            raise CallError(Trouble.PROVIDER, error.message, error.retry_after) from None
        for info in page.batches:
            if info.label == job.label:
                return info
        if not page.has_more or page.batches[-1].created_at < oldest:
            return None
        after = page.batches[-1].id
