"""A run's batches for people: how many calls are in them, and the state of each."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from generation.models import BatchJob, Run

SHOWN = 50


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
        if len(kept) < SHOWN or job.is_open:
            kept.append(job)
    return found
