"""A chat's news as Server-Sent Events.

Each has its number as id, so a browser that comes back misses none and sees none twice. Only what a person may see is
sent, from a whitelist: what both sides wrote, and whether the other side is typing.
"""

import json
from collections.abc import AsyncIterator
from time import monotonic
from typing import Any, NamedTuple

from asgiref.sync import sync_to_async
from django.conf import settings
from django.db import connections
from django.utils import timezone, translation
from django.utils.translation import gettext

from annotation.chats import driving, notices, recording
from annotation.chats.wording import ENDINGS, FAILURES, NO_ANSWER
from annotation.models import Chat, ChatEvent
from generation.engine.loops import wait_for

SILENCE = 15.0  # seconds without news before a comment keeps proxies from closing the line
LEASE_SLACK = 0.2  # seconds after a lease's end
LONGEST = 600.0  # seconds; then the browser reconnects and its rights are checked again
Kind = ChatEvent.Kind


def shown(event: ChatEvent) -> dict[str, Any] | None:
    """What a browser is told about an event, in the language that is active; None for nothing."""
    told: dict[str, Any] = {"number": event.number, "kind": event.kind}
    if event.kind == Kind.SENT:
        return told | {"text": event.text, "id": event.client_id, "at": event.at.isoformat()}
    if event.kind == Kind.BUBBLE_SHOWN:
        return told | {"text": event.text, "at": event.at.isoformat()}
    if event.kind == Kind.FAILED:
        words = FAILURES.get(event.detail.get("trouble", ""), NO_ANSWER)
        return told | {"words": gettext(words), "again": event.detail.get("again", False)}
    if event.kind == Kind.ENDED:
        words = ENDINGS.get(event.detail.get("why", ""), "")
        return told | {"words": words and gettext(words)}
    return told if event.kind in (Kind.ASKED, Kind.REPLIED, Kind.ABORTED, Kind.RETRIED, Kind.REGENERATED) else None


async def stream(chat_pk: int, after: int, language: str = settings.LANGUAGE_CODE) -> AsyncIterator[str]:
    """Every event after that number as it happens, until the chat has ended or is gone."""
    yield "retry: 1000\n\n"
    # Whoever answers, this process must hear of it.
    driving.drivers()
    began = spoke = monotonic()
    seen = -1
    with notices.waiting(chat_pk) as news:
        while monotonic() - began < LONGEST:
            news.clear()
            found = await sync_to_async(_look, thread_sensitive=False)(chat_pk, after, seen)
            seen = found.seen
            for event in found.events:
                after = event.number
                with translation.override(language):
                    told = shown(event)
                if told:
                    spoke = monotonic()
                    yield f"id: {event.number}\ndata: {json.dumps(told, ensure_ascii=False)}\n\n"
            if not found.is_open:
                yield "event: end\ndata: {}\n\n"
                return
            if monotonic() - spoke > SILENCE:
                spoke = monotonic()
                yield ": still here\n\n"
            await wait_for(news, found.rest)


class Look(NamedTuple):
    """What a stream finds when it looks."""

    events: list[ChatEvent]
    is_open: bool
    seen: int  # the last number at which nobody needed to be called; -1 where somebody was
    rest: float  # seconds until it looks again although nobody calls


def _look(chat_pk: int, after: int, seen: int) -> Look:
    """The events after `after`; sees to it that somebody answers the chat.

    While nothing happens in a chat that nobody needs to answer (`seen` is its last number), a look is one query,
    however long the chat is.
    """
    try:
        chat = Chat.objects.filter(pk=chat_pk).first()
        if chat is None:
            return Look([], False, after, 0.0)
        if chat.is_open and recording.may_be_late(chat):
            recording.end_if_late(chat_pk)
            chat.refresh_from_db()
        events = list(recording.events_after(chat_pk, after)) if chat.last_number > after else []
        is_news = chat.last_number != seen or bool(chat.driver)
        is_left = is_news and chat.is_open and recording.is_left(chat)
        if is_left:
            driving.drivers().ensure(chat_pk)
        return Look(events, chat.is_open, -1 if is_left else chat.last_number, _rest(chat))
    finally:
        connections.close_all()


def _rest(chat: Chat) -> float:
    """Until the lease of the process that answers runs out: if it died, another one takes over then."""
    longest = recording.LEASE.total_seconds()
    if not chat.driver_until:
        return longest
    left = (chat.driver_until - timezone.now()).total_seconds()
    return min(max(left, 0) + LEASE_SLACK, longest)
