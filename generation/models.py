"""Endpoints, the examples and prompts shown to models, runs, and the ledger of every paid call."""

from datetime import datetime, timedelta
from typing import Any, Self

from django.conf import settings
from django.core.exceptions import ValidationError
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import Q
from django.urls import reverse
from django.utils import timezone

from dialogues.models import Corpus, Dialogue
from generation import addresses, keys, prompts


class Endpoint(models.Model):
    """An OpenAI-compatible address, its price and its limits."""

    class LengthParameter(models.TextChoices):
        MAX_TOKENS = "max_tokens", "max_tokens"
        MAX_COMPLETION_TOKENS = "max_completion_tokens", "max_completion_tokens"

    name = models.CharField(max_length=120, unique=True)
    base_url = models.CharField(max_length=300)
    model = models.CharField(max_length=200)
    # Fernet text under FIELD_ENCRYPTION_KEYS; written, never shown.
    encrypted_key = models.TextField(blank=True, editable=False)
    # The scheme, host and port the key was given for; it is sent nowhere else.
    key_origin = models.CharField(max_length=300, blank=True, editable=False)
    # US dollars a million tokens; both 0 means free, and free calls may be sent again without asking.
    price_in = models.DecimalField(max_digits=10, decimal_places=4, default=0)
    price_out = models.DecimalField(max_digits=10, decimal_places=4, default=0)
    max_in_flight = models.PositiveIntegerField(default=16)
    requests_per_minute = models.PositiveIntegerField(null=True, blank=True)
    tokens_per_minute = models.PositiveIntegerField(null=True, blank=True)
    timeout_seconds = models.PositiveIntegerField(
        default=120, validators=[MinValueValidator(1), MaxValueValidator(300)]
    )
    # What this endpoint calls the longest reply it may write; the check finds out.
    length_parameter = models.CharField(
        max_length=30, choices=LengthParameter, default=LengthParameter.MAX_TOKENS, editable=False
    )
    # A 429 holds every worker back until then.
    blocked_until = models.DateTimeField(null=True, blank=True, editable=False)
    checked_at = models.DateTimeField(null=True, blank=True)
    check_result = models.CharField(max_length=500, blank=True)
    check_passed = models.BooleanField(default=False, editable=False)
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

    def get_absolute_url(self) -> str:
        return reverse("generation:endpoint", args=[self.pk])

    def clean(self) -> None:
        problem = addresses.problem(self.base_url, settings.ENDPOINT_ALLOWED_HOSTS)
        if problem:
            raise ValidationError({"base_url": problem})

    @property
    def is_free(self) -> bool:
        return not (self.price_in or self.price_out)

    @property
    def has_key(self) -> bool:
        """Whether a key is stored that may be sent to the address as it is now."""
        return bool(self.encrypted_key) and self.key_origin == addresses.origin(self.base_url)

    def set_key(self, key: str) -> None:
        """Encrypt and remember for this address only; raises keys.KeysMissingError. Saving is the caller's."""
        self.encrypted_key = keys.encrypt(key) if key else ""
        self.key_origin = addresses.origin(self.base_url) if key else ""

    def api_key(self) -> str:
        """The key to send, or "" where there is none for this address; raises keys.KeysMissingError."""
        return keys.decrypt(self.encrypted_key) if self.has_key else ""

    def block_until(self, when: datetime) -> None:
        """Hold every worker back; never shortens a longer block."""
        Endpoint.objects.filter(pk=self.pk).exclude(blocked_until__gt=when).update(blocked_until=when)


class FrozenError(ValidationError):
    """A change to something that a run has already used."""


class Freezable(models.Model):
    """Text shown to a model; the first run that uses a version freezes it, and a change is a new version."""

    frozen_at = models.DateTimeField(null=True, blank=True, editable=False)

    class Meta:
        abstract = True

    def save(self, *args: Any, **kwargs: Any) -> None:
        self.refuse_if_frozen()
        super().save(*args, **kwargs)

    def delete(self, *args: Any, **kwargs: Any) -> tuple[int, dict[str, int]]:
        self.refuse_if_frozen()
        return super().delete(*args, **kwargs)

    def refuse_if_frozen(self) -> None:
        if self.pk and type(self)._default_manager.filter(pk=self.pk, frozen_at__isnull=False).exists():
            raise FrozenError(f"{self} has been used by a run and never changes; make a new version instead.")

    def freeze(self) -> None:
        """Idempotent; keeps the first moment."""
        now = timezone.now()
        if type(self)._default_manager.filter(pk=self.pk, frozen_at__isnull=True).update(frozen_at=now):
            self.frozen_at = now


class ExampleKind(models.TextChoices):
    SINGLE_STEP = "single_step", "Single-step dialogues (negative)"
    STEP_BY_STEP = "step_by_step", "Step-by-step dialogues (positive)"
    FURTHER_SPLIT = "further_split", "Further-split pairs (before and after)"


class ExampleSet(Freezable):
    """One version of a list of few-shot examples; frozen once a run has used it."""

    name = models.CharField(max_length=120)
    kind = models.CharField(max_length=20, choices=ExampleKind)
    version = models.PositiveIntegerField(default=1)
    note = models.TextField(blank=True)
    created_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.SET_NULL, null=True, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ("kind", "name", "-version")
        constraints = [
            models.UniqueConstraint(fields=["name", "kind", "version"], name="example_set_version_unique"),
        ]

    def __str__(self) -> str:
        return f"{self.name} v{self.version}"

    def get_absolute_url(self) -> str:
        return reverse("generation:example_set", args=[self.pk])


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

    def save(self, *args: Any, **kwargs: Any) -> None:
        self._refuse_if_frozen()
        super().save(*args, **kwargs)

    def delete(self, *args: Any, **kwargs: Any) -> tuple[int, dict[str, int]]:
        self._refuse_if_frozen()
        return super().delete(*args, **kwargs)

    def _refuse_if_frozen(self) -> None:
        """Neither into a frozen set nor out of one."""
        for example_set in ExampleSet.objects.filter(Q(pk=self.example_set_id) | Q(examples=self.pk)).distinct():
            example_set.refuse_if_frozen()


class Stage(models.TextChoices):
    THEME = "theme", "Theme"
    PAIR = "pair", "Pair (β and γ)"
    FURTHER_SPLIT = "further_split", "Further-split (Stephanie)"


class Prompt(Freezable):
    """One version of a stage's wording, with {placeholders}; frozen once a run has used it."""

    stage = models.CharField(max_length=20, choices=Stage)
    version = models.PositiveIntegerField(default=1)
    system = models.TextField(blank=True)
    user = models.TextField()
    sha256 = models.CharField(max_length=64, editable=False)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ("stage", "-version")
        constraints = [models.UniqueConstraint(fields=["stage", "version"], name="prompt_version_unique")]

    def __str__(self) -> str:
        return f"{self.get_stage_display()} v{self.version}"

    def save(self, *args: Any, **kwargs: Any) -> None:
        self.sha256 = prompts.prompt_sha256(prompts.PromptText(self.system, self.user))
        super().save(*args, **kwargs)


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
NEVER_ANSWERED = ("provider", "rejected", "ambiguous")


class CallQuerySet(models.QuerySet["Call"]):
    def claimable(self, now: datetime) -> Self:
        """Waiting calls of running runs whose endpoint is not blocked; deeper stages first, so dialogues finish."""
        free = Q(run__endpoint__blocked_until__isnull=True) | Q(run__endpoint__blocked_until__lte=now)
        waiting = self.filter(free, state=Call.State.TODO, not_before__lte=now, run__state=Run.State.RUNNING)
        return waiting.order_by("-depth", "pk")

    def unfinished(self) -> Self:
        """Still to be sent or on its way."""
        return self.filter(state__in=(Call.State.TODO, Call.State.SENT))

    def retryable(self) -> Self:
        """Failed without an answer; a call that was answered, even by nothing, has used up its repairs."""
        return self.filter(state=self.model.State.FAILED, outcome__in=NEVER_ANSWERED)

    def unread(self) -> Self:
        """Answered and paid for, not yet turned into dialogues."""
        return self.filter(state=Call.State.DONE, outcome="")


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
    alpha = models.ForeignKey(Dialogue, models.CASCADE, related_name="+", help_text="Whose journey this belongs to.")
    stage = models.CharField(max_length=20, choices=Stage)
    depth = models.PositiveSmallIntegerField(default=0, help_text="The stage's place in the run; deeper goes first.")
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
    reserved = models.DecimalField(max_digits=12, decimal_places=6, default=0, help_text="Worst case while sent.")
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
            models.Index(fields=["run", "-depth", "id"], name="call_waiting", condition=Q(state="todo")),
            models.Index(fields=["lease_until"], name="call_sent", condition=Q(state="sent")),
            models.Index(fields=["id"], name="call_unread", condition=Q(state="done", outcome="")),
            models.Index(fields=["run", "stage", "state", "outcome"], name="call_run_progress"),
        ]

    def __str__(self) -> str:
        return f"{self.run_id}/{self.stage}/{self.dialogue_id}"

    def get_absolute_url(self) -> str:
        return reverse("generation:call", args=[self.pk])


class Runner(models.Model):
    """A process that is sending calls; a row that has not been seen lately belongs to one that died."""

    LIVE_SECONDS = 20

    owner = models.CharField(max_length=100, primary_key=True)
    started_at = models.DateTimeField(auto_now_add=True)
    seen_at = models.DateTimeField()

    class Meta:
        ordering = ("started_at",)

    def __str__(self) -> str:
        return self.owner

    @classmethod
    def live(cls, now: datetime) -> models.QuerySet["Runner"]:
        return cls.objects.filter(seen_at__gt=now - timedelta(seconds=cls.LIVE_SECONDS))

    @classmethod
    def beat(cls, owner: str, now: datetime) -> None:
        cls.objects.update_or_create(owner=owner, defaults={"seen_at": now})


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
