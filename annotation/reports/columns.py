"""A study's items and scores as NumPy columns, which every figure of its report is computed from. Pure."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple, Self

import numpy as np

from annotation.reports.bootstrap import Floats, Ints
from dialogues.statistics.measuring import Named

Chosen = np.ndarray[tuple[int], np.dtype[np.bool_]]


@dataclass(frozen=True, slots=True)
class VersionItems:
    """One version in a study: its number of items, and the models that wrote them (none for the corpus's own texts)."""

    slug: str
    symbol: str
    hue: str
    items: int
    writers: tuple[str, ...]
    is_demo: bool


@dataclass(frozen=True, slots=True)
class StudyItems:
    """(items,) numbers of each item's `background` and `version`; `counts` (items, COUNT_FIELDS) of its dialogue.

    `has_text` (items,) is false where a file of ratings had no text, so that the counts are those of a placeholder. In
    a study of chats the counts are sums over the item's chats with scores that count; without one it has no text.
    """

    pks: Ints
    background: Ints
    version: Ints
    counts: Ints
    has_text: Chosen
    versions: tuple[VersionItems, ...]

    @property
    def backgrounds(self) -> int:
        return int(self.background.max()) + 1 if len(self.background) else 0


@dataclass(frozen=True, slots=True)
class StudyScores:
    """One entry per score: the numbers of its item, rater and metric, and its value.

    `set_aside` counts ratings by simulated raters in a study of people, or by people in a simulated one, which are
    never mixed. `screened_out` counts raters who failed the attention checks, whether their scores are included or not.
    """

    item: Ints
    rater: Ints
    metric: Ints
    value: Floats
    raters: tuple[str, ...]
    set_aside: int
    screened_out: int

    def only(self, chosen: Chosen) -> Self:
        """The same with the chosen scores alone."""
        item, rater, metric = self.item[chosen], self.rater[chosen], self.metric[chosen]
        return replace(self, item=item, rater=rater, metric=metric, value=self.value[chosen])

    def where(self, chosen: Chosen) -> Floats:
        """The chosen scores as (raters, items), NaN for a gap; without raters and items that have none of them."""
        raters, row = np.unique(self.rater[chosen], return_inverse=True)
        items, column = np.unique(self.item[chosen], return_inverse=True)
        table = np.full((len(raters), len(items)), np.nan)
        table[row, column] = self.value[chosen]
        return table


class Submissions(NamedTuple):
    """One entry a counted rating, in the order of submission: the numbers of its item and rater, and the seconds from
    opening to submitting it, NaN if unknown."""

    item: Ints
    rater: Ints
    seconds: Floats


def version_items(versions: Iterable[Named], items: Sequence[tuple[str, str, bool]]) -> tuple[VersionItems, ...]:
    """What is known of each version, from every item's (slug, writer, whether the demo wrote it)."""
    slugs, written = [slug for slug, *_ in items], set(items)
    return tuple(
        VersionItems(
            slug=version.slug,
            symbol=version.symbol,
            hue=version.hue,
            items=slugs.count(version.slug),
            writers=tuple(sorted(name for slug, name, _ in written if slug == version.slug and name)),
            is_demo=any(made for slug, _, made in written if slug == version.slug),
        )
        for version in versions
    )
