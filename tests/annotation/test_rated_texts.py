"""What the texts of rated items become: messages of two people, or none."""

from typing import Any

import pytest

from annotation.imported.item_texts import context_and_answer, item_messages
from annotation.imported.rating_rows import plain


def test_only_ends_of_lines_end_a_message_of_the_context() -> None:
    context, _ = context_and_answer("one\u2028still one\x0cstill\ntwo\r\nthree", "")
    assert context == ((1, "one\u2028still one\x0cstill"), (2, "two"), (1, "three"))


@pytest.mark.parametrize("value", [{"a": 1}, 5, True, [1, {}]])
def test_what_is_no_text_is_not_shown_as_one(value: Any) -> None:
    assert item_messages({"context": value, "response": value}) == ()


def test_a_list_of_many_people_is_left_at_the_third() -> None:
    """Otherwise each of them would be looked for among all before."""
    many = ({"from": str(number), "text": "x"} for number in range(1_000_000))

    class Once(list[Any]):
        def __iter__(self) -> Any:
            return many

    assert item_messages({"messages": Once([{}])}) == ()
    assert next(many)["from"] == "3"


@pytest.mark.parametrize(("value", "text"), [(7, "7"), (7.0, "7"), (7.5, "7.5"), ("7.0", "7.0"), (None, "")])
def test_a_whole_number_is_one_name_however_it_is_stored(value: object, text: str) -> None:
    assert plain("rater", value) == text
