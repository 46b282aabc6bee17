"""Which of two systems a tester preferred at the end of their part in a study of chats."""

from collections.abc import Collection
from typing import Self

from django.db import models
from django.db.models import Q

from annotation.models.memberships import Membership
from dialogues.models import Version


class SystemPreferenceQuerySet(models.QuerySet["SystemPreference"]):
    def last_of(self, members: Collection[int]) -> Self:
        """The last answer of each of these memberships."""
        later = SystemPreference.objects.filter(membership=models.OuterRef("membership"), pk__gt=models.OuterRef("pk"))
        return self.filter(~models.Exists(later), membership__in=members).order_by("pk")


class SystemPreference(models.Model):
    """One answer. Rows are never changed: a tester's last one counts."""

    class Choice(models.TextChoices):
        FIRST = "first", "The one met first"
        SECOND = "second", "The one met second"
        SAME = "same", "About the same"
        UNSAID = "unsaid", "Would rather not say"

    membership = models.ForeignKey(Membership, models.CASCADE, related_name="system_preferences")
    # The systems in the order in which the tester met them: the page called them A and B.
    first = models.ForeignKey(Version, models.PROTECT, related_name="+")
    second = models.ForeignKey(Version, models.PROTECT, related_name="+")
    choice = models.CharField(max_length=10, choices=Choice)
    comment = models.TextField(blank=True)
    at = models.DateTimeField(auto_now_add=True)

    objects = SystemPreferenceQuerySet.as_manager()

    class Meta:
        ordering = ("pk",)
        constraints = [
            models.CheckConstraint(condition=~Q(first=models.F("second")), name="preference_between_two_systems")
        ]

    def __str__(self) -> str:
        return f"{self.membership_id}: {self.choice}"

    @property
    def preferred(self) -> str | None:
        """The slug of the preferred system's version; None where neither was."""
        return {self.Choice.FIRST: self.first_id, self.Choice.SECOND: self.second_id}.get(self.Choice(self.choice))
