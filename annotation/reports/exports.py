"""Exports: every score as a row of CSV, and tables with their provenance on every row. Pseudonyms only."""

import json
from collections.abc import Collection, Iterator
from dataclasses import replace
from functools import lru_cache

from django.db.models import TextField
from django.db.models.functions import Cast

from annotation.models import Item, Rating, Study
from annotation.reports.scores import Row, counted_members, rated
from annotation.reports.study_chats import study_chats
from core.spreadsheets import PLAIN, CsvForm, csv_stream
from core.tables import Column, Table
from dialogues.display import DEMO_LABEL

OF_A_RATING = ("assignment_id", "assignment__membership_id", "comment", "flag", "seconds", "created_at")
# Evidence as text, because parsing a hundred thousand empty JSON lists takes longer than the query.
OF_A_SCORE = ("metric", "value", "scale_low", "scale_high", "comment", Cast("evidence", TextField()))
OF_A_DIALOGUE = ("key", "version_id", "written_by", "is_demo")
RATING_COLUMNS = (
    *("study", "item", "background", "dialogue", "version", "written_by", "demo"),
    # In a study of pairs, the dialogue that it was compared with. The item's own dialogue always has the pair's first
    # version, and a value below 0 prefers it.
    *("other_dialogue", "other_version", "other_written_by", "other_demo"),
    *("rater", "metric", "value"),
    *("scale_low", "scale_high", "comment", "flag", "seconds", "submitted_at", "simulated"),
    # The rater's note on this score, and the numbers, from 1, of the messages that led to it.
    *("score_comment", "evidence"),
    # Whether the rater was screened out, in a study that counts such raters.
    "screened_out",
    # Whether it was collected elsewhere; nobody knows then when it was submitted.
    "imported",
    # In a study of chats: the number of the chat that was scored, the key of the dialogue that it became (`dialogue` is
    # empty then), the tester's turns in it, and the minutes from its first message to its last.
    *("chat", "chat_dialogue", "turns", "minutes"),
    # "rated", or "repeat" where the rater met the item for the second time: such rows come last, and count in no mean.
    "purpose",
)
NO_CHAT = ("", "", "", "")


def rating_lines(study: Study, form: CsvForm = PLAIN) -> Iterator[str]:
    """One line per score, with the columns RATING_COLUMNS; hidden repeats come behind all ratings that count.

    A line is joined from the parts of its item, rating and score, each formatted only once. Only the items' parts stay
    in memory.
    """
    members, items = counted_members(study), _item_parts(study, form)
    chats, no_chat = _chat_cells(study) if study.has_chats else {}, form.part(NO_CHAT)
    # Cached, because few different parts occur: a rater's name, a value with its scale, an empty note.
    part = lru_cache(form.part)
    screened_out = set(study.memberships.screened_out().values_list("pk", flat=True))
    for purpose, (item, _, place, member, comment, flag, seconds, at), given in _in_turn(study, members):
        rater, said = part((members[member],)), part((comment, flag))
        of_chat = form.part(chats[place]) if place in chats else no_chat
        when = form.part((seconds, "" if study.is_imported else at.isoformat(), study.is_simulated))
        for _, _, metric, value, low, high, note, places in given:
            of_note = part(
                (note, "" if places == "[]" else message_numbers(places), member in screened_out, study.is_imported)
            )
            scored = part((metric, value)), part((low, high))
            yield form.line(items[item], rater, *scored, said, when, of_note, of_chat, part((purpose,)))


def _in_turn(study: Study, members: Collection[int]) -> Iterator[tuple[str, Row, Iterator[Row]]]:
    """Each rating's purpose, the rating and its scores: those that count, then repeats."""
    for rating, given in rated(study, members, OF_A_RATING, OF_A_SCORE):
        yield "rated", rating, given
    if study.hidden_repeats:
        again = Rating.objects.repeats().for_study(study).filter(assignment__membership__in=members)
        for rating, given in rated(study, members, OF_A_RATING, OF_A_SCORE, of=again):
            yield "repeat", rating, given


def message_numbers(places: str) -> str:
    """Message numbers from 1, separated by spaces, for a JSON array of places from 0."""
    return " ".join(str(place + 1) for place in json.loads(places))


def _chat_cells(study: Study) -> dict[int, tuple[object, ...]]:
    """By assignment, what a line says of the chat that was scored."""
    return {
        chat.assignment: (chat.pk, chat.dialogue_key, chat.facts.turns, round(chat.facts.minutes, 3))
        for chat in study_chats(study)
        if chat.is_held
    }


def _item_parts(study: Study, form: CsvForm) -> dict[int, str]:
    """For each item the part of a line that says what was rated."""
    rows = Item.objects.filter(study=study, purpose=Item.Purpose.RATED).values_list(
        "pk",
        "position",
        "background__key",
        *(f"{of}__{name}" for of in ("dialogue", "other") for name in OF_A_DIALOGUE),
    )
    parts = {}
    for pk, position, background, key, *shown in rows:
        # The dialogue of an item to chat about is a placeholder.
        rated = _dialogue("" if study.has_chats else key, *shown[:3])
        parts[pk] = form.part((study.name, position, background, *rated, *_dialogue(*shown[3:])))
    return parts


def _dialogue(key: str, version: str, written_by: str, is_demo: bool | None) -> tuple[str, ...]:
    """A dialogue's cells; empty if there is no second dialogue."""
    return (key or "", version or "", written_by or "", DEMO_LABEL if is_demo else "")


def ratings_csv(study: Study, form: CsvForm = PLAIN) -> Iterator[str]:
    """A whole file, with a heading, in chunks of many lines."""
    return csv_stream(RATING_COLUMNS, rating_lines(study, form), form)


def marked(
    table: Table, *, simulated: bool, imported: bool, demo: bool, screened_out: str, intervals_speak_of: str
) -> Table:
    """Add columns that say on every row whether ratings are simulated or imported, whether texts are the demo's, how
    many raters were screened out and whether they count, and whom the intervals speak of."""
    names = ("simulated", "demo", "screened_out", "imported", "intervals_speak_of")
    marks = tuple(Column(name, numeric=False) for name in names)
    cells = (str(simulated), DEMO_LABEL if demo else "", screened_out, str(imported), intervals_speak_of)
    return replace(table, columns=table.columns + marks, rows=tuple(row + cells for row in table.rows))
