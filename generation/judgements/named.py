"""A judge run's plan in plain words and numbers, as scripts write it, turned into what planning takes."""

from collections.abc import Mapping, Sequence
from typing import Any

from dialogues.models import Corpus, Rubric, Version
from generation.judgements.planning import JudgeChoice, create_judge_run
from generation.judgements.selection import Wanted, writers
from generation.models import Endpoint, Run
from generation.plans.named_choice import named
from generation.plans.planning import PlanError

# Taken as they are; what is left out keeps the usual value of `JudgeChoice`.
PLAIN = ("repeats", "again", "temperature", "max_tokens", "budget", "token_budget", "ambiguous_policy", "use_batch")


def create(plan: Mapping[str, Any], *, by: Any = None) -> Run:
    """A draft made from the plan; raises PlanError, whose `field` is a name in the plan."""
    return create_judge_run(choice_of(plan), by=by)


def choice_of(plan: Mapping[str, Any]) -> JudgeChoice:
    """`corpus` and `judges` are required, all else is optional; raises PlanError."""
    given = {name: value for name, value in plan.items() if value not in (None, "")}
    corpus = named(Corpus, given.get("corpus", ""), "corpus")
    wanted = Wanted(
        corpus,
        versions=_versions(corpus, given.get("versions", ())),
        writers=_known(given.get("writers", ()), writers(corpus.pk), "writer"),
        runs=given.get("runs", ()),
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


def _versions(corpus: Corpus, wanted: Sequence[str]) -> Sequence[str]:
    rows = Version.objects.filter(dialogues__corpus=corpus).distinct()
    there = list(rows.values_list("pk", flat=True))
    return _known(wanted, there, "version") or there


def _known(wanted: Sequence[str], there: Sequence[str], what: str) -> Sequence[str]:
    for name in wanted:
        if name not in there:
            known = ", ".join(there) or "none"
            raise PlanError(f"The corpus has no {what} {name!r}. There is: {known}.", f"{what}s")
    return wanted


def _rubric(slug: str) -> Rubric:
    row = Rubric.objects.filter(slug=slug).first() if slug else Rubric.objects.first()
    if row is None:
        known = ", ".join(Rubric.objects.values_list("slug", flat=True)) or "none"
        raise PlanError(f"There is no rubric {slug!r}. There is: {known}.", "rubric")
    return row
