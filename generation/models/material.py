"""What a model is shown: example sets and prompts, frozen once a run has used them."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any, Self

from django.conf import settings
from django.core.exceptions import ValidationError
from django.db import IntegrityError, models
from django.db.models import Q
from django.urls import reverse
from django.utils import timezone

from dialogues.models import Dialogue
from generation import prompts, triggers


class FrozenError(ValidationError):
    """A change to something that a run has already used."""


@contextmanager
def refusal_in_words() -> Iterator[None]:
    """Turn the database's refusal into FrozenError, if somebody froze the row between the check and the write."""
    try:
        yield
    except IntegrityError as error:
        if triggers.FROZEN not in str(error):
            raise
        raise FrozenError(triggers.FROZEN) from error


class Freezable(models.Model):
    """Text shown to a model; the first run that uses it freezes it, and a change makes a new version."""

    frozen_at = models.DateTimeField(null=True, blank=True, editable=False)

    class Meta:
        abstract = True

    def save(self, *args: Any, **kwargs: Any) -> None:
        self.refuse_if_frozen()
        with refusal_in_words():
            super().save(*args, **kwargs)

    def delete(self, *args: Any, **kwargs: Any) -> tuple[int, dict[str, int]]:
        self.refuse_if_frozen()
        with refusal_in_words():
            return super().delete(*args, **kwargs)

    def refuse_if_frozen(self) -> None:
        if self.pk and type(self)._default_manager.filter(pk=self.pk, frozen_at__isnull=False).exists():
            raise FrozenError(f"{self} is frozen and never changes; make a new version instead.")

    def freeze(self) -> None:
        """Idempotent; keeps the first moment."""
        now = timezone.now()
        if type(self)._default_manager.filter(pk=self.pk, frozen_at__isnull=True).update(frozen_at=now):
            self.frozen_at = now


class ExampleKind(models.TextChoices):
    SINGLE_STEP = "single_step", "Single-step dialogues (negative)"
    STEP_BY_STEP = "step_by_step", "Step-by-step dialogues (positive)"
    FURTHER_SPLIT = "further_split", "Further-split pairs (before and after)"


class ExampleSetQuerySet(models.QuerySet["ExampleSet"]):
    def listed(self) -> Self:
        """Sets that people keep; leaves out the copies that trials were made with."""
        return self.filter(snapshot_of__isnull=True)

    def marked_shipped(self) -> Self:
        """With `is_shipped`: whether the set comes with the project and is not a clone."""
        shipped = Example.objects.filter(example_set=models.OuterRef("pk"), source=Example.Source.SHIPPED)
        comes = models.Exists(shipped) & Q(parent__isnull=True)
        return self.annotate(is_shipped=models.ExpressionWrapper(comes, models.BooleanField()))

    def choosable(self, kind: str, also: Sequence[int] = ()) -> Self:
        """Versions of a kind to choose from: frozen ones, then drafts; and those with the keys in `also`."""
        is_draft = models.ExpressionWrapper(Q(frozen_at__isnull=True), models.BooleanField())
        rows = self.filter(Q(snapshot_of__isnull=True) | Q(pk__in=also), kind=kind).marked_shipped()
        return rows.annotate(is_draft=is_draft).order_by("is_draft", "name", "-version")


class ExampleSet(Freezable):
    """One version of a list of few-shot examples; a draft until a person or the first run that uses it freezes it."""

    name = models.CharField(max_length=120)
    kind = models.CharField(max_length=20, choices=ExampleKind)
    version = models.PositiveIntegerField(default=1)
    note = models.TextField(blank=True)
    # The version this one was cloned from.
    parent = models.ForeignKey("self", models.SET_NULL, null=True, blank=True, related_name="clones")
    # Set on a frozen copy that a trial was made with: the draft as it was then.
    snapshot_of = models.ForeignKey("self", models.CASCADE, null=True, blank=True, related_name="snapshots")
    # Counts the changes of order and note, so that a change made on an old page is noticed.
    revision = models.PositiveIntegerField(default=0)
    created_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.SET_NULL, null=True, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)

    objects = ExampleSetQuerySet.as_manager()

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

    class Source(models.TextChoices):
        SHIPPED = "shipped", "Comes with the project"
        HAND = "hand", "Written by hand"
        CORPUS = "corpus", "From a corpus"
        RUN = "run", "From a run"
        RESTRUCTURING = "restructuring", "Restructured by hand"
        FILE = "file", "From a file"

    example_set = models.ForeignKey(ExampleSet, models.CASCADE, related_name="examples")
    position = models.PositiveSmallIntegerField()
    topic = models.CharField(max_length=60, blank=True)
    theme = models.TextField(blank=True)
    traits_1 = models.JSONField(default=list, blank=True)
    traits_2 = models.JSONField(default=list, blank=True)
    messages = models.JSONField()
    messages_after = models.JSONField(null=True, blank=True)
    note = models.TextField(blank=True, help_text="Why this example is here.")
    source = models.CharField(max_length=20, choices=Source, default=Source.HAND)
    # The dialogues that the texts were taken from; they stay even if a person rewords the texts here.
    dialogue = models.ForeignKey(Dialogue, models.PROTECT, null=True, blank=True, related_name="+")
    dialogue_after = models.ForeignKey(Dialogue, models.PROTECT, null=True, blank=True, related_name="+")
    # How a person made `messages_after` from `messages`: dialogues.editing operations with who (pseudonym) and when.
    operations = models.JSONField(default=list, blank=True)
    # Counts the changes, so that a change made on an old page is noticed.
    revision = models.PositiveIntegerField(default=0)

    class Meta:
        ordering = ("position",)
        constraints = [
            models.UniqueConstraint(fields=["example_set", "position"], name="example_position_unique"),
        ]

    def __str__(self) -> str:
        return f"{self.example_set} #{self.position}"

    def save(self, *args: Any, **kwargs: Any) -> None:
        self._refuse_if_frozen()
        with refusal_in_words():
            super().save(*args, **kwargs)

    def delete(self, *args: Any, **kwargs: Any) -> tuple[int, dict[str, int]]:
        self._refuse_if_frozen()
        with refusal_in_words():
            return super().delete(*args, **kwargs)

    def _refuse_if_frozen(self) -> None:
        """An example can move neither into a frozen set nor out of one."""
        # A new example has no key yet, and None would match every set without examples.
        here = Q(pk=self.example_set_id)
        for example_set in ExampleSet.objects.filter(here | Q(examples=self.pk) if self.pk else here).distinct():
            example_set.refuse_if_frozen()


class Stage(models.TextChoices):
    THEME = "theme", "Theme"
    PAIR = "pair", "Pair (β and γ)"
    FURTHER_SPLIT = "further_split", "Further-split (Stephanie)"
    JUDGE = "judge", "Judge"


class PromptQuerySet(models.QuerySet["Prompt"]):
    def kept(self) -> Self:
        """Versions offered to people; leaves out wordings that were only tried."""
        return self.filter(is_trial=False)


class Prompt(Freezable):
    """One version of a stage's wording, with {placeholders}; frozen once a run has used it."""

    stage = models.CharField(max_length=20, choices=Stage)
    version = models.PositiveIntegerField(default=1)
    # A wording that was only tried: it is no version and not offered to runs.
    is_trial = models.BooleanField(default=False)
    system = models.TextField(blank=True)
    user = models.TextField()
    sha256 = models.CharField(max_length=64, editable=False)
    created_at = models.DateTimeField(auto_now_add=True)

    objects = PromptQuerySet.as_manager()

    class Meta:
        ordering = ("stage", "-version")
        constraints = [
            models.UniqueConstraint(
                fields=["stage", "version"], condition=Q(is_trial=False), name="prompt_version_unique"
            ),
            models.UniqueConstraint(
                fields=["stage", "sha256"], condition=Q(is_trial=True), name="prompt_wording_tried_once"
            ),
        ]

    def __str__(self) -> str:
        name = self.get_stage_display()
        return f"{name}, a wording on trial" if self.is_trial else f"{name} v{self.version}"

    def save(self, *args: Any, **kwargs: Any) -> None:
        self.sha256 = prompts.prompt_sha256(self.text)
        super().save(*args, **kwargs)

    def get_absolute_url(self) -> str:
        return reverse("generation:prompt", args=[self.pk])

    @property
    def text(self) -> prompts.PromptText:
        return prompts.PromptText(self.system, self.user)
