"""Endpoints, the examples and prompts shown to models, runs, and the ledger of every paid call."""

from typing import Any, Self

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.urls import reverse

from dialogues.models import Corpus, Dialogue


class Endpoint(models.Model):
    """An OpenAI-compatible address, its price and its limits."""

    name = models.CharField(max_length=120, unique=True)
    base_url = models.URLField(max_length=300)
    model = models.CharField(max_length=200)
    # Fernet text under FIELD_ENCRYPTION_KEYS; written, never shown.
    encrypted_key = models.TextField(blank=True, editable=False)
    # US dollars a million tokens; both 0 means free, and free calls may be sent again without asking.
    price_in = models.DecimalField(max_digits=10, decimal_places=4, default=0)
    price_out = models.DecimalField(max_digits=10, decimal_places=4, default=0)
    max_in_flight = models.PositiveIntegerField(default=16)
    requests_per_minute = models.PositiveIntegerField(null=True, blank=True)
    tokens_per_minute = models.PositiveIntegerField(null=True, blank=True)
    timeout_seconds = models.PositiveIntegerField(default=120)
    checked_at = models.DateTimeField(null=True, blank=True)
    check_result = models.CharField(max_length=300, blank=True)
    is_demo = models.BooleanField(default=False, help_text="Answers by the demo model's rules, as the check found.")
    created_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.SET_NULL, null=True, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ("name",)
        constraints = [
            models.CheckConstraint(
                condition=Q(price_in__gte=0) & Q(price_out__gte=0), name="endpoint_price_not_negative"
            ),
            models.CheckConstraint(condition=Q(max_in_flight__gte=1), name="endpoint_allows_a_call"),
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def is_free(self) -> bool:
        return not (self.price_in or self.price_out)


class ExampleKind(models.TextChoices):
    SINGLE_STEP = "single_step", "Single-step dialogues (negative)"
    STEP_BY_STEP = "step_by_step", "Step-by-step dialogues (positive)"
    FURTHER_SPLIT = "further_split", "Further-split pairs (before and after)"


class ExampleSet(models.Model):
    """One version of a list of few-shot examples; frozen once a run has used it."""

    name = models.CharField(max_length=120)
    kind = models.CharField(max_length=20, choices=ExampleKind)
    version = models.PositiveIntegerField(default=1)
    note = models.TextField(blank=True)
    frozen_at = models.DateTimeField(null=True, blank=True)
    created_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.SET_NULL, null=True, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ("kind", "name", "-version")
        constraints = [
            models.UniqueConstraint(fields=["name", "kind", "version"], name="example_set_version_unique"),
        ]

    def __str__(self) -> str:
        return f"{self.name} v{self.version}"


class Example(models.Model):
    """One shown dialogue; a further-split pair holds the restructured text in `messages_after`."""

    example_set = models.ForeignKey(ExampleSet, models.CASCADE, related_name="examples")
    position = models.PositiveSmallIntegerField()
    topic = models.CharField(max_length=60, blank=True)
    theme = models.TextField(blank=True)
    traits_1 = models.JSONField(default=list, blank=True)
    traits_2 = models.JSONField(default=list, blank=True)
    messages = models.JSONField()
    messages_after = models.JSONField(null=True, blank=True)
    note = models.TextField(blank=True)

    class Meta:
        ordering = ("position",)
        constraints = [
            models.UniqueConstraint(fields=["example_set", "position"], name="example_position_unique"),
        ]

    def __str__(self) -> str:
        return f"{self.example_set} #{self.position}"


class Stage(models.TextChoices):
    THEME = "theme", "Theme"
    PAIR = "pair", "Pair (β and γ)"
    FURTHER_SPLIT = "further_split", "Further-split (Stephanie)"


class Prompt(models.Model):
    """One version of a stage's wording, with {placeholders}; frozen once a run has used it."""

    stage = models.CharField(max_length=20, choices=Stage)
    version = models.PositiveIntegerField(default=1)
    system = models.TextField(blank=True)
    user = models.TextField()
    sha256 = models.CharField(max_length=64)
    frozen_at = models.DateTimeField(null=True, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ("stage", "-version")
        constraints = [models.UniqueConstraint(fields=["stage", "version"], name="prompt_version_unique")]

    def __str__(self) -> str:
        return f"{self.get_stage_display()} v{self.version}"


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


class CallQuerySet(models.QuerySet["Call"]):
    def claimable(self, now: Any) -> Self:
        return self.filter(state=Call.State.TODO, not_before__lte=now, run__state=Run.State.RUNNING)

    def unfinished(self) -> Self:
        return self.filter(state__in=(Call.State.TODO, Call.State.SENT))


class Call(models.Model):
    """One line of the ledger: written before a request is paid for, settled after. Never deleted."""

    class State(models.TextChoices):
        TODO = "todo", "Waiting"
        SENT = "sent", "Sent"
        DONE = "done", "Done"
        FAILED = "failed", "Failed"
        AMBIGUOUS = "ambiguous", "Unknown whether it was answered"

    run = models.ForeignKey(Run, models.CASCADE, related_name="calls")
    # The dialogue the stage reads: the α for theme and pair, the γ for further-split.
    dialogue = models.ForeignKey(Dialogue, models.CASCADE, related_name="calls")
    stage = models.CharField(max_length=20, choices=Stage)
    sample = models.PositiveSmallIntegerField(default=0)
    repair = models.PositiveSmallIntegerField(default=0, help_text="0 for the first call, 1 and 2 for repairs.")
    prompt = models.ForeignKey(Prompt, models.PROTECT, related_name="calls")
    request_sha256 = models.CharField(max_length=64, blank=True, help_text="Of the messages and parameters sent.")

    state = models.CharField(max_length=10, choices=State, default=State.TODO)
    owner = models.CharField(max_length=100, blank=True)
    lease_until = models.DateTimeField(null=True, blank=True)
    attempt = models.PositiveSmallIntegerField(default=0)
    not_before = models.DateTimeField()
    sent_at = models.DateTimeField(null=True, blank=True)
    settled_at = models.DateTimeField(null=True, blank=True)

    raw_reply = models.TextField(blank=True)
    finish_reason = models.CharField(max_length=40, blank=True)
    reply_model = models.CharField(max_length=200, blank=True)
    is_demo = models.BooleanField(default=False)
    prompt_tokens = models.PositiveIntegerField(default=0)
    completion_tokens = models.PositiveIntegerField(default=0)
    cost = models.DecimalField(max_digits=12, decimal_places=6, default=0)
    # A name from generation.parsing.Outcome once the reply was read; "ok" where it was what was asked for.
    outcome = models.CharField(max_length=40, blank=True)
    error = models.TextField(blank=True)

    objects = CallQuerySet.as_manager()

    class Meta:
        ordering = ("pk",)
        constraints = [
            # Prompt, model and parameters belong to the run, so this is one call per piece of work.
            models.UniqueConstraint(fields=["run", "dialogue", "stage", "sample", "repair"], name="call_once"),
            models.CheckConstraint(
                condition=~Q(state="sent") | (Q(lease_until__isnull=False) & ~Q(owner="")), name="sent_call_has_owner"
            ),
        ]
        indexes = [
            models.Index(fields=["not_before", "id"], name="call_waiting", condition=Q(state="todo")),
            models.Index(fields=["lease_until"], name="call_sent", condition=Q(state="sent")),
            models.Index(fields=["run", "stage", "state", "outcome"], name="call_run_progress"),
        ]

    def __str__(self) -> str:
        return f"{self.run_id}/{self.stage}/{self.dialogue_id}"


class Background(models.Model):
    """What the theme stage made of an α in one run: D = {T, C} of paper §3.1."""

    run = models.ForeignKey(Run, models.CASCADE, related_name="backgrounds")
    dialogue = models.ForeignKey(Dialogue, models.CASCADE, related_name="backgrounds")
    call = models.OneToOneField(Call, models.CASCADE, related_name="background")
    theme = models.TextField()
    traits_1 = models.JSONField(default=list, blank=True)
    traits_2 = models.JSONField(default=list, blank=True)
    traits_extracted = models.BooleanField(default=False, help_text="By the model; the corpus had none.")

    class Meta:
        constraints = [models.UniqueConstraint(fields=["run", "dialogue"], name="background_once_a_run")]

    def __str__(self) -> str:
        return f"{self.run_id}/{self.dialogue_id}"


class Output(models.Model):
    """Which call wrote a dialogue; a pair call writes two."""

    dialogue = models.OneToOneField(Dialogue, models.CASCADE, primary_key=True, related_name="output")
    call = models.ForeignKey(Call, models.CASCADE, related_name="outputs")
    version = models.ForeignKey("dialogues.Version", models.PROTECT, related_name="+")

    class Meta:
        constraints = [models.UniqueConstraint(fields=["call", "version"], name="output_once_a_call_and_version")]

    def __str__(self) -> str:
        return f"{self.call_id} → {self.dialogue_id}"
