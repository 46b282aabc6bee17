"""Which chats of a study to look at, and how each tester's chats are. Pure.

None of this proves anything: it says whose chats to read.

- *Very short*: finished with fewer turns than the study's design asks for, which happens where no reply came any more.
- *Very fast*: it took less time than reading the system's words and typing the tester's own after their first message
  at twice the average speed. Reading as in `annotation.monitoring.quality`; people type 52 words a minute on a keyboard
  on average (Dhakal et al. 2018) and fewer on a phone, so the limit for typing is 104.
- *All equal*: every question got the same score.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from statistics import median

from annotation.monitoring.quality import FASTEST_WORDS_A_MINUTE
from annotation.reports.chat_figures import ChatFacts

TYPED_WORDS_A_MINUTE = 52
FASTEST_TYPED_WORDS_A_MINUTE = 2 * TYPED_WORDS_A_MINUTE


class Flag(StrEnum):
    EMPTY = "empty"
    SHORT = "very short"
    FAST = "very fast"
    STRAIGHT = "all scores equal"


def flags(chat: ChatFacts, scores: Sequence[int], least_turns: int) -> tuple[Flag, ...]:
    """What is odd about a chat with these scores, none if it was not scored."""
    odd = {
        Flag.EMPTY: chat.is_empty,
        Flag.SHORT: chat.is_ended and not chat.is_empty and chat.turns < least_turns,
        Flag.FAST: is_fast(chat),
        Flag.STRAIGHT: len(scores) >= 2 and len(set(scores)) == 1,
    }
    return tuple(flag for flag, is_so in odd.items() if is_so)


def is_fast(chat: ChatFacts) -> bool:
    """Whether a finished chat took less time than reading and typing it fast."""
    minutes = chat.model_words / FASTEST_WORDS_A_MINUTE + chat.later_words / FASTEST_TYPED_WORDS_A_MINUTE
    return chat.is_ended and not chat.is_empty and chat.spent < 60 * minutes


@dataclass(frozen=True, slots=True)
class ChatQuality:
    """One tester's finished chats: how many, medians, their own words a message, and the share of very fast ones."""

    chats: int
    turns: float | None
    minutes: float | None
    words: float | None
    fast: float | None


def chat_quality(chats: Sequence[ChatFacts]) -> ChatQuality:
    ended = [chat for chat in chats if chat.is_ended]
    sent = sum(chat.person_messages for chat in ended)
    return ChatQuality(
        chats=len(ended),
        turns=median(chat.turns for chat in ended) if ended else None,
        minutes=median(chat.minutes for chat in ended) if ended else None,
        words=sum(chat.person_words for chat in ended) / sent if sent else None,
        fast=sum(map(is_fast, ended)) / len(ended) if ended else None,
    )
