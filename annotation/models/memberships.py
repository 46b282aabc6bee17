"""Who rates in a study, whose ratings count, and who left it."""

from typing import Self

from django.conf import settings
from django.db import models
from django.db.models import Exists, IntegerField, OuterRef, Q, Value
from django.db.models.fields.json import KeyTextTransform
from django.db.models.functions import Cast, Coalesce, NullIf

from annotation.models.assignments import Assignment
from annotation.models.studies import Study
from annotation.models.tokens import opaque_token

ONGOING = Q(withdrawn_at__isnull=True, excluded_at__isnull=True, screened_out_at__isnull=True)
# The simulator's raters and imported ones have accounts that nobody can log in to.
ACTIVE = ONGOING & (Q(rater__is_active=True) | Q(study__is_simulated=True) | Q(study__is_imported=True))
SCREENED_OUT = Q(screened_out_at__isnull=False)
# More slots than any study has.
UNLIMITED = 2**31 - 1
# Whoever withdrew takes their ratings along, unless the study keeps them.
STAYED = Q(withdrawn_at__isnull=True) | Q(study__withdrawal=Study.Withdrawal.KEEP)
COUNTED = Q(excluded_at__isnull=True) & (~SCREENED_OUT | Q(study__counts_screened_out=True)) & STAYED


class MembershipQuerySet(models.QuerySet["Membership"]):
    """The rules about a study's people; `Membership` has properties for those that a single row can answer."""

    def present(self) -> Self:
        """Those who have not withdrawn; after a withdrawal the row belongs to nobody."""
        return self.filter(withdrawn_at__isnull=True)

    def active(self) -> Self:
        """Those who can still rate: ongoing, with an account that has not been deactivated."""
        return self.filter(ACTIVE)

    def counted(self) -> Self:
        """Those whose ratings count in tables; `Rating.objects.counted()` has the ratings.

        Excluded raters never count; screened-out raters if the study says so; raters who withdrew if its policy keeps
        their scores. Deactivating an account changes nothing.
        """
        return self.filter(COUNTED)

    def who_stayed(self) -> Self:
        """Those whose ratings count or would, had nobody excluded them or screened them out."""
        return self.filter(STAYED)

    def screened_out(self) -> Self:
        """Those whom a rule of the study ended, whether they count or not."""
        return self.filter(SCREENED_OUT)

    def screened_out_by_checks(self) -> Self:
        """Those of them who failed more attention checks than the study allows; the others failed the training."""
        return self.screened_out().filter(failed_training=False)

    def with_work(self) -> Self:
        """Each with `has_rated`, and `has_work`: an open item, or an open slot that they could still take.

        In a study of chats nobody takes more slots than `chats_each`.
        """
        mine = Assignment.objects.filter(membership=OuterRef("pk"))
        taken = Assignment.objects.filter(membership=OuterRef(OuterRef("pk")), item=OuterRef("item"))
        slots = Assignment.objects.opened().filter(study=OuterRef("study"), slot__isnull=False)
        # SQLite gives "null" where PostgreSQL gives NULL.
        each = NullIf(KeyTextTransform("chats_each", "study__chat_plan"), Value("null"))
        most = Coalesce(Cast(each, IntegerField()), Value(UNLIMITED))
        may_take = ~Q(study__kind=Study.Kind.CHATS) | Q(turn__lt=most)
        return self.annotate(
            has_rated=Exists(mine.filter(state=Assignment.State.SUBMITTED)),
            has_work=Q(Exists(mine.opened())) | (may_take & Exists(slots.exclude(Exists(taken)))),
        )

    def finished(self) -> Self:
        """Active raters who have rated and have nothing left."""
        return self.active().with_work().filter(has_rated=True, has_work=False)


class Membership(models.Model):
    """A rater's membership of a study, with the seed of their order."""

    study = models.ForeignKey(Study, models.CASCADE, related_name="memberships")
    rater = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="memberships")
    # Names the study in this rater's addresses; its number would reveal how many studies there are.
    token = models.CharField(max_length=32, unique=True, default=opaque_token)
    seed = models.PositiveBigIntegerField()
    # How many rated items this rater was given. Every change of `course` raises it, and only from the value read with
    # it, so that of two tabs asking for the next item only one succeeds.
    turn = models.PositiveIntegerField(default=0)
    # The rater's current block and all they were shown, as allocation.block_state.BlockState writes it.
    course = models.JSONField(default=dict, blank=True)
    # After how many rated items each hidden repeat that they have not met yet is due; null until it is laid out.
    repeats_due = models.JSONField(null=True, blank=True)
    joined_at = models.DateTimeField(auto_now_add=True)
    # SHA-256 of the text they agreed to, because the next version of a study may have another text.
    consented_at = models.DateTimeField(null=True, blank=True)
    consent_sha256 = models.CharField(max_length=64, blank=True)
    trained_at = models.DateTimeField(null=True, blank=True)
    # Decided by a person, with a reason; reversible: the ratings stay and are marked.
    excluded_at = models.DateTimeField(null=True, blank=True)
    excluded_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.SET_NULL, null=True, blank=True, related_name="+")
    exclusion_reason = models.CharField(max_length=300, blank=True)
    # Decided by a rule of the study, for good: they failed more attention checks than it allows, or, before their first
    # rated item, its training.
    screened_out_at = models.DateTimeField(null=True, blank=True)
    failed_training = models.BooleanField(default=False)
    withdrawn_at = models.DateTimeField(null=True, blank=True)
    # Prolific's three parameters; the first identifies a person, so withdrawing removes them.
    prolific_pid = models.CharField(max_length=60, blank=True)
    prolific_study = models.CharField(max_length=60, blank=True)
    prolific_session = models.CharField(max_length=60, blank=True)

    # Whether the study has training items: set by `own_membership`.
    has_practice: bool

    objects = MembershipQuerySet.as_manager()

    class Meta:
        ordering = ("pk",)
        constraints = [
            models.UniqueConstraint(fields=["study", "rater"], name="member_once_a_study"),
            models.UniqueConstraint(
                fields=["study", "prolific_pid"], condition=~Q(prolific_pid=""), name="prolific_person_once_a_study"
            ),
            models.CheckConstraint(
                condition=Q(failed_training=False) | Q(screened_out_at__isnull=False, trained_at__isnull=True),
                name="failed_training_screens_out",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.study_id}/{self.rater_id}"

    @property
    def is_ongoing(self) -> bool:
        """Whether their part has not ended: neither withdrawn, nor excluded, nor screened out (`ONGOING`)."""
        return self.withdrawn_at is None and self.excluded_at is None and self.screened_out_at is None

    @property
    def is_active(self) -> bool:
        """The same rule as `MembershipQuerySet.active`."""
        return self.is_ongoing and (self.rater.is_active or self.study.is_simulated or self.study.is_imported)

    @property
    def is_counted(self) -> bool:
        """The same rule as `MembershipQuerySet.counted`."""
        passed = self.screened_out_at is None or self.study.counts_screened_out
        stays = self.withdrawn_at is None or self.study.withdrawal == Study.Withdrawal.KEEP
        return self.excluded_at is None and passed and stays


class Departure(models.Model):
    """Somebody who withdrew from a study that keeps their scores, as a keyed hash (`people.withdrawals`).

    It has neither a number nor a time, which could lead to the membership that was theirs.
    """

    code = models.CharField(max_length=64, primary_key=True)
    study = models.ForeignKey(Study, models.CASCADE, related_name="departures")

    def __str__(self) -> str:
        return self.code
