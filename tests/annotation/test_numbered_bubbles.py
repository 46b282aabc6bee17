"""The dialogue on a rating page: text stays text, and every message has its number, on through both of a pair."""

import re

from django.utils.html import escape
from hypothesis import given
from hypothesis import strategies as st

from annotation.templatetags.numbered_bubbles import numbered_bubbles
from dialogues.display import ShownTurn

AWKWARD = '<b>&"</b><script>alert(1)</script> {{ 7 }} %s 🎉'
SHOWN = re.compile(
    r'<p class="bubble" dir="auto">(.*?)</p><button [^>]*value="(\d+)" disabled>(\d+)</button>', re.DOTALL
)
TEXTS = st.lists(st.text(max_size=30) | st.just(AWKWARD), min_size=1, max_size=4)


def turns_of(messages: list[list[str]]) -> list[ShownTurn]:
    return [{"speaker": 1 + place % 2, "name": AWKWARD, "messages": texts} for place, texts in enumerate(messages)]


@given(st.lists(TEXTS, max_size=6), st.integers(1, 300))
def test_every_message_is_escaped_and_numbered_without_a_gap(messages: list[list[str]], first: int) -> None:
    html = numbered_bubbles(turns_of(messages), first)
    flat = [text for texts in messages for text in texts]
    assert [found[0] for found in SHOWN.findall(html)] == [str(escape(text)) for text in flat]
    numbers = [str(number) for number in range(first, first + len(flat))]
    assert [found[1] for found in SHOWN.findall(html)] == [found[2] for found in SHOWN.findall(html)] == numbers
    assert html.count("<li ") == len(messages)


def test_names_are_text_too() -> None:
    html = numbered_bubbles(turns_of([["hi"]]))
    assert "<script" not in html
    assert str(escape(AWKWARD)) in html
