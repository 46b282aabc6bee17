"""Writing a chat's events: each takes the next number under the lock of its chat, so that their order is one."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any, NamedTuple

from django.db import transaction
from django.db.models import Q, QuerySet
from django.utils import timezone

from annotation.chats import listening, notices
from annotation.chats.keeping import keep
from annotation.chats.log import MODEL, Conversation, LogEvent, conversation
from annotation.chats.setup import Setup
from annotation.models import Chat, ChatEvent

Kind = ChatEvent.Kind
LEASE = timedelta(seconds=10)
LONGEST_TEXT = 4_000  # letters of one message
TYPING_EVERY = timedelta(seconds=1)


class Unless(NamedTuple):
    """Any event of these kinds after the one of this number."""

    after: int
    kinds: Sequence[str]


class Ready(NamedTuple):
    """A bubble that has come completely, and when its end came."""

    text: str
    received: datetime


class ChatEndedError(Exception):
    """Nothing can be added to a chat that has ended."""


class DriverLostError(Exception):
    """Another process answers this chat now."""


def send(chat_pk: int, text: str, client_id: str) -> ChatEvent:
    """A person's message; one that was sent before under this name is there already. Raises ChatEndedError."""
    event = _send(chat_pk, text, client_id)
    # Raised here, because an end that the message came too late for must be kept.
    if event is None:
        raise ChatEndedError
    return event


@transaction.atomic
def _send(chat_pk: int, text: str, client_id: str) -> ChatEvent | None:
    chat = _locked(chat_pk)
    known = ChatEvent.objects.filter(chat=chat, client_id=client_id).first()
    if known:
        return known
    if not chat.is_open or _end_if_late(chat):
        return None
    return _append(chat, Kind.SENT, text=text, client_id=client_id)


@transaction.atomic
def sign(chat_pk: int, kind: str) -> ChatEvent | None:
    """Something else that a person does; nothing where it would change nothing."""
    chat = _locked(chat_pk)
    if not chat.is_open or not _changes_something(chat, kind):
        return None
    return _end(chat, {"why": "person"}) if kind == Kind.ENDED else _append(chat, kind)


@transaction.atomic
def end(chat_pk: int, why: str) -> None:
    """End it for good, unless it has ended."""
    chat = _locked(chat_pk)
    if chat.is_open:
        _end(chat, {"why": why})


@transaction.atomic
def end_if_late(chat_pk: int) -> None:
    """End a chat whose time is up; a reply that is being shown may finish."""
    chat = _locked(chat_pk)
    if chat.is_open:
        _end_if_late(chat)


def may_be_late(chat: Chat) -> bool:
    """Whether its time can be up, by its row alone: the time runs from the first message, which came later."""
    minutes = Setup.of(chat.setup).limits.minutes
    return bool(minutes) and timezone.now() >= chat.created_at + timedelta(minutes=minutes)


def _end_if_late(chat: Chat) -> bool:
    if not may_be_late(chat):
        return False
    limits = Setup.of(chat.setup).limits
    found = conversation_of(chat)
    left = limits.seconds_left(found, timezone.now().timestamp())
    is_late = left is not None and left <= 0 and not found.asked
    if is_late:
        _end(chat, {"why": "time"})
    return is_late


def _changes_something(chat: Chat, kind: str) -> bool:
    if kind == Kind.TYPING:
        last = chat.events.last()
        return not (last and last.kind == Kind.TYPING and timezone.now() - last.at < TYPING_EVERY)
    if kind == Kind.ENDED:
        return True
    found = conversation_of(chat)
    if kind == Kind.STOPPED:
        return bool(found.asked)
    if kind == Kind.RETRIED:
        return found.is_on_hold and bool(found.unanswered)
    return not found.asked and found.bubbles[-1:] != [] and found.bubbles[-1].speaker == MODEL


@transaction.atomic
def tell(chat_pk: int, owner: str, kind: str, unless: Unless | None = None, **fields: Any) -> ChatEvent | None:
    """What the model's side does, by the process that answers; raises DriverLostError.

    Nothing is written, and None returned, if the person did meanwhile what `unless` names: so what is shown never
    overtakes an interruption, and the model is never asked without what was said last.
    """
    chat = _locked(chat_pk)
    if chat.driver != owner:
        raise DriverLostError
    if unless and _has_happened(chat, unless):
        return None
    return _end(chat, fields["detail"]) if kind == Kind.ENDED else _append(chat, kind, **fields)


def _has_happened(chat: Chat, unless: Unless) -> bool:
    if chat.last_number <= unless.after:
        return False
    return chat.events.filter(kind__in=unless.kinds, number__gt=unless.after).exists()


@transaction.atomic
def tell_ready(chat_pk: int, owner: str, bubbles: Sequence[Ready]) -> list[ChatEvent]:
    """Bubbles that are complete, all at once; raises DriverLostError."""
    chat = _locked(chat_pk)
    if chat.driver != owner:
        raise DriverLostError
    rows = [
        {"kind": Kind.BUBBLE_READY, "text": one.text, "detail": {"received": one.received.isoformat()}}
        for one in bubbles
    ]
    return _append_all(chat, rows)


def claim(chat_pk: int, owner: str, now: datetime) -> bool:
    """Become the process that answers this chat, if none does."""
    free = Q(driver="") | Q(driver=owner) | Q(driver_until__lte=now)
    return bool(Chat.objects.filter(free, pk=chat_pk).update(driver=owner, driver_until=now + LEASE))


def hold(chat_pk: int, owner: str, now: datetime) -> bool:
    """Go on answering; False where another process took over."""
    return bool(Chat.objects.filter(pk=chat_pk, driver=owner).update(driver_until=now + LEASE))


def release(chat_pk: int, owner: str, last_number: int) -> bool:
    """Stop answering, unless something has happened since the event of that number."""
    idle = Chat.objects.filter(pk=chat_pk, driver=owner, last_number=last_number)
    return bool(idle.update(driver="", driver_until=None)) or not Chat.objects.filter(pk=chat_pk, driver=owner).exists()


def events_after(chat_pk: int, number: int) -> QuerySet[ChatEvent]:
    """In order, in one query: a cursor of the database takes four."""
    return ChatEvent.objects.filter(chat=chat_pk, number__gt=number).order_by("number")


def call_of(chat_pk: int, number: int) -> int | None:
    """The call that an event of this number asked with."""
    return ChatEvent.objects.filter(chat=chat_pk, number=number).values_list("call", flat=True).first()


def as_log(event: ChatEvent) -> LogEvent:
    return LogEvent(event.number, event.at.timestamp(), event.kind, event.text, bool(event.detail.get("again")))


def _locked(chat_pk: int) -> Chat:
    return Chat.objects.select_for_update(no_key=True).get(pk=chat_pk)


def _end(chat: Chat, detail: dict[str, Any]) -> ChatEvent:
    chat.state = Chat.State.ENDED
    chat.save(update_fields=["state"])
    event = _append(chat, Kind.ENDED, detail=detail)
    if chat.assignment_id is not None:
        keep(chat, conversation_of(chat))
    return event


def _append(chat: Chat, kind: str, **fields: Any) -> ChatEvent:
    """The next event; the caller holds the chat's lock."""
    return _append_all(chat, [{"kind": kind, **fields}])[0]


def _append_all(chat: Chat, rows: Sequence[dict[str, Any]]) -> list[ChatEvent]:
    now = timezone.now()
    events = [
        ChatEvent(chat=chat, number=number, at=now, **fields)
        for number, fields in enumerate(rows, chat.last_number + 1)
    ]
    ChatEvent.objects.bulk_create(events)
    Chat.objects.filter(pk=chat.pk).update(last_number=chat.last_number + len(events), changed_at=now)
    listening.announce(chat.pk)
    transaction.on_commit(lambda: notices.wake(chat.pk))
    return events


def conversation_of(chat: Chat) -> Conversation:
    return conversation(map(as_log, events_after(chat.pk, 0)))


def is_left(chat: Chat) -> bool:
    """Whether nobody answers the chat although something waits for an answer."""
    if chat.driver and chat.driver_until and chat.driver_until > timezone.now():
        return False
    found = conversation_of(chat)
    return found.awaits_reply or bool(found.asked)
