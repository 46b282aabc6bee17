"""Who withdrew from a study while their scores stayed in it, so that nobody counts as two raters.

Nothing here names a person or leads to their scores: only a keyed hash of the account or participant id is stored. The
server computes it again when the person comes back; without SECRET_KEY it identifies nobody. When SECRET_KEY changes,
people who left before are no longer recognised.
"""

from collections.abc import Iterator

from django.contrib.auth.models import User
from django.utils.crypto import salted_hmac

from annotation.models import Departure, Study

# Part of every stored hash: it never changes, whatever this module is called.
SALT = "annotation.studies.departures"


class LeftError(Exception):
    """This person withdrew from the study, and their scores are still in it."""


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
    return salted_hmac(SALT, of, algorithm="sha256").hexdigest()
