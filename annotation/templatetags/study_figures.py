"""Figures of raters in the words of a page."""

from django import template

register = template.Library()


@register.filter
def percent(share: float | None) -> str:
    """A share from 0 to 1 as a whole percentage."""
    return "–" if share is None else f"{100 * share:.0f} %"


@register.filter
def answer(value: int, compares: bool) -> str:
    """A score in the words of its study: of two dialogues, which was preferred."""
    if not compares:
        return str(value)
    return "first" if value < 0 else "second" if value > 0 else "tie"


@register.filter
def item(mapping: dict[object, object], key: object) -> object:
    """The value under a key that a template holds in a variable; nothing where there is none."""
    return mapping.get(key)
