"""Which dialogues a judge reads: all chosen versions of a background together, sampled by seed, each on its theme."""

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from random import Random
from typing import NamedTuple

from dialogues.models import AUTHOR, Corpus, Dialogue
from dialogues.sources import ANY, Sources
from generation.models import Background, RunDialogue
from generation.written import BRANCH, RUN

# (run, which of its writers); what no run wrote came with a file.
Source = tuple[int, int]
NO_RUN: Source = (0, 0)


@dataclass(frozen=True, slots=True)
class Wanted:
    """`versions` by slug, of `sources`. `sample` None takes every background.

    `whole` takes only backgrounds that have everything asked for, so that versions and writers compare like with like.
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
    """`incomplete` and `without_theme` count backgrounds that were left out, `available` those that were not."""

    given: tuple[Given, ...]
    backgrounds: int
    available: int
    incomplete: int
    without_theme: int


class _Row(NamedTuple):
    pk: int
    original: int
    version: str
    writer: str
    source: Source
    is_original: bool


@dataclass(slots=True)
class _Family:
    """What a background has: its originals by version, and by writer and source what was written from it."""

    originals: dict[str, _Row] = field(default_factory=dict)
    written: dict[str, dict[Source, dict[str, _Row]]] = field(
        default_factory=lambda: defaultdict(lambda: defaultdict(dict))
    )

    def add(self, row: _Row) -> None:
        if row.is_original:
            self.originals[row.version] = row
        else:
            self.written[row.writer][row.source][row.version] = row

    def of(self, writer: str, versions: Collection[str]) -> dict[str, _Row]:
        """A writer's dialogues: those of the latest run that wrote all of these versions, else the latest of each.

        Where two endpoints of one run answer under the same name, the first of them is the writer.
        """
        sources = self.written.get(writer, {})
        whole = [source for source, rows in sources.items() if set(versions) <= set(rows)]
        if whole:
            chosen = sources[min(whole, key=lambda source: (-source[0], source[1]))]
            return {version: chosen[version] for version in versions}
        latest = sorted((row for rows in sources.values() for row in rows.values()), key=lambda row: row.pk)
        return {row.version: row for row in latest if row.version in versions}


def select(wanted: Wanted) -> Selection:
    """The dialogues for a judge, by background."""
    families = _families(wanted)
    by_writer, originals = _versions_by_writer(families.values()), _original_versions(families.values())
    chosen: dict[int, list[_Row]] = {}
    incomplete = 0
    for original, family in sorted(families.items()):
        rows, whole = _chosen(family, by_writer, originals)
        if rows and (whole or not wanted.whole):
            chosen[original] = rows
        else:
            incomplete += 1
    themes = _Themes.of(wanted.corpus, _runs(chosen))
    themed = {original: rows for original, rows in chosen.items() if themes.has(original)}
    keys = sorted(themed)
    if wanted.sample is not None and wanted.sample < len(keys):
        keys = sorted(Random(wanted.seed).sample(keys, wanted.sample))  # noqa: S311 - a sample that anyone can repeat
    given = tuple(Given(row.pk, background) for key in keys for row, background in themes.shown(themed[key]))
    return Selection(given, len(keys), len(themed), incomplete, len(chosen) - len(themed))


def _families(wanted: Wanted) -> Mapping[int, _Family]:
    rows = wanted.sources.narrow(wanted.corpus.dialogues.filter(version__in=wanted.versions))
    found: dict[int, _Family] = defaultdict(_Family)
    fields = rows.annotate(author=AUTHOR, by_run=RUN, by_branch=BRANCH).order_by("pk")
    names = ("pk", "origin_id", "version_id", "author", "by_run", "by_branch")
    for pk, origin, version, writer, run, branch in fields.values_list(*names).iterator():
        source = (run, branch) if run else NO_RUN
        found[origin or pk].add(_Row(pk, origin or pk, version, writer, source, origin is None))
    return found


def _versions_by_writer(families: Iterable[_Family]) -> Mapping[str, set[str]]:
    """What each writer has written at all: a version that a writer never wrote is a gap, not a lack."""
    found: dict[str, set[str]] = defaultdict(set)
    for family in families:
        for writer, sources in family.written.items():
            found[writer].update(*sources.values())
    return found


def _original_versions(families: Iterable[_Family]) -> set[str]:
    return {version for family in families for version in family.originals}


def _chosen(family: _Family, by_writer: Mapping[str, set[str]], originals: set[str]) -> tuple[list[_Row], bool]:
    """The family's dialogues, originals first, and whether none is lacking."""
    rows = list(family.originals.values())
    whole = bool(rows) or not originals
    for writer, versions in sorted(by_writer.items()):
        written = family.of(writer, versions)
        whole = whole and len(written) == len(versions)
        rows += sorted(written.values())
    return rows, whole


def _runs(chosen: Mapping[int, list[_Row]]) -> set[int]:
    return {row.source[0] for rows in chosen.values() for row in rows if row.source != NO_RUN}


@dataclass(frozen=True, slots=True)
class _Themes:
    """The themes of a corpus: those that runs made, and those that dialogues hold themselves."""

    by_run: Mapping[tuple[int, int], int]  # (run, original): background
    latest: Mapping[int, int]  # original: background
    own: Collection[int]  # dialogues
    families: Collection[int]  # originals

    @classmethod
    def of(cls, corpus: Corpus, runs: Collection[int]) -> "_Themes":
        used = RunDialogue.objects.filter(run__in=runs, background__isnull=False)
        by_run = {(run, original): pk for run, original, pk in used.values_list("run", "dialogue", "background")}
        latest = {}
        made = Background.objects.filter(dialogue__corpus=corpus).order_by("pk")
        for run, original, pk in made.values_list("run", "dialogue", "pk").iterator():
            by_run[run, original] = latest[original] = pk
        own = Dialogue.objects.filter(corpus=corpus).exclude(theme="").values_list("pk", "origin_id")
        texts = {pk: origin or pk for pk, origin in own.iterator()}
        return cls(by_run, latest, texts.keys(), set(texts.values()))

    def has(self, original: int) -> bool:
        return original in self.families or original in self.latest

    def shown(self, rows: Sequence[_Row]) -> list[tuple[_Row, int | None]]:
        """For each dialogue of a family the background it was written on.

        What was not written on one is shown that of the last dialogue that was; where there is none, the theme that
        the family brought along (None), else the latest that a run made.
        """
        written_on = [self.by_run.get((row.source[0], row.original)) for row in rows]
        original = rows[0].original
        donor = next(filter(None, reversed(written_on)), None)
        other = donor if donor or original in self.families else self.latest.get(original)
        return [
            (row, background or (None if row.pk in self.own and not row.is_original else other))
            for row, background in zip(rows, written_on, strict=True)
        ]
