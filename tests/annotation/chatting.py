"""Chats with a model that tests direct, and waiting for what happens in them."""

from typing import Any

from django.contrib.auth.models import User

from annotation.chats import driving, recording
from annotation.chats.setup import Setup
from annotation.models import Chat, ChatEvent
from generation.models import Endpoint, LiveBudget
from tests.waiting import until

QUICK: dict[str, Any] = {"delimiter": "<|msg|>", "pace": "none", "silence": 0.0}


def chat_with(endpoint: Endpoint, person: User, *, budget: str | None = None, **setup: Any) -> Chat:
    made = Setup(**{"parameters": {"model": endpoint.model}, **QUICK, **setup})
    pot = LiveBudget.objects.create(name="A chat", budget=budget)
    return Chat.objects.create(person=person, title="Chat", endpoint=endpoint, setup=made.as_json(), budget=pot)


def say(chat: Chat, text: str, client_id: str = "") -> ChatEvent:
    event = recording.send(chat.pk, text, client_id or f"id-{text}")
    driving.drivers().ensure(chat.pk)
    return event


def kinds(chat: Chat) -> list[str]:
    return list(ChatEvent.objects.filter(chat=chat).order_by("number").values_list("kind", flat=True))


def said(chat: Chat) -> list[tuple[str, str]]:
    """Who said what, in the order of the conversation."""
    return [(bubble.speaker, bubble.text) for bubble in recording.conversation_of(chat).bubbles]


def settled(chat: Chat) -> list[str]:
    """Wait until nobody answers the chat any more, as an open page does; returns the kinds of all its events."""

    def is_at_rest() -> bool:
        found = Chat.objects.get(pk=chat.pk)
        if recording.is_left(found):
            driving.drivers().ensure(chat.pk)
            return False
        return not found.driver

    until(is_at_rest, "the chat came to rest", 20)
    return kinds(chat)
