"""What addresses and forms name: whole numbers, and texts that a database can look for."""

import pytest

from core.numbers import asked_text, asked_texts, whole_number, whole_numbers


@pytest.mark.parametrize(("given", "number"), [("0", 0), ("12", 12), ("007", 7), ("9" * 18, 10**18 - 1), (5, 5)])
def test_digits_are_a_number(given: object, number: int) -> None:
    assert whole_number(given) == number


@pytest.mark.parametrize(
    "given", ["", "-1", "+1", " 1", "1.0", "1e3", "1_0", "٣", "²", "x", "1\0", "9" * 19, None, True]
)
def test_anything_else_is_none(given: object) -> None:
    assert whole_number(given) is None


def test_of_many_only_the_numbers_are_kept() -> None:
    assert whole_numbers(["3", "x", "1", "", "3"]) == [3, 1, 3]


def test_texts_come_without_spaces_at_their_ends_and_without_nul() -> None:
    query = {"q": " two words ", "bad": "a\0"}
    assert [asked_text(query, name) for name in ("q", "bad", "missing")] == ["two words", "", ""]
    assert asked_texts(["alpha", "a\0", ""]) == ("alpha", "")
