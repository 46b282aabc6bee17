"""Joining a study."""

import random

from django.contrib.auth.models import User
from django.db import transaction

from annotation.allocation.slots import allocate
from annotation.models import Membership, Study
from annotation.models.people import profile_of
from annotation.people import acquaintance, withdrawals
from annotation.people.withdrawals import LeftError
from dialogues.audit import AuditVerb
from dialogues.models import AuditEvent

NO_MORE_RATERS = "This study takes no more raters: it is closed, or rated by the simulator."
HAS_LEFT = (
    "The person behind this account has withdrawn, and their scores stay: they cannot be a rater of this study again."
)


@transaction.atomic
def join(*, study: Study, rater: User, by: User | None, knows_because: str = "") -> Membership:
    """Make someone a rater of a study; joining twice changes nothing.

    Raises LeftError for somebody who withdrew and left their scores, and AcquaintedError for somebody who knows the
    material, unless `knows_because` says why they may rate anyway. The seed of their order derives from the study's
    seed and the number of members, and is stored.
    """
    locked = Study.objects.select_for_update().get(pk=study.pk)
    known = Membership.objects.filter(study=locked, rater=rater).first()
    if known is not None:
        return known
    if withdrawals.has_left(study=locked, rater=rater):
        raise LeftError
    # Locked, so that nobody can meanwhile ask them to restructure what they will rate.
    person = User.objects.select_for_update(no_key=True).get(pk=rater.pk)
    how = acquaintance.must_not_know(locked, person, reason=knows_because)
    seed = random.Random(f"{locked.seed}:{locked.memberships.count()}").getrandbits(32)  # noqa: S311 - repeatable
    membership = Membership.objects.create(study=locked, rater=rater, seed=seed)
    if not locked.is_draft:
        allocate(membership)
    profile_of(rater)
    # Record the member, not the account: after a withdrawal nothing stored names the person.
    AuditEvent.record(by, AuditVerb.STUDY_JOINED, locked, member=membership.pk, seed=seed)
    if how:
        acquaintance.record(membership, how=how, reason=knows_because, by=by)
    return membership
