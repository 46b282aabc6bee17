"""Where a page is among others."""

from django import template

register = template.Library()


@register.filter
def is_under(path: str, start: str) -> bool:
    """Whether the page at `path` is one of those below `start`."""
    return path.startswith(start)
