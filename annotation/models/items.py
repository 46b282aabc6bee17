"""What is rated, and by whom: a study's items and its members."""

from django.conf import settings
from django.db import models
from django.db.models import Q

from annotation.models.studies import Study
from annotation.models.tokens import opaque_token
from dialogues.models import Dialogue, Rubric
from dialogues.rubric import Metric


class Item(models.Model):
    """One dialogue of a study (or two, side by side), with the theme and characters shown beside it.

    Theme and traits are those of the background, the same for all its versions, so that nothing tells them apart.
    """

    class Purpose(models.TextChoices):
        RATED = "rated", "Rated"
        TRAINING = "training", "Training, with feedback"
        GOLD = "gold", "Gold, with known scores"
        ATTENTION = "attention", "Attention check"

    study = models.ForeignKey(Study, models.CASCADE, related_name="items")
    purpose = models.CharField(max_length=10, choices=Purpose, default=Purpose.RATED)
    dialogue = models.ForeignKey(Dialogue, models.PROTECT, related_name="items")
    # In a study of pairs the dialogue it is compared with; which one stands left is each assignment's own.
    other = models.ForeignKey(Dialogue, models.PROTECT, null=True, blank=True, related_name="+")
    # The α that the versions of one background share.
    background = models.ForeignKey(Dialogue, models.PROTECT, related_name="+")
    theme = models.TextField(blank=True)
    traits_1 = models.JSONField(default=list, blank=True)
    traits_2 = models.JSONField(default=list, blank=True)
    # What a training, gold or attention item expects: {metric: value}, and how far off still counts as right.
    expected = models.JSONField(default=dict, blank=True)
    tolerance = models.PositiveSmallIntegerField(default=1)
    # Shown after a training item was scored; on an attention check, what the rater is asked to do instead.
    note = models.TextField(blank=True)
    position = models.PositiveIntegerField(help_text="Its place in the study's seeded shuffle.")

    class Meta:
        ordering = ("position",)
        constraints = [
            models.UniqueConstraint(
                fields=["study", "dialogue", "purpose"], condition=Q(other__isnull=True), name="item_once_a_study"
            ),
            models.UniqueConstraint(fields=["study", "dialogue", "other"], name="item_pair_once_a_study"),
            models.UniqueConstraint(fields=["study", "position"], name="item_position_unique"),
        ]

    def __str__(self) -> str:
        return f"{self.study_id}/{self.position}"

    def asked(self, rubric: Rubric) -> tuple[Metric, ...]:
        """The rubric's questions about what it shows; of a pair, those about both versions."""
        metrics = rubric.metric_list()
        # Which versions it shows may take a query, and most rubrics ask the same of all.
        if not any(metric.asked_for for metric in metrics):
            return metrics
        return rubric.metrics_for(*(row.version_id for row in (self.dialogue, self.other) if row))

    def expects(self, rubric: Rubric) -> dict[str, int]:
        """The known scores of a training, gold or attention item; none for what its raters are not asked."""
        return {metric.key: self.expected[metric.key] for metric in self.asked(rubric) if metric.key in self.expected}


class Membership(models.Model):
    """A rater's place in a study, with the seed of their order."""

    study = models.ForeignKey(Study, models.CASCADE, related_name="memberships")
    rater = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="memberships")
    # The study's name in this rater's addresses: a study's number would count the studies before it.
    token = models.CharField(max_length=32, unique=True, default=opaque_token)
    seed = models.PositiveBigIntegerField()
    # How many rated items this rater was given. Raised with every change of `course`, and only from the value that was
    # read with it: of two tabs that ask for the next item, one gives it.
    turn = models.PositiveIntegerField(default=0)
    # The row they are in and what they were shown: rating.course.
    course = models.JSONField(default=dict, blank=True)
    joined_at = models.DateTimeField(auto_now_add=True)
    # What they agreed to: the text by its SHA-256, because a study's next version may ask something else.
    consented_at = models.DateTimeField(null=True, blank=True)
    consent_sha256 = models.CharField(max_length=64, blank=True)
    trained_at = models.DateTimeField(null=True, blank=True)
    # Decided by a person, with a reason, and reversible: the ratings stay and are marked.
    excluded_at = models.DateTimeField(null=True, blank=True)
    excluded_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.SET_NULL, null=True, blank=True, related_name="+")
    exclusion_reason = models.CharField(max_length=300, blank=True)
    screened_out_at = models.DateTimeField(null=True, blank=True)
    withdrawn_at = models.DateTimeField(null=True, blank=True)
    # Who came in their place.
    replaced_by = models.ForeignKey("self", models.SET_NULL, null=True, blank=True, related_name="replaces")
    # Prolific's three parameters; the first is a person, so it goes with their identity.
    prolific_pid = models.CharField(max_length=60, blank=True)
    prolific_study = models.CharField(max_length=60, blank=True)
    prolific_session = models.CharField(max_length=60, blank=True)

    # Whether the study has training items: set by `own_membership`.
    has_practice: bool

    class Meta:
        ordering = ("pk",)
        constraints = [
            models.UniqueConstraint(fields=["study", "rater"], name="member_once_a_study"),
            models.UniqueConstraint(
                fields=["study", "prolific_pid"], condition=~Q(prolific_pid=""), name="prolific_person_once_a_study"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.study_id}/{self.rater_id}"


class Departure(models.Model):
    """That somebody left a study in which their scores stay, by a code: studies.departures.

    It has neither a number nor a time, which would lead to the membership that was theirs.
    """

    code = models.CharField(max_length=64, primary_key=True)
    study = models.ForeignKey(Study, models.CASCADE, related_name="departures")

    def __str__(self) -> str:
        return self.code
