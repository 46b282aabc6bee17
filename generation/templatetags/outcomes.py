"""`{% load outcomes %}`: names of the ledger in words."""

from django import template

from generation.watching.causes import said

register = template.Library()


@register.filter
def setting_words(value: object) -> object:
    """A request's setting for a person: a schema that replies are held to is told, not spelled out."""
    return "a JSON schema" if isinstance(value, dict) else value


@register.filter
def outcome_words(outcome: str) -> str:
    """ "lost_content" → "Lost content of γ"; "ok" → "Usable"; "" stays empty."""
    return said(outcome)


@register.filter
def outcome_after(outcome: str, before: str) -> str:
    """An outcome read today, beside the one `before`."""
    return said(outcome, before)
