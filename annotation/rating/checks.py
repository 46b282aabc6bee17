"""Attention checks: what counts as a lapse, and when a rater's part ends for it.

Nothing is said to the rater at the item itself, which looks like every other. A lapse that the rater corrects before
the next check is none any more.
"""

from datetime import datetime

from annotation.models import Assignment, Item, Membership, Rating
from annotation.rating import membership_changes
from annotation.rating.arithmetic import missed


def screen(assignment: Assignment, *, now: datetime) -> None:
    """After a submit: end the rater's part where they failed more checks than the study allows.

    Call it in the transaction of the submit.
    """
    membership, most = assignment.membership, assignment.study.most_lapses
    if assignment.item.purpose != Item.Purpose.ATTENTION or most is None or membership is None:
        return
    failed = lapses(membership)
    if failed > most and membership.screened_out_at is None:
        membership_changes.screen_out(membership=membership, lapses=failed, now=now)
        membership.screened_out_at = now


def lapses(membership: Membership) -> int:
    """How many of the rater's attention checks are failed by their current scores."""
    ratings = Rating.objects.filter(
        is_current=True,
        assignment__membership=membership,
        assignment__item__purpose=Item.Purpose.ATTENTION,
        assignment__state=Assignment.State.SUBMITTED,
    )
    found = 0
    rubric = membership.study.rubric
    for rating in ratings.select_related("assignment__item__dialogue", "assignment__item__other").prefetch_related(
        "scores"
    ):
        item = rating.assignment.item
        scores = {score.metric: score.value for score in rating.scores.all()}
        found += bool(missed(scores, item.expects(rubric), item.tolerance))
    return found
