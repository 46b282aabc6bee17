"""Choose dialogues of a corpus by writer, and by whatever else tells generated dialogues apart.

This module knows only the writer. Apps above that know more (the run, its examples, its prompt) add facets to `FACETS`
when they are ready. Every page, command, address and document that chooses dialogues then has them, each repeatable:
`?run=12&writer=gpt-4o`.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Self

from django.db.models import Count, F, Q, Window
from django.db.models.expressions import OrderBy
from django.db.models.functions import RowNumber

from core.numbers import storable, whole_number
from dialogues.coverage import usual_writers
from dialogues.models import AUTHOR, HAND, Corpus, Dialogue, DialogueQuerySet

Key = int | str


@dataclass(frozen=True, slots=True)
class Facet:
    """One property that tells dialogues apart.

    `name` is used in addresses and documents, `label` on pages. `wrote` gives the condition that one of these keys
    wrote a dialogue; `choices` gives the keys that a corpus has, each with its label.
    """

    name: str
    label: str
    wrote: Callable[[tuple[Key, ...]], Q]
    choices: Callable[[Corpus], list[tuple[Key, str]]]
    is_number: bool = True

    def key(self, given: Any) -> Key | None:
        """The given value as a key, or None if it cannot be one."""
        return whole_number(given) if self.is_number else storable(str(given)) or None


class UnknownSourceError(ValueError):
    """A key that the corpus does not have; the text lists those it has."""

    def __init__(self, facet: Facet, key: Any, known: list[tuple[Key, str]]) -> None:
        there = ", ".join(label for _, label in known[:10]) or "none"
        super().__init__(f"The corpus has no {facet.label.lower()} {key!r}. Available: {there}.")
        self.facet = facet.name


def _written_by(names: tuple[Key, ...]) -> Q:
    by_hand = Q(version=HAND)
    return (by_hand & Q(parent__written_by__in=names)) | (~by_hand & Q(written_by__in=names))


def writers(corpus: Corpus) -> list[str]:
    """Who wrote the generated dialogues of a corpus, by name."""
    rows = corpus.dialogues.filter(origin__isnull=False).annotate(author=AUTHOR).exclude(author="")
    return list(rows.order_by("author").values_list("author", flat=True).distinct())


WRITER = Facet(
    "writer", "Writer", _written_by, lambda corpus: [(name, name) for name in writers(corpus)], is_number=False
)
FACETS: dict[str, Facet] = {WRITER.name: WRITER}
# Which of several dialogues of one version and background to take. Apps above put their own criteria first.
LATEST_FIRST: list[OrderBy] = [F("pk").desc()]


@dataclass(frozen=True, slots=True)
class Sources:
    """The chosen keys, by facet; a facet without a chosen key takes all.

    Originals belong to every choice.
    """

    chosen: tuple[tuple[str, tuple[Key, ...]], ...] = ()

    @classmethod
    def of(cls, given: Mapping[str, Iterable[Any]]) -> Self:
        """From values by facet name; unknown facets and invalid keys are ignored."""
        found = []
        for name, facet in FACETS.items():
            keys = [key for value in given.get(name, ()) if (key := facet.key(value)) is not None]
            if keys:
                found.append((name, tuple(dict.fromkeys(keys))))
        return cls(tuple(found))

    def __bool__(self) -> bool:
        return bool(self.chosen)

    def __iter__(self) -> Iterator[tuple[str, Key]]:
        """(name, key) pairs, as in an address."""
        return ((name, key) for name, keys in self.chosen for key in keys)

    def as_json(self) -> dict[str, list[Key]]:
        return {name: list(keys) for name, keys in self.chosen}

    def narrow(self, rows: DialogueQuerySet) -> DialogueQuerySet:
        """The originals among these dialogues, and those that match the choice."""
        for name, keys in self.chosen:
            rows = rows.filter(Q(origin__isnull=True) | FACETS[name].wrote(keys))
        return rows

    def with_usual_writers(self, corpus: Corpus) -> "Sources":
        """The same, limited to writers who cover many backgrounds if no writer is chosen and some cover few."""
        if WRITER.name in dict(self.chosen):
            return self
        return Sources.of({**self.as_json(), WRITER.name: usual_writers(self.narrow(corpus.dialogues.all()))})

    def check(self, corpus: Corpus) -> Self:
        """Itself; raises UnknownSourceError for a key that the corpus does not have."""
        for name, keys in self.chosen:
            known = FACETS[name].choices(corpus)
            for key in keys:
                if key not in dict(known):
                    raise UnknownSourceError(FACETS[name], key, known)
        return self

    def words(self, corpus: Corpus) -> str:
        """What was chosen, for people: "run Second (no. 12); writer gpt-4o"."""
        parts = []
        for name, keys in self.chosen:
            known = dict(FACETS[name].choices(corpus))
            parts.append(f"{FACETS[name].label.lower()} {' or '.join(known.get(key, str(key)) for key in keys)}")
        return "; ".join(parts)


ANY = Sources()


def once_each(rows: DialogueQuerySet) -> DialogueQuerySet:
    """One dialogue for each version and background, the first by `LATEST_FIRST`; all originals are kept."""
    window = Window(RowNumber(), partition_by=["origin", "version"], order_by=LATEST_FIRST)
    written = Dialogue.objects.filter(pk__in=rows.order_by().values("pk"), origin__isnull=False)
    further = written.annotate(place=window).filter(place__gt=1).order_by().values("pk")
    return rows.exclude(pk__in=further)


def written_again(rows: DialogueQuerySet) -> dict[str, int]:
    """For each version, how many backgrounds have more than one dialogue of it."""
    groups = rows.filter(origin__isnull=False).order_by().values("origin", "version_id").annotate(n=Count("pk"))
    found: dict[str, int] = {}
    for version in groups.filter(n__gt=1).values_list("version_id", flat=True):
        found[version] = found.get(version, 0) + 1
    return found
