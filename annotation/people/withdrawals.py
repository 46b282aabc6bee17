"""Who left a study for good while their scores stayed in it, so that nobody counts as two raters.

Nothing here names a person or leads to their scores: of an account or a participant id only a code is kept, which this
server makes again when they come back, and which without its key leads to nobody. With another SECRET_KEY the codes are
made otherwise, and those who left before are no longer known.
"""

from collections.abc import Iterator

from django.contrib.auth.models import User
from django.utils.crypto import salted_hmac

from annotation.models import Departure, Study


class LeftError(Exception):
    """Who stands here left this study, and their scores are still in it."""


def note(*, study: Study, rater: User, participant: str = "") -> None:
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
    return salted_hmac("annotation.people.withdrawals", of, algorithm="sha256").hexdigest()
