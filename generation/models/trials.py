"""Trials: a draft set or wording on a few backgrounds, beside what runs use now."""

from typing import Self

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.urls import reverse

from dialogues.models import Dialogue
from generation.models.endpoints import Endpoint
from generation.models.material import ExampleSet, Prompt, Stage
from generation.models.runs import Run, RunStage


class TrialQuerySet(models.QuerySet["Trial"]):
    def with_arms(self) -> Self:
        """With what was tried, and by which runs it is answered, in a few queries however many trials."""
        arms = TrialArm.objects.select_related("run__corpus").prefetch_related(
            models.Prefetch("run__run_stages", RunStage.objects.select_related("endpoint", "prompt"))
        )
        rows = self.select_related("example_set", "prompt", "endpoint", "created_by")
        return rows.prefetch_related(models.Prefetch("arms", arms))

    def of_set(self, example_set: ExampleSet) -> Self:
        return self.filter(example_set=example_set)


class Trial(models.Model):
    """What was tried, at which stage and on which model; its runs write on copies in the scratch corpus."""

    stage = models.CharField(max_length=20, choices=Stage)
    # The set as a person keeps it; the model was shown the frozen copy that the run's stage has.
    example_set = models.ForeignKey(ExampleSet, models.PROTECT, null=True, blank=True, related_name="trials")
    prompt = models.ForeignKey(Prompt, models.PROTECT, null=True, blank=True, related_name="trials")
    endpoint = models.ForeignKey(Endpoint, models.PROTECT, related_name="trials")
    why_alone = models.CharField(max_length=300, blank=True, help_text="Why there is nothing to set it beside.")
    # Names one form as it was filled in, so that a second click makes no second trial.
    once = models.CharField(max_length=40, blank=True)
    created_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.SET_NULL, null=True, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)

    objects = TrialQuerySet.as_manager()

    class Meta:
        ordering = ("-pk",)
        constraints = [
            models.CheckConstraint(
                condition=Q(example_set__isnull=False) | Q(prompt__isnull=False), name="trial_tries_something"
            ),
            models.UniqueConstraint(
                fields=["created_by", "once"], condition=~Q(once=""), name="trial_once_a_filling_in"
            ),
        ]

    def __str__(self) -> str:
        return f"Trial {self.pk} of {self.what}"

    def get_absolute_url(self) -> str:
        return reverse("generation:trial", args=[self.pk])

    @property
    def what(self) -> str:
        """The set and the wording tried, in words."""
        return " with ".join(str(tried) for tried in (self.example_set, self.prompt) if tried)

    @property
    def own_run(self) -> Run | None:
        """The run made for this trial; None if everything was answered before."""
        return next((arm.run for arm in self.arms.all() if not arm.reused), None)

    @property
    def state(self) -> str:
        """A state of `Run`."""
        return self.own_run.state if self.own_run else Run.State.FINISHED

    @property
    def state_label(self) -> str:
        return str(Run.State(self.state).label)

    @property
    def is_free(self) -> bool:
        return self.own_run is None or self.own_run.is_free

    @property
    def is_demo(self) -> bool:
        return any(arm.run.is_demo for arm in self.arms.all())


class TrialArm(models.Model):
    """One side of a trial: a branch of a run made for it, or one that an earlier trial has answered."""

    class Name(models.TextChoices):
        DRAFT = "draft", "Tried"
        CURRENT = "current", "Current"

    trial = models.ForeignKey(Trial, models.CASCADE, related_name="arms")
    name = models.CharField(max_length=10, choices=Name)
    run = models.ForeignKey(Run, models.CASCADE, related_name="trial_arms")
    branch = models.PositiveSmallIntegerField(default=0)
    reused = models.BooleanField(default=False, help_text="Answered by an earlier trial; nothing was paid.")
    # Of everything that decides what is sent, themes aside.
    fingerprint = models.CharField(max_length=64)

    class Meta:
        ordering = ("-name",)
        constraints = [models.UniqueConstraint(fields=["trial", "name"], name="trial_arm_once")]
        indexes = [models.Index(fields=["fingerprint"], name="trial_arm_fingerprint")]

    def __str__(self) -> str:
        return f"{self.get_name_display()} of trial {self.trial_id}"

    @property
    def run_stage(self) -> RunStage:
        """The newest edition that asks for this arm: its prompt, and the sets that it shows."""
        return next(row for row in reversed(self.run.newest_rows) if row.branch == self.branch)


class TrialSubject(models.Model):
    """A dialogue of a trial: the copy, and its source as long as that exists."""

    trial = models.ForeignKey(Trial, models.CASCADE, related_name="subjects")
    dialogue = models.ForeignKey(Dialogue, models.PROTECT, related_name="+")
    source = models.ForeignKey(Dialogue, models.SET_NULL, null=True, blank=True, related_name="+")

    class Meta:
        ordering = ("pk",)
        constraints = [models.UniqueConstraint(fields=["trial", "dialogue"], name="trial_takes_a_dialogue_once")]

    def __str__(self) -> str:
        return f"{self.trial_id}/{self.dialogue_id}"
