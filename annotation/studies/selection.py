"""Which dialogues a study takes: all versions of a background together, sampled by seed."""

import random
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace

from django.db.models import Q

from annotation.models import Study
from dialogues.models import AUTHOR, Dialogue

# (run, which of its writers); what no run wrote came with a file.
Source = tuple[int, int]
NO_RUN: Source = (0, 0)


@dataclass(frozen=True, slots=True)
class Choice:
    """One background: the dialogue of each version by its primary key, and the one whose theme it shares."""

    background: int
    dialogues: Mapping[str, int]
    donor: int
    # Some version had been written more than once, so one was chosen.
    had_several: bool


@dataclass(frozen=True, slots=True)
class Selection:
    choices: tuple[Choice, ...]
    complete: int
    incomplete: int

    @property
    def several(self) -> int:
        return sum(choice.had_several for choice in self.choices)

    @property
    def items(self) -> int:
        return sum(len(choice.dialogues) for choice in self.choices)

    def counts(self) -> dict[str, int]:
        """What is stored with the study at launch."""
        return {
            "backgrounds": len(self.choices),
            "items": self.items,
            "complete": self.complete,
            "incomplete": self.incomplete,
            "several": self.several,
        }


@dataclass(slots=True)
class _Found:
    """What a background has: by version and source, the primary keys, oldest first."""

    sources: dict[Source, dict[str, int]] = field(default_factory=lambda: defaultdict(dict))
    latest: dict[str, int] = field(default_factory=dict)
    several: set[str] = field(default_factory=set)
    donor: int = 0

    def add(self, pk: int, version: str, source: Source) -> None:
        if version in self.latest:
            self.several.add(version)
        self.sources[source][version] = pk
        self.latest[version] = pk


def select(study: Study) -> Selection:
    """Backgrounds that have every version of the study, and the seeded sample of them that it asks for."""
    found = complete(study)
    wanted = study.background_count or found.complete
    if wanted >= found.complete:
        return found
    rng = random.Random(study.seed)  # noqa: S311 - a sample that anyone can repeat
    return replace(found, choices=tuple(rng.sample(found.choices, wanted)))


def complete(study: Study) -> Selection:
    """All backgrounds that have every version of the study.

    Where a version was written several times, one writer of one run that wrote all the generated versions is
    preferred, the latest run first and its first writer; without one, the latest of each version is taken.
    """
    versions = list(study.versions.values_list("pk", flat=True))
    found = _find(study, set(versions))
    choices = tuple(
        _choose(background, rows, versions) for background, rows in sorted(found.items()) if _has_all(rows, versions)
    )
    return Selection(choices, complete=len(choices), incomplete=len(found) - len(choices))


def background_of(original: Dialogue, donor: Dialogue) -> tuple[str, list[str], list[str]]:
    """Theme and traits shown with every version: the theme that was written for it, the characters that came with it.

    Each falls back on the other dialogue where the first has none.
    """
    return (
        donor.theme or original.theme,
        original.traits_1 or donor.traits_1,
        original.traits_2 or donor.traits_2,
    )


def writers(corpus_pk: int) -> list[str]:
    """Who wrote the generated dialogues of a corpus."""
    rows = Dialogue.objects.filter(corpus=corpus_pk).annotate(author=AUTHOR).exclude(author="").order_by("author")
    return list(rows.values_list("author", flat=True).distinct())


def _find(study: Study, versions: set[str]) -> dict[int, _Found]:
    rows = Dialogue.objects.filter(corpus=study.corpus_id).annotate(author=AUTHOR)
    if study.writer:
        rows = rows.filter(Q(origin__isnull=True) | Q(author=study.writer))
    found: dict[int, _Found] = defaultdict(_Found)
    # A punctuation split or a rewrite by hand belongs to the run of the dialogue it was made from.
    by = [f"{of}output__call__{name}" for of in ("", "parent__") for name in ("run_id", "run_stage__branch")]
    fields = rows.order_by("pk").values_list("pk", "origin_id", "version_id", *by)
    for pk, origin, version, run, branch, parents_run, parents_branch in fields.iterator():
        background = found[origin or pk]
        if origin:
            background.donor = pk
        if version in versions:
            source = (run, branch) if run else (parents_run, parents_branch) if parents_run else NO_RUN
            background.add(pk, version, source)
    return found


def _has_all(rows: _Found, versions: Iterable[str]) -> bool:
    return all(version in rows.latest for version in versions)


def _choose(background: int, rows: _Found, versions: list[str]) -> Choice:
    written = [version for version in versions if rows.latest[version] != background]
    latest_first = sorted(rows.sources, key=lambda source: (-source[0], source[1]))
    whole = [source for source in latest_first if written and all(v in rows.sources[source] for v in written)]
    source = rows.sources[whole[0]] if whole else rows.latest
    dialogues = {version: source[version] if version in written else background for version in versions}
    donor = dialogues[written[-1]] if written else rows.donor
    return Choice(background, dialogues, donor, bool(rows.several))
