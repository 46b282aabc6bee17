"""What happened in chats, and what a system's chats have in common: from the columns of their events. Pure.

A *reply* is everything between `asked` and its end. Times are in seconds of any clock.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import groupby
from operator import attrgetter
from typing import Any, NamedTuple

import numpy as np

from annotation.chats.log import MODEL, PERSON, Conversation, LogEvent
from annotation.chats.plan import turns_of_person
from annotation.reports.chat_causes import LEFT, LIMITS
from dialogues.statistics.words_and_turns import count_words

# What ended a chat that nothing else is said of.
BY_PERSON = "person"
# Kinds of events that no figure depends on.
OF_NO_ACCOUNT = ("typing", "first_token", "bubble_ready")


class LoggedEvent(NamedTuple):
    chat: int
    number: int
    at: float
    kind: str
    text: str
    detail: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class ChatFacts:
    """One chat so far.

    `turns` are the person's: all their messages up to a reply are one. `later_words` leaves out their first message,
    which nobody timed. `seconds` pass from the first message to the last, `spent` to the last event. `aborted` and
    `failed` count replies by cause. `waits` are from `asked` to a reply's first bubble. `late` is by how much longer
    than its planned delay each bubble took, since the one before it or, for a reply's first one, since `asked`.
    `ended_by` is empty while the chat is open.
    """

    turns: int = 0
    person_messages: int = 0
    model_messages: int = 0
    person_words: int = 0
    later_words: int = 0
    model_words: int = 0
    seconds: float = 0.0
    spent: float = 0.0
    replies: int = 0
    aborted: Mapping[str, int] = field(default_factory=dict)
    failed: Mapping[str, int] = field(default_factory=dict)
    waits: tuple[float, ...] = ()
    late: tuple[float, ...] = ()
    ended_by: str = ""

    @property
    def messages(self) -> int:
        return self.person_messages + self.model_messages

    @property
    def words(self) -> int:
        return self.person_words + self.model_words

    @property
    def minutes(self) -> float:
        return self.seconds / 60

    @property
    def failures(self) -> int:
        return sum(self.failed.values())

    @property
    def is_ended(self) -> bool:
        return bool(self.ended_by)

    @property
    def is_finished(self) -> bool:
        """Whether it ended, and not because its person left."""
        return self.is_ended and self.ended_by != LEFT

    @property
    def is_empty(self) -> bool:
        """Whether it has ended, and one side said nothing."""
        return self.is_ended and not (self.person_messages and self.model_messages)


def chat_facts(events: Iterable[LoggedEvent]) -> Iterator[tuple[int, ChatFacts]]:
    """(chat, facts) for events sorted by chat and number."""
    for chat, of_chat in groupby(events, key=attrgetter("chat")):
        log = _Log()
        for event in of_chat:
            log.take(event)
        yield chat, log.facts()


class _Log:
    """One chat's events, taken in one by one."""

    def __init__(self) -> None:
        self._conversation = Conversation()
        self._last_at = 0.0
        # When the open reply was asked for, and when its last bubble was shown.
        self._asked_at = 0.0
        self._shown_at: float | None = None
        self._replies = 0
        self._aborted: Counter[str] = Counter()
        self._failed: Counter[str] = Counter()
        self._waits: list[float] = []
        self._late: list[float] = []
        self._ended_by = ""

    def take(self, event: LoggedEvent) -> None:
        self._conversation.take(LogEvent(event.number, event.at, event.kind, event.text))
        self._last_at = event.at
        if event.kind == "asked":
            self._asked_at, self._shown_at = event.at, None
            self._replies += 1
        elif event.kind == "bubble_shown":
            self._show(event)
        elif event.kind == "aborted":
            self._aborted[_word(event, "why")] += 1
        elif event.kind == "failed":
            self._failed[_word(event, "trouble")] += 1
        elif event.kind == "ended":
            self._ended_by = _word(event, "why", BY_PERSON)

    def _show(self, event: LoggedEvent) -> None:
        if self._shown_at is None:
            self._waits.append(event.at - self._asked_at)
        planned = event.detail.get("planned")
        if isinstance(planned, int | float):
            before = self._asked_at if self._shown_at is None else self._shown_at
            self._late.append(event.at - before - planned)
        self._shown_at = event.at

    def facts(self) -> ChatFacts:
        bubbles = self._conversation.bubbles
        said = {side: [one.text for one in bubbles if one.speaker == side] for side in (PERSON, MODEL)}
        first = bubbles[0].at if bubbles else self._last_at
        last = max((one.at for one in bubbles), default=first)
        return ChatFacts(
            turns=turns_of_person(self._conversation),
            person_messages=len(said[PERSON]),
            model_messages=len(said[MODEL]),
            person_words=count_words(said[PERSON], "whitespace"),
            later_words=count_words(said[PERSON][1:], "whitespace"),
            model_words=count_words(said[MODEL], "whitespace"),
            seconds=last - first,
            spent=max(self._last_at - first, 0.0),
            replies=self._replies,
            aborted=dict(self._aborted),
            failed=dict(self._failed),
            waits=tuple(self._waits),
            late=tuple(self._late),
            ended_by=self._ended_by,
        )


def _word(event: LoggedEvent, key: str, otherwise: str = "unknown") -> str:
    return str(event.detail.get(key) or otherwise)


class Spread(NamedTuple):
    """The middle and the ends of `n` values."""

    median: float
    least: float
    most: float
    n: int


class Tail(NamedTuple):
    """The median and the 95th percentile of `n` times, in seconds."""

    median: float
    p95: float
    n: int


@dataclass(frozen=True, slots=True)
class SystemFigures:
    """All chats with one system. `turns`, `messages` and `minutes` are of the finished ones; `limits` count those that
    a limit ended, and `left` those that their person gave up."""

    begun: int
    finished: int
    left: int
    scored: int
    empty: int
    turns: Spread | None
    messages: Spread | None
    minutes: Spread | None
    limits: Mapping[str, int]
    replies: int
    aborted: Mapping[str, int]
    failed: Mapping[str, int]
    waits: Tail | None
    late: Tail | None


def system_figures(chats: Sequence[ChatFacts], scored: int) -> SystemFigures:
    """`scored` of these chats have scores."""
    finished = [chat for chat in chats if chat.is_finished]
    by = Counter(chat.ended_by for chat in chats)
    return SystemFigures(
        begun=len(chats),
        finished=len(finished),
        left=by[LEFT],
        scored=scored,
        empty=sum(chat.is_empty for chat in finished),
        turns=spread([chat.turns for chat in finished]),
        messages=spread([chat.messages for chat in finished]),
        minutes=spread([chat.minutes for chat in finished]),
        limits={limit: by[limit] for limit in LIMITS},
        replies=sum(chat.replies for chat in chats),
        aborted=_sum(chat.aborted for chat in chats),
        failed=_sum(chat.failed for chat in chats),
        waits=tail([wait for chat in chats for wait in chat.waits]),
        late=tail([late for chat in chats for late in chat.late]),
    )


def _sum(counts: Iterable[Mapping[str, int]]) -> dict[str, int]:
    total: Counter[str] = Counter()
    for one in counts:
        total.update(one)
    return dict(sorted(total.items()))


def spread(values: Sequence[float]) -> Spread | None:
    """None without values."""
    if not values:
        return None
    return Spread(float(np.median(values)), min(values), max(values), len(values))


def tail(seconds: Sequence[float]) -> Tail | None:
    """None without values; between two values the percentile is interpolated."""
    if not seconds:
        return None
    median, p95 = np.quantile(seconds, [0.5, 0.95])
    return Tail(float(median), float(p95), len(seconds))
