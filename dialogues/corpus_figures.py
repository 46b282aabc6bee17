"""Compute a corpus's figures: SQL sums of the stored counts, and one streamed read for Distinct-N."""

import hashlib
import json
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any, Self, TypeVar

from django.db.models import BigIntegerField, Count, F, Max, Q, Sum
from django.db.models.functions import Cast

from core.results import Result, Size
from core.steps import Steps
from dialogues.coverage import coverage_of
from dialogues.models import Corpus, DialogueQuerySet, Version
from dialogues.sources import ANY, Sources, once_each, written_again
from dialogues.statistics.distinct import encode
from dialogues.statistics.figures import CorpusFigures
from dialogues.statistics.measuring import RUN_FIELDS, WORD_FIELDS, figures_of_versions
from dialogues.statistics.words_and_turns import Tokenizer

ROWS_AT_ONCE = 1000
# Part of every cache key: raise it when a figure is computed differently.
EDITION = 4
# Seconds that one takes, as measured by `tests.benchmarks.statistics`.
A_DIALOGUE = 1.5e-4

V = TypeVar("V")
Messages = list[list[Any]]
Progress = Callable[[Iterable[Messages], int, str], Iterable[Messages]]


def silent(rows: Iterable[Messages], total: int, label: str) -> Iterable[Messages]:
    return rows


@dataclass(frozen=True, slots=True)
class Counted:
    """Which dialogues of a corpus are measured.

    Empty `versions` means all. `shared_only`: only backgrounds that all versions have; versions that cover few
    backgrounds (see `dialogues.coverage`) are then left out unless they are named. `every`: if a version was written
    more than once for a background, count all of them, else only the latest.
    """

    versions: tuple[str, ...] = ()
    sources: Sources = ANY
    shared_only: bool = False
    every: bool = False

    def rows(self, corpus: Corpus) -> DialogueQuerySet:
        """Before shared backgrounds are looked for."""
        found = self.chosen(corpus)
        return found if self.every else once_each(found)

    def chosen(self, corpus: Corpus) -> DialogueQuerySet:
        rows = self.sources.narrow(corpus.dialogues.all())
        return rows.filter(version__in=self.versions) if self.versions else rows

    @property
    def is_narrow(self) -> bool:
        """Whether it names versions or sources."""
        return bool(self.versions or self.sources)

    def as_json(self) -> dict[str, Any]:
        return {
            "versions": list(self.versions), "sources": self.sources.as_json(), "shared_only": self.shared_only,
            "every": self.every,
        }  # fmt: skip

    @classmethod
    def of_json(cls, told: Mapping[str, Any]) -> Self:
        return cls(tuple(told["versions"]), Sources.of(told["sources"]), told["shared_only"], told["every"])


def figures_result(corpus: Corpus, tokenizer: Tokenizer, counted: Counted | None = None) -> Result[CorpusFigures]:
    """The figures, kept until the corpus's dialogues change."""
    counted = counted or Counted()
    arguments = {"corpus": corpus.pk, "tokenizer": tokenizer, "counted": counted.as_json()}
    return Result(
        key=lambda: f"corpus-figures:{EDITION}:{fingerprint(corpus, arguments)}",
        compute=lambda step: corpus_figures(corpus, tokenizer, counted, progress=_stepping(step)),
        size=lambda: _size(corpus, counted),
        task="dialogues.compute_figures",
        arguments=arguments,
    )


def _size(corpus: Corpus, counted: Counted) -> Size:
    """One step for each batch of rows, and one for each version."""
    by_version = counted.chosen(corpus).order_by().values("version").annotate(n=Count("pk")).values_list("n", flat=True)
    return Size(A_DIALOGUE * sum(by_version), sum(1 + n // ROWS_AT_ONCE for n in by_version))


def _stepping(step: Steps) -> Progress:
    def stepping(rows: Iterable[Messages], total: int, label: str) -> Iterable[Messages]:
        for number, row in enumerate(rows):
            if number % ROWS_AT_ONCE == 0:
                step(f"{label}: reading texts")
            yield row
        step(f"{label}: counting")

    return stepping


def fingerprint(corpus: Corpus, asked: Mapping[str, Any]) -> str:
    """Changes with what is asked, with the corpus's dialogues and with what it and its versions are called.

    Dialogues are never edited or removed, so the number of each version identifies them. The time of creation tells the
    corpus from another with the same key, in a restored or neighbouring database.
    """
    shown = ("version_id", "version__symbol", "version__hue")
    rows = corpus.dialogues.order_by("version_id").values_list(*shown).annotate(Count("pk"), Max("pk"))
    return hashlib.sha256(repr((json.dumps(asked), corpus.name, corpus.created_at, list(rows))).encode()).hexdigest()


def corpus_figures(
    corpus: Corpus, tokenizer: Tokenizer, counted: Counted | None = None, *, progress: Progress = silent
) -> CorpusFigures:
    """Figures of every version that is counted; `progress` wraps the rows of each version as they are read."""
    counted = counted or Counted()
    rows = counted.rows(corpus)
    coverage = coverage_of(rows)
    # A person who names versions wants them compared, even if few backgrounds are left.
    sparse = coverage.sparse - set(counted.versions)
    dialogues = shared(rows, sparse) if counted.shared_only else rows
    return replace(
        figures_of_dialogues(dialogues, corpus.name, tokenizer, sparse=sparse, progress=progress),
        shared_only=counted.shared_only,
        source=counted.sources.words(corpus),
        again=_by_symbol(written_again(counted.chosen(corpus))),
        every=counted.every,
        sparse=_by_symbol({slug: coverage.says(slug) for slug in sparse}),
    )


def figures_of_dialogues(
    dialogues: DialogueQuerySet,
    name: str,
    tokenizer: Tokenizer,
    *,
    sparse: Collection[str] = (),
    progress: Progress = silent,
) -> CorpusFigures:
    """Figures of each version among these dialogues, under this name; `sparse` versions are not matched with others."""
    sums = sums_by_version(dialogues, WORD_FIELDS[tokenizer])
    versions = list(Version.objects.filter(pk__in=sums))
    texts = {
        version.pk: encode(texts_of(dialogues, version, sums[version.pk]["n"], progress), tokenizer)
        for version in versions
    }
    return figures_of_versions(versions, sums, texts, name=name, tokenizer=tokenizer, sparse=sparse)


def shared(rows: DialogueQuerySet, sparse: Iterable[str] = ()) -> DialogueQuerySet:
    """Dialogues of the backgrounds (an original and what was written from it) that every version has.

    `sparse` versions are left out.
    """
    rows = rows.exclude(version__in=list(sparse))
    rewrites = rows.filter(origin__isnull=False).order_by()
    versions = rewrites.values("version").distinct().count()
    if not versions:
        return rows
    complete = (
        rewrites.values("origin").annotate(versions=Count("version", distinct=True)).filter(versions=versions)
    ).values("origin")
    return rows.filter(Q(pk__in=complete) | Q(origin__in=complete))


def has_uneven_backgrounds(corpus: Corpus, counted: Counted | None = None) -> bool:
    """Whether some version lacks backgrounds that another has, so that counting only shared ones makes a difference."""
    rows = (counted or Counted()).rows(corpus)
    return shared(rows).count() != rows.count()


def _by_symbol(found: Mapping[str, V]) -> dict[str, V]:
    return {version.symbol: found[version.pk] for version in Version.objects.filter(pk__in=found)}


def sums_by_version(dialogues: DialogueQuerySet, words: str) -> dict[str, dict[str, int]]:
    """By version slug: sums of the stored counts, and of their squares and products for the intervals."""
    return {row["version_id"]: row for row in sums_by(dialogues, words, "version_id")}


def sums_by(dialogues: DialogueQuerySet, words: str, *groups: str) -> list[dict[str, Any]]:
    """The same sums for every combination of the named fields, in one query."""
    products = {
        "words_squared": product(words, words),
        "messages_squared": product("message_count", "message_count"),
        "turns_squared": product("turn_count", "turn_count"),
        "words_messages": product(words, "message_count"),
        "messages_turns": product("message_count", "turn_count"),
    }
    rows: Iterable[Any] = (
        dialogues.order_by()
        .values(*groups)
        .annotate(
            n=Count("pk"),
            by_demo=Count("pk", filter=Q(is_demo=True)),
            words=Sum(words),
            messages=Sum("message_count"),
            turns=Sum("turn_count"),
            **{f"sum_{name}": Sum(name) for name in RUN_FIELDS},
            **products,
        )
    )
    return list(rows)


def product(first: str, second: str) -> Sum:
    """Σ first · second in 64 bits: the square of a long dialogue's words does not fit in 32."""
    return Sum(Cast(F(first), BigIntegerField()) * F(second), output_field=BigIntegerField())


def texts_of(dialogues: DialogueQuerySet, version: Version, total: int, progress: Progress) -> Iterator[list[str]]:
    rows = dialogues.of_version(version.pk).order_by("pk").values_list("messages", flat=True)
    for messages in progress(rows.iterator(chunk_size=ROWS_AT_ONCE), total, version.symbol):
        yield [text for _, text in messages]
