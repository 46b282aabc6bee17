"""How raters did in the training: what they scored as expected at the first try, before they saw the feedback."""

from collections import Counter, defaultdict
from collections.abc import Collection
from dataclasses import dataclass

from annotation.models import Item, Membership, Rating, Score, Study
from annotation.rating.arithmetic import missed


@dataclass(frozen=True, slots=True)
class Practice:
    """Of the study's training `items`, how many a rater has `scored`, and how many of these as expected."""

    passed: int
    scored: int
    items: int

    @property
    def is_over(self) -> bool:
        """Whether they have scored every training item; a study without any has no practice."""
        return 0 < self.items == self.scored


def practice_of(membership: Membership) -> Practice:
    """One rater's practice so far."""
    return practice_results(membership.study, [membership])[membership.pk]


def practice_results(study: Study, members: Collection[Membership]) -> dict[int, Practice]:
    """By membership, in three queries; a later try of an item changes nothing."""
    training = Item.objects.filter(study=study, purpose=Item.Purpose.TRAINING)
    shown = training.select_related("dialogue", "other").defer("dialogue__messages", "other__messages")
    items = {item.pk: item for item in shown}
    first = Rating.objects.filter(
        assignment__membership__in=members, assignment__item__in=items, supersedes__isnull=True
    ).order_by()
    rows = list(first.values_list("pk", "assignment__membership_id", "assignment__item_id") if items else ())
    scores: dict[int, dict[str, int]] = defaultdict(dict)
    given = Score.objects.filter(rating__in=first.values("pk")) if rows else Score.objects.none()
    for rating, metric, value in given.values_list("rating_id", "metric", "value"):
        scores[rating][metric] = value
    scored, passed = Counter(member for _, member, _ in rows), Counter[int]()
    for rating, member, pk in rows:
        item = items[pk]
        passed[member] += not missed(scores[rating], item.expects(study.rubric), item.tolerance)
    return {member.pk: Practice(passed[member.pk], scored[member.pk], len(items)) for member in members}
