"""Dialogues that people restructure by hand: who was asked, every operation, what a second person said of it."""

import uuid
from typing import Any, Self

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from annotation.models.tokens import opaque_token
from dialogues.models import Dialogue


class RestructuringQuerySet(models.QuerySet["Restructuring"]):
    def of(self, person: Any) -> Self:
        """What this person was asked to restructure and still may see."""
        return self.filter(annotator_id=person.pk).exclude(state=Restructuring.State.WITHDRAWN)

    def first_to_do(self) -> Self:
        """What was sent back, then what is open, then the rest; within each as it was asked."""
        states = (Restructuring.State.RETURNED, Restructuring.State.OPEN, Restructuring.State.SUBMITTED)
        urgency = models.Case(*(models.When(state=state, then=place) for place, state in enumerate(states)), default=9)
        return self.order_by(urgency, "pk")

    def numbered(self) -> Self:
        """With `number`: which of its annotator's dialogues each is, from 1. It is what their pages call it."""
        mine = Restructuring.objects.filter(annotator=models.OuterRef("annotator"), pk__lte=models.OuterRef("pk"))
        count = mine.order_by().values("annotator").annotate(n=models.Count("pk")).values("n")
        return self.annotate(number=models.Subquery(count))

    def kept(self) -> Self:
        """All that were not taken back."""
        return self.exclude(state=Restructuring.State.WITHDRAWN)

    def progress(self, person: Any) -> dict[str, int]:
        """Counts for a home page: all that are kept, approved, waiting for this person, and in this person's hands."""
        state = Restructuring.State
        mine = Q(annotator=person.pk)
        return self.kept().aggregate(
            kept=models.Count("pk"),
            approved=models.Count("pk", filter=Q(state=state.APPROVED)),
            waiting=models.Count("pk", filter=Q(state=state.SUBMITTED) & ~mine),
            mine=models.Count("pk", filter=Q(state__in=(state.OPEN, state.RETURNED)) & mine),
        )


class Restructuring(models.Model):
    """One annotator's copy of a dialogue on its way to a better one (paper §3.2).

    The text is what the operations make of the original; `messages` keeps the newest outcome beside them. Approval
    writes it as a Dialogue of its own.
    """

    class State(models.TextChoices):
        OPEN = "open", _("Open")
        SUBMITTED = "submitted", _("Waiting for review")
        RETURNED = "returned", _("Sent back")
        APPROVED = "approved", _("Approved")
        WITHDRAWN = "withdrawn", _("Taken back")

    token = models.CharField(max_length=32, unique=True, default=opaque_token)
    original = models.ForeignKey(Dialogue, models.PROTECT, related_name="restructurings")
    annotator = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="restructurings")
    asked_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.SET_NULL, null=True, blank=True, related_name="+")
    instructions = models.TextField(blank=True)
    state = models.CharField(max_length=10, choices=State, default=State.OPEN)
    # How many operations there are: what a draft was made on top of.
    version = models.PositiveIntegerField(default=0)
    messages = models.JSONField(help_text="[[speaker, text], …] after the newest operation.")
    kept = models.FloatField(default=1, help_text="Share of the original's words kept in order.")
    # What the reviewer said last, on the whole.
    review = models.TextField(blank=True)
    reviewer = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, blank=True, related_name="restructurings_reviewed"
    )
    result = models.OneToOneField(Dialogue, models.PROTECT, null=True, blank=True, related_name="restructured_as")
    created_at = models.DateTimeField(auto_now_add=True)
    changed_at = models.DateTimeField(null=True, blank=True, help_text="Of the newest operation.")
    submitted_at = models.DateTimeField(null=True, blank=True)
    reviewed_at = models.DateTimeField(null=True, blank=True)

    # Set by `numbered`.
    number: int

    objects = RestructuringQuerySet.as_manager()

    class Meta:
        ordering = ("-pk",)
        constraints = [
            models.UniqueConstraint(
                fields=["original", "annotator"],
                condition=~Q(state="withdrawn"),
                name="restructuring_once_a_dialogue_and_person",
            ),
            models.CheckConstraint(
                condition=Q(state="approved", result__isnull=False) | (~Q(state="approved") & Q(result__isnull=True)),
                name="restructuring_approved_has_its_dialogue",
            ),
            models.CheckConstraint(
                condition=Q(reviewer__isnull=True) | ~Q(reviewer=models.F("annotator")),
                name="restructuring_reviewed_by_another",
            ),
        ]
        indexes = [
            models.Index(fields=["annotator", "state"], name="restructuring_of_person"),
            models.Index(fields=["state", "submitted_at"], name="restructuring_for_review"),
        ]

    def __str__(self) -> str:
        return f"{self.original.key} by {self.annotator}"

    def get_absolute_url(self) -> str:
        return reverse("restructuring", args=[self.token])

    @property
    def is_editable(self) -> bool:
        """By the annotator; a reviewer may edit what waits for review."""
        return self.state in (self.State.OPEN, self.State.RETURNED)


class Operation(models.Model):
    """One step of a restructuring, in order (dialogues.editing); rows are added, never changed."""

    restructuring = models.ForeignKey(Restructuring, models.CASCADE, related_name="operations")
    number = models.PositiveIntegerField(help_text="From 1.")
    # Made by the browser, so that a step that is sent twice is kept once.
    client_id = models.UUIDField(default=uuid.uuid4)
    body = models.JSONField(help_text="What dialogues.editing.operation_from_json reads.")
    person = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")
    at = models.DateTimeField(help_text="When the person did it, by the server's clock.")

    class Meta:
        ordering = ("number",)
        constraints = [
            models.UniqueConstraint(fields=["restructuring", "number"], name="operation_number_once"),
            models.UniqueConstraint(fields=["restructuring", "client_id"], name="operation_kept_once"),
            models.CheckConstraint(condition=Q(number__gte=1), name="operation_numbers_from_one"),
        ]

    def __str__(self) -> str:
        return f"{self.restructuring_id}/{self.number}"


class Remark(models.Model):
    """What a reviewer says of one message, with the text it was said of: the message may change afterwards."""

    restructuring = models.ForeignKey(Restructuring, models.CASCADE, related_name="remarks")
    author = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")
    # Where the message stood, from 0, after how many operations.
    place = models.PositiveIntegerField()
    version = models.PositiveIntegerField()
    quote = models.TextField()
    text = models.TextField()
    created_at = models.DateTimeField(auto_now_add=True)
    settled_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ("place", "pk")

    def __str__(self) -> str:
        return f"{self.restructuring_id}/{self.place}"
