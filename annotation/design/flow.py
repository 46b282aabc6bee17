"""How raters and ratings passed through a study, from who joined to what counts.

One query for the raters, one for the ratings, one for what each item got. The methods text, the report's figure and its
table, and the checklists all read these numbers, so none of them can contradict another.
"""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from statistics import median
from typing import Any, NamedTuple

from django.db.models import Case, Count, Exists, OuterRef, Q, QuerySet, Value, When

from annotation.design.study_events import is_ever_blind, unblinded_by
from annotation.models import Item, Rating, Study


class End(StrEnum):
    """Where a rater's part in a study ended, or stands now. Whoever fits several is in the first that fits."""

    EXCLUDED = "excluded"
    # By failed attention checks.
    SCREENED_OUT = "screened out"
    FAILED_TRAINING = "failed training"
    WITHDREW = "withdrew"
    # There is nothing for them that they have not rated.
    FINISHED = "finished"
    UNFINISHED = "unfinished"


class Fate(StrEnum):
    """What became of a submitted rating. Whichever fits several is in the first that fits."""

    COUNTED = "counted"
    CORRECTED = "corrected"
    TAKEN_BACK = "taken back"
    EXCLUDED = "by excluded raters"
    SCREENED_OUT = "by screened-out raters"
    WITHDREW = "by raters who withdrew"
    # By the simulator in a study of people, or the other way round: the two are never mixed.
    OTHER_KIND = "of the other kind"
    # An item has k slots: another rater got the one of this rating.
    PLACE_LOST = "place lost"


class Raters(NamedTuple):
    """How many there are, and how many of them gave ratings that count."""

    number: int = 0
    counted: int = 0


@dataclass(frozen=True, slots=True)
class Flow:
    """`ends` has how many raters, `fates` how many submitted ratings of rated items, without hidden
    repeats; both leave nobody and nothing out.

    `excluded_after` counts the raters excluded after the study was unblinded, None where nobody has unblinded it or
    nobody was ever blind. `per_item` has for a number of counted ratings how many items have so many; `wanted` is the
    number that each is to get, None where everyone scores everything.
    """

    ends: Mapping[End, Raters]
    fates: Mapping[Fate, int]
    excluded_after: int | None
    per_item: Mapping[int, int]
    backgrounds: int
    wanted: int | None

    @property
    def joined(self) -> int:
        return sum(raters.number for raters in self.ends.values())

    @property
    def raters(self) -> int:
        """How many raters gave ratings that count."""
        return sum(raters.counted for raters in self.ends.values())

    @property
    def submitted(self) -> int:
        return sum(self.fates.values())

    @property
    def counted(self) -> int:
        return self.fates[Fate.COUNTED]

    @property
    def items(self) -> int:
        return sum(self.per_item.values())

    @property
    def rated_items(self) -> int:
        """The items with a rating that counts."""
        return self.items - self.per_item.get(0, 0)

    @property
    def least(self) -> int:
        return min(self.per_item, default=0)

    @property
    def most(self) -> int:
        return max(self.per_item, default=0)

    @property
    def median(self) -> float:
        """Of the items' numbers of counted ratings; 0 without items."""
        return median(Counter(self.per_item).elements()) if self.per_item else 0

    @property
    def complete(self) -> int:
        """How many items have the number that each is to get; 0 where everyone scores everything."""
        return 0 if self.wanted is None else sum(n for got, n in self.per_item.items() if got >= self.wanted)


def flow_of(study: Study) -> Flow:
    """As it is now; a draft has no items, and perhaps raters already."""
    items = study.items.filter(purpose=Item.Purpose.RATED).aggregate(
        all=Count("pk"), backgrounds=Count("background", distinct=True)
    )
    per_item = Counter(
        _counted(study).values_list("assignment__item").annotate(Count("pk")).values_list("pk__count", flat=True)
    )
    per_item[0] = items["all"] - per_item.total()
    ends, excluded_after = _ends(study)
    return Flow(
        ends=ends,
        fates=_fates(study),
        excluded_after=excluded_after,
        per_item={got: number for got, number in sorted(per_item.items()) if number},
        backgrounds=items["backgrounds"],
        wanted=study.raters_per_item,
    )


def _counted(study: Study) -> QuerySet[Rating]:
    """The ratings that the study's results rest on (`reports.scores.counted_ratings`, as one query)."""
    return Rating.objects.counted().for_study(study).filter(_same_kind(study, "assignment__membership__")).order_by()


def _same_kind(study: Study, to_member: str = "") -> Q:
    """The simulator's raters in a simulated study, people in any other."""
    simulated = Q(**{f"{to_member}rater__profile__is_simulated": True})
    return simulated if study.is_simulated else ~simulated


def _ends(study: Study) -> tuple[dict[End, Raters], int | None]:
    """How many raters ended where, and how many were excluded after the unblinding."""
    members = study.memberships.with_work().annotate(
        counts=Exists(_counted(study).filter(assignment__membership=OuterRef("pk")))
    )
    columns = ("excluded_at", "failed_training", "screened_out_at", "withdrawn_at", "has_rated", "has_work", "counts")
    rows = list(members.order_by().values_list(*columns, named=True))
    numbers: Counter[End] = Counter()
    counted: Counter[End] = Counter()
    for row in rows:
        end = _end(row)
        numbers[end] += 1
        counted[end] += row.counts
    unblinded = unblinded_by(study) if is_ever_blind(study) else None
    after = (
        None
        if unblinded is None
        else sum(row.excluded_at is not None and row.excluded_at >= unblinded.at for row in rows)
    )
    return {end: Raters(numbers[end], counted[end]) for end in End}, after


def _end(row: Any) -> End:
    holds = {
        End.EXCLUDED: row.excluded_at is not None,
        End.FAILED_TRAINING: row.failed_training,
        End.SCREENED_OUT: row.screened_out_at is not None,
        End.WITHDREW: row.withdrawn_at is not None,
        End.FINISHED: row.has_rated and not row.has_work,
    }
    return next((end for end, is_here in holds.items() if is_here), End.UNFINISHED)


def _fates(study: Study) -> dict[Fate, int]:
    to_member = "assignment__membership__"
    rules: dict[Fate, Q] = {
        Fate.COUNTED: Q(pk__in=_counted(study).values("pk")),
        Fate.CORRECTED: Q(is_current=False, superseded_by__isnull=False),
        Fate.TAKEN_BACK: Q(is_current=False),
        Fate.EXCLUDED: Q(**{f"{to_member}excluded_at__isnull": False}),
        Fate.SCREENED_OUT: Q(**{f"{to_member}screened_out_at__isnull": False})
        & Q(assignment__study__counts_screened_out=False),
        Fate.WITHDREW: Q(**{f"{to_member}withdrawn_at__isnull": False})
        & Q(assignment__study__withdrawal=Study.Withdrawal.REMOVE),
        Fate.OTHER_KIND: ~_same_kind(study, to_member),
    }
    fate = Case(
        *(When(rule, then=Value(name.value)) for name, rule in rules.items()), default=Value(Fate.PLACE_LOST.value)
    )
    rows = Rating.objects.for_study(study).filter(
        assignment__item__purpose=Item.Purpose.RATED, assignment__is_repeat=False
    )
    found = dict(rows.order_by().annotate(fate=fate).values_list("fate").annotate(Count("pk")))
    return {name: found.get(name.value, 0) for name in Fate}
