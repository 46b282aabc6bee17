"""Batches: many calls handed to a provider in one file, and fetched when they are done."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from secrets import token_hex
from typing import Self

from django.db import models
from django.db.models import Q
from django.utils import timezone

from generation.models.runs import Run, RunStage

SHORTEST_POLL, LONGEST_POLL = 1.0, 60.0  # seconds


def new_label() -> str:
    return f"stephanie-{token_hex(12)}"


class BatchJobQuerySet(models.QuerySet["BatchJob"]):
    def of_runs(self, runs: Sequence[int]) -> Self:
        """Batches of these runs; of all when none is named."""
        return self.filter(run_stage__run__in=runs) if runs else self.all()

    def open(self) -> Self:
        """On their way to the provider, there, or coming in."""
        return self.filter(state__in=BatchJob.OPEN)

    def due(self, now: datetime) -> Self:
        """Open, due for another look, and not leased to another process."""
        free = Q(busy_until__isnull=True) | Q(busy_until__lte=now)
        return self.open().filter(free, next_look_at__lte=now).order_by("pk")


class BatchJob(models.Model):
    """Calls of one stage that went, or will go, to the provider as one batch.

    The transaction that claims the calls writes the row, before anything is created at the provider. The provider's
    batch carries the label, so that it is found again if our process dies in between.
    """

    class State(models.TextChoices):
        PLANNED = "planned", "Being handed over"
        SENT = "sent", "At the provider"
        COLLECTING = "collecting", "Results are being stored"
        DONE = "done", "Done"
        FAILED = "failed", "Failed"

    OPEN = (State.PLANNED, State.SENT, State.COLLECTING)

    run_stage = models.ForeignKey(RunStage, models.CASCADE, related_name="batch_jobs")
    label = models.CharField(max_length=64, unique=True, default=new_label)
    state = models.CharField(max_length=10, choices=State, default=State.PLANNED)
    input_file = models.CharField(max_length=200, blank=True)
    provider_id = models.CharField(max_length=200, blank=True)
    provider_status = models.CharField(max_length=40, blank=True)
    calls = models.PositiveIntegerField(default=0)
    # What the provider says while it works; then what was found in its files.
    answered = models.PositiveIntegerField(default=0)
    errors = models.PositiveIntegerField(default=0)
    # How often creating it at the provider was begun: from the first time on it may exist there.
    begun = models.PositiveSmallIntegerField(default=0)
    failures = models.PositiveSmallIntegerField(default=0, help_text="Failed steps in a row.")
    problem = models.TextField(blank=True)
    # The process that holds the batch's lease.
    busy_by = models.CharField(max_length=32, blank=True)
    busy_until = models.DateTimeField(null=True, blank=True)
    next_look_at = models.DateTimeField(default=timezone.now)
    created_at = models.DateTimeField(default=timezone.now)
    sent_at = models.DateTimeField(null=True, blank=True)
    expires_at = models.DateTimeField(null=True, blank=True)
    ended_at = models.DateTimeField(null=True, blank=True)

    objects = BatchJobQuerySet.as_manager()

    class Meta:
        ordering = ("pk",)
        constraints = [
            models.CheckConstraint(
                condition=Q(state__in=("planned", "failed")) | ~Q(provider_id=""), name="sent_batch_has_provider_id"
            ),
        ]
        indexes = [
            models.Index(
                fields=["next_look_at"], name="batch_due", condition=Q(state__in=("planned", "sent", "collecting"))
            ),
        ]

    def __str__(self) -> str:
        return self.label

    @property
    def owner(self) -> str:
        """The owner of its claimed calls."""
        return f"batch:{self.label}"

    @property
    def is_open(self) -> bool:
        return self.state in self.OPEN

    @property
    def words(self) -> str:
        """Its state, with the provider's own word if there is one."""
        state = str(self.State(self.state).label)
        said = self.provider_status.replace("_", " ")
        return f"{state} ({said})" if said and self.state in (self.State.SENT, self.State.FAILED) else state

    @property
    def run(self) -> Run:
        return self.run_stage.run

    def take(self, now: datetime, lease: timedelta) -> bool:
        """Take the lease on the batch; False if another process has it."""
        free = Q(busy_until__isnull=True) | Q(busy_until__lte=now)
        taken = BatchJob.objects.open().filter(free, pk=self.pk)
        if not taken.update(busy_by=token_hex(16), busy_until=now + lease):
            return False
        self.refresh_from_db()
        return True

    def keep(self, now: datetime, lease: timedelta) -> bool:
        """Extend the lease; False if it ran out and another process has it now."""
        mine = BatchJob.objects.open().filter(pk=self.pk, busy_by=self.busy_by)
        return bool(mine.update(busy_until=now + lease))

    def let_go(self, next_look_at: datetime) -> None:
        BatchJob.objects.filter(pk=self.pk, busy_by=self.busy_by).update(
            busy_by="", busy_until=None, next_look_at=next_look_at
        )

    def next_poll(self, now: datetime) -> datetime:
        """When to ask the provider next: after a tenth of the time that the batch has taken so far, 1 to 60 seconds."""
        waited = (now - (self.sent_at or self.created_at)).total_seconds() / 10
        return now + timedelta(seconds=min(max(waited, SHORTEST_POLL), LONGEST_POLL))
