"""A study's data as the files of its bundle: everything that was rated, by whom, in which order, and what counts.

People leave by pseudonym only. Files refer to raters and dialogues by number, because CSV guards spreadsheets, which
may change a name.
"""

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.db.models import Q

from annotation.bundles.reading import REPEAT
from annotation.imported.placing import NO_TEXT
from annotation.models import Assignment, Chat, Item, Membership, Rating, Score, Study, SystemPreference
from annotation.models.memberships import COUNTED
from annotation.reports.chat_exports import chat_lines
from annotation.reports.judge_facts import Judge
from annotation.reports.judges import judges_of, rated_dialogues
from annotation.reports.scores import counted_members, counted_ratings
from core.spreadsheets import csv_text
from dialogues.models import Dialogue
from dialogues.rubric import to_json

Row = Sequence[object]
ITEM_COLUMNS = (
    *("item", "purpose", "background", "dialogue", "other_dialogue", "background_key", "dialogue_key"),
    *("other_dialogue_key", "version", "other_version", "theme", "traits_1", "traits_2", "expected", "tolerance"),
)
RATER_COLUMNS = (
    *("rater", "pseudonym", "counts", "set_aside", "seed", "items_given", "simulated", "screened_out", "withdrawn"),
)
RATING_COLUMNS = (
    *("rating", "item", "rater", "metric", "value", "scale_low", "scale_high", "set_aside", "comment", "flag"),
    *("seconds", "submitted_at", "score_comment", "evidence", "repeat"),
)
ORDER_COLUMNS = (
    *("item", "rater", "purpose", "place", "slot", "turn", "block", "turn_in_block", "left", "state", "opened_at"),
)
JUDGEMENT_COLUMNS = ("judge", "background", "dialogue", "metric", "n", "total", "squares")
PREFERENCE_COLUMNS = ("rater", "choice", "preferred", "met_first", "met_second", "comment", "at")


@dataclass(frozen=True, slots=True)
class Data:
    """The files of `data/` by path, and what study.json says of the same: raters' pseudonyms by number, judges."""

    files: Mapping[str, str]
    raters: list[str]
    judges: list[dict[str, Any]]


def data_of(study: Study) -> Data:
    """All of it as text; a study of 10,000 items and 180,000 scores takes some 30 MB."""
    members = list(study.memberships.select_related("rater__profile").order_by("pk"))
    raters = {member.pk: number for number, member in enumerate(members, 1)}
    judges = _judges(study)
    dialogues = _dialogues(study, judges)
    numbers = {row.pk: number for number, row in enumerate(dialogues, 1)}
    why = _why_raters_are_set_aside(study, members)
    files = {
        "data/items.csv": csv_text([ITEM_COLUMNS, *_items(study, numbers)]),
        "data/dialogues.jsonl": _json_lines(_dialogue_lines(study, dialogues, numbers, judges)),
        "data/raters.csv": csv_text([RATER_COLUMNS, *_raters(members, why)]),
        "data/ratings.csv": csv_text([RATING_COLUMNS, *_ratings(study, raters, why)]),
        "data/orders.csv": csv_text([ORDER_COLUMNS, *_orders(study, raters)]),
    }
    if judges:
        files["data/judgements.csv"] = csv_text([JUDGEMENT_COLUMNS, *_judgements(judges, numbers)])
    if study.has_chats:
        files["data/chats.jsonl"] = "".join(chat_lines(study))
        files["data/preferences.csv"] = csv_text([PREFERENCE_COLUMNS, *_preferences(study, raters)])
    told = [
        {
            "label": one.label,
            "name": one.name,
            "is_demo": one.is_demo,
            "about": list(one.about),
            "metrics": to_json(one.metrics),
            "dollars_a_dialogue": one.dollars,
            "dialogues": one.judged,
            "demo_writers": sorted(one.demo_writers),
        }
        for one in judges
    ]
    return Data(files, [_pseudonym(member) for member in members], told)


def _json_lines(rows: Iterable[Mapping[str, Any]]) -> str:
    return "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows)


# --- what was rated -------------------------------------------------------------------------------


def _judges(study: Study) -> list[Judge]:
    """Those whose scores the report sets beside its raters'; it does so for single dialogues alone."""
    if study.kind != Study.Kind.SCORES:
        return []
    dialogues = rated_dialogues(study)
    rated = Item.objects.filter(study=study, purpose=Item.Purpose.RATED)
    slugs = set(rated.values_list("dialogue__version_id", flat=True))
    return [judge for judge in judges_of(study, dialogues, slugs) if judge.rows]


def _dialogues(study: Study, judges: Iterable[Judge]) -> list[Dialogue]:
    """Every dialogue that a file speaks of, by age."""
    items = Item.objects.filter(study=study)
    shown = Q(pk__in=items.values("dialogue")) | Q(pk__in=items.values("other")) | Q(pk__in=items.values("background"))
    if study.has_chats:
        shown |= Q(chat__in=Chat.objects.in_study(study))
    found = {row.pk: row for row in Dialogue.objects.filter(shown)}
    judged = {pk for judge in judges for row in judge.rows for pk in (row.dialogue, row.background)}
    found |= Dialogue.objects.defer("messages", "times").in_bulk(sorted(judged - found.keys()))
    return [found[pk] for pk in sorted(found)]


def _dialogue_lines(
    study: Study, dialogues: Iterable[Dialogue], numbers: Mapping[int, int], judges: Iterable[Judge]
) -> Iterator[dict[str, Any]]:
    """One a dialogue; only those that raters read have their messages."""
    rows = Item.objects.filter(study=study).values_list("dialogue", "other")
    read = {pk for pair in rows for pk in pair}
    if study.has_chats:
        members = study.memberships.filter(pk__in=counted_members(study))
        read = set(
            Chat.objects.in_study(study)
            .filter(person__in=members.values("rater"), dialogue__isnull=False)
            .values_list("dialogue", flat=True)
        )
    judged_as = {row.dialogue: row.writer for judge in judges for row in judge.rows}
    for one in dialogues:
        has_text = one.pk in read and not (study.is_imported and one.messages == [[1, NO_TEXT]])
        yield {
            "number": numbers[one.pk],
            "key": one.key,
            "version": one.version_id,
            "background": numbers.get(one.origin_id or one.pk),
            "written_by": one.written_by,
            "demo": one.is_demo,
            **({"judged_as": judged_as[one.pk]} if one.pk in judged_as else {}),
            "messages": one.messages if has_text else None,
        }


def _items(study: Study, numbers: Mapping[int, int]) -> Iterator[Row]:
    for item in Item.objects.filter(study=study).select_related("dialogue", "other", "background").order_by("pk"):
        yield (
            *(item.position, item.purpose),
            *(numbers[item.background_id], numbers[item.dialogue_id], numbers.get(item.other_id or 0, "")),
            *(item.background.key, item.dialogue.key, item.other.key if item.other else ""),
            *(item.dialogue.version_id, item.other.version_id if item.other else ""),
            *(item.theme, _json_cell(item.traits_1), _json_cell(item.traits_2)),
            *(_json_cell(item.expected), item.tolerance if item.expected else ""),
        )


def _json_cell(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, sort_keys=True) if value else ""


def _judgements(judges: Iterable[Judge], numbers: Mapping[int, int]) -> Iterator[Row]:
    for number, judge in enumerate(judges, 1):
        for row in judge.rows:
            places = (numbers[row.background], numbers[row.dialogue])
            yield (number, *places, row.metric, row.n, float(row.total), float(row.squares))


# --- who rated, and what counts -------------------------------------------------------------------


def _pseudonym(member: Membership) -> str:
    """As `annotation.reports.scores.counted_members` names it."""
    profile = getattr(member.rater, "profile", None)
    return (profile.pseudonym if profile else "") or f"member-{member.pk}"


def _is_simulated(member: Membership) -> bool:
    profile = getattr(member.rater, "profile", None)
    return bool(profile and profile.is_simulated)


def _why_raters_are_set_aside(study: Study, members: Iterable[Membership]) -> dict[int, str]:
    """By membership; empty for those who count."""
    by_rules = set(study.memberships.filter(COUNTED).values_list("pk", flat=True))
    return {member.pk: _why_set_aside(study, member, is_counted=member.pk in by_rules) for member in members}


def _why_set_aside(study: Study, member: Membership, *, is_counted: bool) -> str:
    if not is_counted:
        reasons = {"excluded": member.excluded_at, "screened out": member.screened_out_at}
        return next((why for why, at in reasons.items() if at is not None), "withdrawn")
    if _is_simulated(member) != study.is_simulated:
        return "simulated" if _is_simulated(member) else "not simulated"
    return ""


def _raters(members: Iterable[Membership], why: Mapping[int, str]) -> Iterator[Row]:
    for number, member in enumerate(members, 1):
        yield (
            *(number, _pseudonym(member), not why[member.pk], why[member.pk], member.seed, member.turn),
            *(_is_simulated(member), member.screened_out_at is not None, member.withdrawn_at is not None),
        )


def _ratings(study: Study, raters: Mapping[int, int], why: Mapping[int, str]) -> Iterator[Row]:
    """Every score of every rating that was not corrected, and why a rating is set aside."""
    counted = set(counted_ratings(study, counted_members(study)).values_list("pk", flat=True))
    current = Rating.objects.for_study(study).filter(is_current=True)
    ratings = current.select_related("assignment__item").order_by("pk")
    known = {rating.pk: (number, rating) for number, rating in enumerate(ratings, 1)}
    for score in Score.objects.filter(rating__in=current).order_by("rating_id", "pk").iterator(5000):
        number, rating = known[score.rating_id]
        member = rating.assignment.membership_id or 0
        aside = "" if rating.pk in counted else _why_not_counted(rating.assignment, why[member])
        yield (
            *(number, rating.assignment.item.position, raters[member], score.metric, score.value),
            *(score.scale_low, score.scale_high, aside, rating.comment, rating.flag, rating.seconds),
            "" if study.is_imported else rating.created_at.isoformat(),
            *(score.comment, " ".join(str(place + 1) for place in score.evidence), rating.assignment.is_repeat),
        )


def _why_not_counted(assignment: Assignment, of_rater: str) -> str:
    """A check's or practice item's purpose, the rater's reason, that they met the item again, or that another rater has
    the place."""
    purpose = assignment.item.purpose
    if assignment.is_repeat:
        return of_rater or REPEAT
    return purpose if purpose != Item.Purpose.RATED else of_rater or "place given to another rater"


def _orders(study: Study, raters: Mapping[int, int]) -> Iterator[Row]:
    """Every item that a rater was given, in the order in which they were."""
    versions = len(study.selection.get("conditions", ()))
    rows = study.assignments.filter(membership__isnull=False).select_related("item")
    for one in rows.order_by("membership_id", "opened_at", "turn", "position", "pk"):
        block = divmod(one.turn, versions) if one.turn is not None and versions else ("", "")
        left = ("second" if one.is_flipped else "first") if study.compares else ""
        purpose = REPEAT if one.is_repeat else one.item.purpose
        yield (
            *(one.item.position, raters[one.membership_id or 0], purpose, one.position, one.slot, one.turn),
            *(*block, left, one.state, one.opened_at.isoformat() if one.opened_at else ""),
        )


def _preferences(study: Study, raters: Mapping[int, int]) -> Iterator[Row]:
    """The last answer of each tester who counts."""
    for one in SystemPreference.objects.last_of(counted_members(study)):
        yield (
            *(raters[one.membership_id], one.choice, one.preferred or "", one.first_id, one.second_id),
            *(one.comment, one.at.isoformat()),
        )
