"""Where the dialogues of a training set come from: who wrote them in which runs with which prompts, and who judged."""

from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from typing import Any

from django.db.models import Count, Q, QuerySet

from generation.models import Judgement, Output, Run, RunStage, TrainingItem, TrainingSet
from generation.training.recipe import Recipe

# A dialogue's own run, and those of what it was written from: a rewrite by hand comes from Stephanie, that from γ.
_WRITTEN_FROM = ("", "__parent", "__parent__parent")


@dataclass(frozen=True, slots=True)
class Written:
    """How many of the set's dialogues one author wrote in one version; `written_by` "" is the corpus's own people."""

    version: str
    written_by: str
    is_demo: bool
    dialogues: int


@dataclass(frozen=True, slots=True)
class Prompted:
    name: str
    version: int
    sha256: str


@dataclass(frozen=True, slots=True)
class Writer:
    """Who answered one stage of a run, and what they were shown."""

    stage: str
    branch: int
    edition: int
    model: str
    is_demo: bool
    parameters: Mapping[str, Any]
    prompt: Prompted
    example_sets: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class FromRun:
    run: int
    name: str
    seed: int
    stages: tuple[Writer, ...]


@dataclass(frozen=True, slots=True)
class Lineage:
    """`runs` wrote dialogues of the set, or what those were written from; `judges` scored for its filters."""

    written: tuple[Written, ...]
    runs: tuple[FromRun, ...]
    judges: tuple[FromRun, ...]
    judged_metrics: tuple[str, ...]

    @property
    def is_demo(self) -> bool:
        """Whether the demo model's rules wrote or judged any of it."""
        judged = (writer.is_demo for run in self.judges for writer in run.stages)
        return any(row.is_demo for row in self.written) or any(judged)

    def as_json(self) -> dict[str, Any]:
        return asdict(self)


def lineage_of(training_set: TrainingSet) -> Lineage:
    """In a handful of queries, however many dialogues the set has."""
    metrics = _judged_metrics(Recipe.of(training_set.recipe))
    return Lineage(_written(training_set), _writing_runs(training_set), _judges(training_set, metrics), metrics)


def _written(training_set: TrainingSet) -> tuple[Written, ...]:
    """By version; a preference counts both of its dialogues."""
    counts: dict[tuple[str, str, bool], int] = {}
    for role in ("dialogue", "worse"):
        names = [f"{role}__{field}" for field in ("version_id", "written_by", "is_demo")]
        rows = _items(training_set).filter(**{f"{role}__isnull": False}).order_by().values_list(*names)
        for version, written_by, is_demo, count in rows.annotate(count=Count(role, distinct=True)):
            counts[version, written_by, is_demo] = counts.get((version, written_by, is_demo), 0) + count
    return tuple(Written(*key, counts[key]) for key in sorted(counts))


def _writing_runs(training_set: TrainingSet) -> tuple[FromRun, ...]:
    wrote = Q()
    for role in ("dialogue", "worse"):
        for step in _WRITTEN_FROM:
            wrote |= Q(dialogue__in=_items(training_set).values(f"{role}{step}"))
    return _described(Output.objects.filter(wrote).values_list("call__run", flat=True).distinct())


def _judges(training_set: TrainingSet, metrics: Iterable[str]) -> tuple[FromRun, ...]:
    """The judge runs that scored dialogues of the set on these metrics."""
    read = Q(dialogue__in=_items(training_set).values("dialogue")) | Q(
        dialogue__in=_items(training_set).values("worse")
    )
    scored = Judgement.objects.filter(read, metric__in=list(metrics))
    return _described(scored.values_list("call__run", flat=True).distinct())


def _judged_metrics(recipe: Recipe) -> tuple[str, ...]:
    """On which judges' scores decided what is in the set."""
    chosen = recipe.filters.get("judge")
    metrics = {chosen["metric"]} if chosen else set()
    if recipe.kind == "preferences" and recipe.preferred_by == "judge":
        metrics.add(recipe.metric)
    return tuple(sorted(metrics))


def _items(training_set: TrainingSet) -> QuerySet[TrainingItem]:
    return TrainingItem.objects.filter(training_set=training_set)


def _described(keys: Iterable[int]) -> tuple[FromRun, ...]:
    runs = Run.objects.with_stages().filter(pk__in=list(keys)).order_by("pk")
    return tuple(FromRun(run.pk, run.name, run.seed, tuple(map(_writer, run.rows))) for run in runs)


def _writer(row: RunStage) -> Writer:
    prompt = Prompted(str(row.prompt), row.prompt.version, row.prompt.sha256)
    sets = tuple(row.set_names)
    return Writer(row.stage, row.branch, row.edition, row.model, row.endpoint.is_demo, row.parameters, prompt, sets)
