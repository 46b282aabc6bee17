"""Chosen dialogues on their way through chosen stages, and who answers each stage."""

import json
from collections.abc import Iterable
from decimal import Decimal
from typing import Self

from django.conf import settings
from django.core.validators import MinValueValidator
from django.db import models
from django.db.models import Q
from django.urls import reverse

from dialogues.models import Corpus, Dialogue
from generation.endpoints.addresses import base_of
from generation.models.endpoints import Endpoint
from generation.models.material import ExampleSet, Prompt, Stage


class RunQuerySet(models.QuerySet["Run"]):
    def with_stages(self) -> Self:
        """With endpoints, prompts and example sets of each stage, in two more queries, however many runs."""
        rows = RunStage.objects.select_related("endpoint", "prompt").prefetch_related("example_sets")
        return self.select_related("rubric").prefetch_related(models.Prefetch("run_stages", rows))

    def listed(self) -> Self:
        """Runs that people plan; leaves out those of trials."""
        return self.filter(corpus__is_scratch=False)

    def running(self) -> Self:
        return self.filter(state=Run.State.RUNNING)


class Run(models.Model):
    """Chosen dialogues sent through chosen stages; which model answers a stage is `RunStage`'s business."""

    class State(models.TextChoices):
        DRAFT = "draft", "Draft"
        RUNNING = "running", "Running"
        PAUSED = "paused", "Paused"
        FINISHED = "finished", "Finished"

    class PauseCause(models.TextChoices):
        HAND = "hand", "Paused by a person"
        DECISION = "decision", "Waiting for a decision"
        BUDGET = "budget", "Budget used up"
        QUOTA = "quota", "Account out of quota"
        AUTH = "auth", "API key not accepted"
        PROVIDER = "provider", "Endpoint failing"
        REQUEST = "request", "A request cannot be made"

    class AmbiguousPolicy(models.TextChoices):
        RESEND = "resend", "Send again"
        HOLD = "hold", "Hold for a decision"

    name = models.CharField(max_length=120)
    corpus = models.ForeignKey(Corpus, models.PROTECT, related_name="runs")
    stages = models.JSONField(help_text="Stage names in order.")
    seed = models.PositiveBigIntegerField(default=0)
    keep_share = models.FloatField(default=0.8, help_text="Share of γ's words a further-split must keep, in order.")
    # What a judge scores on, how often, and whether it reads the text as raters see it. Judge runs only.
    rubric = models.ForeignKey("dialogues.Rubric", models.PROTECT, null=True, blank=True, related_name="runs")
    repeats = models.PositiveSmallIntegerField(default=1)
    tidy_display = models.BooleanField(default=True)
    judge_again = models.BooleanField(default=False, help_text="Also where the same judge has answered before.")
    ambiguous_policy = models.CharField(max_length=10, choices=AmbiguousPolicy, default=AmbiguousPolicy.HOLD)
    budget = models.DecimalField(
        max_digits=12, decimal_places=4, null=True, blank=True, help_text="US dollars.",
        validators=[MinValueValidator(0)],
    )  # fmt: skip
    token_budget = models.PositiveBigIntegerField(null=True, blank=True, help_text="Tokens read and written.")
    # What answered calls cost, and the worst case of those in flight; the ledger keeps both up to date.
    spent = models.DecimalField(max_digits=24, decimal_places=6, default=0, editable=False)
    reserved = models.DecimalField(max_digits=24, decimal_places=6, default=0, editable=False)
    tokens_spent = models.BigIntegerField(default=0, editable=False)
    tokens_reserved = models.BigIntegerField(default=0, editable=False)
    state = models.CharField(max_length=10, choices=State, default=State.DRAFT)
    state_reason = models.CharField(max_length=300, blank=True)
    pause_cause = models.CharField(max_length=10, choices=PauseCause, blank=True, editable=False)
    dialogue_count = models.PositiveIntegerField(default=0)
    examples_left_out = models.PositiveIntegerField(
        default=0, help_text="Dialogues that fit but are among the examples that it shows."
    )
    created_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.SET_NULL, null=True, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)
    started_at = models.DateTimeField(null=True, blank=True)
    finished_at = models.DateTimeField(null=True, blank=True)

    objects = RunQuerySet.as_manager()

    class Meta:
        ordering = ("-pk",)
        constraints = [
            models.CheckConstraint(
                condition=Q(keep_share__gte=0) & Q(keep_share__lte=1), name="run_keep_share_is_a_share"
            ),
            models.CheckConstraint(condition=Q(repeats__gte=1), name="run_repeats_at_least_once"),
        ]

    def __str__(self) -> str:
        return self.name

    def get_absolute_url(self) -> str:
        return reverse("generation:run", args=[self.pk])

    @property
    def stage_list(self) -> list[Stage]:
        return [Stage(name) for name in self.stages]

    @property
    def is_judging(self) -> bool:
        return list(self.stages) == [Stage.JUDGE]

    @property
    def subject_field(self) -> str:
        """The field of its calls that names the chosen dialogue a call was made for.

        A run that takes α through its stages knows them as `alpha`; a run of one stage on whatever it is given (judges,
        further-split alone) as `dialogue`.
        """
        return "dialogue" if list(self.stages) in ([Stage.JUDGE], [Stage.FURTHER_SPLIT]) else "alpha"

    @property
    def rows(self) -> list["RunStage"]:
        """Every stage row in the order of the stages, then by branch and edition."""
        place = {name: number for number, name in enumerate(self.stages)}
        return sorted(self.run_stages.all(), key=lambda row: (place[row.stage], row.branch, row.edition))

    @property
    def newest_rows(self) -> list["RunStage"]:
        """For each stage and branch the newest edition, where new calls go; in the order of `rows`."""
        return list({(row.stage, row.branch): row for row in self.rows}.values())

    def rows_of(self, stage: Stage | str) -> list["RunStage"]:
        """The newest edition of each branch of a stage."""
        return [row for row in self.newest_rows if row.stage == stage]

    @property
    def branches(self) -> int:
        """How many writers (or judges) work side by side."""
        return max((row.branch + 1 for row in self.run_stages.all()), default=1)

    @property
    def endpoints(self) -> list[Endpoint]:
        """Each once, in the order of the stages."""
        return list({row.endpoint_id: row.endpoint for row in self.rows}.values())

    @property
    def model_names(self) -> list[str]:
        """Names of the models, each once, in the order of the stages."""
        return _once(row.model for row in self.rows)

    @property
    def prompts_used(self) -> list[Prompt]:
        """Each once, in the order of the stages."""
        return list({row.prompt_id: row.prompt for row in self.rows}.values())

    @property
    def sets_used(self) -> list[ExampleSet]:
        """Each once, in the order of the stages."""
        return list({used.pk: used for row in self.rows for used in row.example_sets.all()}.values())

    @property
    def writers(self) -> list[str]:
        """The model of each branch: who writes β and γ if there is a pair stage, else who answers the last stage."""
        stage = Stage.PAIR if Stage.PAIR in self.stages else self.stages[-1] if self.stages else ""
        return [row.model for row in self.rows_of(stage)]

    @property
    def is_free(self) -> bool:
        return all(endpoint.is_free for endpoint in self.endpoints)

    @property
    def is_demo(self) -> bool:
        """Whether some stage is answered by the demo model's rules."""
        return any(endpoint.is_demo for endpoint in self.endpoints)

    @property
    def money_left(self) -> Decimal | None:
        """US dollars that may still be reserved; None without a budget."""
        return None if self.budget is None else self.budget - self.spent - self.reserved

    @property
    def tokens_left(self) -> int | None:
        return None if self.token_budget is None else self.token_budget - self.tokens_spent - self.tokens_reserved

    def pause(self, reason: str, cause: str) -> bool:
        """Stop claiming calls; those in flight still come home. Returns whether it was running."""
        running = Run.objects.running().filter(pk=self.pk)
        return bool(running.update(state=Run.State.PAUSED, state_reason=reason[:300], pause_cause=cause))


class RunStage(models.Model):
    """Who answers one stage of a run, and what they are shown.

    `branch` numbers the models that write on the same backgrounds side by side (or judge); `edition` starts at 1 and
    grows when failed calls are tried again, perhaps with another prompt or other examples.
    """

    run = models.ForeignKey(Run, models.CASCADE, related_name="run_stages")
    stage = models.CharField(max_length=20, choices=Stage)
    branch = models.PositiveSmallIntegerField(default=0)
    edition = models.PositiveSmallIntegerField(default=1)
    endpoint = models.ForeignKey(Endpoint, models.PROTECT, related_name="run_stages")
    # The address when the run started: the endpoint may get another one later.
    address = models.CharField(max_length=300, blank=True)
    model = models.CharField(max_length=200)
    parameters = models.JSONField(default=dict, blank=True, help_text="temperature, max_tokens, …")
    prompt = models.ForeignKey(Prompt, models.PROTECT, related_name="run_stages")
    example_sets = models.ManyToManyField(ExampleSet, related_name="run_stages", blank=True)
    # Calls go to the provider in batches and come back within a day: cheaper and slower.
    use_batch = models.BooleanField(default=False)

    class Meta:
        ordering = ("pk",)
        constraints = [
            models.UniqueConstraint(fields=["run", "stage", "branch", "edition"], name="run_stage_once"),
            models.CheckConstraint(condition=Q(edition__gte=1), name="run_stage_edition_from_one"),
        ]

    def __str__(self) -> str:
        return f"{self.get_stage_display()} by {self.model}"

    @property
    def set_names(self) -> list[str]:
        """The example sets that it shows, as in "further_split: Stephanie examples v1"."""
        return [f"{used.kind}: {used}" for used in self.example_sets.all()]

    @property
    def price_share(self) -> Decimal:
        """What a call costs here, as a share of the endpoint's price."""
        return self.endpoint.batch_price_share if self.use_batch else Decimal(1)

    @property
    def who(self) -> tuple[str, str, str]:
        """Who answers, and how: address, model and parameters as canonical JSON."""
        return base_of(self.address or self.endpoint.base_url), self.model, json.dumps(self.parameters, sort_keys=True)

    def freeze(self) -> None:
        """Freeze prompt and example sets, and record the address that answers."""
        for material in (self.prompt, *self.example_sets.all()):
            material.freeze()
        self.address = self.endpoint.base_url
        self.save(update_fields=["address"])


class RunDialogue(models.Model):
    """One dialogue that a run was asked to take through its stages: an α, or whatever a judge is to read."""

    run = models.ForeignKey(Run, models.CASCADE, related_name="chosen")
    dialogue = models.ForeignKey(Dialogue, models.CASCADE, related_name="chosen_by")
    # An earlier run's theme, used instead of asking for one again; for a judge, the background it is shown.
    background = models.ForeignKey(
        "generation.Background", models.PROTECT, null=True, blank=True, related_name="used_by"
    )

    class Meta:
        constraints = [models.UniqueConstraint(fields=["run", "dialogue"], name="run_chooses_a_dialogue_once")]

    def __str__(self) -> str:
        return f"{self.run_id}/{self.dialogue_id}"


def _once(names: Iterable[str]) -> list[str]:
    return list(dict.fromkeys(names))


class AskedRun(models.Model):
    """One `Idempotency-Key` of one person, and the run it made, so that a repeated request makes no second run."""

    LONGEST_KEY = 200

    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="+")
    key = models.CharField(max_length=LONGEST_KEY)
    # Of the request's body, so that another request under the same key is noticed.
    body_sha256 = models.CharField(max_length=64)
    run = models.ForeignKey(Run, models.CASCADE, related_name="+")
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["user", "key"], name="asked_run_key_once_a_person")]

    def __str__(self) -> str:
        return self.key
