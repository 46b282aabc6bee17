"""What is rated: a study's items."""

from django.db import models
from django.db.models import Q

from annotation.models.studies import Study
from dialogues.models import Dialogue, Rubric
from dialogues.rubric import Metric


class Item(models.Model):
    """One dialogue of a study (or two side by side), with the theme and characters shown beside it.

    Theme and traits come from the background and are the same for all its versions, so they reveal no version.
    """

    class Purpose(models.TextChoices):
        RATED = "rated", "Rated"
        TRAINING = "training", "Training, with feedback"
        GOLD = "gold", "Gold, with known scores"
        ATTENTION = "attention", "Attention check"

    study = models.ForeignKey(Study, models.CASCADE, related_name="items")
    purpose = models.CharField(max_length=10, choices=Purpose, default=Purpose.RATED)
    dialogue = models.ForeignKey(Dialogue, models.PROTECT, related_name="items")
    # In a study of pairs, the dialogue it is compared with; each assignment decides which one is on the left.
    other = models.ForeignKey(Dialogue, models.PROTECT, null=True, blank=True, related_name="+")
    # The original (α) of the dialogue.
    background = models.ForeignKey(Dialogue, models.PROTECT, related_name="+")
    theme = models.TextField(blank=True)
    traits_1 = models.JSONField(default=list, blank=True)
    traits_2 = models.JSONField(default=list, blank=True)
    # Expected scores of a training, gold or attention item, {metric: value}; `tolerance` is the largest error allowed.
    expected = models.JSONField(default=dict, blank=True)
    tolerance = models.PositiveSmallIntegerField(default=1)
    # Shown after a training item was scored; on an attention check, the instruction to the rater.
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
        """The rubric's questions about what it shows; for a pair, those about both versions."""
        metrics = rubric.metric_list()
        # Most rubrics ask the same about every version, which saves the query for this item's versions.
        if not any(metric.asked_for for metric in metrics):
            return metrics
        return rubric.metrics_for(*(row.version_id for row in (self.dialogue, self.other) if row))

    def expects(self, rubric: Rubric) -> dict[str, int]:
        """The known scores of a training, gold or attention item, for the questions that raters are asked about it."""
        return {metric.key: self.expected[metric.key] for metric in self.asked(rubric) if metric.key in self.expected}
