"""Downloads of training sets that are being prepared, or wait for whoever asked for them."""

from typing import Self

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.urls import reverse

from generation.models.training import TrainingSet


class TrainingExportQuerySet(models.QuerySet["TrainingExport"]):
    def open(self) -> Self:
        """Those that wait or run."""
        return self.filter(state__in=(TrainingExport.State.WAITING, TrainingExport.State.RUNNING))

    def current(self) -> Self:
        """Those that are there or will be; a set and target has one at most."""
        return self.exclude(state__in=(TrainingExport.State.REFUSED, TrainingExport.State.STOPPED))


class TrainingExport(models.Model):
    """A ZIP file of a training set in one target or in all, kept for a day."""

    class State(models.TextChoices):
        WAITING = "waiting", "Waiting"
        RUNNING = "running", "Being prepared"
        DONE = "done", "Ready"
        REFUSED = "refused", "Refused"
        STOPPED = "stopped", "Stopped"

    training_set = models.ForeignKey(TrainingSet, models.CASCADE, related_name="exports")
    target = models.CharField(max_length=40, blank=True, help_text="A name of the registry; blank for all targets.")
    state = models.CharField(max_length=10, choices=State, default=State.WAITING)
    problem = models.TextField(blank=True, help_text="Why it was refused.")
    done = models.PositiveIntegerField(default=0, help_text="Dialogues written so far.")
    total = models.PositiveIntegerField(default=0)
    size = models.PositiveBigIntegerField(default=0, help_text="Bytes of the file.")
    created_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.SET_NULL, null=True, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)
    started_at = models.DateTimeField(null=True, blank=True)
    # When the worker last told how far it is.
    told_at = models.DateTimeField(null=True, blank=True)

    objects = TrainingExportQuerySet.as_manager()

    class Meta:
        ordering = ("-pk",)
        constraints = [
            models.UniqueConstraint(
                fields=["training_set", "target"],
                condition=Q(state__in=("waiting", "running", "done")),
                name="training_export_current_once",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.training_set}, {self.target or 'all targets'}"

    def get_absolute_url(self) -> str:
        return reverse("generation:training_export", args=[self.pk])

    @property
    def is_open(self) -> bool:
        return self.state in (self.State.WAITING, self.State.RUNNING)

    @property
    def share(self) -> float:
        return min(self.done / self.total, 1.0) if self.total else 0.0

    @property
    def seconds_left(self) -> float | None:
        """By the pace so far; None before a twentieth is written."""
        if self.started_at is None or self.told_at is None or self.share < 1 / 20:
            return None
        return (self.told_at - self.started_at).total_seconds() * (1 - self.share) / self.share
