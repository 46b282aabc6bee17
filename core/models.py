"""Computations that take longer than a page may."""

from datetime import timedelta
from typing import Any, Self

from django.db import models
from django.utils import timezone

# A step takes some seconds, also of a large study; a worker that was killed tells nothing more.
SILENT_AFTER = timedelta(minutes=1)
# Workers at other tasks take one up within this time, unless all of them are.
LONG_WAIT = timedelta(seconds=30)


class ComputationQuerySet(models.QuerySet["Computation"]):
    def open(self) -> Self:
        """Those that wait, and those at which a worker is."""
        now, state = timezone.now(), Computation.State
        return self.filter(
            models.Q(state=state.WAITING) | models.Q(state=state.RUNNING, told_at__gte=now - SILENT_AFTER)
        )

    def waiting(self) -> Self:
        return self.filter(state=Computation.State.WAITING)

    def running(self) -> Self:
        return self.filter(state=Computation.State.RUNNING)

    def done(self) -> Self:
        return self.filter(state=Computation.State.DONE)

    def ended(self) -> Self:
        """Those that nothing moves any more; a worker may have died at one."""
        return self.exclude(pk__in=self.model.objects.open().values("pk"))


class Computation(models.Model):
    """A result that a worker computes for a page, and how far it is. The result itself is kept in `core.results`."""

    class State(models.TextChoices):
        WAITING = "waiting", "Waiting"
        RUNNING = "running", "Running"
        DONE = "done", "Done"
        FAILED = "failed", "Failed"
        STOPPED = "stopped", "Stopped"

    key = models.CharField(max_length=200, unique=True, help_text="The digest of what it was to read.")
    task = models.CharField(max_length=100)
    arguments = models.JSONField(default=dict)
    # A digest of both, by which a later computation of the same finds an earlier one.
    asked = models.CharField(max_length=64, db_index=True)
    seconds = models.FloatField(help_text="How long it takes, as estimated.")
    state = models.CharField(max_length=10, choices=State.choices, default=State.WAITING)
    done = models.PositiveIntegerField(default=0)
    total = models.PositiveIntegerField(default=0)
    doing = models.CharField(max_length=200, blank=True)
    problem = models.TextField(blank=True)
    kept_as = models.CharField(max_length=220, blank=True, help_text="The key of its result.")
    asked_at = models.DateTimeField()
    started_at = models.DateTimeField(null=True, blank=True)
    # When its worker last told how far it is.
    told_at = models.DateTimeField(null=True, blank=True)

    objects = ComputationQuerySet.as_manager()

    class Meta:
        ordering = ("-pk",)

    def __str__(self) -> str:
        return f"{self.task} {self.arguments}"

    @property
    def is_lost(self) -> bool:
        """Whether its worker has been silent for so long that it must be dead."""
        is_running = self.state == self.State.RUNNING
        return is_running and (self.told_at is None or self.told_at < timezone.now() - SILENT_AFTER)

    @property
    def waits_long(self) -> bool:
        return self.state == self.State.WAITING and self.asked_at < timezone.now() - LONG_WAIT

    @property
    def is_open(self) -> bool:
        return self.state in (self.State.WAITING, self.State.RUNNING) and not self.is_lost

    @property
    def seconds_left(self) -> float | None:
        """By the estimate, and after a quarter of the steps by the pace so far; None while it waits."""
        if self.state != self.State.RUNNING or self.started_at is None:
            return None
        spent = (timezone.now() - self.started_at).total_seconds()
        if 4 * self.done <= self.total:
            return max(self.seconds - spent, 1.0)
        return max(spent * (self.total - self.done) / self.done, 1.0)

    def told(self, state: State, **fields: Any) -> bool:
        """Change it while it runs; false where it does not run any more."""
        running = Computation.objects.running().filter(pk=self.pk)
        return bool(running.update(state=state, told_at=timezone.now(), **fields))
