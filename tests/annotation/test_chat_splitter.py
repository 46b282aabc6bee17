"""Replies cut into bubbles, and the pace at which they appear."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from annotation.chats.pace import LONGEST, PACES, Kind, Pace
from annotation.chats.splitter import Splitter
from generation.training.delimiter import split

DELIMITERS = st.sampled_from(["<|msg|>", "\n", "||", "aba", "¶", "<msg>"])
# Mostly what delimiters are made of, so that they begin, break off, and follow each other.
TEXTS = st.text(st.sampled_from("<|msg>\n ab¶hi"), max_size=60)


def cut(text: str, places: list[int]) -> list[str]:
    ends = sorted(place for place in places if place <= len(text))
    return [text[start:end] for start, end in zip([0, *ends], [*ends, len(text)], strict=True)]


def bubbles(pieces: list[str], delimiter: str) -> list[str]:
    splitter = Splitter(delimiter)
    return [text for piece in pieces for text in splitter.feed(piece)] + splitter.finish()


@given(TEXTS, DELIMITERS, st.lists(st.integers(0, 60), max_size=20))
def test_any_pieces_of_a_reply_give_the_bubbles_of_the_whole(text: str, delimiter: str, places: list[int]) -> None:
    assert bubbles(cut(text, places), delimiter) == bubbles([text], delimiter) == split(text, delimiter)


@given(TEXTS, DELIMITERS, st.lists(st.integers(0, 60), max_size=20))
def test_no_bubble_holds_a_delimiter_and_none_comes_before_its_delimiter_is_whole(
    text: str, delimiter: str, places: list[int]
) -> None:
    splitter, received, shown = Splitter(delimiter), "", 0
    for piece in cut(text, places):
        received += piece
        found = splitter.feed(piece)
        shown += len(found)
        assert all(delimiter not in bubble for bubble in found)
        assert shown <= received.count(delimiter)
    splitter.finish()


@given(TEXTS)
def test_a_model_that_never_sends_a_delimiter_gets_one_bubble(text: str) -> None:
    whole = text.replace("¶", "")
    assert bubbles([whole], "¶") == bubbles([whole], "") == ([whole.strip()] if whole.strip() else [])


def test_a_delimiter_that_is_cut_off_belongs_to_the_text() -> None:
    assert bubbles(["hi<|msg|>you<|ms"], "<|msg|>") == ["hi", "you<|ms"]


@pytest.mark.parametrize("kind", PACES)
@given(number=st.integers(1, 500), seed=st.integers(0, 2**31), text=st.text(max_size=300))
def test_a_delay_is_seeded_and_within_bounds(kind: Kind, number: int, seed: int, text: str) -> None:
    delay = Pace(kind, seed).delay(number, text)
    assert 0 <= delay <= LONGEST
    assert delay == Pace(kind, seed).delay(number, text)


def test_the_law_of_delays_knows_only_the_text_and_the_seed() -> None:
    """Two systems that are compared differ in their words alone."""
    drawn = [Pace("random", seed).delay(1, "hello") for seed in range(2000)]
    assert 0.8 <= min(drawn) < 0.81
    assert 2.49 < max(drawn) <= 2.5
    typed = [Pace("typing", seed).delay(1, "x" * 24) for seed in range(2000)]
    assert 1.5 <= min(typed) < 1.52
    assert 2.48 < max(typed) <= 2.5
