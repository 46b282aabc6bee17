"""Chats by invented testers, over HTTP with the real systems: what they say is the first person's part of an original.

They write a turn in a burst, wait for the reply, and end the chat as soon as it is long enough. Marked as simulated
wherever they appear; nothing of it is evidence about how people chat.
"""

from collections.abc import Iterator
from itertools import cycle, islice
from time import monotonic, sleep

from annotation.chats import driving, places, recording
from annotation.chats.plan import ChatPlan
from annotation.models import Assignment, Chat
from dialogues.models import Dialogue

LONGEST_BURST = 3
PATIENCE = 120.0  # seconds until a reply
LOOK_EVERY = 0.02


class NoReplyError(RuntimeError):
    """The system did not answer in time; the text says what to do."""


def hold_chat(place: Assignment) -> None:
    """Chat at this place until the chat is long enough, and end it; one that was begun goes on. Raises NoReplyError."""
    chat = places.begin(place)
    wanted = ChatPlan.of(place.study.chat_plan).least_turns
    begun = sum(speaker == "person" for speaker, _ in recording.conversation_of(chat).history())
    for number, burst in islice(enumerate(_bursts(place.item.background)), begun, wanted):
        if not _say(chat, number, burst):
            break
    recording.end(chat.pk, "person")


def _bursts(original: Dialogue) -> Iterator[list[str]]:
    """The turns of the first person, again from the start where they do not suffice."""
    turns = [[message.text for message in turn.messages] for turn in original.transcript.turns() if turn.speaker == 1]
    return cycle([turn[:LONGEST_BURST] for turn in turns] or [["Hi!"]])


def _say(chat: Chat, number: int, burst: list[str]) -> bool:
    """Send a burst and wait for its answer; False if the chat has ended, or nothing comes any more."""
    try:
        for place, text in enumerate(burst):
            recording.send(chat.pk, text, f"turn-{number}-{place}")
    except recording.ChatEndedError:
        return False
    driving.drivers().ensure(chat.pk)
    until = monotonic() + PATIENCE
    while monotonic() < until:
        said = recording.conversation_of(chat)
        if said.is_ended or said.is_on_hold:
            return False
        if not said.awaits_reply and not said.asked:
            return True
        sleep(LOOK_EVERY)
    raise NoReplyError("A system has not answered for two minutes. Look at its endpoint, and simulate again to go on.")
