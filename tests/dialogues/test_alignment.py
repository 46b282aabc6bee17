"""Which original message each message of a rewrite came from."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dialogues.alignment import Link, links, matched, segments, sources
from dialogues.fidelity import common_length
from dialogues.transcript import Transcript
from tests.generation.transcripts import transcripts

GAMMA = Transcript.of([[1, "Oh nice, I ski too!"], [2, "Really? Where do you go?"], [2, "I go to the lake."]])


@pytest.mark.parametrize(
    ("rewrite", "expected"),
    [
        ([[1, "Oh nice!"], [1, "I ski too"], [2, "Really?"], [2, "Where do you go? I go to the lake."]], [0, 0, 1, 2]),
        ([[1, "Oh nice, I ski too!"], [1, "Every winter"], [2, "Really?"], [2, "the lake"]], [0, 0, 1, 2]),
        ([[1, "Hello there"], [1, "I ski too"], [2, "Where do you go?"]], [0, 0, 1]),
        ([[2, "Completely new"], [2, "I go to the lake."]], [0, 2]),
    ],
    ids=["split and merged", "inserted", "reworded at the start", "new at the start"],
)
def test_a_message_comes_from_where_most_of_its_words_come_from(rewrite: list[object], expected: list[int]) -> None:
    assert sources(GAMMA, Transcript.of(rewrite)) == expected


def test_a_tie_goes_to_the_earlier_message() -> None:
    original = Transcript.of([[1, "red blue"], [1, "green grey"], [2, "ok"]])
    assert sources(original, Transcript.of([[1, "red blue green grey"], [2, "ok"]])) == [0, 2]


def test_messages_without_words_are_found_by_their_text() -> None:
    original = Transcript.of([[1, "😀"], [1, "hello you"], [2, "🎉"]])
    assert sources(original, Transcript.of([[1, "😀"], [1, "hello"], [1, "you"], [2, "🎉"]])) == [0, 1, 1, 2]


@settings(max_examples=150)
@given(st.text("abcd", max_size=60), st.text("abcd", max_size=60))
def test_matches_are_a_longest_common_subsequence(left: str, right: str) -> None:
    found = matched(left, right)
    assert len(found) == common_length(left, right)
    assert all(left[i] == right[j] for i, j in found)
    assert found == sorted(found)
    assert len({i for i, _ in found}) == len({j for _, j in found}) == len(found)


@settings(max_examples=60)
@given(transcripts(), transcripts())
def test_sources_never_descend_and_name_messages_that_are_there(original: Transcript, rewrite: Transcript) -> None:
    found = sources(original, rewrite)
    assert len(found) == len(rewrite)
    assert found == sorted(found)
    assert all(0 <= source < len(original) for source in found)


@settings(max_examples=60)
@given(transcripts())
def test_a_dialogue_comes_from_itself(transcript: Transcript) -> None:
    assert sources(transcript, transcript) == list(range(len(transcript)))


def test_a_dialogue_of_a_thousand_messages_is_aligned_without_a_table_of_all_pairs() -> None:
    long = Transcript.of([[1 + number % 2, f"message {number} has a few more words in it"] for number in range(1000)])
    assert sources(long, long) == list(range(1000))


def shapes(before: int, after: int, linked: list[Link]) -> list[tuple[list[int], list[int]]]:
    return [(list(one.before), list(one.after)) for one in segments(before, after, linked)]


@pytest.mark.parametrize(
    ("before", "after", "linked", "expected"),
    [
        (2, 3, [(0, 0), (0, 1), (1, 2)], [([0], [0, 1]), ([1], [2])]),
        (3, 2, [(0, 0), (1, 0), (2, 1)], [([0, 1], [0]), ([2], [1])]),
        (3, 2, [(0, 0), (2, 1)], [([0], [0]), ([1], []), ([2], [1])]),
        (2, 3, [(0, 0), (1, 2)], [([0], [0, 1]), ([1], [2])]),
        (2, 3, [(0, 1), (1, 2)], [([0], [0, 1]), ([1], [2])]),
        (3, 3, [(0, 1), (1, 0), (2, 2)], [([0, 1], [0, 1]), ([2], [2])]),
        (2, 1, [], [([0], [0]), ([1], [])]),
    ],
    ids=["split", "merged", "removed", "added", "added first", "moved", "nothing in common"],
)
def test_segments_are_as_small_as_no_link_crosses(
    before: int, after: int, linked: list[Link], expected: list[tuple[list[int], list[int]]]
) -> None:
    assert shapes(before, after, linked) == expected


@settings(max_examples=60)
@given(transcripts(), transcripts())
def test_segments_hold_every_message_once_and_in_order(original: Transcript, rewrite: Transcript) -> None:
    found = segments(len(original), len(rewrite), links(original, rewrite))
    assert [place for one in found for place in one.before] == list(range(len(original)))
    assert [place for one in found for place in one.after] == list(range(len(rewrite)))


def test_links_join_a_split_message_with_all_its_parts() -> None:
    split = Transcript.of([[1, "Oh nice"], [1, "I ski too"], [2, "Really? Where do you go? I go to the lake."]])
    assert links(GAMMA, split) == [(0, 0), (0, 1), (1, 2), (2, 2)]
