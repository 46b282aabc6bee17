"""In which order the dates of a chat export stand: day, month and year as the phone that wrote it puts them.

Nothing in an export says so. A day above 12 shows it, or else that time goes forward from message to message in one
order only; otherwise a person has to say.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from dialogues.formats.records import DATES, ChoiceError

ORDERS = {"dmy": "day-month-year", "mdy": "month-day-year", "ymd": "year-month-day"}
_PLACES = {"dmy": (2, 1, 0), "mdy": (2, 0, 1), "ymd": (0, 1, 2)}
_CHOOSE = "Choose the order of dates on the import page, or by --date-order dmy, mdy or ymd"


def date_of(parts: Sequence[str], order: str) -> tuple[int, int, int] | None:
    """Year, month and day of three numbers in this order, or None where they are no date."""
    year, month, day = (int(parts[place]) for place in _PLACES[order])
    if len(parts[_PLACES[order][0]]) <= 2:
        year += 2000
    return (year, month, day) if 1 <= month <= 12 and 1 <= day <= 31 and 1990 <= year <= 2100 else None


@dataclass(slots=True)
class _Tried:
    """How the dates of the file look in one order."""

    impossible: int = 0
    backward: int = 0
    last: tuple[int, int, int] = (0, 0, 0)

    def add(self, date: tuple[int, int, int] | None) -> None:
        if date is None:
            self.impossible += 1
            return
        self.backward += date < self.last
        self.last = date


@dataclass(slots=True)
class DateOrders:
    """Dates as they come in a file, three numbers each as text."""

    _tried: dict[str, _Tried] = field(default_factory=lambda: {order: _Tried() for order in ORDERS})
    _last: tuple[str, str, str] | None = None
    _unclear: tuple[str, str, str] | None = None

    def add(self, parts: tuple[str, str, str]) -> None:
        if parts == self._last:
            return
        self._last = parts
        for order, tried in self._tried.items():
            tried.add(date_of(parts, order))
        if parts[0] != parts[1]:
            self._unclear = self._unclear or parts

    def decided(self, chosen: str = "") -> tuple[str, str]:
        """The order and, in words, what shows it; raises ChoiceError if nothing does and none was chosen."""
        if chosen:
            return chosen, "as you said"
        left = list(self._least_wrong())
        if {"dmy", "mdy"} <= set(left) and self._unclear:
            raise ChoiceError(
                f"nothing in the file shows whether its dates, such as {'/'.join(self._unclear)}, begin with the day "
                f"or with the month. {_CHOOSE}",
                DATES,
            )
        return left[0], self._shown_by(left[0])

    def _least_wrong(self) -> Iterator[str]:
        least = min((tried.impossible, tried.backward) for tried in self._tried.values())
        return (order for order, tried in self._tried.items() if (tried.impossible, tried.backward) == least)

    def _shown_by(self, order: str) -> str:
        if not self._unclear:
            return "day and month alike"
        if order == "ymd":
            return "the year stands first"
        other = self._tried["mdy" if order == "dmy" else "dmy"]
        if other.impossible > self._tried[order].impossible:
            return "a day above 12 shows it"
        return "time goes forward so"
