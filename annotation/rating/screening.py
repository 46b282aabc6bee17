"""Attention checks: which count as failed, and when a rater is screened out for it.

The item itself looks like every other and gives the rater no feedback. A lapse that the rater corrects before the next
check no longer counts.
"""

from datetime import datetime

from annotation.models import Assignment, Item, Membership, Rating
from annotation.rating import membership_changes
from annotation.rating.arithmetic import missed


def screen(assignment: Assignment, *, now: datetime) -> None:
    """Screen the rater out if they have failed more checks than allowed; call it in the submit's transaction."""
    membership, most = assignment.membership, assignment.study.most_lapses
    if assignment.item.purpose != Item.Purpose.ATTENTION or most is None or membership is None:
        return
    failed = lapses(membership)
    if failed > most and membership.screened_out_at is None:
        membership_changes.screen_out(membership=membership, lapses=failed, now=now)
        membership.screened_out_at = now


def lapses(membership: Membership) -> int:
    """How many attention checks the rater's current scores fail."""
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
