"""What a bundle holds of a study's ratings: read in one state of the study, and kept until that changes."""

from typing import Any, NamedTuple

from django.db.models import Max

from annotation.bundles.data import STEPS, Data, data_of
from annotation.models import Chat, Rating, Study, SystemPreference
from annotation.reports.caching import key_of
from annotation.reports.found import Found
from annotation.reports.scores import counted_members, counted_ratings
from annotation.reports.whole import found_of, found_result
from core import results
from core.computations import Answer, NotComputedError, answer
from core.results import Result, Size
from core.steps import Steps

# Seconds that each takes, as measured by `tests.benchmarks.study_report`.
A_SCORE, AN_ITEM = 1.5e-5, 1e-4
# How often all is read anew if ratings come in meanwhile.
TRIES = 3
OF_A_MEMBER = (
    *("pk", "rater__profile__pseudonym", "seed", "turn", "excluded_at", "screened_out_at", "failed_training"),
    "withdrawn_at",
)
OF_AN_ORDER = ("pk", "membership_id", "slot", "turn", "position", "is_flipped", "state", "opened_at")
OF_A_CHAT = ("pk", "person_id", "dialogue_id", "state", "last_number", "endpoint__model", "endpoint__is_demo")


class NoBundleError(NotComputedError):
    """A study of which no bundle can be made now; the text says why and what to do."""


class Material(NamedTuple):
    """All that depends on ratings; `changed_at` is ISO 8601."""

    data: Data
    found: Found
    changed_at: str


def material_of(study: Study, steps: Steps | None = None) -> Material:
    """The study's material as it is now, however long that takes; raises NoBundleError."""
    _refuse_without_ratings(study)
    return material_result(study).here(steps)


def material_at_once(study: Study) -> Answer[Material]:
    """The same for a page, which waits for that of a large study and never takes an earlier one; see `answer`."""
    _refuse_without_ratings(study)
    return answer(material_result(study), is_current=True)


def _refuse_without_ratings(study: Study) -> None:
    if not counted_ratings(study, counted_members(study)).exists():
        raise NoBundleError(f"“{study.name}” has no ratings that count, so there is nothing to compute again yet.")


def material_result(study: Study) -> Result[Material]:
    return Result(
        key=lambda: _key(study),
        compute=lambda step: _read(study, step),
        size=lambda: _size(study),
        task="annotation.compute_bundle",
        arguments={"study": study.pk},
    )


def _key(study: Study) -> str:
    """Of all that the files of `data/` and the report say, also of ratings that count in no table."""
    also = {
        "found": found_result(study).key(),
        "study": (study.name, study.selection, study.launched_at, study.closed_at),
        "versions": list(study.versions.order_by("pk").values_list("pk", "name")),
        "members": list(study.memberships.order_by("pk").values_list(*OF_A_MEMBER)),
        "orders": list(study.assignments.order_by("pk").values_list(*OF_AN_ORDER)),
        "chats": list(Chat.objects.in_study(study).order_by("pk").values_list(*OF_A_CHAT)),
        "preferences": list(
            SystemPreference.objects.filter(membership__study=study).order_by("pk").values_list("pk", flat=True)
        ),
    }
    return key_of("bundle", study, ratings=Rating.objects.for_study(study).filter(is_current=True), also=also)


def _size(study: Study) -> Size:
    """With the time for the findings where they are not kept."""
    scores = Rating.objects.for_study(study).count() * len(study.rubric.metric_list())
    seconds = scores * A_SCORE + study.items.count() * AN_ITEM
    found = found_result(study)
    before = Size(0, 0) if results.is_kept(found.key()) else found.size()
    return Size(before.seconds + seconds, before.steps + STEPS)


def _read(study: Study, step: Steps) -> Material:
    """All of it, if the study is the same after it as before it; raises NoBundleError."""
    for _ in range(TRIES):
        step.done, before = 0, _key(study)
        found = found_of(study, Steps(tell=lambda done, total, doing: step(doing)))
        material = Material(data_of(study, step), found, _changed_at(study))
        if _key(study) == before:
            return material
    raise NoBundleError(f"Ratings of “{study.name}” come in faster than they can be read. Pause the study first.")


def _changed_at(study: Study) -> str:
    """When the study last changed in what a bundle holds: never the time of making one."""
    rated = Rating.objects.for_study(study).aggregate(last=Max("created_at"))["last"]
    left = study.memberships.aggregate(*map(Max, ("excluded_at", "screened_out_at", "withdrawn_at"))).values()
    moments: list[Any] = [study.created_at, study.launched_at, study.closed_at, rated, *left]
    last: str = max(moment for moment in moments if moment is not None).isoformat()
    return last
