"""How messages are shown: natural spacing and capitals, the same words."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dialogues.display import tidied, turns_for_template
from dialogues.transcript import Transcript
from tests.examples import many

# What the rules look at, in every order.
MARKS = list("iI'’mst.,!?:;)([]\"3dpeßı-\n ")
PIECES = st.sampled_from([*MARKS, "n't", "do", "hi", "...", "www.x", "vs", "Mr", "  ", ":)"])
TEXTS = st.one_of(st.text(), st.lists(PIECES).map(" ".join), st.lists(PIECES).map("".join))


@pytest.mark.parametrize(
    ("stored", "shown"),
    [
        ("i 'm fine , thanks !", "I'm fine, thanks!"),
        ("do n't you ? i don ' t .", "Don't you? I don't."),
        ("that's neat . what kind of work do you do ?", "That's neat. What kind of work do you do?"),
        ("i don't know . . . well , i guess", "I don't know... well, I guess"),
        ("neat ! ! i used to", "Neat!! I used to"),
        ('he said " hello there " . ok', 'He said "hello there". Ok'),
        ("( lol ) yes ; really : no", "(Lol) yes; really: no"),
        ("hi :) how are you ?", "Hi :) how are you?"),
        ("see you : )", "See you : )"),
        ("it is 3 . 5 miles", "It is 3 . 5 miles"),
        ("apples vs . pears", "Apples vs. pears"),
        ("www.example.org is mine", "www.example.org is mine"),
        ("I like iPhones. they last", "I like iPhones. they last"),
        ("hi i.e. hello", "Hi i.e. hello"),
        ("one line .\ntwo lines .", "One line.\nTwo lines."),
    ],
)
def test_split_off_punctuation_and_lower_case_read_naturally(stored: str, shown: str) -> None:
    assert tidied(stored) == shown


@settings(max_examples=many(300))
@given(TEXTS)
def test_no_letter_digit_or_mark_is_added_lost_or_moved(text: str) -> None:
    assert "".join(tidied(text).split()).casefold() == "".join(text.split()).casefold()


@settings(max_examples=many(300))
@given(TEXTS)
def test_tidying_twice_is_tidying_once(text: str) -> None:
    assert tidied(tidied(text)) == tidied(text)


def test_a_turn_holds_the_run_of_messages_and_its_speakers_name() -> None:
    transcript = Transcript.of([(1, "hi ."), (1, "you ?"), (2, "yes .")])
    assert turns_for_template(transcript, ("Ann", "Bo")) == [
        {"speaker": 1, "name": "Ann", "messages": ["hi .", "you ?"]},
        {"speaker": 2, "name": "Bo", "messages": ["yes ."]},
    ]
    assert turns_for_template(transcript, tidy=True)[0]["messages"] == ["Hi.", "You?"]


def test_a_very_long_message_is_tidied_in_linear_time() -> None:
    """Where each sentence looks back at all before it, this runs into the suite's time limit."""
    assert tidied("we ate , etc. twice . " * 40_000) == " ".join(["We ate, etc. twice."] * 40_000)
