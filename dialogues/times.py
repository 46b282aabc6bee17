"""When messages were sent: ISO 8601, without a zone where nobody knows it."""

from collections.abc import Sequence
from contextlib import suppress
from datetime import UTC, datetime
from typing import NamedTuple

# Numbers below are places in a dialogue rather than seconds since 1970; numbers above the second are milliseconds.
FIRST_SECONDS, FIRST_MILLISECONDS = 100_000_000, 100_000_000_000


def times_problem(times: Sequence[str | None], messages: int) -> str | None:
    """Why these cannot be the times of so many messages, or None; no times at all are fine."""
    if times and len(times) != messages:
        return f"{len(times):,} times for {messages:,} messages; each message has one, or none has"
    for number, time in enumerate(times, 1):
        if time is not None and not _is_time(time):
            return f"time {number} is not ISO 8601, such as 2024-05-31T18:30:00"
    return None


def iso_time(value: object) -> str | None:
    """ISO 8601 of a text with date and time, or of seconds or milliseconds since 1970; None if it is neither."""
    if isinstance(value, str):
        value = value.strip()
        if ":" in value:
            return _iso_of_text(value)
    seconds = _seconds(value)
    if seconds is None or seconds < FIRST_SECONDS:
        return None
    try:
        return datetime.fromtimestamp(seconds / 1000 if seconds >= FIRST_MILLISECONDS else seconds, UTC).isoformat()
    except (ValueError, OverflowError, OSError):
        return None


def session_time(text: str) -> str | None:
    """ISO 8601 of `1:56 pm on 8 May, 2023`, or None."""
    with suppress(ValueError):
        return datetime.strptime(text.strip(), "%I:%M %p on %d %B, %Y").isoformat()  # noqa: DTZ007 – nobody knows the zone
    return None


def civil_time(year: int, month: int, day: int, hour: int, minute: int, second: int = 0) -> str | None:
    """ISO 8601 without a zone, or None if the calendar or the clock has no such time."""
    try:
        return datetime(year, month, day, hour, minute, second).isoformat()  # noqa: DTZ001 – nobody knows the zone
    except ValueError:
        return None


def seconds_of(time: str) -> float:
    """Where an ISO 8601 time stands on one scale, in seconds; a time without a zone counts as UTC."""
    moment = datetime.fromisoformat(time)
    return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()


def _iso_of_text(text: str) -> str | None:
    try:
        return datetime.fromisoformat(text).isoformat()
    except ValueError:
        return None


def _seconds(value: object) -> float | None:
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        return None
    try:
        return float(value)
    except (ValueError, OverflowError):
        return None


def _is_time(text: object) -> bool:
    if not isinstance(text, str) or "T" not in text:
        return False
    try:
        datetime.fromisoformat(text)
    except ValueError:
        return False
    return True


class ShownTime(NamedTuple):
    """How a page shows the time of a message: `18:30`, and the day where it differs from that of the message before."""

    iso: str
    day: str
    clock: str
    whole: str


def shown_times(times: Sequence[str | None]) -> list[ShownTime | None]:
    """For each time as `times_problem` allows it; None stays None."""
    shown: list[ShownTime | None] = []
    day = ""
    for time in times:
        moment = datetime.fromisoformat(time) if time else None
        shown.append(_shown(moment, day) if moment else None)
        day = _day(moment) if moment else day
    return shown


def _shown(moment: datetime, day_before: str) -> ShownTime:
    day, clock = _day(moment), f"{moment:%H:%M}"
    zone = f" {moment:UTC%z}" if moment.tzinfo else ""
    return ShownTime(moment.isoformat(), "" if day == day_before else day, clock, f"{day}, {moment:%H:%M:%S}{zone}")


def _day(moment: datetime) -> str:
    return f"{moment.day} {moment:%B} {moment.year}"
