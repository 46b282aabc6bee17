"""Training sets, and the runs that fine-tune a model on one."""

from typing import Self

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.urls import reverse

from dialogues.models import Corpus, Dialogue
from generation.models.endpoints import Endpoint


class TrainingSetQuerySet(models.QuerySet["TrainingSet"]):
    def built(self) -> Self:
        return self.filter(state=TrainingSet.State.BUILT)


class TrainingSet(models.Model):
    """Dialogues chosen as training data, and how they are written; frozen once it is built."""

    class State(models.TextChoices):
        BUILDING = "building", "Being built"
        BUILT = "built", "Built"
        REFUSED = "refused", "Refused"

    name = models.CharField(max_length=80)
    version = models.PositiveIntegerField(default=1)
    corpus = models.ForeignKey(Corpus, models.PROTECT, related_name="training_sets")
    recipe = models.JSONField(help_text="generation.training.recipe.Recipe.")
    state = models.CharField(max_length=10, choices=State, default=State.BUILDING)
    problem = models.TextField(blank=True, help_text="Why it was refused.")
    # What was dropped by which filter, what was cut, examples by split; see generation.training.counts.
    counts = models.JSONField(default=dict, blank=True)
    # Of its examples as lines of JSON, in their order.
    sha256 = models.CharField(max_length=64, blank=True)
    done = models.PositiveIntegerField(default=0, help_text="Dialogues written so far.")
    total = models.PositiveIntegerField(default=0)
    created_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.SET_NULL, null=True, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)
    built_at = models.DateTimeField(null=True, blank=True)
    # When whoever builds it last told how far it is.
    told_at = models.DateTimeField(null=True, blank=True)

    objects = TrainingSetQuerySet.as_manager()

    class Meta:
        ordering = ("-pk",)
        constraints = [
            models.UniqueConstraint(fields=["name", "version"], name="training_set_version_unique"),
            models.CheckConstraint(condition=~Q(state="built") | ~Q(sha256=""), name="training_set_built_has_its_hash"),
        ]

    def __str__(self) -> str:
        return f"{self.name} v{self.version}"

    def get_absolute_url(self) -> str:
        return reverse("generation:training_set", args=[self.pk])

    @property
    def is_built(self) -> bool:
        return self.state == self.State.BUILT


class TrainingItem(models.Model):
    """One dialogue of a training set with the background it is trained on; in a set of preferences the better one."""

    training_set = models.ForeignKey(TrainingSet, models.CASCADE, related_name="items")
    number = models.PositiveIntegerField()
    split = models.CharField(max_length=12)
    dialogue = models.ForeignKey(Dialogue, models.PROTECT, related_name="+")
    # In a set of preferences the worse dialogue.
    worse = models.ForeignKey(Dialogue, models.PROTECT, null=True, blank=True, related_name="+")
    background = models.CharField(max_length=200, help_text="The key of the original.")
    theme = models.TextField(blank=True)
    traits_1 = models.JSONField(default=list, blank=True)
    traits_2 = models.JSONField(default=list, blank=True)

    class Meta:
        ordering = ("number",)
        constraints = [
            models.UniqueConstraint(fields=["training_set", "number"], name="training_item_number_unique"),
        ]

    def __str__(self) -> str:
        return f"{self.training_set_id}/{self.number}"


class TrainingRunQuerySet(models.QuerySet["TrainingRun"]):
    def open(self) -> Self:
        """Runs that wait for their trainer, or that it works on."""
        return self.filter(state__in=(TrainingRun.State.WAITING, TrainingRun.State.RUNNING))


class TrainingRun(models.Model):
    """One fine-tuning of a base model on a set, here or on another machine; its trainer reports events."""

    class Method(models.TextChoices):
        LORA = "lora", "LoRA"
        FULL = "full", "Full fine-tuning"
        DPO = "dpo", "DPO with LoRA"

    class State(models.TextChoices):
        WAITING = "waiting", "Waiting for its trainer"
        RUNNING = "running", "Running"
        FINISHED = "finished", "Finished"
        STOPPED = "stopped", "Stopped"
        FAILED = "failed", "Failed"

    training_set = models.ForeignKey(TrainingSet, models.PROTECT, related_name="runs")
    name = models.CharField(max_length=120)
    base = models.CharField(max_length=300, help_text="A model's name on a hub, or its folder.")
    base_licence = models.CharField(max_length=120, blank=True)
    method = models.CharField(max_length=10, choices=Method)
    parameters = models.JSONField(default=dict, blank=True, help_text="As the trainer decided and reported them.")
    # Python, packages, card, git revision, as the trainer reported them.
    environment = models.JSONField(default=dict, blank=True)
    state = models.CharField(max_length=10, choices=State, default=State.WAITING)
    problem = models.TextField(blank=True)
    step = models.PositiveIntegerField(default=0)
    steps = models.PositiveIntegerField(default=0)
    # What the check after training measured.
    checked = models.JSONField(default=list, blank=True)
    folder = models.CharField(max_length=500, blank=True, help_text="Where the trainer left the model.")
    # Where the tuned model answers, once somebody has registered it.
    endpoint = models.ForeignKey(Endpoint, models.SET_NULL, null=True, blank=True, related_name="training_runs")
    created_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.SET_NULL, null=True, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)
    started_at = models.DateTimeField(null=True, blank=True)
    finished_at = models.DateTimeField(null=True, blank=True)
    # When its trainer last reported.
    told_at = models.DateTimeField(null=True, blank=True)
    # Whether `training run` on this machine looks after it, which alone can stop it.
    is_attended = models.BooleanField(default=False)
    out = models.CharField(max_length=500, blank=True, help_text="The folder on this machine in which it trains.")
    # When somebody asked on its page to stop it.
    stop_asked_at = models.DateTimeField(null=True, blank=True)

    objects = TrainingRunQuerySet.as_manager()

    class Meta:
        ordering = ("-pk",)

    def __str__(self) -> str:
        return self.name

    def get_absolute_url(self) -> str:
        return reverse("generation:training_run", args=[self.pk])

    @property
    def is_open(self) -> bool:
        return self.state in (self.State.WAITING, self.State.RUNNING)


class TrainingEvent(models.Model):
    """One line of a trainer's report, kept as it came."""

    run = models.ForeignKey(TrainingRun, models.CASCADE, related_name="events")
    number = models.PositiveIntegerField()
    at = models.DateTimeField()
    kind = models.CharField(max_length=12)
    payload = models.JSONField(default=dict, blank=True)

    class Meta:
        ordering = ("number",)
        constraints = [models.UniqueConstraint(fields=["run", "number"], name="training_event_once")]

    def __str__(self) -> str:
        return f"{self.run_id}/{self.number} {self.kind}"
