"""Studies, the items in them, who rates what, and the scores."""

import uuid
from datetime import UTC, datetime
from typing import Any, Self

from django.conf import settings
from django.db import models
from django.db.models import F, Q
from django.urls import reverse

from annotation.models.tokens import opaque_token
from dialogues.models import Corpus, Dialogue, Rubric, Version

# The lease of a place that nobody holds: over on every clock.
NO_LEASE = datetime(2000, 1, 1, tzinfo=UTC)


class Study(models.Model):
    """Items, a rubric and the people who rate; its design is frozen at launch."""

    class State(models.TextChoices):
        DRAFT = "draft", "Draft"
        OPEN = "open", "Open"
        CLOSED = "closed", "Closed"

    name = models.CharField(max_length=120, unique=True)
    # What raters read instead of `name`, which may say what is compared.
    public_name = models.CharField(max_length=120, default="Dialogue rating")
    corpus = models.ForeignKey(Corpus, models.PROTECT, related_name="studies")
    rubric = models.ForeignKey(Rubric, models.PROTECT, related_name="studies")
    versions = models.ManyToManyField(Version, related_name="studies")
    # How many raters score each item; null: everyone scores everything.
    raters_per_item = models.PositiveSmallIntegerField(null=True, blank=True)
    background_count = models.PositiveIntegerField(null=True, blank=True, help_text="A seeded sample; empty: all.")
    # Take only what this model wrote; blank: the latest of each version, whoever wrote it.
    writer = models.CharField(max_length=200, blank=True)
    seed = models.PositiveBigIntegerField()
    guidelines = models.TextField(blank=True)
    tidy_display = models.BooleanField(
        default=True,
        help_text="Show raters normalised spacing and capitals, so that the corpus's own style hides nothing.",
    )
    is_simulated = models.BooleanField(default=False, help_text="Its ratings come from the simulator, not from people.")
    state = models.CharField(max_length=10, choices=State, default=State.DRAFT)
    # What launch took and left out: counts by name, written once.
    selection = models.JSONField(default=dict, blank=True)
    created_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.SET_NULL, null=True, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)
    launched_at = models.DateTimeField(null=True, blank=True)
    closed_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ("-pk",)
        verbose_name_plural = "studies"
        constraints = [
            models.CheckConstraint(
                condition=Q(raters_per_item__isnull=True) | Q(raters_per_item__gte=1), name="study_has_raters"
            ),
        ]

    def __str__(self) -> str:
        return self.name

    def get_absolute_url(self) -> str:
        return reverse("study", args=[self.pk])

    @property
    def is_draft(self) -> bool:
        return self.state == self.State.DRAFT

    @property
    def is_open(self) -> bool:
        return self.state == self.State.OPEN

    @property
    def takes_raters(self) -> bool:
        """Whether people can still join: not once it is closed, never where the simulator rates."""
        return self.state != self.State.CLOSED and not self.is_simulated


class Item(models.Model):
    """One dialogue of a study, with the theme and characters shown beside it.

    Theme and traits are those of the background, the same for all its versions, so that nothing tells them apart.
    """

    study = models.ForeignKey(Study, models.CASCADE, related_name="items")
    dialogue = models.ForeignKey(Dialogue, models.PROTECT, related_name="items")
    # The α that the versions of one background share.
    background = models.ForeignKey(Dialogue, models.PROTECT, related_name="+")
    theme = models.TextField(blank=True)
    traits_1 = models.JSONField(default=list, blank=True)
    traits_2 = models.JSONField(default=list, blank=True)
    position = models.PositiveIntegerField(help_text="Its place in the study's seeded shuffle.")

    class Meta:
        ordering = ("position",)
        constraints = [
            models.UniqueConstraint(fields=["study", "dialogue"], name="item_once_a_study"),
            models.UniqueConstraint(fields=["study", "position"], name="item_position_unique"),
        ]

    def __str__(self) -> str:
        return f"{self.study_id}/{self.position}"


class Membership(models.Model):
    """A rater's place in a study, with the seed of their order."""

    study = models.ForeignKey(Study, models.CASCADE, related_name="memberships")
    rater = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="memberships")
    # The study's name in this rater's addresses: a study's number would count the studies before it.
    token = models.CharField(max_length=32, unique=True, default=opaque_token)
    seed = models.PositiveBigIntegerField()
    joined_at = models.DateTimeField(auto_now_add=True)
    withdrawn_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ("pk",)
        constraints = [models.UniqueConstraint(fields=["study", "rater"], name="member_once_a_study")]

    def __str__(self) -> str:
        return f"{self.study_id}/{self.rater_id}"


class AssignmentQuerySet(models.QuerySet["Assignment"]):
    def opened(self) -> Self:
        """Waiting for scores, given to somebody or not."""
        return self.filter(state=Assignment.State.OPEN)

    def places_to_give(self, study: Study, now: datetime) -> Self:
        """Places of a k-raters study that nobody holds, or whose holder has been silent past the lease."""
        return self.opened().filter(study=study, slot__isnull=False, lease_until__lte=now)


class Assignment(models.Model):
    """A place in an item's ratings, the rater who holds it, and the draft of their scores.

    Where every item has k raters, launch makes its k places, numbered by `slot` and held by nobody; a claim
    writes the rater into one, a lease that ran out lets another rater claim it. So an item has exactly k places
    whatever happens. Where everyone scores everything, each rater has a row for each item and no slot.
    """

    class State(models.TextChoices):
        OPEN = "open", "Open"
        SUBMITTED = "submitted", "Submitted"
        SKIPPED = "skipped", "Skipped"

    # The item's study again, so that the next place is found by one index.
    study = models.ForeignKey(Study, models.CASCADE, related_name="assignments")
    item = models.ForeignKey(Item, models.CASCADE, related_name="assignments")
    membership = models.ForeignKey(Membership, models.CASCADE, null=True, blank=True, related_name="assignments")
    token = models.CharField(max_length=32, unique=True, default=opaque_token)
    # Null where everyone scores everything, and on a skipped place, which a new row has replaced.
    slot = models.PositiveSmallIntegerField(null=True, blank=True)
    position = models.PositiveIntegerField(help_text="In this rater's order, or in the study's shuffle.")
    state = models.CharField(max_length=10, choices=State, default=State.OPEN)
    lease_until = models.DateTimeField(null=True, blank=True, help_text="Until then nobody else is given this place.")
    draft = models.JSONField(default=dict, blank=True)
    draft_version = models.PositiveIntegerField(default=0)
    # The next submission's id: every tab that shows this item sends the same one, so a repeat is recognised.
    submission_id = models.UUIDField(default=uuid.uuid4)
    skip_reason = models.CharField(max_length=200, blank=True)
    opened_at = models.DateTimeField(null=True, blank=True, help_text="First shown to its rater.")
    created_at = models.DateTimeField(auto_now_add=True)

    objects = AssignmentQuerySet.as_manager()

    class Meta:
        ordering = ("position",)
        constraints = [
            models.UniqueConstraint(fields=["item", "membership"], name="assignment_once_a_rater"),
            models.UniqueConstraint(fields=["item", "slot"], name="assignment_slot_unique"),
            models.CheckConstraint(
                condition=Q(membership__isnull=False) | Q(state="open", slot__isnull=False),
                name="assignment_without_rater_is_a_free_place",
            ),
            models.CheckConstraint(
                condition=Q(slot__isnull=True) | Q(lease_until__isnull=False), name="assignment_place_has_lease"
            ),
        ]
        indexes = [
            models.Index(fields=["membership", "state", "position"], name="assignment_queue"),
            models.Index(fields=["study", "state", "position"], name="assignment_places"),
            models.Index(fields=["membership", "opened_at"], name="assignment_history"),
        ]

    def __str__(self) -> str:
        return self.token


class RatingQuerySet(models.QuerySet["Rating"]):
    def counted(self) -> Self:
        """The ratings that tables count: current, not superseded."""
        return self.filter(is_current=True)

    def for_study(self, study: Any) -> Self:
        return self.filter(assignment__study=study)


class Rating(models.Model):
    """One submission; a correction is a new row that supersedes the old."""

    assignment = models.ForeignKey(Assignment, models.CASCADE, related_name="ratings")
    # Made by the browser, so that a repeated submit finds its first answer.
    submission_id = models.UUIDField(unique=True, default=uuid.uuid4)
    is_current = models.BooleanField(default=True)
    supersedes = models.OneToOneField("self", models.PROTECT, null=True, blank=True, related_name="superseded_by")
    comment = models.TextField(blank=True)
    flag = models.CharField(max_length=40, blank=True)
    seconds = models.FloatField(null=True, blank=True, help_text="From opening to submitting.")
    created_at = models.DateTimeField(auto_now_add=True)

    objects = RatingQuerySet.as_manager()

    class Meta:
        ordering = ("pk",)
        constraints = [
            models.UniqueConstraint(
                fields=["assignment"], condition=Q(is_current=True), name="one_current_rating_an_assignment"
            ),
        ]

    def __str__(self) -> str:
        return str(self.submission_id)


class Score(models.Model):
    """One metric's value in one rating, with the scale it was given on."""

    rating = models.ForeignKey(Rating, models.CASCADE, related_name="scores")
    metric = models.CharField(max_length=40)
    value = models.SmallIntegerField()
    scale_low = models.SmallIntegerField()
    scale_high = models.SmallIntegerField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["rating", "metric"], name="one_score_a_metric"),
            models.CheckConstraint(
                condition=Q(value__gte=F("scale_low")) & Q(value__lte=F("scale_high")), name="score_on_its_scale"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.metric}={self.value}"
