"""How many backgrounds each version covers. A version written for a few must not limit what all are compared on."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import TypeVar

from django.db.models import Count
from django.db.models.functions import Coalesce

from core.numbers import count_in_words
from dialogues.models import AUTHOR, DialogueQuerySet, Version

K = TypeVar("K")
BACKGROUND = Coalesce("origin", "pk")


@dataclass(frozen=True, slots=True)
class Coverage:
    """`versions`: by slug, how many of the `backgrounds` have it. `sparse`: those that cover few (see `few`)."""

    backgrounds: int
    versions: Mapping[str, int]
    sparse: frozenset[str]

    def says(self, slug: str) -> str:
        """As in "1 of 200 backgrounds"."""
        return covers(self.versions.get(slug, 0), self.backgrounds)

    def usual(self) -> list[str]:
        """The versions that are compared unless a person chooses others."""
        return [slug for slug in self.versions if slug not in self.sparse]

    def label(self, version: Version) -> str:
        """A version's label in a form, with its coverage if it is sparse."""
        cost = ": no more than these can be compared" if version.pk in self.sparse else ""
        return f"{version.symbol} – {version.name}: {self.says(version.pk)}{cost}"


def coverage_of(rows: DialogueQuerySet) -> Coverage:
    """Two queries; versions in their usual order."""
    counted = rows.order_by("version__position", "version").values("version_id", "version__position")
    counts = counted.annotate(n=Count(BACKGROUND, distinct=True), from_origins=Count("origin"))
    found = [(row["version_id"], row["n"], row["from_origins"]) for row in counts]
    total = rows.order_by().aggregate(n=Count(BACKGROUND, distinct=True))["n"]
    sparse = few({slug: n for slug, n, rewrites in found if rewrites})
    return Coverage(total, {slug: n for slug, n, _ in found}, sparse)


def usual_writers(rows: DialogueQuerySet) -> list[str]:
    """Writers who cover many backgrounds; empty if all of them do."""
    written = rows.filter(origin__isnull=False).annotate(author=AUTHOR).order_by()
    counts = dict(written.values_list("author").annotate(n=Count("origin", distinct=True)))
    usual = counts.keys() - few(counts)
    # A writer without a name cannot be chosen.
    return [] if len(usual) == len(counts) or not all(usual) else sorted(usual)


def few(counts: Mapping[K, int]) -> frozenset[K]:
    """Those that cover less than half of what the widest covers: comparing with them would leave most of it out."""
    widest = max(counts.values(), default=0)
    return frozenset(name for name, count in counts.items() if 2 * count < widest)


def covers(count: int, backgrounds: int) -> str:
    return f"{count:,} of {count_in_words(backgrounds, 'background')}"


def left_out(rows: DialogueQuerySet, chosen: Iterable[str]) -> list[str]:
    """In words, the sparse versions that are not among the chosen: "By hand: 1 of 200 backgrounds"."""
    coverage = coverage_of(rows)
    versions = Version.objects.filter(pk__in=coverage.sparse - set(chosen))
    return [f"{version.symbol}: {coverage.says(version.pk)}" for version in versions]
