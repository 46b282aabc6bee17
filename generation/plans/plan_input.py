"""A run's plan as scripts write it, checked and turned into a `Choice`.

Plans name endpoints, corpora and versions by name, example sets and prompts by number. The API and the command line
both use this module, so both refuse the same plans for the same reasons.
"""

from collections.abc import Mapping, Sequence
from typing import Any, TypeVar

from django.db.models import Model, QuerySet
from rest_framework import serializers

from dialogues.models import Corpus, Version
from generation.engine.retrying import Edit
from generation.models import Endpoint, ExampleKind, ExampleSet, Prompt, Run, Stage
from generation.plans import schema
from generation.plans.choosing import Selection
from generation.plans.run_plan import Choice, PlanError, create_run
from generation.plans.schema import Strict
from generation.prompts import PromptText
from generation.stages import ORDER

M = TypeVar("M", bound=Model)

# Passed on unchanged; fields that are left out keep the default of `Choice`.
PLAIN = schema.names((schema.SEED, schema.KEEP_SHARE, schema.REUSE_THEMES, *schema.PLANNED_FIELDS))
NAMES_SHOWN = 10
# PlanError's name of a field: the name in a plan.
FIELDS = {"endpoint": "writers"}


class SelectionPlan(Strict):
    """Which of the corpus's own dialogues; nothing asked takes all."""

    sample = schema.SAMPLE.api_field()
    search = schema.SEARCH.api_field()
    fewest_messages = schema.FEWEST_MESSAGES.api_field()
    most_messages = schema.MOST_MESSAGES.api_field()
    without = schema.WITHOUT.api_field()
    without_writer = schema.WITHOUT_WRITER.api_field()
    with_examples = schema.WITH_EXAMPLES.api_field()


class SetsPlan(Strict):
    """Numbers of example sets; where left out, the newest version of those that come with the project."""

    single_step = serializers.IntegerField(required=False)
    step_by_step = serializers.IntegerField(required=False)
    further_split = serializers.IntegerField(required=False)

    assert set(ExampleKind.values) == {"single_step", "step_by_step", "further_split"}


class PromptsPlan(Strict):
    """Numbers of prompts; the newest where left out."""

    theme = serializers.IntegerField(required=False)
    pair = serializers.IntegerField(required=False)
    further_split = serializers.IntegerField(required=False)


class RunPlan(Strict):
    """Everything to decide about a run; endpoints and corpora by name. Only `corpus` and `writers` are required."""

    name = schema.NAME.api_field()
    corpus = serializers.CharField()
    writers = serializers.ListField(
        child=serializers.CharField(), min_length=1, max_length=20, help_text="Endpoints that write, side by side."
    )
    theme_endpoint = serializers.CharField(required=False, help_text="Default: the first writer.")
    splitters = serializers.ListField(
        child=serializers.CharField(),
        required=False,
        help_text="Endpoints for further-split: none (each writer its own), one, or one a writer.",
    )
    stages = serializers.MultipleChoiceField(
        choices=[(stage.value, stage.label) for stage in ORDER], required=False, allow_empty=False
    )
    selection = SelectionPlan(required=False)
    sets = SetsPlan(required=False)
    prompts = PromptsPlan(required=False)
    seed = schema.SEED.api_field()
    temperature = schema.TEMPERATURE.api_field()
    max_tokens = schema.MAX_TOKENS.api_field()
    budget = schema.BUDGET.api_field()
    token_budget = schema.TOKEN_BUDGET.api_field()
    keep_share = schema.KEEP_SHARE.api_field()
    ambiguous_policy = schema.AMBIGUOUS_POLICY.api_field()
    reuse_themes = schema.REUSE_THEMES.api_field()
    use_batch = schema.USE_BATCH.api_field()


class BudgetPlan(Strict):
    """Both limits; one that is left out or null is lifted."""

    budget = schema.BUDGET.api_field()
    token_budget = schema.TOKEN_BUDGET.api_field()


class PromptTexts(Strict):
    """A stage's wording; `GET /api/prompts/` has the present one."""

    system = serializers.CharField(allow_blank=True, trim_whitespace=False)
    user = serializers.CharField(trim_whitespace=False)


class EditPlan(Strict):
    """What a stage shows from now on; what is left out stays as it is."""

    prompt = PromptTexts(required=False)
    sets = SetsPlan(required=False)


class EditsPlan(Strict):
    theme = EditPlan(required=False)
    pair = EditPlan(required=False)
    further_split = EditPlan(required=False)
    judge = EditPlan(required=False)


def create(plan: Mapping[str, Any], *, by: Any = None) -> Run:
    """Make a draft from the plan; raises PlanError, whose `field` is a name in the plan."""
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
    """What each stage shows from now on: `prompt` with its two texts, `sets` by number; raises PlanError."""
    found = {}
    for stage, edit in given.items():
        text = edit.get("prompt")
        prompt = PromptText(text["system"], text["user"]) if text else None
        found[Stage(stage)] = Edit(prompt, _sets(edit.get("sets", {})))
    return found


def named(model: type[M], name: str, about: str) -> M:
    """The row with that name, without trials' scratch corpus; raises PlanError, which lists the known names."""
    rows: QuerySet[Any] = Corpus.objects.listed() if model is Corpus else model._default_manager.all()
    row: M | None = rows.filter(name=name).first()
    if row is None:
        known = ", ".join(rows.values_list("name", flat=True)[:NAMES_SHOWN]) or "none yet"
        what = model._meta.verbose_name
        raise PlanError(f"There is no {what} named {name!r}. Available: {known}.", about)
    return row


def _answering(given: Mapping[str, Any], writers: Sequence[Endpoint]) -> dict[Stage, Sequence[Endpoint]]:
    """The endpoints of each stage; the first writer writes the themes unless another endpoint is named."""
    theme = given.get("theme_endpoint")
    return {
        Stage.THEME: [named(Endpoint, theme, "theme_endpoint")] if theme else writers[:1],
        Stage.PAIR: writers,
        Stage.FURTHER_SPLIT: _endpoints(given.get("splitters", ()), "splitters"),
    }


def _endpoints(names: Sequence[str], about: str) -> list[Endpoint]:
    return [named(Endpoint, name, about) for name in names]


def _selection(given: Mapping[str, Any]) -> Selection:
    wanted = {name: given[name] for name in schema.names(schema.SELECTION_FIELDS) if given.get(name) not in (None, "")}
    without = wanted.get("without")
    if without and not Version.objects.filter(pk=without).exists():
        known = ", ".join(Version.objects.values_list("pk", flat=True))
        raise PlanError(f"There is no version {without!r}. Available: {known}.", "selection")
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
