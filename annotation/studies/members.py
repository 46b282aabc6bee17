"""Who rates in a study."""

import random

from django.contrib.auth.models import User
from django.db import transaction

from annotation.models import Membership, Study
from annotation.people.profiles import profile_of
from annotation.studies.dealing import deal
from dialogues.models import AuditEvent

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
    if not locked.is_draft:
        deal(membership)
    profile_of(rater)
    AuditEvent.record(by, "join study", locked, rater=rater.pk, seed=seed)
    return membership
