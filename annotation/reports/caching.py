"""Results computed from a study's ratings, kept until the data that they are computed from change."""

from collections.abc import Callable
from typing import Any

from django.db.models import QuerySet

from annotation.models import Rating, Study
from annotation.models.memberships import COUNTED, SCREENED_OUT, STAYED
from core import results
from core.fingerprint import fingerprint
from core.results import Found

# Increase when Findings or its arithmetic changes, so that no outdated result is shown.
FORM = 15


def once(
    name: str,
    study: Study,
    compute: Callable[[], Found],
    *,
    ratings: QuerySet[Rating] | None = None,
    also: Any = None,
) -> Found:
    """The result of `compute`, kept under `name` while the data that it reads stay the same; see `key_of`."""
    return results.once(lambda: key_of(name, study, ratings=ratings, also=also), compute)


def key_of(name: str, study: Study, *, ratings: QuerySet[Rating] | None = None, also: Any = None) -> str:
    """The key of a result by this name, computed from the data as they are now.

    `ratings` are those that it reads, by default the study's counted ones; `also` is anything else that it depends on,
    as JSON.
    """
    read = Rating.objects.counted().for_study(study) if ratings is None else ratings
    return f"{name}:{FORM}:{fingerprint(_what_is_read(study, read) | {'also': also})}"


def _what_is_read(study: Study, ratings: QuerySet[Rating]) -> dict[str, Any]:
    """Everything that may change. Items never do, so their keys are enough; a rating only if it loses its slot.

    `created_at` distinguishes the study from one with the same number in a restored or another database.
    """
    rubric, members = study.rubric, study.memberships.annotate(counts=COUNTED, failed=SCREENED_OUT, stayed=STAYED)
    who = ("pk", "rater__profile__pseudonym", "rater__profile__is_simulated", "counts", "failed", "stayed")
    return {
        "study": (study.pk, study.created_at, study.seed, study.is_simulated),
        "rubric": (rubric.metrics, rubric.scale_low, rubric.scale_high),
        "versions": list(study.versions.order_by("pk").values_list("pk", "symbol", "hue", "position")),
        "items": list(study.items.order_by("pk").values_list("pk", "purpose")),
        "members": list(members.order_by("pk").values_list(*who)),
        "ratings": list(ratings.order_by("pk").values_list("pk", "assignment__slot")),
    }
