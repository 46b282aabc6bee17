"""The ledger of replies that a person waits for: sent at once, streamed, one row each; and what they may cost."""

from datetime import datetime
from decimal import Decimal
from typing import Self

from django.core.validators import MinValueValidator
from django.db import models
from django.db.models import Q

from generation.models.endpoints import Endpoint


class LiveBudget(models.Model):
    """What replies may cost together; a budget within another counts there, too."""

    name = models.CharField(max_length=120)
    parent = models.ForeignKey("self", models.PROTECT, null=True, blank=True, related_name="parts")
    budget = models.DecimalField(
        max_digits=12, decimal_places=4, null=True, blank=True, help_text="US dollars.",
        validators=[MinValueValidator(0)],
    )  # fmt: skip
    # What answered calls cost, and the worst case of those in flight.
    spent = models.DecimalField(max_digits=24, decimal_places=6, default=0, editable=False)
    reserved = models.DecimalField(max_digits=24, decimal_places=6, default=0, editable=False)

    def __str__(self) -> str:
        return self.name

    @property
    def left(self) -> Decimal | None:
        """US dollars that may still be reserved; None without a limit of its own."""
        return None if self.budget is None else self.budget - self.spent - self.reserved


class LiveCallQuerySet(models.QuerySet["LiveCall"]):
    def in_flight(self, endpoint: Endpoint, now: datetime) -> Self:
        """Without those whose process died so long ago that no answer can come any more."""
        return self.filter(endpoint=endpoint, state=LiveCall.State.SENT, lease_until__gt=now)


class LiveCall(models.Model):
    """One reply that a person waits for: written before it is asked for, settled after. Never deleted."""

    class State(models.TextChoices):
        SENT = "sent", "Sent"
        DONE = "done", "Done"
        ABORTED = "aborted", "Broken off by us"
        FAILED = "failed", "Failed"
        AMBIGUOUS = "ambiguous", "Unknown whether it was answered"

    budget = models.ForeignKey(LiveBudget, models.PROTECT, related_name="calls")
    endpoint = models.ForeignKey(Endpoint, models.PROTECT, related_name="live_calls")
    address = models.CharField(max_length=300)
    model = models.CharField(max_length=200)
    parameters = models.JSONField(default=dict, blank=True)
    messages = models.JSONField(help_text="As they were sent.")
    request_sha256 = models.CharField(max_length=64)

    state = models.CharField(max_length=10, choices=State, default=State.SENT)
    sent_at = models.DateTimeField()
    lease_until = models.DateTimeField()
    settled_at = models.DateTimeField(null=True, blank=True)

    # What came, also of a reply that was broken off.
    raw_reply = models.TextField(blank=True)
    finish_reason = models.CharField(max_length=40, blank=True)
    reply_model = models.CharField(max_length=200, blank=True)
    is_demo = models.BooleanField(default=False)
    prompt_tokens = models.PositiveIntegerField(default=0)
    completion_tokens = models.PositiveIntegerField(default=0)
    # The endpoint told no usage, so tokens are estimated from the texts.
    is_estimated = models.BooleanField(default=False)
    cost = models.DecimalField(max_digits=20, decimal_places=6, default=0)
    reserved = models.DecimalField(max_digits=20, decimal_places=6, default=0)
    # A name of generation.endpoints.refusals.Trouble where no reply came.
    trouble = models.CharField(max_length=20, blank=True)
    error = models.TextField(blank=True)

    objects = LiveCallQuerySet.as_manager()

    class Meta:
        ordering = ("pk",)
        constraints = [
            models.CheckConstraint(condition=Q(state="sent") | Q(reserved=0), name="live_call_settled_reserves_nothing")
        ]
        indexes = [
            models.Index(fields=["endpoint", "lease_until"], name="live_call_sent", condition=Q(state="sent")),
            models.Index(fields=["endpoint", "sent_at"], name="live_call_by_time"),
        ]

    def __str__(self) -> str:
        return f"{self.model} {self.pk}"
