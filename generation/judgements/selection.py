"""Which dialogues a judge reads: all chosen versions of a background, sampled by seed, each with its theme."""

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import chain
from random import Random
from typing import NamedTuple

from dialogues.models import Corpus
from dialogues.sources import ANY, Sources
from generation.background import JudgedThemes, writing_runs
from generation.families import Member, Source, latest_whole, members


@dataclass(frozen=True, slots=True)
class Wanted:
    """`versions` by slug, of `sources`. `sample` None takes every background.

    `whole` takes only backgrounds that have all the versions, so that versions and writers are compared on the same.
    """

    corpus: Corpus
    versions: Sequence[str]
    sources: Sources = ANY
    sample: int | None = None
    seed: int = 0
    whole: bool = True


class Given(NamedTuple):
    """One dialogue for the judge, and the background it is shown (None: what came with the dialogue or its family)."""

    dialogue: int
    background: int | None


@dataclass(frozen=True, slots=True)
class Selection:
    """`incomplete` and `without_theme` count the backgrounds that were left out, `available` the others."""

    given: tuple[Given, ...]
    backgrounds: int
    available: int
    incomplete: int
    without_theme: int


@dataclass(slots=True)
class _Family:
    """A background: its originals by version, and what was written from it by writer, source and version."""

    originals: dict[str, Member] = field(default_factory=dict)
    written: dict[str, dict[Source, dict[str, Member]]] = field(
        default_factory=lambda: defaultdict(lambda: defaultdict(dict))
    )

    def add(self, row: Member) -> None:
        if row.is_original:
            self.originals[row.version] = row
        else:
            self.written[row.writer][row.source][row.version] = row

    def of(self, writer: str, versions: Collection[str]) -> dict[str, Member]:
        """A writer's dialogues: those of the latest run that wrote all of these versions, else the latest of each."""
        sources = self.written.get(writer, {})
        whole = latest_whole(sources, versions)
        if whole is not None:
            return {version: whole[version] for version in versions}
        latest = sorted((row for rows in sources.values() for row in rows.values()), key=lambda row: row.pk)
        return {row.version: row for row in latest if row.version in versions}


def select(wanted: Wanted) -> Selection:
    """The dialogues for a judge, by background."""
    families = _families(wanted)
    by_writer, originals = _versions_by_writer(families.values()), _original_versions(families.values())
    chosen: dict[int, list[Member]] = {}
    incomplete = 0
    for original, family in sorted(families.items()):
        rows, whole = _chosen(family, by_writer, originals)
        if rows and (whole or not wanted.whole):
            chosen[original] = rows
        else:
            incomplete += 1
    themes = JudgedThemes.of(wanted.corpus, writing_runs(chain.from_iterable(chosen.values())))
    themed = {original: rows for original, rows in chosen.items() if themes.has(original)}
    keys = sorted(themed)
    if wanted.sample is not None and wanted.sample < len(keys):
        keys = sorted(Random(wanted.seed).sample(keys, wanted.sample))  # noqa: S311 - a sample that anyone can repeat
    given = tuple(Given(row.pk, background) for key in keys for row, background in themes.shown(themed[key]))
    return Selection(given, len(keys), len(themed), incomplete, len(chosen) - len(themed))


def _families(wanted: Wanted) -> Mapping[int, _Family]:
    rows = wanted.sources.narrow(wanted.corpus.dialogues.filter(version__in=wanted.versions))
    found: dict[int, _Family] = defaultdict(_Family)
    for row in members(rows):
        found[row.original].add(row)
    return found


def _versions_by_writer(families: Iterable[_Family]) -> Mapping[str, set[str]]:
    """The versions that each writer wrote anywhere; one that a writer never wrote makes no background incomplete."""
    found: dict[str, set[str]] = defaultdict(set)
    for family in families:
        for writer, sources in family.written.items():
            found[writer].update(*sources.values())
    return found


def _original_versions(families: Iterable[_Family]) -> set[str]:
    return {version for family in families for version in family.originals}


def _chosen(family: _Family, by_writer: Mapping[str, set[str]], originals: set[str]) -> tuple[list[Member], bool]:
    """The family's dialogues, originals first, and whether they are complete."""
    rows = list(family.originals.values())
    whole = bool(rows) or not originals
    for writer, versions in sorted(by_writer.items()):
        written = family.of(writer, versions)
        whole = whole and len(written) == len(versions)
        rows += sorted(written.values())
    return rows, whole
