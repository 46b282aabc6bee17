"""A judge run's plan as scripts write it, checked and turned into a `JudgeChoice`."""

from collections.abc import Mapping, Sequence
from typing import Any

from rest_framework import serializers

from dialogues.coverage import coverage_of
from dialogues.models import Corpus, Rubric
from dialogues.sources import Sources, UnknownSourceError
from generation.judgements.judge_plan import JudgeChoice, create_judge_run
from generation.judgements.selection import Wanted
from generation.models import Endpoint, Run
from generation.plans import schema
from generation.plans.plan_input import named
from generation.plans.run_plan import PlanError
from generation.plans.schema import Strict

# The name of each facet of `dialogues.sources` in a plan.
SOURCES = {"writer": "writers", "run": "runs", "set": "sets", "prompt": "prompts"}
# Passed on unchanged; fields that are left out keep the default of `JudgeChoice`.
PLAIN = schema.names((schema.REPEATS, schema.AGAIN, *schema.PLANNED_FIELDS))


class JudgePlan(Strict):
    """Everything to decide about a judge run; only `corpus` and `judges` are required."""

    name = schema.NAME.api_field()
    corpus = serializers.CharField()
    judges = serializers.ListField(
        child=serializers.CharField(), min_length=1, max_length=20, help_text="Endpoints that judge, each on its own."
    )
    versions = serializers.ListField(
        child=serializers.CharField(),
        required=False,
        help_text="Like beta, stephanie; default: those that cover at least half as many backgrounds as the widest.",
    )
    writers = serializers.ListField(
        child=serializers.CharField(),
        required=False,
        help_text="Only what these models wrote; default: those who wrote on many backgrounds.",
    )
    runs = serializers.ListField(
        child=serializers.IntegerField(min_value=1, max_value=2**63 - 1),
        required=False,
        help_text="Only what these runs wrote; default: all.",
    )
    sets = serializers.ListField(
        child=serializers.IntegerField(min_value=1, max_value=2**63 - 1),
        required=False,
        help_text="Only what was written with these example sets, by number; default: all.",
    )
    prompts = serializers.ListField(
        child=serializers.IntegerField(min_value=1, max_value=2**63 - 1),
        required=False,
        help_text="Only what was written with these prompts, by number; default: all.",
    )
    backgrounds = schema.BACKGROUNDS.api_field()
    incomplete = schema.INCOMPLETE.api_field()
    rubric = serializers.CharField(required=False, help_text="Like paper-six; default: the first.")
    # `create_judge_run` refuses other numbers in a sentence of its own.
    repeats = schema.REPEATS.api_field(min_value=None, max_value=None)
    again = schema.AGAIN.api_field()
    tidy_display = serializers.BooleanField(required=False, help_text="Show the text as raters see it; default: true.")
    seed = schema.SEED.api_field()
    temperature = schema.TEMPERATURE.api_field()
    max_tokens = schema.MAX_TOKENS.api_field()
    budget = schema.BUDGET.api_field()
    token_budget = schema.TOKEN_BUDGET.api_field()
    ambiguous_policy = schema.AMBIGUOUS_POLICY.api_field()
    use_batch = schema.USE_BATCH.api_field()


def create(plan: Mapping[str, Any], *, by: Any = None) -> Run:
    """Make a draft from the plan; raises PlanError, whose `field` is a name in the plan."""
    return create_judge_run(choice_of(plan), by=by)


def choice_of(plan: Mapping[str, Any]) -> JudgeChoice:
    """`corpus` and `judges` are required, all else is optional; raises PlanError."""
    given = {name: value for name, value in plan.items() if value not in (None, "")}
    corpus = named(Corpus, given.get("corpus", ""), "corpus")
    sources = _sources(corpus, given)
    wanted = Wanted(
        corpus,
        versions=_versions(corpus, sources, given.get("versions", ())),
        sources=sources,
        sample=given.get("backgrounds"),
        seed=given.get("seed", 0),
        whole=not given.get("incomplete", False),
    )
    return JudgeChoice(
        name=str(given.get("name") or f"Judge {corpus}")[:120],
        wanted=wanted,
        judges=[named(Endpoint, name, "judges") for name in given.get("judges", ())],
        rubric=_rubric(given.get("rubric", "")),
        tidy=given.get("tidy_display", True),
        **{name: given[name] for name in PLAIN if name in given},
    )


def _sources(corpus: Corpus, given: Mapping[str, Any]) -> Sources:
    """The named sources; without named writers, those who wrote on many backgrounds."""
    try:
        sources = Sources.of({name: given.get(plural, ()) for name, plural in SOURCES.items()}).check(corpus)
    except UnknownSourceError as error:
        raise PlanError(str(error), SOURCES[error.facet]) from error
    return sources.with_usual_writers(corpus)


def _versions(corpus: Corpus, sources: Sources, wanted: Sequence[str]) -> Sequence[str]:
    """The named versions; by default those that cover many backgrounds."""
    coverage = coverage_of(sources.narrow(corpus.dialogues.all()))
    for slug in wanted:
        if slug not in coverage.versions:
            known = ", ".join(coverage.versions) or "none"
            raise PlanError(f"The corpus has no version {slug!r}. Available: {known}.", "versions")
    return wanted or coverage.usual()


def _rubric(slug: str) -> Rubric:
    row = Rubric.objects.filter(slug=slug).first() if slug else Rubric.objects.first()
    if row is None:
        known = ", ".join(Rubric.objects.values_list("slug", flat=True)) or "none"
        raise PlanError(f"There is no rubric {slug!r}. Available: {known}.", "rubric")
    return row
