"""Store imported scores: assignments that are done, their ratings, and the scores, a few thousand at a time."""

from collections.abc import Iterator, Sequence

import numpy as np

from annotation.imported.gathering import Gathered
from annotation.models import Assignment, Rating, Score, Study
from core.database import bulk

# How many scores are made into rows at once.
SCORES_AT_ONCE = 5000


def store_scores(
    study: Study,
    found: Gathered,
    items: Sequence[int],
    members: Sequence[int],
    metrics: Sequence[str],
    conditions: Sequence[int],
) -> None:
    """`found` is sorted by item; `items` and `members` are primary keys by its numbers. Use it inside a transaction."""
    pairs = np.stack((found.item, found.rater), axis=1)
    for start, end in _whole_items(found):
        chosen = np.unique(pairs[start:end], axis=0).tolist()
        ratings = _ratings(study, found, chosen, items, members, conditions)
        bulk.insert(
            [
                Score(
                    rating_id=ratings[item, rater],
                    metric=metrics[metric],
                    value=value,
                    scale_low=found.low[metric],
                    scale_high=found.high[metric],
                    comment=found.notes.get(place, ""),
                )
                for place, (item, rater, metric, value) in enumerate(_rows(found, start, end), start)
            ]
        )


def _whole_items(found: Gathered) -> Iterator[tuple[int, int]]:
    """(start, end) of stretches of about `SCORES_AT_ONCE` scores; no item stands in two."""
    starts = np.flatnonzero(np.diff(found.item, prepend=-1))
    wanted = np.arange(0, len(found.item), SCORES_AT_ONCE)
    cuts = np.unique(starts[np.searchsorted(starts, wanted, side="right") - 1])
    ends = [*cuts[1:].tolist(), len(found.item)]
    yield from zip(cuts.tolist(), ends, strict=True)


def _rows(found: Gathered, start: int, end: int) -> Iterator[tuple[int, int, int, int]]:
    columns = (found.item, found.rater, found.metric, found.value)
    yield from zip(*(column[start:end].tolist() for column in columns), strict=True)


def _ratings(
    study: Study,
    found: Gathered,
    pairs: Sequence[Sequence[int]],
    items: Sequence[int],
    members: Sequence[int],
    conditions: Sequence[int],
) -> dict[tuple[int, int], int]:
    """The primary key of the rating of each (item, rater), which are stored now."""
    bulk.insert(
        [
            Assignment(
                study=study,
                item_id=items[item],
                membership_id=members[rater],
                state=Assignment.State.SUBMITTED,
                condition=conditions[item],
                position=item,
            )
            for item, rater in pairs
        ]
    )
    ends = items[pairs[0][0]], items[pairs[-1][0]]
    given = Assignment.objects.filter(study=study, item__gte=min(ends), item__lte=max(ends))
    numbers = {(item, member): pk for pk, item, member in given.values_list("pk", "item_id", "membership_id")}
    bulk.insert(
        [
            Rating(
                assignment_id=numbers[items[item], members[rater]],
                comment=found.comments.get((item, rater), ""),
                seconds=found.seconds.get((item, rater)),
            )
            for item, rater in pairs
        ]
    )
    rows = Rating.objects.for_study(study).filter(assignment__item__gte=min(ends), assignment__item__lte=max(ends))
    stored = dict(rows.values_list("assignment_id", "pk"))
    return {(item, rater): stored[numbers[items[item], members[rater]]] for item, rater in pairs}
