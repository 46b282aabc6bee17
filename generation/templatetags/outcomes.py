"""`{% load outcomes %}`: names of the ledger in words."""

from django import template

from generation.progress import CAUSES

register = template.Library()


@register.filter
def outcome_words(outcome: str) -> str:
    """ "lost_content" → "Lost content of γ"; "ok" → "Usable"; "" stays empty."""
    return "Usable" if outcome == "ok" else CAUSES.get(outcome, outcome)
