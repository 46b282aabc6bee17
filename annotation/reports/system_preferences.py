"""Which of two systems testers preferred at the end of a study of chats. Pure.

Each tester answers once, so answers are independent and testers are the observations. Half of the testers should meet
each system first; whether the one met first is favoured is said beside the result.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from math import comb, sqrt
from statistics import NormalDist
from typing import NamedTuple

from annotation.reports.bootstrap import CONFIDENCE
from annotation.reports.preferences import Rate

Z = NormalDist().inv_cdf((1 + CONFIDENCE) / 2)


class Answer(NamedTuple):
    """The version slugs of the systems that a tester met first and second, and of the preferred one.

    `preferred` is "" where both were about the same, None where the tester would rather not say.
    """

    first: str
    second: str
    preferred: str | None


class OrderSplit(NamedTuple):
    """Of the testers who met a system first, or second: how many there are, and how many of them preferred it."""

    preferred: int
    testers: int


@dataclass(frozen=True, slots=True)
class SystemPreferred:
    """`share` is of all testers who answered, with those to whom both were the same."""

    count: int
    share: Rate
    met_first: OrderSplit
    met_second: OrderSplit


@dataclass(frozen=True, slots=True)
class PreferenceFindings:
    """By version slug. `answered` leaves out those who would rather not say; `decided` are those with a preference.

    `p` is of the exact two-sided sign test among the decided (Conover, Practical Nonparametric Statistics, 1999, §3.4),
    and `p_order` the same for the system met first; None without a preference.
    """

    systems: dict[str, SystemPreferred]
    answered: int
    same: int
    unsaid: int
    first: Rate
    p: float | None
    p_order: float | None

    @property
    def decided(self) -> int:
        return self.answered - self.same


def preference_findings(answers: Sequence[Answer], slugs: Sequence[str]) -> PreferenceFindings | None:
    """None where nobody was asked; `slugs` are the two systems'."""
    if not answers:
        return None
    said = [answer for answer in answers if answer.preferred is not None]
    decided = [answer for answer in said if answer.preferred]
    systems = {slug: _preferred(slug, said) for slug in slugs}
    first = sum(answer.preferred == answer.first for answer in decided)
    return PreferenceFindings(
        systems=systems,
        answered=len(said),
        same=len(said) - len(decided),
        unsaid=len(answers) - len(said),
        first=wilson(first, len(decided)),
        p=_sign_test(systems[slugs[0]].count, len(decided)),
        p_order=_sign_test(first, len(decided)),
    )


def _preferred(slug: str, said: Sequence[Answer]) -> SystemPreferred:
    count = sum(answer.preferred == slug for answer in said)
    return SystemPreferred(
        count=count,
        share=wilson(count, len(said)),
        met_first=_split(slug, [answer for answer in said if answer.first == slug]),
        met_second=_split(slug, [answer for answer in said if answer.second == slug]),
    )


def _split(slug: str, said: Sequence[Answer]) -> OrderSplit:
    return OrderSplit(sum(answer.preferred == slug for answer in said), len(said))


def wilson(hits: int, n: int) -> Rate:
    """The share with Wilson's (1927) score interval, which stays within 0 and 1 and works for few trials too."""
    if n == 0:
        return Rate(None, 0)
    share = hits / n
    middle = (share + Z**2 / (2 * n)) / (1 + Z**2 / n)
    reach = Z / (1 + Z**2 / n) * sqrt(share * (1 - share) / n + Z**2 / (4 * n**2))
    return Rate(share, n, max(0.0, middle - reach), min(1.0, middle + reach))


def _sign_test(hits: int, n: int) -> float | None:
    """p = 2 P(X ≤ min(hits, n − hits)) for X ~ Binomial(n, ½), at most 1; None for n = 0."""
    if n == 0:
        return None
    tail = sum(comb(n, count) for count in range(min(hits, n - hits) + 1))
    return min(1.0, float(2 * tail / 2**n))
