"""Days in words. Pure."""

from datetime import date


def day_in_words(day: date) -> str:
    """Such as `1 March 2026`."""
    return f"{day.day} {day:%B %Y}"
