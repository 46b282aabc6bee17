"""A judge run's plan in plain words and numbers, as scripts write it, turned into what planning takes."""

from collections.abc import Mapping, Sequence
from typing import Any

from dialogues.coverage import coverage_of
from dialogues.models import Corpus, Rubric
from dialogues.sources import Sources, UnknownSourceError
from generation.judgements.judge_plan import JudgeChoice, create_judge_run
from generation.judgements.selection import Wanted
from generation.models import Endpoint, Run
from generation.plans.plan_input import named
from generation.plans.run_plan import PlanError

# By the facet of `dialogues.sources`, what plans call it.
SOURCES = {"writer": "writers", "run": "runs", "set": "sets", "prompt": "prompts"}
# Taken as they are; what is left out keeps the usual value of `JudgeChoice`.
PLAIN = ("repeats", "again", "temperature", "max_tokens", "budget", "token_budget", "ambiguous_policy", "use_batch")


def create(plan: Mapping[str, Any], *, by: Any = None) -> Run:
    """A draft made from the plan; raises PlanError, whose `field` is a name in the plan."""
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
    """What is named; where no writer is, those who wrote on many backgrounds."""
    try:
        sources = Sources.of({name: given.get(plural, ()) for name, plural in SOURCES.items()}).check(corpus)
    except UnknownSourceError as error:
        raise PlanError(str(error), SOURCES[error.facet]) from error
    return sources.with_usual_writers(corpus)


def _versions(corpus: Corpus, sources: Sources, wanted: Sequence[str]) -> Sequence[str]:
    """What is named; else the versions that cover many backgrounds."""
    coverage = coverage_of(sources.narrow(corpus.dialogues.all()))
    for slug in wanted:
        if slug not in coverage.versions:
            known = ", ".join(coverage.versions) or "none"
            raise PlanError(f"The corpus has no version {slug!r}. There is: {known}.", "versions")
    return wanted or coverage.usual()


def _rubric(slug: str) -> Rubric:
    row = Rubric.objects.filter(slug=slug).first() if slug else Rubric.objects.first()
    if row is None:
        known = ", ".join(Rubric.objects.values_list("slug", flat=True)) or "none"
        raise PlanError(f"There is no rubric {slug!r}. There is: {known}.", "rubric")
    return row
