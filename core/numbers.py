"""Whole numbers and texts from addresses and forms, as values that a database can look for; counts in words."""

from collections.abc import Iterable, Mapping

# Whole numbers of so many digits fit the largest columns of both databases.
MOST_DIGITS = 18


def whole_number(given: object) -> int | None:
    """A number from 0 up in ASCII digits, such as a row's key.

    None for anything else: signs, spaces, digits of other scripts, NUL, more than MOST_DIGITS digits.
    """
    text = str(given)
    return int(text) if text.isascii() and text.isdigit() and len(text) <= MOST_DIGITS else None


def whole_numbers(given: Iterable[object]) -> list[int]:
    """Those of them that are numbers."""
    return [number for number in map(whole_number, given) if number is not None]


def count_in_words(count: int, what: str) -> str:
    """`1 dialogue`, `1,200 dialogues`: for words whose plural has an s."""
    return f"{count:,} {what}{'' if count == 1 else 's'}"


def asked_text(query: Mapping[str, str], name: str) -> str:
    """A parameter without spaces at its ends; "" where it is missing or holds NUL, which no row contains."""
    return storable(query.get(name, "").strip())


def asked_texts(values: Iterable[str]) -> tuple[str, ...]:
    """The values of a parameter that may come several times, without those that hold NUL."""
    return tuple(value for value in values if "\0" not in value)


def storable(text: str) -> str:
    """The text, or "" where it holds NUL: no row contains it, and PostgreSQL refuses to look for it."""
    return "" if "\0" in text else text
