"""Chosen dialogues on their way through chosen stages."""

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.urls import reverse

from dialogues.models import Corpus, Dialogue
from generation.models.endpoints import Endpoint
from generation.models.material import ExampleSet, Prompt, Stage


class Run(models.Model):
    """Chosen dialogues sent through chosen stages of one endpoint."""

    class State(models.TextChoices):
        DRAFT = "draft", "Draft"
        RUNNING = "running", "Running"
        PAUSED = "paused", "Paused"
        FINISHED = "finished", "Finished"

    class AmbiguousPolicy(models.TextChoices):
        RESEND = "resend", "Send again"
        HOLD = "hold", "Hold for a decision"

    name = models.CharField(max_length=120)
    corpus = models.ForeignKey(Corpus, models.PROTECT, related_name="runs")
    endpoint = models.ForeignKey(Endpoint, models.PROTECT, related_name="runs")
    model = models.CharField(max_length=200)
    stages = models.JSONField(help_text="Stage names in order.")
    parameters = models.JSONField(default=dict, blank=True, help_text="temperature, max_tokens, …")
    seed = models.PositiveBigIntegerField(default=0)
    keep_share = models.FloatField(default=0.8, help_text="Share of γ's words a further-split must keep, in order.")
    single_step_set = models.ForeignKey(ExampleSet, models.PROTECT, null=True, related_name="+")
    step_by_step_set = models.ForeignKey(ExampleSet, models.PROTECT, null=True, related_name="+")
    further_split_set = models.ForeignKey(ExampleSet, models.PROTECT, null=True, related_name="+")
    prompts = models.ManyToManyField(Prompt, related_name="runs")
    ambiguous_policy = models.CharField(max_length=10, choices=AmbiguousPolicy, default=AmbiguousPolicy.HOLD)
    budget = models.DecimalField(max_digits=12, decimal_places=4, null=True, blank=True, help_text="US dollars.")
    # What answered calls cost, and the worst case of those in flight; kept in step by the ledger.
    spent = models.DecimalField(max_digits=14, decimal_places=6, default=0, editable=False)
    reserved = models.DecimalField(max_digits=14, decimal_places=6, default=0, editable=False)
    state = models.CharField(max_length=10, choices=State, default=State.DRAFT)
    state_reason = models.CharField(max_length=300, blank=True)
    dialogue_count = models.PositiveIntegerField(default=0)
    created_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.SET_NULL, null=True, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)
    started_at = models.DateTimeField(null=True, blank=True)
    finished_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ("-pk",)
        constraints = [
            models.CheckConstraint(
                condition=Q(keep_share__gte=0) & Q(keep_share__lte=1), name="run_keep_share_is_a_share"
            ),
        ]

    def __str__(self) -> str:
        return self.name

    def get_absolute_url(self) -> str:
        return reverse("generation:run", args=[self.pk])

    @property
    def stage_list(self) -> list[Stage]:
        return [Stage(name) for name in self.stages]

    @property
    def prompt_list(self) -> list[Prompt]:
        """In the order of the stages."""
        return sorted(self.prompts.all(), key=lambda prompt: self.stages.index(prompt.stage))

    def pause(self, reason: str) -> bool:
        """Stop claiming; calls in flight still come home. Returns whether it was running."""
        running = Run.objects.filter(pk=self.pk, state=Run.State.RUNNING)
        return bool(running.update(state=Run.State.PAUSED, state_reason=reason[:300]))


class RunDialogue(models.Model):
    """One α that a run was asked to take through its stages."""

    run = models.ForeignKey(Run, models.CASCADE, related_name="chosen")
    dialogue = models.ForeignKey(Dialogue, models.CASCADE, related_name="chosen_by")

    class Meta:
        constraints = [models.UniqueConstraint(fields=["run", "dialogue"], name="run_chooses_a_dialogue_once")]

    def __str__(self) -> str:
        return f"{self.run_id}/{self.dialogue_id}"


# Outcomes that the client gives where no reply came (generation.client.Trouble).
