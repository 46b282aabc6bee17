"""How the chats of a study go: the same for all its systems, and frozen with its design. Pure."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, Literal, Self

from annotation.chats.log import PERSON, Conversation
from annotation.chats.pace import PACES, Kind

Interruption = Literal["stop", "wait"]
INTERRUPTIONS: Mapping[Interruption, str] = {
    "stop": "stops the rest of the reply",
    "wait": "waits until the reply is complete",
}
# Simulated conversations: 2.5 seconds alone cut into half of all bursts; the signal that somebody types mends most.
SILENCE = 2.5
# Of a system: tables print the whole name as its version's symbol.
LONGEST_NAME = 20
MOST_TURNS = 200
MOST_MINUTES = 240
MOST_SILENCE = 30.0
MOST_DOLLARS = 1_000_000.0


@dataclass(frozen=True, slots=True)
class ChatPlan:
    """Turns are the person's: all messages up to a reply are one. 0 stands for no limit, None for any number.

    `pace` and `silence` (seconds) as in `setup.Setup`; `chat_cap` and `budget` in US dollars for one chat and for all.
    """

    pace: Kind = "typing"
    silence: float = SILENCE
    interruption: Interruption = "stop"
    least_turns: int = 4
    most_turns: int = 30
    minutes: int = 30
    # How many chats a tester has at most; None: as many as there are for them.
    chats_each: int | None = None
    chat_cap: float | None = 1.0
    budget: float | None = None
    # Whether testers first try the page in a chat that counts nowhere.
    practice: bool = True
    # Whether testers are asked at the end which of the study's two systems they preferred.
    asks_preference: bool = False

    def as_json(self) -> dict[str, Any]:
        return asdict(self)

    @classmethod
    def of(cls, stored: Mapping[str, Any]) -> Self:
        """Raises TypeError for a name that no plan has."""
        return cls(**stored)

    def problems(self) -> list[str]:
        """What is wrong with it, in sentences."""
        limits = [limit for limit in (self.chat_cap, self.budget) if limit is not None]
        wrong = {
            "The pace or what an interruption does is none of the choices.": (
                self.pace not in PACES or self.interruption not in INTERRUPTIONS
            ),
            f"The silence before a reply must be from 0 to {MOST_SILENCE:g} seconds.": (
                not 0 <= self.silence <= MOST_SILENCE
            ),
            f"A chat must have at least 1 to {MOST_TURNS} turns.": not 1 <= self.least_turns <= MOST_TURNS,
            f"At most {MOST_TURNS} turns can be allowed, and not fewer than the least.": (
                not 0 <= self.most_turns <= MOST_TURNS or 0 < self.most_turns < self.least_turns
            ),
            f"A chat can last at most {MOST_MINUTES} minutes.": not 0 <= self.minutes <= MOST_MINUTES,
            "A tester has at least one chat.": self.chats_each is not None and self.chats_each < 1,
            "Testers can prefer one of two systems only after two chats or more.": (
                self.asks_preference and self.chats_each == 1
            ),
            "A limit of money must be more than 0 US dollars; leave it empty for none.": not all(
                0 < limit <= MOST_DOLLARS for limit in limits
            ),
        }
        return [sentence for sentence, is_wrong in wrong.items() if is_wrong]


@dataclass(frozen=True, slots=True)
class Limits:
    """When a chat is long enough, and when it is over; 0 stands for no limit."""

    least_turns: int = 0
    most_turns: int = 0
    minutes: int = 0

    def may_finish(self, chat: Conversation) -> bool:
        """Whether the person may end it: it is long enough, or no reply comes any more."""
        return turns_of_person(chat) >= self.least_turns or chat.is_on_hold or chat.is_ended

    def is_full(self, chat: Conversation) -> bool:
        """Whether the last turn that it may have is answered."""
        answered = not (chat.asked or chat.unanswered)
        return bool(self.most_turns) and answered and turns_of_person(chat) >= self.most_turns

    def seconds_left(self, chat: Conversation, now: float) -> float | None:
        """Until its time is up, from the first message on; None without a limit, or before it."""
        if not self.minutes or not chat.bubbles:
            return None
        return chat.bubbles[0].at + 60 * self.minutes - now


def turns_of_person(chat: Conversation) -> int:
    return sum(speaker == PERSON for speaker, _ in chat.history())
