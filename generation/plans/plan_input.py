"""A run's plan in plain words and numbers, as scripts write it, turned into what planning takes.

Endpoints, corpora and versions go by their names, example sets and prompts by their numbers. The API and the command
line both come through here, so that both refuse the same things for the same reasons.
"""

from collections.abc import Mapping, Sequence
from typing import Any, TypeVar

from django.db.models import Model, QuerySet

from dialogues.models import Corpus, Version
from generation.engine.retrying import Edit
from generation.models import Endpoint, ExampleKind, ExampleSet, Prompt, Run, Stage
from generation.plans.choosing import Selection
from generation.plans.run_plan import Choice, PlanError, create_run
from generation.prompts import PromptText
from generation.stages import ORDER

M = TypeVar("M", bound=Model)

SELECTION = ("sample", "search", "fewest_messages", "most_messages", "without", "without_writer", "with_examples")
# Taken as they are; what is left out keeps the usual value of `Choice`.
PLAIN = (
    "seed", "temperature", "max_tokens", "budget", "token_budget", "keep_share", "ambiguous_policy", "reuse_themes",
    "use_batch",
)  # fmt: skip
NAMES_SHOWN = 10
# What `PlanError` calls a field, where plans have another name for it.
FIELDS = {"endpoint": "writers"}


def create(plan: Mapping[str, Any], *, by: Any = None) -> Run:
    """A draft made from the plan; raises PlanError, whose `field` is a name in the plan."""
    choice = choice_of(plan)
    try:
        return create_run(choice, by=by)
    except PlanError as error:
        raise PlanError(str(error), FIELDS.get(error.field, error.field)) from error


def choice_of(plan: Mapping[str, Any]) -> Choice:
    """`corpus` and `writers` are required, all else is optional; raises PlanError."""
    given = {name: value for name, value in plan.items() if value not in (None, "")}
    corpus = named(Corpus, given.get("corpus", ""), "corpus")
    writers = _endpoints(given.get("writers", ()), "writers")
    if not writers:
        raise PlanError("Name at least one endpoint that writes.", "writers")
    return Choice(
        name=str(given.get("name") or f"{corpus} through {' and '.join(map(str, writers))}")[:120],
        corpus=corpus,
        endpoints=_answering(given, writers),
        selection=_selection(given.get("selection", {})),
        stages=[stage for stage in ORDER if stage in given.get("stages", ORDER)],
        sets=_sets(given.get("sets", {})),
        prompts=_prompts(given.get("prompts", {})),
        **{name: given[name] for name in PLAIN if name in given},
    )


def edits_of(given: Mapping[str, Mapping[str, Any]]) -> dict[Stage, Edit]:
    """What stages show from now on: `prompt` with its two texts, `sets` by number; raises PlanError."""
    found = {}
    for stage, edit in given.items():
        text = edit.get("prompt")
        prompt = PromptText(text["system"], text["user"]) if text else None
        found[Stage(stage)] = Edit(prompt, _sets(edit.get("sets", {})))
    return found


def named(model: type[M], name: str, about: str) -> M:
    """The row of that name, among those that people work with; raises PlanError that lists what there is."""
    rows: QuerySet[Any] = Corpus.objects.listed() if model is Corpus else model._default_manager.all()
    row: M | None = rows.filter(name=name).first()
    if row is None:
        known = ", ".join(rows.values_list("name", flat=True)[:NAMES_SHOWN]) or "none yet"
        what = model._meta.verbose_name
        raise PlanError(f"There is no {what} named {name!r}. There is: {known}.", about)
    return row


def _answering(given: Mapping[str, Any], writers: Sequence[Endpoint]) -> dict[Stage, Sequence[Endpoint]]:
    """Who answers each stage; the first writer also writes the themes unless another endpoint is named."""
    theme = given.get("theme_endpoint")
    return {
        Stage.THEME: [named(Endpoint, theme, "theme_endpoint")] if theme else writers[:1],
        Stage.PAIR: writers,
        Stage.FURTHER_SPLIT: _endpoints(given.get("splitters", ()), "splitters"),
    }


def _endpoints(names: Sequence[str], about: str) -> list[Endpoint]:
    return [named(Endpoint, name, about) for name in names]


def _selection(given: Mapping[str, Any]) -> Selection:
    wanted = {name: given[name] for name in SELECTION if given.get(name) not in (None, "")}
    without = wanted.get("without")
    if without and not Version.objects.filter(pk=without).exists():
        known = ", ".join(Version.objects.values_list("pk", flat=True))
        raise PlanError(f"There is no version {without!r}. There is: {known}.", "selection")
    return Selection(**wanted)


def _sets(given: Mapping[str, int]) -> dict[ExampleKind, ExampleSet]:
    return {ExampleKind(kind): _numbered(ExampleSet.objects.listed(), pk, "sets") for kind, pk in given.items()}


def _prompts(given: Mapping[str, int]) -> dict[Stage, Prompt]:
    return {Stage(stage): _numbered(Prompt.objects.kept(), pk, "prompts") for stage, pk in given.items()}


def _numbered(rows: QuerySet[M], pk: int, about: str) -> M:
    row = rows.filter(pk=pk).first()
    if row is None:
        raise PlanError(f"There is no {rows.model._meta.verbose_name} {pk}.", about)
    return row
