"""A study's chats as JSON lines: each with its set-up and every event with its time. Pseudonyms only."""

import json
from collections.abc import Iterator
from dataclasses import fields
from itertools import groupby
from typing import Any

from annotation.chats.setup import Setup
from annotation.models import Chat, ChatEvent, Study
from annotation.reports.scores import counted_members, counted_ratings
from annotation.reports.study_chats import EVENTS_AT_ONCE, StudyChat, study_chats
from core.streaming import joined

# Only these leave, whatever else may one day be kept in a chat's set-up.
SETUP = tuple(field.name for field in fields(Setup))


def chat_lines(study: Study) -> Iterator[str]:
    """One line a chat of a tester whose ratings count, in the order in which they began; practice is not among them."""
    members = counted_members(study)
    chats = [chat for chat in study_chats(study) if chat.member in members]
    scored = set(counted_ratings(study, members).values_list("assignment", flat=True))
    kept = Chat.objects.in_study(study).select_related("endpoint").in_bulk()
    names = dict(study.versions.values_list("slug", "name"))
    for chat, events in _with_events(study, chats):
        row = kept[chat.pk]
        line = {
            "study": study.name,
            "chat": chat.pk,
            "tester": members[chat.member or 0],
            "system": names.get(chat.version, chat.version),
            "version": chat.version,
            "model": row.endpoint.model,
            "background": chat.background,
            "dialogue": chat.dialogue_key or None,
            "state": row.state,
            "scored": chat.is_held and chat.assignment in scored,
            "turns": chat.facts.turns,
            "minutes": round(chat.facts.minutes, 3),
            "simulated": study.is_simulated,
            "demo": row.endpoint.is_demo,
            "setup": {name: row.setup[name] for name in SETUP if name in row.setup},
            "events": events,
        }
        yield json.dumps(line, ensure_ascii=False) + "\n"


def chats_jsonl(study: Study) -> Iterator[str]:
    """A whole file in pieces of many lines."""
    return joined(chat_lines(study), 50)


def _with_events(study: Study, chats: list[StudyChat]) -> Iterator[tuple[StudyChat, list[dict[str, Any]]]]:
    """Each chat with its events, from one stream in the chats' order; one chat's events are in memory at a time."""
    rows = ChatEvent.objects.filter(chat__in=Chat.objects.in_study(study)).order_by("chat_id", "number")
    columns = rows.values_list("chat_id", "number", "at", "kind", "text", "detail").iterator(EVENTS_AT_ONCE)
    groups = groupby(columns, key=lambda row: int(row[0]))
    of, events = next(groups, (0, iter(())))
    for chat in chats:
        # Skip the events of chats that are left out.
        while of and of < chat.pk:
            of, events = next(groups, (0, iter(())))
        yield chat, [_event(*row[1:]) for row in events] if of == chat.pk else []


def _event(number: int, at: Any, kind: str, text: str, detail: dict[str, Any]) -> dict[str, Any]:
    return {"number": number, "at": at.isoformat(), "kind": kind, "text": text, "detail": detail}
