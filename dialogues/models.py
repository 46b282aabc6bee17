"""Corpora, their dialogues, the rubrics they are scored on, and the record of who changed what."""

import json
from typing import Any, Self

from django.conf import settings
from django.db import connection, models
from django.db.models import Case, Exists, F, OuterRef, Q, Sum, When
from django.db.models.functions import Cast
from django.urls import reverse

from dialogues import rubric
from dialogues.audit import AuditVerb
from dialogues.counts import COUNT_FIELDS, stored_counts
from dialogues.transcript import Transcript

# The version of a person's rewrite of a generated dialogue.
HAND = "restructured"
# Who wrote a dialogue. A rewrite by hand counts as its parent's: a person's few rewrites belong beside the versions of
# the model they improve on, not in a column of their own.
AUTHOR = Case(When(version=HAND, then=F("parent__written_by")), default=F("written_by"))


class Version(models.Model):
    """A named condition: α, β, γ, Stephanie and any other way a dialogue can be written."""

    slug = models.SlugField(primary_key=True, max_length=40)
    symbol = models.CharField(max_length=20)
    name = models.CharField(max_length=100)
    description = models.CharField(max_length=300, blank=True)
    # A colour token of static/css/tokens.css, so that badges, tables and charts agree.
    hue = models.CharField(max_length=20, default="other")
    position = models.PositiveSmallIntegerField(default=100)

    class Meta:
        ordering = ("position", "slug")

    def __str__(self) -> str:
        return self.symbol


class CorpusQuerySet(models.QuerySet["Corpus"]):
    def listed(self) -> Self:
        """Corpora that people work with, without the scratch one of trials."""
        return self.filter(is_scratch=False)

    def personal(self) -> Self:
        """Corpora that say of themselves that they hold personal data; `privacy_notice` has the words."""
        return self.filter(personal_data=PersonalData.YES)

    def holding(self, dialogues: "models.QuerySet[Any]") -> Self:
        """Corpora of these dialogues; `dialogues` gives their primary keys."""
        return self.filter(Exists(Dialogue.objects.filter(corpus=OuterRef("pk"), pk__in=dialogues)))

    def searched(self, text: str) -> Self:
        return self.filter(Q(name__icontains=text) | Q(description__icontains=text)) if text else self.all()

    def with_version(self, slug: str) -> Self:
        """Corpora that hold a dialogue of this version; all of them for ""."""
        has = Dialogue.objects.filter(corpus=OuterRef("pk"), version_id=slug)
        return self.filter(Exists(has)) if slug else self.all()


class PersonalData(models.TextChoices):
    YES = "yes", "Yes"
    NO = "no", "No"


class Corpus(models.Model):
    """Dialogues imported together, and everything written from them."""

    name = models.CharField(max_length=120, unique=True)
    description = models.TextField(blank=True)
    licence = models.CharField(max_length=120, blank=True)
    source = models.CharField(max_length=300, blank=True, help_text="An address, a citation, or who collected it.")
    # Whether it says things about people who can be recognised, and what they agreed to.
    personal_data = models.CharField(max_length=10, choices=PersonalData.choices, blank=True, default="")
    consent = models.CharField(max_length=300, blank=True)
    # {"1": name, "2": name} if the same two roles speak in all of its dialogues.
    roles = models.JSONField(default=dict, blank=True)
    # How the file was read and what was set aside: counts by kind, and null for a sentence that counts nothing.
    reading = models.JSONField(default=dict, blank=True)
    file_format = models.CharField(max_length=20, blank=True)
    file_name = models.CharField(max_length=255, blank=True)
    sha256 = models.CharField(max_length=64, unique=True, null=True, blank=True)
    # Holds the copies that trials write on, or is not wholly imported: no list, study or count of corpora shows it.
    is_scratch = models.BooleanField(default=False)
    # While it is being imported, and hidden: when the last batch came in.
    filled_at = models.DateTimeField(null=True, blank=True)
    created_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.SET_NULL, null=True, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)

    objects = CorpusQuerySet.as_manager()

    class Meta:
        ordering = ("-created_at", "-pk")
        verbose_name_plural = "corpora"

    def __str__(self) -> str:
        return self.name

    def get_absolute_url(self) -> str:
        return reverse("dialogues:corpus", args=[self.pk])

    @property
    def privacy_notice(self) -> str:
        """What whoever exports or shares its dialogues must know; "" where nobody can be recognised in them."""
        if self.personal_data != PersonalData.YES:
            return ""
        if self.consent:
            return f"{self.name} holds personal data. Share it only as far as this consent goes: {self.consent}"
        return f"{self.name} holds personal data, and no consent is recorded. Ask the people before you share it."


class ColumnMap(models.Model):
    """Which columns or keys of a file hold what, saved by name to read other files of that kind."""

    name = models.CharField(max_length=80, unique=True)
    columns = models.JSONField(help_text="Names in the file by what they hold, as in --columns.")
    created_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.SET_NULL, null=True, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ("name",)

    def __str__(self) -> str:
        return self.name


class ImportJobQuerySet(models.QuerySet["ImportJob"]):
    def open(self) -> Self:
        """Jobs that wait or run."""
        return self.filter(state__in=(ImportJob.State.WAITING, ImportJob.State.RUNNING))


class ImportJob(models.Model):
    """An import that a worker does, because its file is too large for one request."""

    class State(models.TextChoices):
        WAITING = "waiting", "Waiting"
        RUNNING = "running", "Running"
        DONE = "done", "Done"
        REFUSED = "refused", "Refused"
        STOPPED = "stopped", "Stopped"

    # Of the upload (`dialogues.uploads`); only its owner's session knows it.
    token = models.CharField(max_length=64, unique=True)
    plan = models.JSONField(help_text="Name, source and options, as `dialogues.import_jobs` reads them.")
    state = models.CharField(max_length=10, choices=State.choices, default=State.WAITING)
    read_bytes = models.BigIntegerField(default=0)
    total_bytes = models.BigIntegerField()
    problem = models.TextField(blank=True, help_text="Why it was refused.")
    corpus = models.ForeignKey(Corpus, models.SET_NULL, null=True, blank=True, related_name="+")
    created_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.SET_NULL, null=True, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)
    started_at = models.DateTimeField(null=True, blank=True)
    # When the worker last told how far it is.
    told_at = models.DateTimeField(null=True, blank=True)

    objects = ImportJobQuerySet.as_manager()

    class Meta:
        ordering = ("-pk",)

    def __str__(self) -> str:
        return f"import of {self.plan.get('file_name', 'a file')}"

    def get_absolute_url(self) -> str:
        return reverse("dialogues:import_job", args=[self.pk])

    @property
    def is_open(self) -> bool:
        return self.state in (self.State.WAITING, self.State.RUNNING)

    @property
    def share(self) -> float:
        return min(self.read_bytes / self.total_bytes, 1.0) if self.total_bytes else 0.0

    @property
    def seconds_left(self) -> float | None:
        """By the pace so far; None before a twentieth is read."""
        if self.started_at is None or self.told_at is None or self.share < 1 / 20:
            return None
        return (self.told_at - self.started_at).total_seconds() * (1 - self.share) / self.share


class DialogueQuerySet(models.QuerySet["Dialogue"]):
    def originals(self) -> Self:
        """The dialogues imported with the corpus, not written from another."""
        return self.filter(origin__isnull=True)

    def of_version(self, slug: str) -> Self:
        return self.filter(version_id=slug)

    def searched(self, text: str) -> Self:
        """Dialogues with the text in their key or their messages."""
        if not text:
            return self.all()
        # Stored JSON writes a quotation mark as \\", and on SQLite a letter beyond ASCII as \\uXXXX.
        written = json.dumps(text, ensure_ascii=connection.vendor == "sqlite")[1:-1]
        stored = self.annotate(stored=Cast("messages", models.TextField()))
        return stored.filter(Q(key__icontains=text) | Q(stored__icontains=written))

    def family_of(self, dialogue: "Dialogue") -> Self:
        """The original and everything written from it, by version and age."""
        root = dialogue.origin_id or dialogue.pk
        return self.filter(Q(pk=root) | Q(origin_id=root)).order_by("version__position", "pk")

    def totals(self) -> dict[str, int]:
        """Sums of the stored counts, by field name."""
        sums = {name: Sum(name, default=0) for name in COUNT_FIELDS}
        return self.aggregate(dialogues=models.Count("pk"), **sums)


class Dialogue(models.Model):
    """One transcript, never changed: an edit or a rewrite is a new row that points to its source."""

    corpus = models.ForeignKey(Corpus, models.CASCADE, related_name="dialogues")
    key = models.CharField(max_length=200, help_text="The dialogue's name within its corpus.")
    version = models.ForeignKey(Version, models.PROTECT, related_name="dialogues")
    # `origin` is the α it belongs to (None for an original), `parent` what it was written from directly.
    origin = models.ForeignKey("self", models.CASCADE, null=True, blank=True, related_name="descendants")
    parent = models.ForeignKey("self", models.CASCADE, null=True, blank=True, related_name="rewrites")
    messages = models.JSONField(help_text="[[speaker, text], …], speaker 1 or 2.")
    times = models.JSONField(default=list, blank=True, help_text="ISO 8601 or null for each message; [] if unknown.")
    traits_1 = models.JSONField(default=list, blank=True)
    traits_2 = models.JSONField(default=list, blank=True)
    theme = models.TextField(blank=True)
    # Who wrote it: blank for the corpus's own people, else the model's name as its provider gave it.
    written_by = models.CharField(max_length=200, blank=True)
    is_demo = models.BooleanField(default=False, help_text="Made by the demo model's rules.")
    created_at = models.DateTimeField(auto_now_add=True)

    # Counts stored beside the text, so that corpus tables are SQL sums.
    message_count = models.PositiveIntegerField(default=0)
    turn_count = models.PositiveIntegerField(default=0)
    whitespace_tokens = models.PositiveIntegerField(default=0)
    word_tokens = models.PositiveIntegerField(default=0)
    turns_of_1 = models.PositiveIntegerField(default=0)
    turns_of_2 = models.PositiveIntegerField(default=0)
    turns_of_3 = models.PositiveIntegerField(default=0)
    turns_of_4 = models.PositiveIntegerField(default=0)
    turns_of_5 = models.PositiveIntegerField(default=0)
    turns_of_6_up = models.PositiveIntegerField(default=0)

    objects = DialogueQuerySet.as_manager()

    class Meta:
        ordering = ("pk",)
        constraints = [
            models.UniqueConstraint(fields=["corpus", "key"], name="dialogue_key_unique_in_corpus"),
            models.CheckConstraint(
                condition=Q(message_count__gte=1) & Q(turn_count__gte=1) & Q(turn_count__lte=F("message_count")),
                name="dialogue_counts_agree",
            ),
        ]
        indexes = [models.Index(fields=["corpus", "version"], name="dialogue_corpus_version")]

    def __str__(self) -> str:
        return f"{self.key} ({self.version_id})"

    def get_absolute_url(self) -> str:
        return reverse("dialogues:dialogue", args=[self.pk])

    @property
    def is_original(self) -> bool:
        return self.origin_id is None

    @property
    def words_per_message(self) -> float:
        """In whitespace tokens."""
        return self.whitespace_tokens / self.message_count

    @property
    def acmc(self) -> float:
        """Messages a turn (paper §4.4, with turns as the divisor, as its Table 5 shows)."""
        return self.message_count / self.turn_count

    @property
    def transcript(self) -> Transcript:
        return Transcript.of(self.messages)

    @classmethod
    def from_transcript(cls, transcript: Transcript, **fields: Any) -> "Dialogue":
        """An unsaved row with its counts filled in. Create every dialogue through this method."""
        counts = stored_counts([message.text for message in transcript], transcript.run_lengths())
        return cls(messages=transcript.to_json(), **counts, **fields)


FROZEN_RUBRIC = "People have scored by these questions, so they never change. Make a copy and change that."


class FrozenRubricError(ValueError):
    """A used rubric cannot change; the text says what to do."""


class Rubric(models.Model):
    """Metrics with definitions and a scale; raters and judges read the same text. Once used, it never changes."""

    slug = models.SlugField(unique=True)
    name = models.CharField(max_length=120)
    metrics = models.JSONField(help_text="Rows of dialogues.rubric.Metric.")
    scale_low = models.SmallIntegerField(default=1)
    scale_high = models.SmallIntegerField(default=5)
    # Set when a study that uses it is launched; presets are frozen from the start.
    frozen_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ("pk",)
        constraints = [
            models.CheckConstraint(condition=Q(scale_low__lt=F("scale_high")), name="rubric_scale_ascends"),
        ]

    def __str__(self) -> str:
        return self.name

    def save(self, *args: Any, **kwargs: Any) -> None:
        self.refuse_if_frozen()
        super().save(*args, **kwargs)

    def delete(self, *args: Any, **kwargs: Any) -> tuple[int, dict[str, int]]:
        self.refuse_if_frozen()
        return super().delete(*args, **kwargs)

    def refuse_if_frozen(self) -> None:
        """Raise FrozenRubricError if the stored row is frozen, whatever this copy says."""
        if self.pk and Rubric.objects.filter(pk=self.pk, frozen_at__isnull=False).exists():
            raise FrozenRubricError(FROZEN_RUBRIC)

    @property
    def scale(self) -> rubric.Scale:
        return rubric.Scale(self.scale_low, self.scale_high)

    def metric_list(self) -> tuple[rubric.Metric, ...]:
        return rubric.from_json(self.metrics)

    def metrics_for(self, *versions: str) -> tuple[rubric.Metric, ...]:
        """The metrics asked about a dialogue of this version, or about a pair of these."""
        return tuple(metric for metric in self.metric_list() if metric.is_asked_for(*versions))


class AuditEvent(models.Model):
    """Who did what to which object, and when. Rows are never changed."""

    actor = models.ForeignKey(settings.AUTH_USER_MODEL, models.SET_NULL, null=True, blank=True)
    # One of AuditVerb. No choices here: a new verb would need a migration.
    verb = models.CharField(max_length=60)
    subject = models.CharField(max_length=120, help_text="model:pk of what it happened to.")
    detail = models.JSONField(default=dict, blank=True)
    at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ("-pk",)
        indexes = [models.Index(fields=["subject"], name="audit_subject")]

    def __str__(self) -> str:
        return f"{self.verb} {self.subject}"

    @property
    def in_words(self) -> str:
        return AuditVerb(self.verb).label if self.verb in AuditVerb.values else self.verb

    @classmethod
    def record(cls, actor: Any, verb: AuditVerb, subject: models.Model, **detail: Any) -> "AuditEvent":
        """Write one event; call it inside the transaction of the change it records."""
        label = f"{subject._meta.model_name}:{subject.pk}"
        return cls.objects.create(actor=actor, verb=verb, subject=label, detail=detail)
