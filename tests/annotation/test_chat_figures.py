"""Figures of chats from their events: examples counted by hand, and what holds of any log."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from annotation.chats.log import LogEvent, conversation
from annotation.reports.chat_causes import FAILED
from annotation.reports.chat_figures import ChatFacts, LoggedEvent, Spread, Tail, chat_facts, system_figures, tail
from generation.endpoints.refusals import Trouble

Row = tuple[float, str] | tuple[float, str, str] | tuple[float, str, str, Mapping[str, Any]]


def facts(*rows: Row, chat: int = 1) -> ChatFacts:
    return dict(chat_facts(events(*rows, chat=chat)))[chat]


def events(*rows: Row, chat: int = 1) -> list[LoggedEvent]:
    filled = [(*row, *("", {})[len(row) - 2 :]) for row in rows]
    return [
        LoggedEvent(chat, number, at, kind, text, detail) for number, (at, kind, text, detail) in enumerate(filled, 1)
    ]


TWO_TURNS: tuple[Row, ...] = (
    (10, "sent", "hi"),
    (12, "sent", "how are you ?"),
    (15, "asked"),
    (17, "bubble_shown", "fine thanks", {"planned": 1.5}),
    (19.25, "bubble_shown", "you ?", {"planned": 2}),
    (19.5, "replied"),
    (40, "sent", "good"),
    (43, "asked"),
    (50, "bubble_shown", "nice", {"planned": 1}),
    (50, "replied"),
    (70, "ended", "", {"why": "turns"}),
)


def test_a_chat_is_counted_from_its_events() -> None:
    found = facts(*TWO_TURNS)
    assert (found.turns, found.person_messages, found.model_messages, found.messages) == (2, 3, 3, 6)
    assert (found.person_words, found.later_words, found.model_words) == (6, 5, 5)
    assert (found.seconds, found.spent, found.minutes) == (40, 60, pytest.approx(2 / 3))
    assert (found.replies, found.aborted, found.failed, found.ended_by) == (2, {}, {}, "turns")
    assert found.waits == (2, 7)
    assert found.late == (0.5, 0.25, 6)


def test_replies_that_were_broken_off_or_failed_are_counted_by_cause() -> None:
    found = facts(
        (0, "sent", "a"),
        (1, "asked"),
        (2, "sent", "b"),
        (2, "aborted", "", {"why": "interrupted"}),
        (4, "asked"),
        (5, "failed", "", {"trouble": "rate_limited", "again": True}),
        (6, "retried"),
        (6, "asked"),
        (7, "failed", "", {"trouble": "rate_limited", "again": False}),
        (8, "retried"),
        (8, "asked"),
        (9, "aborted", "", {"why": "stopped"}),
    )
    assert (found.replies, found.aborted, found.failed) == (4, {"interrupted": 1, "stopped": 1}, {"rate_limited": 2})
    assert (found.failures, found.waits, found.late, found.turns) == (2, (), (), 1)
    assert not found.is_ended


def test_a_reply_that_is_shown_late_after_an_interruption_is_timed_from_its_own_question() -> None:
    found = facts(
        (0, "sent", "a"),
        (1, "asked"),
        (3, "bubble_shown", "x", {"planned": 2}),
        (4, "sent", "b"),
        (4, "aborted", "", {"why": "interrupted"}),
        (10, "asked"),
        (12, "bubble_shown", "y", {"planned": 1}),
    )
    assert (found.waits, found.late) == ((2, 2), (0, 1))


@pytest.mark.parametrize(
    ("rows", "ended_by", "empty"),
    [
        (((0, "sent", "a"),), "", False),
        (((0, "sent", "a"), (5, "ended")), "person", True),
        (((0, "ended", "", {"why": "time"}),), "time", True),
        ((*TWO_TURNS[:6], (70, "ended", "", {"why": "budget"})), "budget", False),
    ],
)
def test_a_chat_is_empty_if_it_ended_and_one_side_said_nothing(
    rows: tuple[Row, ...], ended_by: str, empty: bool
) -> None:
    found = facts(*rows)
    assert (found.ended_by, found.is_empty) == (ended_by, empty)


def test_what_was_taken_back_counts_as_a_reply_and_not_as_a_message() -> None:
    found = facts(
        *((0, "sent", "a"), (1, "asked"), (2, "bubble_shown", "one two", {"planned": 1}), (2, "replied")),
        *((3, "regenerated"), (3, "asked"), (4, "bubble_shown", "three", {"planned": 1}), (4, "replied")),
    )
    assert (found.replies, found.messages, found.model_words) == (2, 2, 1)


def test_a_bubble_without_a_plan_says_nothing_of_the_pace() -> None:
    assert facts((0, "sent", "a"), (1, "asked"), (2, "bubble_shown", "b")).late == ()


def test_a_system_is_the_sum_of_its_chats_and_lengths_are_of_those_that_ended() -> None:
    ended, still_open = facts(*TWO_TURNS), facts(*TWO_TURNS[:3])
    short = facts((0, "sent", "a"), (30, "ended", "", {"why": "time"}))
    left = facts((0, "sent", "a b"), (500, "ended", "", {"why": "left"}))
    found = system_figures([ended, still_open, short, left], scored=1)
    assert (found.begun, found.finished, found.left, found.scored, found.empty) == (4, 2, 1, 1, 1)
    assert found.turns == Spread(1.5, 1, 2, 2)
    assert found.messages == Spread(3.5, 1, 6, 2)
    assert found.limits == {"turns": 1, "time": 1, "budget": 0}
    assert (found.replies, found.waits) == (3, Tail(4.5, pytest.approx(6.75), 2))


def test_a_system_without_chats_has_no_lengths() -> None:
    found = system_figures([], scored=0)
    assert (found.begun, found.turns, found.minutes, found.waits, found.late) == (0, None, None, None, None)


KINDS = ("sent", "typing", "asked", "bubble_shown", "replied", "aborted", "failed", "retried", "regenerated", "stopped")
ROWS = st.lists(st.tuples(st.floats(0, 100), st.sampled_from(KINDS), st.text("ab ", max_size=6)), max_size=40)


@given(ROWS)
def test_any_log_gives_what_its_conversation_shows(rows: list[tuple[float, str, str]]) -> None:
    steps = np.cumsum([step for step, _, _ in rows]).tolist()
    logged = events((0, "sent", "a"), *((at, kind, text) for at, (_, kind, text) in zip(steps, rows, strict=True)))
    ((_, found),) = chat_facts(logged)
    shown = conversation(LogEvent(one.number, one.at, one.kind, one.text) for one in logged)
    assert found.messages == len(shown.bubbles)
    assert found.turns == sum(speaker == "person" for speaker, _ in shown.history())
    assert 0 <= found.seconds <= found.spent + 1e-9
    assert sum(found.aborted.values()) + found.failures <= len(rows)
    assert min(found.waits, default=0) >= 0


@given(st.lists(st.integers(1, 3), min_size=1, max_size=6))
def test_chats_are_told_apart_by_their_number_alone(sizes: list[int]) -> None:
    logged = [
        LoggedEvent(chat, number, float(number), "sent", "a", {})
        for chat, size in enumerate(sizes)
        for number in range(1, size + 1)
    ]
    assert [found.messages for _, found in chat_facts(logged)] == sizes


@given(st.lists(st.floats(0, 1e6), min_size=1, max_size=30))
def test_a_percentile_lies_among_the_values(values: list[float]) -> None:
    found = tail(values)
    assert found is not None
    assert min(values) - 1e-6 <= found.median <= found.p95 + 1e-6 <= max(values) + 2e-6


def test_every_trouble_has_words() -> None:
    assert set(FAILED) == set(Trouble)
