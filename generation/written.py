"""Choose dialogues by how they were written: by which run, with which examples, from which prompt.

At start the app adds these facets to `dialogues.sources`, where all pages that choose dialogues find them.
"""

from collections.abc import Callable
from typing import Any

from django.db.models import Exists, F, OuterRef, Q, QuerySet
from django.db.models.functions import Coalesce

from dialogues.models import Corpus
from dialogues.sources import FACETS, LATEST_FIRST, Facet, Key
from generation.models import ExampleSet, Output, Prompt, Run, RunStage

# The run that wrote a dialogue, and its writer. A punctuation split or a rewrite by hand belongs to the run of the
# dialogue it was made from; imported dialogues have none.
RUN = Coalesce("output__call__run", "parent__output__call__run")
BRANCH = Coalesce("output__call__run_stage__branch", "parent__output__call__run_stage__branch")
# A dialogue, what it was made from, and what that was made from: a person's rewrite of a further-split γ.
MADE_FROM = ("", "parent__", "parent__parent__")


def _by_runs(keys: tuple[Key, ...]) -> Q:
    own = Q(output__call__run__in=keys)
    return own | Q(output__isnull=True, parent__output__call__run__in=keys)


def _by_stages(field: str) -> Callable[[tuple[Key, ...]], Q]:
    """Dialogues by stages that used one of these, and dialogues made from those."""

    def wrote(keys: tuple[Key, ...]) -> Q:
        stages = RunStage.objects.filter(**{f"{field}__in": keys}).values("pk")
        found = Q()
        for path in MADE_FROM:
            found |= Q(**{f"{path}output__call__run_stage__in": stages})
        return found

    return wrote


def _named(rows: QuerySet[Any]) -> list[tuple[Key, str]]:
    return [(row.pk, f"{row} (no. {row.pk})") for row in rows]


def _runs(corpus: Corpus) -> list[tuple[Key, str]]:
    return _named(Run.objects.filter(pk__in=_writing(corpus).values("run")).order_by("-pk"))


def _sets(corpus: Corpus) -> list[tuple[Key, str]]:
    rows = ExampleSet.objects.filter(run_stages__in=_writing(corpus)).distinct().order_by("kind", "-pk")
    return [(key, f"{row.get_kind_display()}: {words}") for row, (key, words) in zip(rows, _named(rows), strict=True)]


def _prompts(corpus: Corpus) -> list[tuple[Key, str]]:
    return _named(Prompt.objects.filter(run_stages__in=_writing(corpus)).distinct().order_by("stage", "-pk"))


def _writing(corpus: Corpus) -> QuerySet[RunStage]:
    """The stages that wrote dialogues of the corpus."""
    wrote = Output.objects.filter(call__run_stage=OuterRef("pk"))
    return RunStage.objects.filter(Exists(wrote), run__corpus=corpus)


def offer() -> None:
    """Add run, examples and prompt to the facets, and sort the latest run's first writer to the front."""
    for facet in (
        Facet("run", "Run", _by_runs, _runs),
        Facet("set", "Example set", _by_stages("example_sets"), _sets),
        Facet("prompt", "Prompt", _by_stages("prompt"), _prompts),
    ):
        FACETS[facet.name] = facet
    LATEST_FIRST[:] = [
        RUN.desc(nulls_last=True),
        BRANCH.asc(nulls_last=True),
        F("pk").desc(),
    ]
