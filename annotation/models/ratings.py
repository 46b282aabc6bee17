"""Ratings, which never change (a correction supersedes the old one), and adjudications of disputed scores."""

import uuid
from typing import Any, Self

from django.conf import settings
from django.db import models
from django.db.models import Exists, F, OuterRef, Q

from annotation.models.assignments import Assignment
from annotation.models.memberships import Membership
from annotation.models.studies import Item


class RatingQuerySet(models.QuerySet["Rating"]):
    def counted(self) -> Self:
        """The ratings that count in tables: current, of a rated item, by a member who counts.

        If items have k raters, only those that hold one of the item's k slots.
        """
        in_slot = Q(assignment__study__raters_per_item__isnull=True) | Q(assignment__slot__isnull=False)
        return self.first_showings().filter(in_slot, assignment__membership__in=Membership.objects.counted())

    def first_showings(self) -> Self:
        """Current, of rated items, without hidden repeats; whether they count or not."""
        return self.filter(is_current=True, assignment__item__purpose=Item.Purpose.RATED, assignment__is_repeat=False)

    def repeats(self, firsts: "RatingQuerySet | None" = None) -> Self:
        """Current, of hidden repeats whose first showing has one of the ratings `firsts`, by default a counted one.

        They are compared with those, and stand in no other figure.
        """
        known = Rating.objects.counted() if firsts is None else firsts
        same = {f"assignment__{name}": OuterRef(f"assignment__{name}") for name in ("item", "membership")}
        return self.filter(Exists(known.filter(**same)), is_current=True, assignment__is_repeat=True)

    def before_exclusions(self) -> Self:
        """Those that count, and first showings by raters who were excluded or screened out.

        Such raters may have lost their slots to others.
        """
        return self.first_showings().filter(assignment__membership__in=Membership.objects.who_stayed())

    def past_practice(self) -> Self:
        """Of rated items and checks, as `AssignmentQuerySet.past_practice`."""
        practice = Item.objects.filter(pk=OuterRef("assignment__item"), purpose=Item.Purpose.TRAINING)
        return self.filter(Q(assignment__condition__gt=0) | ~Exists(practice))

    def for_study(self, study: Any) -> Self:
        return self.filter(assignment__study=study)


class Rating(models.Model):
    """One submission; a correction is a new row that supersedes the old one."""

    assignment = models.ForeignKey(Assignment, models.CASCADE, related_name="ratings")
    # Sent by the browser, so that a repeated submit finds its first rating.
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

    @property
    def has_remarks(self) -> bool:
        """Whether there is more to read than scores: a comment, a flag, a note, or a correction."""
        said = self.comment or self.flag or any(score.comment for score in self.scores.all())
        return bool(said) or not self.is_current


class Score(models.Model):
    """One metric's value in one rating, with the scale it was given on.

    In a study of pairs −1 prefers the item's dialogue, 1 the other one and 0 neither, whichever was on the left.
    """

    # The unique constraint's index begins with it.
    rating = models.ForeignKey(Rating, models.CASCADE, related_name="scores", db_index=False)
    metric = models.CharField(max_length=40)
    value = models.SmallIntegerField()
    scale_low = models.SmallIntegerField()
    scale_high = models.SmallIntegerField()
    comment = models.TextField(blank=True)
    # The messages that led to the score, by their places from 0.
    evidence = models.JSONField(default=list, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["rating", "metric"], name="one_score_a_metric"),
            models.CheckConstraint(
                condition=Q(value__gte=F("scale_low")) & Q(value__lte=F("scale_high")), name="score_on_its_scale"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.metric}={self.value}"


class Adjudication(models.Model):
    """The value at which a researcher settled a disputed score; the scores themselves stay. The newest counts."""

    item = models.ForeignKey(Item, models.CASCADE, related_name="adjudications")
    metric = models.CharField(max_length=40)
    value = models.SmallIntegerField()
    reason = models.TextField(blank=True)
    by = models.ForeignKey(settings.AUTH_USER_MODEL, models.SET_NULL, null=True, blank=True, related_name="+")
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ("-pk",)
        indexes = [models.Index(fields=["item", "metric", "-id"], name="adjudication_newest")]

    def __str__(self) -> str:
        return f"{self.item_id}/{self.metric}={self.value}"
