"""Practice: a study's training items one by one, with what was expected beside what the rater chose."""

from datetime import datetime

from django.db import transaction
from django.utils.translation import gettext as _

from annotation.models import Assignment, Item, Membership
from annotation.rating.queue import QueueError


def lessons(membership: Membership) -> list[Assignment]:
    """The rater's own training items in their order; made at the first look."""
    items = membership.study.items.filter(purpose=Item.Purpose.TRAINING)
    missing = items.exclude(assignments__membership=membership).only("pk", "position")
    Assignment.objects.bulk_create(
        [
            Assignment(study_id=membership.study_id, item=item, membership=membership, position=item.position)
            for item in missing
        ],
        # Two tabs may open the page at once.
        ignore_conflicts=True,
    )
    return list(
        membership.assignments.filter(item__purpose=Item.Purpose.TRAINING)
        .select_related("item")
        .order_by("item__position")
    )


@transaction.atomic
def finish(*, membership: Membership, now: datetime) -> None:
    """Let the rater begin; raises QueueError while a training item waits. Doing it again changes nothing."""
    if any(lesson.state != Assignment.State.SUBMITTED for lesson in lessons(membership)):
        raise QueueError(_("Some practice dialogues are still open. Score them first."))
    Membership.objects.filter(pk=membership.pk, trained_at__isnull=True).update(trained_at=now)
