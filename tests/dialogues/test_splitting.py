"""The punctuation-split baseline."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dialogues.splitting import sentences, split_by_punctuation
from dialogues.transcript import Transcript


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Nice! I ski too. Do you?", ["Nice!", "I ski too.", "Do you?"]),
        ("i like to ski . what about you ?", ["i like to ski .", "what about you ?"]),
        ("well . . . maybe . ok", ["well . . .", "maybe .", "ok"]),
        ("It costs 3.50 at foo.com, e.g. on Mr. Bo's site.", ["It costs 3.50 at foo.com, e.g. on Mr. Bo's site."]),
        ('He said "stop." Then he left.', ['He said "stop."', "Then he left."]),
        ("What?! No way… Really", ["What?!", "No way…", "Really"]),
        ("你好。你喜欢吗？是的", ["你好。", "你喜欢吗？", "是的"]),
        ("no end", ["no end"]),
        ("Great! 😀", ["Great!", "😀"]),
        ("...", ["..."]),
    ],
)
def test_a_text_is_cut_after_every_sentence(text: str, expected: list[str]) -> None:
    assert sentences(text) == expected


def test_each_sentence_keeps_its_speaker_and_place() -> None:
    beta = Transcript.of([[1, "Hi! How are you?"], [2, "Fine. You?"]])
    assert split_by_punctuation(beta).to_json() == [[1, "Hi!"], [1, "How are you?"], [2, "Fine."], [2, "You?"]]


@settings(max_examples=100)
@given(st.text(alphabet=st.sampled_from("ab .!?…'\")\n\t。！😀é"), max_size=60))
def test_nothing_but_blanks_is_lost(text: str) -> None:
    parts = sentences(text)
    assert "".join("".join(parts).split()) == "".join(text.split())
    assert all(part == part.strip() and part for part in parts)


def test_a_very_long_message_is_cut_in_linear_time() -> None:
    """Where each abbreviation looks back at all before it, this runs into the suite's time limit."""
    assert sentences("dr. who " * 40_000) == ["dr. who " * 39_999 + "dr. who"]
