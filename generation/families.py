"""The family of an original: the α itself and every version written from it, by who wrote them in which run.

Also the ways to choose dialogues by how they were written. At start the app adds these facets to `dialogues.sources`,
where all pages that choose dialogues find them.
"""

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from typing import Any, NamedTuple, TypeVar

from django.db.models import Exists, F, OuterRef, Q, QuerySet
from django.db.models.functions import Coalesce

from dialogues.models import AUTHOR, Corpus, Dialogue, DialogueQuerySet
from dialogues.sources import FACETS, LATEST_FIRST, Facet, Key
from generation.models import ExampleSet, Output, Prompt, Run, RunStage

T = TypeVar("T")
# (run, which of its writers); what no run wrote came with a file.
Source = tuple[int, int]
NO_RUN: Source = (0, 0)
# The run that wrote a dialogue, and its writer. A punctuation split or a rewrite by hand belongs to the run of the
# dialogue it was made from; imported dialogues have none.
RUN = Coalesce("output__call__run", "parent__output__call__run")
BRANCH = Coalesce("output__call__run_stage__branch", "parent__output__call__run_stage__branch")
# A dialogue, what it was made from, and what that was made from: a person's rewrite of a further-split γ.
MADE_FROM = ("", "parent__", "parent__parent__")


class Member(NamedTuple):
    """One dialogue of a family; `original` is the key of the α, its own where it is one."""

    pk: int
    original: int
    version: str
    writer: str
    source: Source
    is_original: bool


def members(rows: DialogueQuerySet) -> Iterator[Member]:
    """The dialogues of a query, oldest first, in one query and without their texts."""
    fields = rows.annotate(author=AUTHOR, by_run=RUN, by_branch=BRANCH).order_by("pk")
    names = ("pk", "origin_id", "version_id", "author", "by_run", "by_branch")
    for pk, origin, version, writer, run, branch in fields.values_list(*names).iterator():
        yield Member(pk, origin or pk, version, writer, (run, branch) if run else NO_RUN, origin is None)


def latest_whole(by_source: Mapping[Source, Mapping[str, T]], versions: Collection[str]) -> Mapping[str, T] | None:
    """What one writer of one run wrote, of those who wrote all the versions: of the latest run the first writer.

    None where no writer wrote them all. Two endpoints of one run that answer under the same name are two sources.
    """
    whole = [source for source, written in by_source.items() if set(versions) <= set(written)]
    return by_source[min(whole, key=lambda source: (-source[0], source[1]))] if whole else None


def root_of(dialogue: Dialogue) -> int:
    """The key of the dialogue's original; its own where it is one."""
    return dialogue.origin_id or dialogue.pk


def roots_of(rows: DialogueQuerySet) -> set[int]:
    """The keys of the originals of all these dialogues."""
    return {origin or pk for pk, origin in rows.values_list("pk", "origin_id")}


def in_families(roots: Iterable[int] | QuerySet[Any, Any], path: str = "") -> Q:
    """Those who belong to the families of these originals; `path` is the field that leads to the dialogue."""
    return Q(**{f"{path or 'pk'}__in": roots}) | Q(**{f"{path}__origin__in" if path else "origin__in": roots})


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


def offer_facets() -> None:
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
