"""A dialogue on a rating page: numbered messages, each with a button that marks it as evidence.

Built in Python, unlike the bubbles of other pages, because rating pages are rendered for every rater and item, and a
template takes as long for one variable as this code for a whole message.
"""

from collections.abc import Iterator, Sequence
from html import escape
from itertools import count

from django import template
from django.utils.safestring import SafeString, mark_safe

from dialogues.display import ShownTurn

register = template.Library()


@register.simple_tag
def numbered_bubbles(turns: Sequence[ShownTurn], first: int = 1) -> SafeString:
    """The turns as an HTML list with messages numbered from `first`; all text is escaped."""
    numbers = count(first)
    drawn = "".join(_turn(turn, numbers) for turn in turns)
    return mark_safe(f'<ol class="bubbles">{drawn}</ol>')  # noqa: S308 each text below is escaped


def _turn(turn: ShownTurn, numbers: Iterator[int]) -> str:
    # Messages before numbers: in the other order `zip` would take one number too many at the end.
    said = "".join(_message(text, number) for text, number in zip(turn["messages"], numbers, strict=False))
    name = f'<p class="turn-name" dir="auto">{escape(turn["name"])}</p>'
    return f'<li class="turn turn--{turn["speaker"]:d}">{name}{said}</li>'


def _message(text: str, number: int) -> str:
    bubble = f'<p class="bubble" dir="auto">{escape(text)}</p>'
    mark = f'<button class="mark" type="button" value="{number}" disabled>{number}</button>'
    return f'<div class="said">{bubble}{mark}</div>'
