"""Studies and their items: a design, frozen at launch, what raters see, and what is recorded for readers and boards."""

from typing import Any

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.urls import reverse

from dialogues.models import Corpus, Dialogue, Rubric, Version
from dialogues.rubric import Metric
from dialogues.sources import Sources
from generation.models import Endpoint, LiveBudget

# The fields that launch freezes. Raters per item and backgrounds may still grow, which is recorded; open links and
# codes are not part of the design.
DESIGN = (
    "kind", "version", "public_name", "corpus", "rubric", "pairs", "writer", "sources", "seed", "guidelines",
    "consent_text", "withdrawal", "approval_number", "retention", "recruitment", "pay_note", "minutes_estimate",
    "break_every", "chat_plan", "least_passed", "most_lapses", "counts_screened_out", "hidden_repeats", "tidy_display",
    "is_simulated", "is_imported", "analysis_plan", "plan_sha256",
)  # fmt: skip
FROZEN = "The design was frozen at launch and cannot be changed. Make its next version instead."


class FrozenDesignError(ValueError):
    """An attempt to change a launched study's design; the text says what to do."""


class Study(models.Model):
    """Items, a rubric and the people who rate; its design is frozen at launch."""

    class State(models.TextChoices):
        DRAFT = "draft", "Draft"
        OPEN = "open", "Open"
        PAUSED = "paused", "Paused"
        CLOSED = "closed", "Closed"

    class Kind(models.TextChoices):
        SCORES = "scores", "Score each dialogue"
        PAIRS = "pairs", "Compare two versions side by side"
        CHATS = "chats", "Chat with a system, then score the chat"

    class Withdrawal(models.TextChoices):
        KEEP = "keep", "Scores stay, without a name"
        REMOVE = "remove", "Scores are removed"

    name = models.CharField(max_length=120, unique=True)
    kind = models.CharField(max_length=10, choices=Kind, default=Kind.SCORES)
    # A launched design never changes; changes make the study's next version.
    version = models.PositiveSmallIntegerField(default=1)
    previous = models.ForeignKey("self", models.PROTECT, null=True, blank=True, related_name="later_versions")
    # Shown to raters instead of `name`, which may reveal what is compared.
    public_name = models.CharField(max_length=120, default="Dialogue rating")
    corpus = models.ForeignKey(Corpus, models.PROTECT, related_name="studies")
    rubric = models.ForeignKey(Rubric, models.PROTECT, related_name="studies")
    versions = models.ManyToManyField(Version, related_name="studies")
    # In a study of chats: annotation.chats.plan.ChatPlan; and what all its chats together may cost, from launch on.
    chat_plan = models.JSONField(default=dict, blank=True)
    chat_budget = models.OneToOneField(LiveBudget, models.PROTECT, null=True, blank=True, related_name="study")
    # In a study of pairs, the versions to compare: [[version, version], …].
    pairs = models.JSONField(default=list, blank=True)
    # How many raters score each item; null: everyone scores everything.
    raters_per_item = models.PositiveSmallIntegerField(null=True, blank=True)
    background_count = models.PositiveIntegerField(null=True, blank=True, help_text="A seeded sample; empty: all.")
    # Only take what this model wrote; blank: the latest of each version, whichever model wrote it.
    writer = models.CharField(max_length=200, blank=True)
    # Further restrictions on the dialogues, as in `dialogues.sources`: {"run": [12], "set": [3]}.
    sources = models.JSONField(default=dict, blank=True)
    seed = models.PositiveBigIntegerField()
    guidelines = models.TextField(blank=True)
    # What a rater must agree to before the first item; empty: nothing.
    consent_text = models.TextField(blank=True)
    withdrawal = models.CharField(max_length=10, choices=Withdrawal, default=Withdrawal.KEEP)
    # What ethics boards and reporting checklists ask for.
    approval_number = models.CharField(max_length=120, blank=True)
    retention = models.CharField(max_length=300, blank=True, help_text="How long what is kept, and where.")
    recruitment = models.CharField(max_length=300, blank=True, help_text="Who is asked, and how.")
    pay_note = models.CharField(max_length=300, blank=True, help_text="What raters are paid; shown to them.")
    minutes_estimate = models.PositiveSmallIntegerField(null=True, blank=True, help_text="Shown to raters at first.")
    break_every = models.PositiveSmallIntegerField(null=True, blank=True, help_text="Minutes between reminders.")
    # A rater who scores fewer training items as expected than this, at the first try, is screened out; null: nobody.
    least_passed = models.PositiveSmallIntegerField(null=True, blank=True)
    # A rater who fails more attention checks than this is screened out; null: nobody.
    most_lapses = models.PositiveSmallIntegerField(null=True, blank=True)
    # Whether the ratings of screened-out raters still count, in tables and among an item's k ratings.
    counts_screened_out = models.BooleanField(default=False)
    # How many of their own items each rater meets a second time, unannounced (`annotation.allocation.repeats`).
    hidden_repeats = models.PositiveSmallIntegerField(default=0)
    # annotation.design.plan.AnalysisPlan; {}: no plan, so that everything in the report is exploratory.
    analysis_plan = models.JSONField(default=dict, blank=True)
    # Of the plan with what it rests on (`annotation.design.plan_record`), recorded at the launch.
    plan_sha256 = models.CharField(max_length=64, blank=True)
    # The study's open link: anybody with its address may join, up to `door_limit` raters. Null: closed.
    door_token = models.CharField(max_length=32, unique=True, null=True, blank=True)
    door_limit = models.PositiveIntegerField(null=True, blank=True)
    # Prolific's codes; with them the open link requires Prolific's parameters, and raters get a code at the end.
    completion_code = models.CharField(max_length=40, blank=True)
    screen_out_code = models.CharField(max_length=40, blank=True)
    tidy_display = models.BooleanField(
        default=True,
        help_text="Show raters normalised spacing and capitals, so that the corpus's own style hides nothing.",
    )
    is_simulated = models.BooleanField(default=False, help_text="Its ratings come from the simulator, not from people.")
    # Closed from the start: there is nobody to ask, and nothing to launch.
    is_imported = models.BooleanField(
        default=False, help_text="Its ratings were collected elsewhere, and came here in a file."
    )
    state = models.CharField(max_length=10, choices=State, default=State.DRAFT)
    # What launch selected and left out: counts by name, and the numbering of versions (`allocation.slots`).
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
            models.CheckConstraint(
                condition=Q(is_imported=False) | Q(state="closed", door_token__isnull=True),
                name="imported_study_takes_nobody",
            ),
            models.CheckConstraint(
                condition=Q(hidden_repeats=0) | Q(is_imported=False) & ~Q(kind="chats"),
                name="repeats_of_written_dialogues",
            ),
            models.CheckConstraint(
                condition=Q(least_passed__isnull=True) | Q(least_passed__gte=1, is_imported=False) & ~Q(kind="chats"),
                name="pass_mark_of_written_dialogues",
            ),
            models.UniqueConstraint(fields=["previous"], name="study_has_one_next_version"),
        ]

    def __str__(self) -> str:
        return self.name

    def save(self, *args: Any, **kwargs: Any) -> None:
        """Save, but refuse to change the design of a launched study."""
        if not self._state.adding:
            self._refuse_if_frozen(kwargs.get("update_fields"))
        super().save(*args, **kwargs)

    def get_absolute_url(self) -> str:
        return reverse("study", args=[self.pk])

    def _refuse_if_frozen(self, update_fields: Any) -> None:
        columns = [
            field.attname
            for field in self._meta.concrete_fields
            if field.name in DESIGN and (update_fields is None or field.name in update_fields)
        ]
        if not columns:
            return
        stored = Study.objects.filter(pk=self.pk).exclude(state=self.State.DRAFT).values(*columns).first()
        if stored and any(stored[column] != getattr(self, column) for column in columns):
            raise FrozenDesignError(FROZEN)

    @property
    def wanted_sources(self) -> Sources:
        """The restrictions on its dialogues: writer, runs, example sets and prompts."""
        return Sources.of({**self.sources, "writer": [self.writer]})

    @property
    def file_mark(self) -> str:
        """What the names of its files say of its ratings; "" for people's own, given here."""
        return ("-imported" if self.is_imported else "") + ("-simulated" if self.is_simulated else "")

    @property
    def is_draft(self) -> bool:
        return self.state == self.State.DRAFT

    @property
    def is_open(self) -> bool:
        return self.state == self.State.OPEN

    @property
    def is_paused(self) -> bool:
        return self.state == self.State.PAUSED

    @property
    def compares(self) -> bool:
        """Whether an item holds two dialogues side by side."""
        return self.kind == self.Kind.PAIRS

    @property
    def has_chats(self) -> bool:
        """Whether an item is a system to chat with: each rater scores their own chat."""
        return self.kind == self.Kind.CHATS

    @property
    def takes_raters(self) -> bool:
        """Whether people can still join: it is not closed, and neither rated by the simulator nor imported."""
        return self.state != self.State.CLOSED and not (self.is_simulated or self.is_imported)


class ChatSystem(models.Model):
    """One of the systems that a study of chats compares: a model and how it is asked; tables name its version."""

    study = models.ForeignKey(Study, models.CASCADE, related_name="systems")
    version = models.ForeignKey(Version, models.PROTECT, related_name="chat_systems")
    endpoint = models.ForeignKey(Endpoint, models.PROTECT, related_name="chat_systems")
    # annotation.chats.beginning.MODES
    mode = models.CharField(max_length=10)
    delimiter = models.CharField(max_length=40, blank=True)
    temperature = models.FloatField(default=0.8)
    longest_reply = models.PositiveIntegerField(default=400, help_text="In tokens.")
    position = models.PositiveSmallIntegerField(default=0)

    class Meta:
        ordering = ("position", "pk")
        constraints = [models.UniqueConstraint(fields=["study", "version"], name="chat_system_once_a_study")]

    def __str__(self) -> str:
        return self.version.name

    def save(self, *args: Any, **kwargs: Any) -> None:
        self._refuse_if_frozen()
        super().save(*args, **kwargs)

    def delete(self, *args: Any, **kwargs: Any) -> tuple[int, dict[str, int]]:
        self._refuse_if_frozen()
        return super().delete(*args, **kwargs)

    def _refuse_if_frozen(self) -> None:
        if Study.objects.filter(pk=self.study_id).exclude(state=Study.State.DRAFT).exists():
            raise FrozenDesignError(FROZEN)


class Item(models.Model):
    """One dialogue of a study (or two side by side), with the theme and characters shown beside it.

    In a study of chats it is a system to chat with about a background: its dialogue is a placeholder of the system's
    version, and each rater's own chat is what they score.

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
