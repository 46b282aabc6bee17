"""Who rated, what they said and in which order, as files of a bundle; and why a rating counts in no table."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import lru_cache
from itertools import groupby
from operator import itemgetter

from django.db.models import QuerySet

from annotation.bundles.reading import REPEAT
from annotation.models import Item, Membership, Rating, Score, Study, SystemPreference
from annotation.models.memberships import COUNTED
from annotation.reports.exports import OF_A_SCORE, message_numbers
from annotation.reports.scores import ROWS_AT_ONCE, counted_members, counted_ratings
from core.spreadsheets import PLAIN, csv_text

Row = Sequence[object]
RATER_COLUMNS = (
    *("rater", "pseudonym", "counts", "set_aside", "seed", "items_given", "simulated", "screened_out", "withdrawn"),
    "failed_training",
)
RATING_COLUMNS = (
    *("rating", "item", "rater", "metric", "value", "scale_low", "scale_high", "set_aside", "comment", "flag"),
    *("seconds", "submitted_at", "score_comment", "evidence", "repeat"),
)
OF_A_RATING = (
    *("pk", "assignment__item__position", "assignment__item__purpose", "assignment__is_repeat"),
    *("assignment__membership_id", "comment", "flag", "seconds", "created_at"),
)
ORDER_COLUMNS = (
    *("item", "rater", "purpose", "place", "slot", "turn", "block", "turn_in_block", "left", "state", "opened_at"),
)
OF_AN_ORDER = (
    *("item__position", "item__purpose", "is_repeat", "membership_id", "position", "slot", "turn", "is_flipped"),
    *("state", "opened_at"),
)
PREFERENCE_COLUMNS = ("rater", "choice", "preferred", "met_first", "met_second", "comment", "at")


def pseudonym(member: Membership) -> str:
    """As `annotation.reports.scores.counted_members` names it."""
    profile = getattr(member.rater, "profile", None)
    return (profile.pseudonym if profile else "") or f"member-{member.pk}"


def _is_simulated(member: Membership) -> bool:
    profile = getattr(member.rater, "profile", None)
    return bool(profile and profile.is_simulated)


def why_raters_are_set_aside(study: Study, members: Iterable[Membership]) -> dict[int, str]:
    """By membership; empty for those who count."""
    by_rules = set(study.memberships.filter(COUNTED).values_list("pk", flat=True))
    return {member.pk: _why_set_aside(study, member, is_counted=member.pk in by_rules) for member in members}


def _why_set_aside(study: Study, member: Membership, *, is_counted: bool) -> str:
    if not is_counted:
        reasons = {
            "excluded": member.excluded_at is not None,
            "failed training": member.failed_training,
            "screened out": member.screened_out_at is not None,
        }
        return next((why for why, holds in reasons.items() if holds), "withdrawn")
    if _is_simulated(member) != study.is_simulated:
        return "simulated" if _is_simulated(member) else "not simulated"
    return ""


def rater_rows(members: Iterable[Membership], why: Mapping[int, str]) -> Iterator[Row]:
    for number, member in enumerate(members, 1):
        yield (
            *(number, pseudonym(member), not why[member.pk], why[member.pk], member.seed, member.turn),
            # Whoever failed the training is not among those whom attention checks screened out.
            *(_is_simulated(member), member.screened_out_at is not None and not member.failed_training),
            *(member.withdrawn_at is not None, member.failed_training),
        )


def ratings_text(study: Study, raters: Mapping[int, int], why: Mapping[int, str]) -> str:
    """Every score of every rating that was not corrected, and why a rating is set aside."""
    return csv_text([RATING_COLUMNS]) + "".join(_rating_lines(study, raters, why))


def _rating_lines(study: Study, raters: Mapping[int, int], why: Mapping[int, str]) -> Iterator[str]:
    """One a score, joined from the parts of its rating and score; equal parts are formatted only once."""
    part = lru_cache(PLAIN.part)
    parts = _rating_parts(study, raters, why)
    scores = Score.objects.filter(rating__in=_current(study)).order_by("rating_id", "pk")
    rows = scores.values_list("rating_id", *OF_A_SCORE).iterator(ROWS_AT_ONCE)
    for rating, given in groupby(rows, key=itemgetter(0)):
        head, said, is_repeat = parts[rating]
        for _, metric, value, low, high, note, places in given:
            of_note = part((note, "" if places == "[]" else message_numbers(places), is_repeat))
            yield PLAIN.line(head, part((metric, value, low, high)), said, of_note)


def _rating_parts(study: Study, raters: Mapping[int, int], why: Mapping[int, str]) -> dict[int, tuple[str, str, bool]]:
    """By rating: what a line begins with, what follows its score, and whether it is of a hidden repeat."""
    counted = set(counted_ratings(study, counted_members(study)).values_list("pk", flat=True))
    rows = _current(study).order_by("pk").values_list(*OF_A_RATING)
    parts = {}
    for number, (pk, position, purpose, is_repeat, member, comment, flag, seconds, at) in enumerate(rows, 1):
        aside = "" if pk in counted else _why_not_counted(purpose, why[member or 0], is_repeat=is_repeat)
        when = "" if study.is_imported else at.isoformat()
        head = PLAIN.part((number, position, raters[member or 0]))
        parts[pk] = (head, PLAIN.part((aside, comment, flag, seconds, when)), is_repeat)
    return parts


def _current(study: Study) -> QuerySet[Rating]:
    return Rating.objects.for_study(study).filter(is_current=True)


def _why_not_counted(purpose: str, of_rater: str, *, is_repeat: bool) -> str:
    """A check's or practice item's purpose, the rater's reason, that they met the item again, or that another rater has
    the place."""
    if is_repeat:
        return of_rater or REPEAT
    return purpose if purpose != Item.Purpose.RATED else of_rater or "place given to another rater"


def order_rows(study: Study, raters: Mapping[int, int]) -> Iterator[Row]:
    """Every item that a rater was given, in the order in which they were."""
    versions = len(study.selection.get("conditions", ()))
    rows = study.assignments.filter(membership__isnull=False)
    ordered = rows.order_by("membership_id", "opened_at", "turn", "position", "pk").values_list(*OF_AN_ORDER)
    for item, purpose, is_repeat, member, position, slot, turn, is_flipped, state, opened_at in ordered:
        block = divmod(turn, versions) if turn is not None and versions else ("", "")
        left = ("second" if is_flipped else "first") if study.compares else ""
        yield (
            *(item, raters[member], REPEAT if is_repeat else purpose, position, slot, turn),
            *(*block, left, state, opened_at.isoformat() if opened_at else ""),
        )


def preference_rows(study: Study, raters: Mapping[int, int]) -> Iterator[Row]:
    """The last answer of each tester who counts."""
    for one in SystemPreference.objects.last_of(counted_members(study)):
        yield (
            *(raters[one.membership_id], one.choice, one.preferred or "", one.first_id, one.second_id),
            *(one.comment, one.at.isoformat()),
        )
