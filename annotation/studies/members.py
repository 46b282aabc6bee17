"""Who rates in a study, and the order dealt to each."""

import random

from django.contrib.auth.models import User
from django.db import transaction

from annotation.models import Assignment, Item, Membership, Study
from annotation.people.profiles import profile_of
from annotation.studies.assignment import rater_order
from annotation.studies.checks import deal_checks
from dialogues.models import AuditEvent

BATCH = 1000
NO_MORE_RATERS = "This study takes no more raters: it is closed, or rated by the simulator."


@transaction.atomic
def join(*, study: Study, rater: User, by: User | None) -> Membership:
    """Make someone a rater of a study; joining twice changes nothing.

    The order's seed follows from the study's seed and how many joined before, and is stored.
    """
    locked = Study.objects.select_for_update().get(pk=study.pk)
    known = Membership.objects.filter(study=locked, rater=rater).first()
    if known is not None:
        return known
    seed = random.Random(f"{locked.seed}:{locked.memberships.count()}").getrandbits(32)  # noqa: S311 - repeatable
    membership = Membership.objects.create(study=locked, rater=rater, seed=seed)
    if locked.is_open or locked.is_paused:
        if locked.raters_per_item is None:
            deal(membership)
        deal_checks(membership)
    profile_of(rater)
    AuditEvent.record(by, "join study", locked, rater=rater.pk, seed=seed)
    return membership


def deal(membership: Membership) -> None:
    """Give the rater every rated item of the study, in their own seeded order."""
    rated = membership.study.items.filter(purpose=Item.Purpose.RATED)
    items = list(rated.order_by("position").only("pk", "background_id"))
    order = rater_order([item.background_id for item in items], membership.seed)
    Assignment.objects.bulk_create(
        (
            Assignment(study_id=membership.study_id, item=items[index], membership=membership, position=position)
            for position, index in enumerate(order)
        ),
        batch_size=BATCH,
    )
