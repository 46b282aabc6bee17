"""Select what a study is about: backgrounds with all their versions, or to chat about; sampled by seed."""

import random
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

from django.db.models import Q

from annotation.chats.plan import ChatPlan
from annotation.models import Item, Study
from generation.families import Member, Source, latest_whole, members


@dataclass(frozen=True, slots=True)
class Choice:
    """One background: the primary key of each version's dialogue, and of the dialogue whose theme is shown.

    In a study of chats the background itself stands for what nobody has said yet.
    """

    background: int
    dialogues: Mapping[str, int]
    donor: int
    # Whether some version was written more than once, so that one had to be chosen.
    had_several: bool


@dataclass(frozen=True, slots=True)
class Unit:
    """What becomes one item: the primary key of a dialogue, or of two side by side."""

    choice: Choice
    dialogue: int
    other: int | None = None
    # Of the dialogue; "" for a pair.
    version: str = ""


@dataclass(frozen=True, slots=True)
class Selection:
    choices: tuple[Choice, ...]
    complete: int
    incomplete: int
    # Complete backgrounds used for training, gold and attention items: nobody rates what they trained on.
    set_aside: int = 0
    # The versions to compare; None if every dialogue is an item.
    pairs: tuple[tuple[str, str], ...] | None = None
    # In a study of chats, what the chat that only tries the page is about.
    practice: Choice | None = None

    @property
    def several(self) -> int:
        return sum(choice.had_several for choice in self.choices)

    @property
    def per_background(self) -> int:
        """How many items each background gives."""
        return sum(1 for _ in self._of(self.choices[0])) if self.choices else 0

    @property
    def items(self) -> int:
        return len(self.choices) * self.per_background

    def only(self, choices: Sequence[Choice]) -> "Selection":
        """The selection limited to these backgrounds."""
        return replace(self, choices=tuple(choices))

    def units(self) -> Iterator[Unit]:
        """What becomes an item, background by background."""
        for choice in self.choices:
            yield from self._of(choice)

    def unit(self, number: int) -> Unit:
        """Number `number` of `units`, from 0."""
        choice = self.choices[number // self.per_background]
        return list(self._of(choice))[number % self.per_background]

    def _of(self, choice: Choice) -> Iterator[Unit]:
        if self.pairs is None:
            yield from (Unit(choice, pk, version=version) for version, pk in choice.dialogues.items())
        else:
            for one, other in self.pairs:
                yield Unit(choice, choice.dialogues[one], choice.dialogues[other])

    def counts(self) -> dict[str, int]:
        """The counts that launch stores with the study."""
        return {
            "backgrounds": len(self.choices),
            "items": self.items,
            "complete": self.complete,
            "incomplete": self.incomplete,
            "several": self.several,
            "set_aside": self.set_aside,
        }


@dataclass(slots=True)
class _Found:
    """A background's dialogues by source and version; later ones replace earlier ones."""

    sources: dict[Source, dict[str, int]] = field(default_factory=lambda: defaultdict(dict))
    latest: dict[str, int] = field(default_factory=dict)
    several: set[str] = field(default_factory=set)
    donor: int = 0

    def add(self, row: Member) -> None:
        if row.version in self.latest:
            self.several.add(row.version)
        self.sources[row.source][row.version] = self.latest[row.version] = row.pk


def select(study: Study, versions: Sequence[str] | None = None) -> Selection:
    """The study's sample, by seed, of the backgrounds that have every version, or that can be chatted about."""
    found = complete(study, versions)
    if study.has_chats:
        return _with_practice(study, found)
    aside = set(study.items.exclude(purpose=Item.Purpose.RATED).values_list("background_id", flat=True))
    chosen = _sample(list(found.choices), aside, study.background_count or found.complete, study.seed)
    set_aside = sum(choice.background in aside for choice in found.choices)
    return replace(found, choices=tuple(chosen), set_aside=set_aside)


def complete(study: Study, versions: Sequence[str] | None = None) -> Selection:
    """All backgrounds that have every version of the study.

    If a version was written several times, a writer who wrote all the generated versions in one run is preferred: the
    latest such run, and its first such writer. Otherwise the latest of each version is taken. `versions` replace the
    study's own, to look at a choice before it is saved. A study of chats needs nothing written: every original with a
    theme or characters is complete.
    """
    if study.has_chats:
        return _to_chat_about(study, versions)
    versions = list(study.versions.values_list("pk", flat=True)) if versions is None else list(versions)
    found = _find(study, set(versions))
    choices = tuple(
        _choose(background, rows, versions) for background, rows in sorted(found.items()) if _has_all(rows, versions)
    )
    return Selection(
        choices,
        complete=len(choices),
        incomplete=len(found) - len(choices),
        pairs=tuple((one, other) for one, other in study.pairs) if study.compares else None,
    )


def _sample(complete: list[Choice], aside: set[int], wanted: int, seed: int) -> list[Choice]:
    """`wanted` backgrounds by seed, without those set aside; setting aside one that was not drawn changes nothing."""
    rng = random.Random(seed)  # noqa: S311 - a sample that anyone can repeat
    drawn = complete if wanted >= len(complete) else rng.sample(complete, wanted)
    kept = [choice for choice in drawn if choice.background not in aside]
    known = {choice.background for choice in drawn} | aside
    spare = [choice for choice in complete if choice.background not in known]
    return kept + rng.sample(spare, min(len(spare), wanted - len(kept)))


def _find(study: Study, versions: set[str]) -> dict[int, _Found]:
    rows = study.wanted_sources.narrow(study.corpus.dialogues.all())
    found: dict[int, _Found] = defaultdict(_Found)
    for row in members(rows):
        background = found[row.original]
        if not row.is_original:
            background.donor = row.pk
        if row.version in versions:
            background.add(row)
    return found


def _has_all(rows: _Found, versions: Iterable[str]) -> bool:
    return all(version in rows.latest for version in versions)


def _choose(background: int, rows: _Found, versions: list[str]) -> Choice:
    written = [version for version in versions if rows.latest[version] != background]
    source = latest_whole(rows.sources, written) or rows.latest
    dialogues = {version: source[version] if version in written else background for version in versions}
    donor = dialogues[written[-1]] if written else rows.donor
    return Choice(background, dialogues, donor, bool(rows.several))


def _to_chat_about(study: Study, versions: Sequence[str] | None) -> Selection:
    """Every original with a theme or characters, its own or its family's, for each of the systems."""
    if versions is None:
        versions = list(study.systems.values_list("version", flat=True))
    told = _told(study)
    originals = study.corpus.dialogues.originals().filter(chat=None).order_by("pk").values_list("pk", flat=True)
    keys = list(originals)
    choices = tuple(Choice(pk, dict.fromkeys(versions, pk), told[pk], False) for pk in keys if pk in told)
    return Selection(choices, complete=len(choices), incomplete=len(keys) - len(choices))


def _told(study: Study) -> dict[int, int]:
    """For each original the newest dialogue of its family with a theme, else with characters."""
    has_traits = ~Q(traits_1=[]) | ~Q(traits_2=[])
    rows = study.corpus.dialogues.filter(chat=None).order_by("pk")
    found: dict[int, int] = {}
    for fitting in (rows.filter(has_traits), rows.exclude(theme="")):
        found |= {origin or pk: pk for pk, origin in fitting.values_list("pk", "origin_id").iterator()}
    return found


def _with_practice(study: Study, found: Selection) -> Selection:
    """The sample; what is practised on is not rated where the corpus has more than the sample."""
    chosen = _sample(list(found.choices), set(), study.background_count or found.complete, study.seed)
    sample = replace(found, choices=tuple(chosen))
    if not chosen or not ChatPlan.of(study.chat_plan).practice:
        return sample
    known = {choice.background for choice in chosen}
    spare = [choice for choice in found.choices if choice.background not in known]
    rng = random.Random(f"{study.seed}/practice")  # noqa: S311 - a choice that anyone can repeat
    return replace(sample, practice=rng.choice(spare or chosen), set_aside=1 if spare else 0)
