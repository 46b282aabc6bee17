"""What follows from the log of a chat: its bubbles, what the model is told, and what is to happen next. Pure.

A *reply* is everything between `asked` and its end: `replied`, `aborted` or `failed`. What a person sends while a reply
is being shown comes after it in the history, whether the rest of the reply is dropped or waits.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Literal, NamedTuple

Speaker = Literal["person", "model"]
PERSON: Speaker = "person"
MODEL: Speaker = "model"
_ENDS = ("replied", "aborted", "failed")


class LogEvent(NamedTuple):
    """One event; `at` in seconds of any clock."""

    number: int
    at: float
    kind: str
    text: str = ""
    again: bool = False  # of a failure: it is tried again without being asked to


class Bubble(NamedTuple):
    speaker: Speaker
    text: str
    number: int
    at: float


@dataclass(slots=True)
class Conversation:
    """The state of a chat after some events."""

    bubbles: list[Bubble] = field(default_factory=list)
    # What no reply has answered yet.
    unanswered: list[Bubble] = field(default_factory=list)
    # The number of the open reply's `asked`, 0 if none is open, and how many of its bubbles were shown.
    asked: int = 0
    shown: int = 0
    # No reply is asked for until the person sends something or asks again: one failed, or was stopped.
    is_on_hold: bool = False
    # The other side said: later. It is asked again after a pause.
    is_paused: bool = False
    is_stopped: bool = False
    is_ended: bool = False
    last_sign: float = 0.0  # when the person last sent something or was typing
    last_number: int = 0

    @property
    def first_unanswered(self) -> float:
        return self.unanswered[0].at

    @property
    def awaits_reply(self) -> bool:
        """Whether a reply is due once the person is silent."""
        return bool(self.unanswered) and not (self.asked or self.is_on_hold or self.is_ended)

    @property
    def is_interrupted(self) -> bool:
        """Whether the person sent something, asked to stop, or ended the chat after the open reply was asked for."""
        sent = bool(self.unanswered) and self.unanswered[-1].number > self.asked
        return bool(self.asked) and (sent or self.is_stopped or self.is_ended)

    def take(self, event: LogEvent) -> None:
        self.last_number = event.number
        handler = _HANDLERS.get(event.kind)
        if handler:
            handler(self, event)

    def silence_ends(self, window: float, longest: float) -> float:
        """When the model is asked: a window after the last sign of the person, at the latest `longest` after the first
        message that waits. In seconds of the events' clock."""
        return min(max(self.last_sign, self.unanswered[-1].at) + window, self.first_unanswered + longest)

    def history(self) -> list[tuple[Speaker, list[str]]]:
        """The turns as the model is told them: bubbles that were shown, and all that was sent."""
        turns: list[tuple[Speaker, list[str]]] = []
        for bubble in self.bubbles:
            if turns and turns[-1][0] == bubble.speaker:
                turns[-1][1].append(bubble.text)
            else:
                turns.append((bubble.speaker, [bubble.text]))
        return turns


def conversation(events: Iterable[LogEvent]) -> Conversation:
    found = Conversation()
    for event in events:
        found.take(event)
    return found


def _sent(chat: Conversation, event: LogEvent) -> None:
    bubble = Bubble(PERSON, event.text, event.number, event.at)
    chat.bubbles.append(bubble)
    chat.unanswered.append(bubble)
    chat.last_sign, chat.is_on_hold = event.at, False


def _typing(chat: Conversation, event: LogEvent) -> None:
    chat.last_sign = event.at


def _asked(chat: Conversation, event: LogEvent) -> None:
    chat.asked, chat.shown, chat.is_stopped, chat.is_paused = event.number, 0, False, False


def _shown(chat: Conversation, event: LogEvent) -> None:
    bubble = Bubble(MODEL, event.text, event.number, event.at)
    # What was sent meanwhile comes after the reply that it did not wait for.
    later = [one for one in chat.bubbles if one.speaker == PERSON and one.number > chat.asked]
    place = len(chat.bubbles) - len(later)
    chat.bubbles.insert(place, bubble)
    chat.shown += 1
    chat.unanswered = [one for one in chat.unanswered if one.number > chat.asked]


def _ended(chat: Conversation, event: LogEvent) -> None:
    chat.is_paused = event.kind == "failed" and event.again
    chat.is_on_hold = (event.kind == "failed" and not event.again) or chat.is_stopped
    chat.asked, chat.shown, chat.is_stopped = 0, 0, False


def _regenerated(chat: Conversation, event: LogEvent) -> None:
    """Takes the last reply back: its person's messages are unanswered again."""
    while chat.bubbles and chat.bubbles[-1].speaker == MODEL:
        chat.bubbles.pop()
    last: list[Bubble] = []
    while chat.bubbles and chat.bubbles[-1].speaker == PERSON:
        last.append(chat.bubbles.pop())
    chat.bubbles.extend(reversed(last))
    chat.unanswered, chat.is_on_hold = list(reversed(last)), False


def _retried(chat: Conversation, event: LogEvent) -> None:
    chat.is_on_hold = chat.is_paused = False


def _stopped(chat: Conversation, event: LogEvent) -> None:
    chat.is_stopped = bool(chat.asked)


def _closed(chat: Conversation, event: LogEvent) -> None:
    chat.is_ended, chat.is_paused = True, False


_HANDLERS = {
    "sent": _sent,
    "typing": _typing,
    "asked": _asked,
    "bubble_shown": _shown,
    **dict.fromkeys(_ENDS, _ended),
    "regenerated": _regenerated,
    "retried": _retried,
    "stopped": _stopped,
    "ended": _closed,
}


def transcript(bubbles: Sequence[Bubble]) -> list[tuple[int, str]]:
    """(speaker, text) as a dialogue stores them: the person is 1, the model 2."""
    return [(1 if bubble.speaker == PERSON else 2, bubble.text) for bubble in bubbles]
