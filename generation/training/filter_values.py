"""What a filter of training sets is set to: read from JSON, from a command line, and said in words."""

import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, Protocol

from core.numbers import storable, whole_number

_YES, _NO = ("", "yes", "true", "on", "1"), ("no", "false", "off", "0")
# Scores of judges go to 100; nothing that is compared with one needs more.
_LARGEST = 1_000_000.0


class FilterValue(Protocol):
    """A kind of value. `read` takes JSON and `parse` text after `NAME=`; both raise ValueError with a clause."""

    def read(self, given: object) -> Any: ...

    def parse(self, text: str) -> Any: ...

    def words(self, value: Any) -> str: ...


@dataclass(frozen=True, slots=True)
class Flag:
    """On or off; off is None."""

    def read(self, given: object) -> bool | None:
        if given is None or isinstance(given, bool):
            return given or None
        raise ValueError("write true or false")

    def parse(self, text: str) -> bool | None:
        said = text.strip().lower()
        if said in _YES or said in _NO:
            return said in _YES or None
        raise ValueError("write yes or no")

    def words(self, value: bool) -> str:
        return ""


@dataclass(frozen=True, slots=True)
class WholeNumber:
    """A number from 1."""

    def read(self, given: object) -> int:
        number = None if isinstance(given, bool) else whole_number(given)
        if not number:
            raise ValueError("write a whole number from 1")
        return number

    def parse(self, text: str) -> int:
        return self.read(text.strip())

    def words(self, value: int) -> str:
        return f"{value:,}"


@dataclass(frozen=True, slots=True)
class Share:
    """A share from 0 to 1."""

    def read(self, given: object) -> float:
        share = _number(given)
        if not 0 <= share <= 1:
            raise ValueError("write a share from 0 to 1, such as 0.9")
        return share

    def parse(self, text: str) -> float:
        return self.read(text.strip())

    def words(self, value: float) -> str:
        return f"{value:.0%}"


@dataclass(frozen=True, slots=True)
class ScoreRange:
    """A metric's scores from `at_least` to `at_most`; None leaves an end open."""

    metric: str
    at_least: float | None = None
    at_most: float | None = None

    def as_json(self) -> dict[str, Any]:
        return asdict(self)


@dataclass(frozen=True, slots=True)
class Scores:
    """As JSON `{"metric": …, "at_least": …, "at_most": …}`; as text `METRIC:LEAST` or `METRIC:LEAST..MOST`."""

    def read(self, given: object) -> dict[str, Any]:
        if not isinstance(given, Mapping) or set(given) - {"metric", "at_least", "at_most"}:
            raise ValueError("write a metric with at_least, at_most or both")
        metric = given.get("metric")
        if not isinstance(metric, str) or not storable(metric.strip()):
            raise ValueError("name a metric")
        ends = [None if given.get(end) in (None, "") else _number(given[end]) for end in ("at_least", "at_most")]
        if ends == [None, None]:
            raise ValueError("write a lowest score, a highest one, or both")
        if None not in ends and ends[0] > ends[1]:  # type: ignore[operator]
            raise ValueError("the lowest score is above the highest")
        return ScoreRange(metric.strip(), *ends).as_json()

    def parse(self, text: str) -> dict[str, Any]:
        metric, _, ends = text.partition(":")
        least, _, most = ends.partition("..")
        return self.read({"metric": metric, "at_least": least.strip(), "at_most": most.strip()})

    def words(self, value: Mapping[str, Any]) -> str:
        ends = (("from", value.get("at_least")), ("up to", value.get("at_most")))
        return " ".join([value["metric"], *(f"{word} {end:g}" for word, end in ends if end is not None)])


def _number(given: object) -> float:
    if isinstance(given, bool) or not isinstance(given, int | float | str):
        raise ValueError("write a number")
    try:
        number = float(given)
    except (ValueError, OverflowError):
        raise ValueError("write a number, such as 60 or 0.9") from None
    if not math.isfinite(number) or abs(number) > _LARGEST:
        raise ValueError("write a number, such as 60 or 0.9")
    return number
