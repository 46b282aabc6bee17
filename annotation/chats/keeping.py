"""A chat as a dialogue of a corpus; and forgetting what a person wrote in their chats."""

from datetime import UTC, datetime
from typing import Any

from django.db import transaction

from annotation.chats.log import Conversation, transcript
from annotation.models import Chat, Item
from dialogues.models import Corpus, Dialogue, Version
from dialogues.transcript import Transcript
from generation.models import LiveCall

LONGEST_KEY = 160  # of the background's in the chat's


def keep(chat: Chat, said: Conversation) -> Dialogue | None:
    """A study's chat in the study's corpus, as its system's version; None if it was practice, or one side said nothing.

    Keeping it twice changes nothing.
    """
    place = chat.assignment
    if place is None or place.item.purpose != Item.Purpose.RATED:
        return None
    item = place.item
    return keep_in(chat, said, item.background.corpus, item.dialogue.version, item.background)


def keep_in(
    chat: Chat, said: Conversation, corpus: Corpus, version: Version, background: Dialogue | None = None
) -> Dialogue | None:
    """The chat's dialogue, made now unless it is there; None if one side said nothing."""
    if chat.dialogue is not None:
        return chat.dialogue
    if len({bubble.speaker for bubble in said.bubbles}) < 2:
        return None
    setup: dict[str, Any] = chat.setup
    named = f"{background.key[:LONGEST_KEY]} " if background else ""
    chat.dialogue = Dialogue.from_transcript(
        Transcript.of(transcript(said.bubbles)),
        corpus=corpus,
        key=f"{named}chat {chat.pk}",
        version=version,
        origin=background,
        parent=background,
        times=[datetime.fromtimestamp(bubble.at, UTC).isoformat() for bubble in said.bubbles],
        traits_1=list(setup.get("traits_of_person", ())),
        traits_2=list(setup.get("traits_of_model", ())),
        theme=setup.get("theme", ""),
        written_by=chat.endpoint.model,
        is_demo=chat.endpoint.is_demo,
    )
    chat.dialogue.save()
    chat.save(update_fields=["dialogue"])
    return chat.dialogue


@transaction.atomic
def forget(chat: Chat) -> None:
    """Delete the chat, its dialogue, and what was said from the ledger of replies; what they cost stays."""
    calls = LiveCall.objects.filter(chat_events__chat=chat).values_list("pk", flat=True)
    LiveCall.objects.filter(pk__in=list(calls)).update(messages=[], raw_reply="")
    dialogue = chat.dialogue
    chat.delete()
    if dialogue is not None and not dialogue.items.exists():
        dialogue.delete()
