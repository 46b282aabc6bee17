"""Which values the parts of an analysis plan can have in a document, and what is said of others. Pure."""

import math
import re
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

from dialogues.times import civil_time
from dialogues.transcript import text_problem

LONGEST_TEXT = 5000
MOST_CHOICES = 200
MOST_RATERS, MOST_BACKGROUNDS = 10_000, 10_000_000
MOST_POINTS = 1000.0
DAY = re.compile(r"(\d{4})-(\d{2})-(\d{2})")


class Kind(NamedTuple):
    """A part's check, the check in words, and what the plan keeps of a value that fits."""

    fits: Callable[[Any], bool]
    says: str
    made: Callable[[Any], Any] = lambda value: value


def _is_whole(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


def _is_number(value: Any) -> bool:
    return (isinstance(value, float) and math.isfinite(value)) or _is_whole(value)


def _is_name(value: Any) -> bool:
    return isinstance(value, str) and 0 < len(value) <= 100 and not text_problem(value)


def _is_pair(value: Any) -> bool:
    return isinstance(value, list) and len(value) == 2 and all(map(_is_name, value)) and value[0] != value[1]


def _is_list(value: Any, fits: Callable[[Any], bool]) -> bool:
    return isinstance(value, list) and len(value) <= MOST_CHOICES and all(map(fits, value))


def _are_metrics(value: Any) -> bool:
    return _is_list(value, _is_name) and len(set(value)) == len(value)


def _are_contrasts(value: Any) -> bool:
    return _is_list(value, _is_pair) and len({frozenset(pair) for pair in value}) == len(value)


def _are_directed(value: Any) -> bool:
    return _is_list(value, _is_pair) and len({tuple(pair) for pair in value}) == len(value)


def _pairs(value: Any) -> tuple[tuple[str, str], ...]:
    return tuple((first, second) for first, second in value)


def _text() -> Kind:
    def fits(value: Any) -> bool:
        return isinstance(value, str) and len(value) <= LONGEST_TEXT and not text_problem(value)

    return Kind(fits, f"text of at most {LONGEST_TEXT:,} characters")


def _one_of(*values: str) -> Kind:
    return Kind(lambda value: isinstance(value, str) and value in values, f"one of {', '.join(values)}")


def _one_or_none_of(*values: str) -> Kind:
    one = _one_of(*values)
    return Kind(lambda value: value is None or one.fits(value), f"{one.says}, or null")


def _count(most: int) -> Kind:
    def fits(value: Any) -> bool:
        return value is None or (_is_whole(value) and 1 <= value <= most)

    return Kind(fits, f"a whole number from 1 to {most:,}, or null")


def is_day(value: Any) -> bool:
    """Whether it is a day of the calendar, such as 2026-05-31."""
    found = DAY.fullmatch(value) if isinstance(value, str) and value.isascii() else None
    if found is None:
        return False
    year, month, day = map(int, found.groups())
    return civil_time(year, month, day, 0, 0) is not None


def _is_margin(value: Any) -> bool:
    return value is None or (_is_number(value) and 0 < value <= MOST_POINTS)


def _deviation(value: Any) -> bool:
    return _is_number(value) and 0 <= value <= MOST_POINTS


POWER: Mapping[str, Callable[[Any], bool]] = {
    "raters": lambda value: _is_whole(value) and 1 <= value <= MOST_RATERS,
    "backgrounds": lambda value: _is_whole(value) and 1 <= value <= MOST_BACKGROUNDS,
    "difference": lambda value: _is_number(value) and abs(value) <= MOST_POINTS,
    "power": lambda value: _is_number(value) and 0 <= value <= 1,
    "background": _deviation,
    "item": _deviation,
    "rater": _deviation,
    "rater_version": _deviation,
    "residual": _deviation,
    "studies": lambda value: _is_whole(value) and 1 <= value <= 1_000_000,
    "seed": lambda value: _is_whole(value) and 0 <= value < 2**31,
}
# Kept since powers say for whom they are; an earlier plan has none.
OPTIONAL_POWER: Mapping[str, Callable[[Any], bool]] = {"population": _one_of("like", "these").fits}


def _is_power(value: Any) -> bool:
    if value is None:
        return True
    if not isinstance(value, Mapping) or value.keys() - OPTIONAL_POWER.keys() != POWER.keys():
        return False
    fits = {**POWER, **OPTIONAL_POWER}
    return all(fits[name](value[name]) for name in value)


PAIRS_OF = "a list of pairs of versions"
KINDS: Mapping[str, Kind] = {
    "question": _text(),
    "metrics": Kind(_are_metrics, "a list of keys of metrics, each once", tuple),
    "contrasts": Kind(_are_contrasts, f"{PAIRS_OF}, every two of them once", _pairs),
    "family": _one_or_none_of("all", "primary"),
    "population": _one_or_none_of("like", "these"),
    "raters": _count(MOST_RATERS),
    "backgrounds": _count(MOST_BACKGROUNDS),
    "margin": Kind(
        _is_margin, f"a number above 0 and at most {MOST_POINTS:,.0f}, or null",
        lambda value: None if value is None else float(value),
    ),
    "not_worse": Kind(_are_directed, f"{PAIRS_OF}, each once", _pairs),
    "exclusion": _text(),
    "stopping": _one_of("planned", "date", "words"),
    "stopping_date": Kind(lambda value: value == "" or is_day(value), "a day such as 2026-05-31, or empty"),
    "stopping_words": _text(),
    "power": Kind(_is_power, f"null, or an object with {', '.join(POWER)} and, if known, population"),
}  # fmt: skip
