"""The ledger: every paid call, the processes that send them, and what was made of the answers."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Self

from django.db import models
from django.db.models import Q
from django.urls import reverse

from dialogues.models import Dialogue
from generation.models.material import Stage
from generation.models.runs import Run, RunStage

NEVER_ANSWERED = ("provider", "rejected", "ambiguous")


class CallQuerySet(models.QuerySet["Call"]):
    def claimable(self, now: datetime) -> Self:
        """Waiting calls of running runs whose endpoint is not blocked; deeper stages first, so dialogues finish."""
        blocked = "run_stage__endpoint__blocked_until"
        free = Q(**{f"{blocked}__isnull": True}) | Q(**{f"{blocked}__lte": now})
        waiting = self.filter(free, state=Call.State.TODO, not_before__lte=now, run__state=Run.State.RUNNING)
        # Calls that go in a batch are not sent one by one.
        waiting = waiting.filter(run_stage__use_batch=False)
        return waiting.order_by("-depth", "pk")

    def due(self, run_stages: Sequence[int], now: datetime) -> Self:
        """Waiting calls of these stages; deeper stages first, so dialogues finish."""
        waiting = self.filter(state=Call.State.TODO, run_stage__in=run_stages, not_before__lte=now)
        return waiting.order_by("-depth", "pk")

    def unfinished(self) -> Self:
        """Still to be sent or on its way."""
        return self.filter(state__in=(Call.State.TODO, Call.State.SENT))

    def failed(self) -> Self:
        """Failed, and not replaced by a newer call."""
        return self.filter(state=Call.State.FAILED, replaced=False)

    def never_answered(self) -> Self:
        """No reply came, so the same row may be sent again."""
        return self.filter(outcome__in=NEVER_ANSWERED)

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
    run_stage = models.ForeignKey(RunStage, models.PROTECT, related_name="calls")
    # The dialogue the stage reads: the α for theme and pair, the γ for further-split, any for a judge.
    dialogue = models.ForeignKey(Dialogue, models.CASCADE, related_name="calls")
    alpha = models.ForeignKey(Dialogue, models.CASCADE, related_name="+", help_text="Whose journey this belongs to.")
    stage = models.CharField(max_length=20, choices=Stage)
    depth = models.PositiveSmallIntegerField(default=0, help_text="The stage's place in the run; deeper goes first.")
    sample = models.PositiveSmallIntegerField(default=0, help_text="Which repetition, from 0.")
    repair = models.PositiveSmallIntegerField(default=0, help_text="0 for the first call, 1 and 2 for repairs.")
    request_sha256 = models.CharField(max_length=64, blank=True, help_text="Of the messages and parameters sent.")

    state = models.CharField(max_length=10, choices=State, default=State.TODO)
    owner = models.CharField(max_length=100, blank=True)
    lease_until = models.DateTimeField(null=True, blank=True)
    # Numbers the sendings, so that an answer is matched to its own; only ever grows.
    attempt = models.PositiveIntegerField(default=0)
    tries = models.PositiveSmallIntegerField(default=0, help_text="Sendings that count against the most there may be.")
    refusals = models.PositiveIntegerField(default=0, help_text="How often the endpoint said: too many, later (429).")
    replaced = models.BooleanField(default=False, help_text="Failed, and a newer call took its place.")
    not_before = models.DateTimeField()
    sent_at = models.DateTimeField(null=True, blank=True)
    settled_at = models.DateTimeField(null=True, blank=True)

    raw_reply = models.TextField(blank=True)
    # The answer as it came, if no text was found in it or the model declined: a later version may find more.
    raw_body = models.TextField(blank=True)
    finish_reason = models.CharField(max_length=40, blank=True)
    reply_model = models.CharField(max_length=200, blank=True)
    is_demo = models.BooleanField(default=False)
    prompt_tokens = models.PositiveIntegerField(default=0)
    completion_tokens = models.PositiveIntegerField(default=0)
    # Wide enough for any usage that an endpoint may report, at the highest price.
    cost = models.DecimalField(max_digits=20, decimal_places=6, default=0)
    # The worst case while sent; while ambiguous, what was booked for the answer that may still come.
    reserved = models.DecimalField(max_digits=20, decimal_places=6, default=0)
    reserved_tokens = models.PositiveIntegerField(default=0)
    # A name from generation.parsing.Outcome once the reply was read; "ok" if it was usable.
    outcome = models.CharField(max_length=40, blank=True)
    error = models.TextField(blank=True)
    note = models.TextField(blank=True, help_text="What to know about how the reply was read.")

    objects = CallQuerySet.as_manager()

    class Meta:
        ordering = ("pk",)
        constraints = [
            # Prompt, model and parameters belong to the run's stage, so this is one call per piece of work.
            models.UniqueConstraint(fields=["run_stage", "dialogue", "sample", "repair"], name="call_once"),
            models.CheckConstraint(
                condition=~Q(state="sent") | (Q(lease_until__isnull=False) & ~Q(owner="")), name="sent_call_has_owner"
            ),
            models.CheckConstraint(
                condition=Q(replaced=False) | Q(state="failed"), name="only_a_failed_call_is_replaced"
            ),
        ]
        indexes = [
            # In the order of claims; includes the stage, so that calls of other endpoints are skipped quickly.
            models.Index(
                fields=["run", "-depth", "id"], include=["run_stage"], name="call_waiting", condition=Q(state="todo")
            ),
            models.Index(fields=["lease_until"], name="call_sent", condition=Q(state="sent")),
            models.Index(fields=["id"], name="call_unread", condition=Q(state="done", outcome="")),
            models.Index(fields=["run", "run_stage", "state", "outcome"], name="call_run_progress"),
            models.Index(fields=["run", "alpha"], name="call_journey"),
        ]

    def __str__(self) -> str:
        return f"{self.run_id}/{self.stage}/{self.dialogue_id}"

    def get_absolute_url(self) -> str:
        return reverse("generation:call", args=[self.pk])


class Runner(models.Model):
    """A process that sends calls; if `seen_at` is old, it has died."""

    LIVE_SECONDS = 20

    owner = models.CharField(max_length=100, primary_key=True)
    runs = models.JSONField(default=list, blank=True, help_text="Whose calls it sends; empty: those of all runs.")
    started_at = models.DateTimeField(auto_now_add=True)
    seen_at = models.DateTimeField()
    # Its calls by endpoint and run: [on the wire, answered and not in the ledger yet].
    calls = models.JSONField(default=dict, blank=True)

    class Meta:
        ordering = ("started_at",)

    def __str__(self) -> str:
        return self.owner

    @classmethod
    def live(cls, now: datetime) -> models.QuerySet["Runner"]:
        return cls.objects.filter(seen_at__gt=now - timedelta(seconds=cls.LIVE_SECONDS))

    @classmethod
    def beat(cls, owner: str, now: datetime, runs: Sequence[int] = ()) -> None:
        cls.objects.update_or_create(owner=owner, defaults={"seen_at": now, "runs": list(runs)})

    @classmethod
    def report(cls, owner: str, calls: Mapping[str, Mapping[str, Sequence[int]]]) -> None:
        cls.objects.filter(owner=owner).update(calls=calls)


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
    # How faithful a further-split is to γ (dialogues.fidelity); empty for other versions.
    kept = models.FloatField(null=True, blank=True, help_text="Share of γ's words kept in order.")
    invented = models.FloatField(null=True, blank=True, help_text="Share of its words that are not from γ.")

    class Meta:
        constraints = [models.UniqueConstraint(fields=["call", "version"], name="output_once_a_call_and_version")]

    def __str__(self) -> str:
        return f"{self.call_id} → {self.dialogue_id}"


class Judgement(models.Model):
    """A judge's score of one dialogue on one metric, 0–100; `call` tells who judged, and which repeat (`sample`)."""

    call = models.ForeignKey(Call, models.CASCADE, related_name="judgements")
    dialogue = models.ForeignKey(Dialogue, models.CASCADE, related_name="judgements")
    metric = models.SlugField(max_length=40)
    score = models.FloatField()
    reason = models.TextField(blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["call", "metric"], name="judgement_once_a_call_and_metric"),
            models.CheckConstraint(condition=Q(score__gte=0) & Q(score__lte=100), name="judgement_score_0_to_100"),
        ]

    def __str__(self) -> str:
        return f"{self.metric} {self.score:g}"
