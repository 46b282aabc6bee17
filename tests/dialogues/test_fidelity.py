"""How much a rewrite keeps of what it was made from."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dialogues.fidelity import common_length, fidelity, spoken_words
from dialogues.transcript import Transcript
from tests.generation.transcripts import transcripts

GAMMA = Transcript.of([[1, "Oh nice, I ski too!"], [2, "Really? Where do you go?"]])


def test_a_split_that_changes_only_punctuation_and_case_keeps_everything() -> None:
    split = Transcript.of([[1, "oh nice"], [1, "i ski too"], [2, "really?"], [2, "Where do you go"]])
    assert fidelity(GAMMA, split) == (1.0, 0.0)


@pytest.mark.parametrize(
    ("rewrite", "kept", "invented"),
    [
        ([[1, "Oh nice, I ski too!"], [2, "Really?"]], 6 / 10, 0),
        ([[1, "Oh nice, I ski too!"], [2, "Really? Where do you go? Tell me all of it."]], 1, 5 / 15),
        ([[2, "Oh nice, I ski too!"], [1, "Really? Where do you go?"]], 0, 1),
        ([[1, "too ski I nice Oh"], [2, "Really? Where do you go?"]], 6 / 10, 4 / 10),
    ],
    ids=["lost", "invented", "said by the other", "out of order"],
)
def test_words_lost_invented_swapped_or_moved_are_counted(rewrite: list[object], kept: float, invented: float) -> None:
    assert fidelity(GAMMA, Transcript.of(rewrite)) == pytest.approx((kept, invented))


def test_a_dialogue_without_words_compares_by_its_texts() -> None:
    emoji = Transcript.of([[1, "😀"], [2, "🎉"]])
    assert spoken_words(emoji) == []
    assert fidelity(emoji, emoji) == (1.0, 0.0)
    assert fidelity(emoji, Transcript.of([[1, "hello"]])) == (0.0, 1.0)


def reference_lcs(left: str, right: str) -> int:
    """The textbook table, as an oracle."""
    row = [0] * (len(right) + 1)
    for a in left:
        above = row[:]
        for place, b in enumerate(right, 1):
            row[place] = above[place - 1] + 1 if a == b else max(above[place], row[place - 1])
    return row[-1]


@settings(max_examples=150)
@given(st.text("abcd", max_size=80), st.text("abcd", max_size=80))
def test_the_bit_parallel_length_is_the_textbook_one(left: str, right: str) -> None:
    assert common_length(left, right) == reference_lcs(left, right)


@settings(max_examples=50)
@given(transcripts())
def test_a_dialogue_keeps_all_of_itself(transcript: Transcript) -> None:
    assert fidelity(transcript, transcript) == (1.0, 0.0)


def test_a_dialogue_of_a_thousand_messages_compares_without_a_table_of_all_pairs() -> None:
    long = Transcript.of([[1 + number % 2, f"message {number} has a few more words in it"] for number in range(1000)])
    assert fidelity(long, long).kept == 1
