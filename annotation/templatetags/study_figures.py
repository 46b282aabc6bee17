"""Filters for figures on the pages of a study."""

from django import template

register = template.Library()


@register.filter
def percent(share: float | None) -> str:
    """A share from 0 to 1 as a whole percentage."""
    return "–" if share is None else f"{100 * share:.0f} %"


@register.filter
def answer(value: int, compares: bool) -> str:
    """A score as text; in a study of pairs, which dialogue was preferred."""
    if not compares:
        return str(value)
    return "first" if value < 0 else "second" if value > 0 else "tie"


@register.filter
def item(mapping: dict[object, object], key: object) -> object:
    """The mapping's value for a key in a template variable; None without one."""
    return mapping.get(key)
