"""A study's data as the files of its bundle: everything that was rated, by whom, in which order, and what counts.

People leave by pseudonym only. Files refer to raters and dialogues by number, because CSV guards spreadsheets, which
may change a name.
"""

import json
import zlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.db.models import Q

from annotation.bundles.rater_data import (
    ORDER_COLUMNS,
    PREFERENCE_COLUMNS,
    RATER_COLUMNS,
    order_rows,
    preference_rows,
    pseudonym,
    rater_rows,
    ratings_text,
    why_raters_are_set_aside,
)
from annotation.imported.placing import NO_TEXT
from annotation.models import Chat, Item, Study
from annotation.reports.chat_exports import chat_lines
from annotation.reports.judge_facts import Judge
from annotation.reports.judges import judges_of, rated_dialogues
from annotation.reports.scores import counted_members
from core.spreadsheets import csv_text
from core.steps import Steps
from dialogues.models import Dialogue
from dialogues.rubric import to_json

Row = Sequence[object]
ITEM_COLUMNS = (
    *("item", "purpose", "background", "dialogue", "other_dialogue", "background_key", "dialogue_key"),
    *("other_dialogue_key", "version", "other_version", "theme", "traits_1", "traits_2", "expected", "tolerance"),
)
OF_AN_ITEM = (
    *("position", "purpose", "background_id", "dialogue_id", "other_id", "background__key", "dialogue__key"),
    *("other__key", "dialogue__version_id", "other__version_id", "theme", "traits_1", "traits_2", "expected"),
    "tolerance",
)
JUDGEMENT_COLUMNS = ("judge", "background", "dialogue", "metric", "n", "total", "squares")
OF_A_DIALOGUE = ("key", "version_id", "origin_id", "written_by", "is_demo")
STEPS = 3
# The level of zlib's compression.
FASTEST = 1


@dataclass(frozen=True, slots=True)
class Data:
    """The files of `data/` by path, compressed, and what study.json says of the same: raters' pseudonyms by number,
    judges."""

    packed: Mapping[str, bytes]
    raters: list[str]
    judges: list[dict[str, Any]]

    def files(self) -> Iterator[tuple[str, str]]:
        """(path, text)"""
        for path, text in self.packed.items():
            yield path, zlib.decompress(text).decode()


def data_of(study: Study, step: Steps) -> Data:
    """All of it, read in STEPS steps."""
    members = list(study.memberships.select_related("rater__profile").order_by("pk"))
    raters = {member.pk: number for number, member in enumerate(members, 1)}
    why = why_raters_are_set_aside(study, members)
    step("Judges and dialogues")
    judges = _judges(study)
    dialogues = _dialogues(study, judges)
    numbers = {row.pk: number for number, row in enumerate(dialogues, 1)}
    packed = {
        "data/items.csv": _packed(csv_text([ITEM_COLUMNS, *_items(study, numbers)])),
        "data/dialogues.jsonl": _packed(_json_lines(_dialogue_lines(study, dialogues, numbers, judges))),
        "data/raters.csv": _packed(csv_text([RATER_COLUMNS, *rater_rows(members, why)])),
    }
    step("Ratings")
    packed["data/ratings.csv"] = _packed(ratings_text(study, raters, why))
    step("Orders")
    packed["data/orders.csv"] = _packed(csv_text([ORDER_COLUMNS, *order_rows(study, raters)]))
    if judges:
        packed["data/judgements.csv"] = _packed(csv_text([JUDGEMENT_COLUMNS, *_judgements(judges, numbers)]))
    if study.has_chats:
        packed["data/chats.jsonl"] = _packed("".join(chat_lines(study)))
        packed["data/preferences.csv"] = _packed(csv_text([PREFERENCE_COLUMNS, *preference_rows(study, raters)]))
    return Data(packed, [pseudonym(member) for member in members], [_told(judge) for judge in judges])


def _packed(text: str) -> bytes:
    """A seventh as large, for what is kept for a day."""
    return zlib.compress(text.encode(), FASTEST)


def _told(judge: Judge) -> dict[str, Any]:
    return {
        "label": judge.label,
        "name": judge.name,
        "is_demo": judge.is_demo,
        "about": list(judge.about),
        "metrics": to_json(judge.metrics),
        "dollars_a_dialogue": judge.dollars,
        "dialogues": judge.judged,
        "demo_writers": sorted(judge.demo_writers),
    }


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
    found = {row.pk: row for row in Dialogue.objects.filter(shown).only(*OF_A_DIALOGUE, "messages")}
    judged = {pk for judge in judges for row in judge.rows for pk in (row.dialogue, row.background)}
    found |= Dialogue.objects.only(*OF_A_DIALOGUE).in_bulk(sorted(judged - found.keys()))
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
    for row in Item.objects.filter(study=study).order_by("pk").values_list(*OF_AN_ITEM):
        position, purpose, background, dialogue, other, *names, theme, one, two, expected, tolerance = row
        yield (
            *(position, purpose, numbers[background], numbers[dialogue], numbers.get(other or 0, "")),
            *(name or "" for name in names),
            *(theme, _json_cell(one), _json_cell(two), _json_cell(expected), tolerance if expected else ""),
        )


def _json_cell(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, sort_keys=True) if value else ""


def _judgements(judges: Iterable[Judge], numbers: Mapping[int, int]) -> Iterator[Row]:
    for number, judge in enumerate(judges, 1):
        for row in judge.rows:
            places = (numbers[row.background], numbers[row.dialogue])
            yield (number, *places, row.metric, row.n, float(row.total), float(row.squares))
