"""One rater's ratings over time, and how they used the scale compared with the others."""

from collections import Counter
from dataclasses import dataclass

from django.db.models import Count, QuerySet

from annotation.models import Item, Membership, Rating, Score


@dataclass(frozen=True, slots=True)
class Distribution:
    """One metric: for each point, how often this rater gave it, and its share of their and of the others' scores."""

    name: str
    cells: tuple[tuple[int, float | None, float | None], ...]


def timeline(membership: Membership) -> QuerySet[Rating]:
    """Every rating, including superseded ones, newest first."""
    rows = Rating.objects.filter(assignment__membership=membership).order_by("-created_at", "-pk")
    return rows.select_related(
        "assignment__item__dialogue__version", "assignment__item__other__version", "supersedes"
    ).prefetch_related("scores")


def distributions(membership: Membership) -> list[Distribution]:
    """One row for each metric: this rater's current ratings of rated items, and the others' counted ratings."""
    study = membership.study
    values = [-1, 0, 1] if study.compares else list(study.rubric.scale.values())
    own_ratings = Rating.objects.filter(
        assignment__membership=membership, is_current=True, assignment__item__purpose=Item.Purpose.RATED
    )
    others = Rating.objects.counted().for_study(study).exclude(assignment__membership=membership)
    mine, rest = (_counts(Score.objects.filter(rating__in=ratings)) for ratings in (own_ratings, others))
    found = []
    for metric in study.rubric.metric_list():
        own, given = (sum(counts[metric.key, value] for value in values) for counts in (mine, rest))
        found.append(
            Distribution(
                metric.name,
                tuple(
                    (
                        mine[metric.key, value],
                        mine[metric.key, value] / own if own else None,
                        rest[metric.key, value] / given if given else None,
                    )
                    for value in values
                ),
            )
        )
    return found


def _counts(scores: QuerySet[Score]) -> Counter[tuple[str, int]]:
    rows = scores.order_by().values_list("metric", "value").annotate(count=Count("pk"))
    return Counter({(metric, value): count for metric, value, count in rows})
