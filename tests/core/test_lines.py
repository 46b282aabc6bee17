"""Where lines end, for everything that reads text line by line."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.lines import filled_lines, lines_of
from dialogues.display import tidied
from generation.curation.forms import LinesField

NO_ENDS = "\x0b\x0c\x1c\x1d\x1e\x85\u2028\u2029"


@given(
    st.lists(st.text(st.characters(codec="utf-8", exclude_characters="\r\n")), min_size=1),
    st.sampled_from(["\n", "\r\n", "\r"]),
)
def test_lines_are_what_was_joined(lines: list[str], end: str) -> None:
    assert lines_of(end.join(lines)) == lines


def test_mixed_ends_end_one_line_each() -> None:
    assert lines_of("a\r\n\r\rb\n\nc") == ["a", "", "", "b", "", "c"]


@pytest.mark.parametrize("mark", NO_ENDS)
def test_separators_inside_a_text_end_no_line(mark: str) -> None:
    text = f"a{mark}b"
    assert filled_lines(f"{text}\n \n") == (text,)
    assert tidied(text) == text.capitalize()
    assert LinesField().clean(f"{text}\r\nc") == (text, "c")
