"""Join a study, and remember who withdrew while their scores stayed in it, so that nobody counts as two raters.

A remembered withdrawal does not name a person or lead to their scores: only a keyed hash of the account or participant
id is stored. The server computes it again when the person comes back; without SECRET_KEY it identifies nobody. When
SECRET_KEY changes, people who left before are no longer recognised.
"""

import random
from collections.abc import Iterator

from django.contrib.auth.models import User
from django.db import transaction
from django.utils.crypto import salted_hmac

from annotation.allocation.slots import allocate
from annotation.models import Departure, Membership, Study
from annotation.models.people import profile_of
from annotation.people import acquaintance
from dialogues.audit import AuditVerb
from dialogues.models import AuditEvent

NO_MORE_RATERS = "This study takes no more raters: it is closed, or rated by the simulator."
HAS_LEFT = (
    "The person behind this account has withdrawn, and their scores stay: they cannot be a rater of this study again."
)
# Part of every stored hash: it never changes, whatever this module is called.
SALT = "annotation.studies.departures"


class LeftError(Exception):
    """This person withdrew from the study, and their scores are still in it."""


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
    if has_left(study=locked, rater=rater):
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


def note_withdrawal(*, study: Study, rater: User, participant: str = "") -> None:
    """Remember that they left. Noting it twice changes nothing."""
    rows = [Departure(code=code, study=study) for code in _codes(study, rater, participant)]
    Departure.objects.bulk_create(rows, ignore_conflicts=True)


def has_left(*, study: Study, rater: User | None, participant: str = "") -> bool:
    codes = list(_codes(study, rater, participant))
    return bool(codes) and Departure.objects.filter(code__in=codes).exists()


def _codes(study: Study, rater: User | None, participant: str) -> Iterator[str]:
    if rater is not None:
        yield _code(f"{study.pk}:account:{rater.pk}")
    if participant:
        yield _code(f"{study.pk}:participant:{participant}")


def _code(of: str) -> str:
    return salted_hmac(SALT, of, algorithm="sha256").hexdigest()
