"""Personal data in texts: what is found, what is not, and what a masked dialogue says."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dialogues.formats.records import Record
from dialogues.privacy import KINDS, Finder, found, masked, masked_text
from dialogues.transcript import Transcript
from tests.examples import many


def told(text: str, names: tuple[str, str] = ("", "")) -> list[tuple[str, str]]:
    return [(one.kind, text[one.start : one.end]) for one in found(text, names)]


@pytest.mark.parametrize(
    ("text", "kind", "expected"),
    [
        ("Write to mary.o'neil+x@post.example.org.", "e-mail", "neil+x@post.example.org"),
        ("jürgen@münchen.de!", "e-mail", "jürgen@münchen.de"),
        ("call +49 (0)30 123 45 67, please", "phone", "+49 (0)30 123 45 67"),
        ("(212) 555-0142", "phone", "(212) 555-0142"),
        ("06 12 34 56 78", "phone", "06 12 34 56 78"),
        ("it's 555-0142-77.", "phone", "555-0142-77"),
        ("0301234567", "phone", "0301234567"),
        ("+٤٩ ١٥١ ٢٣٤٥٦٧٨", "phone", "+٤٩ ١٥١ ٢٣٤٥٦٧٨"),
        ("see https://example.org/a_(b)?q=1, ok", "link", "https://example.org/a_(b)?q=1"),
        ("(www.example.org/x)", "link", "www.example.org/x"),
        ("it is on example.com.", "link", "example.com"),
        ("shop.example.co.uk/a!", "link", "shop.example.co.uk/a"),
        ("youtu.be/abc", "link", "youtu.be/abc"),
        ("ask @mary_99.", "handle", "@mary_99"),
        ("https://example.org/@mary", "link", "https://example.org/@mary"),
    ],
)
def test_personal_data_is_found_without_the_punctuation_around_it(text: str, kind: str, expected: str) -> None:
    assert told(text) == [(kind, expected)]


@pytest.mark.parametrize(
    "text",
    [
        "It costs $1234567 or 1234567 €.",
        "1,000,000 or 1.000.000 or 1 000 000 people",
        "from 1999 to 2024, 1999-2024, 1999 2000 2001",
        "on 31.12.2020 at 18:30, 2020-12-31 18:30, 31/12/2020",
        "08.30-10.00 or 01.02.20-03.04.20",
        "1 2 3 4 5 6 7 8 9",
        "3.1415926535",
        "5:30 a.m. I said so.Then we left...ok",
        "id 550e8400-e29b-41d4-a716-446655440000",
        "me @ home",
        "a@b",
        "no",
        "",
    ],
)
def test_amounts_dates_times_and_sentences_are_not_taken_for_it(text: str) -> None:
    assert told(text) == []


def test_the_peoples_own_names_are_found_whole_and_in_parts_but_never_inside_words() -> None:
    text = "mary and Mary Ann Stone met Tom; marysville, tomato, Stone's, TOM!"
    assert told(text, ("Mary Ann Stone", "Tom")) == [
        ("name", "mary"),
        ("name", "Mary Ann Stone"),
        ("name", "Tom"),
        ("name", "Stone"),
        ("name", "TOM"),
    ]


def test_labels_and_short_names_are_no_names() -> None:
    assert told("The user is a bot, said Al and speaker 1", ("User 1", "bot")) == []
    assert told("Al went", ("Al", "speaker_2")) == []


def test_a_name_that_both_have_is_masked_for_neither() -> None:
    names = ("Ann Stone", "Tom Stone")
    assert masked_text("Ann, Tom and the Stones: Stone", names) == "[A], [B] and the Stones: [name]"


def test_only_the_kinds_that_were_chosen_are_masked() -> None:
    text = "Tom: tom@example.org, +49 30 1234567"
    assert masked_text(text, ("", "Tom"), {"phone"}) == "Tom: tom@example.org, [phone]"
    assert masked_text(text, ("", "Tom")) == "[B]: [e-mail], [phone]"


def record() -> Record:
    return Record(
        row=1,
        key="chat",
        transcript=Transcript.of([(1, "Hi Tom"), (2, "www.example.org")]),
        traits_1=("I am Mary.",),
        theme="Mary's 0301234567",
        names=("Mary", "Tom"),
    )


def test_messages_traits_and_theme_are_masked_and_nothing_else() -> None:
    hidden = masked(record())
    assert hidden.transcript.to_json() == [[1, "Hi [B]"], [2, "[link]"]]
    assert (hidden.traits_1, hidden.theme, hidden.names) == (("I am [A].",), "[A]'s [phone]", ("A", "B"))
    assert masked(hidden) == hidden
    assert masked(record(), ()) == record()


def test_a_finder_counts_by_kind_and_shows_five_different_examples() -> None:
    finder = Finder()
    finder.add(record())
    texts = [(1, f"a{number % 7}@example.org") for number in range(20)]
    finder.add(Record(row=1, key="x", transcript=Transcript.of(texts)))
    finder.add(Record(row=1, key="y", transcript=Transcript.of([(1, "nothing")])))
    assert finder.counts == {"name": 3, "link": 1, "phone": 1, "e-mail": 20}
    assert finder.examples["e-mail"] == [f"a{number}@example.org" for number in range(5)]
    assert finder.dialogues == 2


PIECES = st.sampled_from(
    [
        "a",
        "Tom",
        " ",
        ".",
        "@",
        "www.",
        "http://",
        "x.com",
        "/",
        "(",
        ")",
        "+",
        "030",
        "1",
        "-",
        "é",
        "\n",
        "https://",
        ",",
    ]
)


@settings(max_examples=many(1000))
@given(st.lists(PIECES, max_size=30).map("".join))
def test_whatever_is_found_lies_in_order_in_the_text_and_masking_leaves_nothing_to_find(text: str) -> None:
    names = ("Tom", "")
    places = [place for one in found(text, names) for place in (one.start, one.end)]
    assert places == sorted(places)
    assert all(one.kind in KINDS and one.start < one.end <= len(text) for one in found(text, names))
    assert masked_text("", names) == ""


@pytest.mark.parametrize(
    "hostile", ["@", "a@", "@a", "www.", "a.com", ")", "https://a)", "+", "1 ", "(1", "0-", "Tom", "a."]
)
def test_long_texts_take_time_in_proportion(hostile: str) -> None:
    """A square of this length would not end within the time that a test has."""
    assert found(hostile * 100_000, ("Tom", "Tim")) is not None
