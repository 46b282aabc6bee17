"""How often a study of a given size finds a difference between two versions, and how precise it is. Pure.

value = version + background + item + rater + rater × version + residual, all normal, every rater scoring both versions
of every background. For such complete tables the mean and the mean squares of raters, backgrounds and residual are
independent, normal and chi-square (Searle, Casella & McCulloch 1992, chapter 4), so a study is simulated by drawing
these, which costs the same for ten ratings as for ten million. Half the sum and half the difference of the two
versions, each times √2, are two such tables.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal, NamedTuple

import numpy as np
from scipy import special

from annotation.reports.bootstrap import CONFIDENCE, Floats
from annotation.reports.models.crossed import MeanSquares, of_mean_squares

Population = Literal["like", "these"]
STUDIES = 2000
# The ends of an interval, and of the middle of the simulated values.
MIDDLE = ((1 - CONFIDENCE) / 2, (1 + CONFIDENCE) / 2)


@dataclass(frozen=True, slots=True)
class Components:
    """Standard deviations in points of the scale.

    `background` moves all versions of a background, `item` one version of it; `rater` is how severe a rater is,
    `rater_version` how far they lean towards a version, `residual` what is left between two ratings.
    """

    background: float
    item: float
    rater: float
    rater_version: float
    residual: float


class Cell(NamedTuple):
    """What a study with so many raters and backgrounds can do; None where one rater or background says nothing.

    `power` is the share of studies whose 95 % interval of the difference leaves out 0, `half_width` the mean half of
    that interval, `alpha` the mean of Krippendorff's interval α over the items of both versions, and `alpha_width` how
    far apart the ends of the middle 95 % of its values are.
    """

    raters: int
    backgrounds: int
    power: float | None
    half_width: float | None
    alpha: float | None
    alpha_width: float | None


class _Tables(NamedTuple):
    """(studies,) tables of raters × backgrounds: their means and mean squares."""

    mean: Floats
    squares: MeanSquares


def power_table(
    components: Components,
    raters: Sequence[int],
    backgrounds: Sequence[int],
    difference: float,
    *,
    population: Population = "like",
    studies: int = STUDIES,
    seed: int = 1,
) -> Iterator[Cell]:
    """One cell for each number of backgrounds and, within it, of raters; a cell is the same in every table.

    Raises ValueError without a residual, for a deviation below 0, and for fewer than one rater, background or study.
    """
    if components.residual <= 0:
        raise ValueError("The residual must be more than 0: no two ratings would differ by chance.")
    if min(components.background, components.item, components.rater, components.rater_version) < 0:
        raise ValueError("A standard deviation is 0 or more.")
    if min(*raters, *backgrounds, studies) < 1:
        raise ValueError("Give at least one rater, one background and one study.")
    for rows in backgrounds:
        for columns in raters:
            rng = np.random.default_rng([seed, columns, rows])
            yield _cell(rng, components, columns, rows, difference, population, studies)


def _cell(
    rng: np.random.Generator, components: Components, raters: int, backgrounds: int, difference: float,
    population: Population, studies: int,
) -> Cell:  # fmt: skip
    shape = (raters, backgrounds, studies)
    item, lean, error = components.item**2, components.rater_version**2, components.residual**2
    gap = _drawn(rng, shape, difference / np.sqrt(2), lean, item, error)
    level = _drawn(rng, shape, 0, 2 * components.rater**2 + lean, 2 * components.background**2 + item, error)
    power, half_width = _found(gap, raters, backgrounds, population)
    alpha, alpha_width = _agreement(gap, level, raters, backgrounds)
    return Cell(raters, backgrounds, power, half_width, alpha, alpha_width)


def _drawn(
    rng: np.random.Generator,
    shape: tuple[int, int, int],
    mean: float,
    of_raters: float,
    of_backgrounds: float,
    error: float,
) -> _Tables:
    """Tables with this mean and these variances of raters, backgrounds and error."""
    raters, backgrounds, studies = shape
    variance = of_raters / raters + of_backgrounds / backgrounds + error / (raters * backgrounds)

    def squares(expected: float, df: int) -> Floats:
        return expected * rng.chisquare(df, studies) / df if df else np.zeros(studies)

    return _Tables(
        mean + np.sqrt(variance) * rng.standard_normal(studies),
        MeanSquares(
            squares(error + backgrounds * of_raters, raters - 1),
            squares(error + raters * of_backgrounds, backgrounds - 1),
            squares(error, (raters - 1) * (backgrounds - 1)),
        ),
    )


def _found(gap: _Tables, raters: int, backgrounds: int, population: Population) -> tuple[float | None, float | None]:
    """Power, and the mean half of the interval of the difference, which is √2 times what `gap` holds."""
    if backgrounds < 2 or (population == "like" and raters < 2):
        return None, None
    if population == "like":
        crossed = of_mean_squares(gap.mean, gap.squares, raters, backgrounds)
        half = special.stdtrit(crossed.df, MIDDLE[1]) * crossed.se
    else:
        error = np.sqrt(gap.squares.backgrounds / (raters * backgrounds))
        half = special.stdtrit(backgrounds - 1, MIDDLE[1]) * error
    return float((np.abs(gap.mean) > half).mean()), float(np.sqrt(2) * half.mean())


def _agreement(gap: _Tables, level: _Tables, raters: int, backgrounds: int) -> tuple[float | None, float | None]:
    """α from sums of squares: those within items, and those about the mean of all scores (Krippendorff 2011)."""
    if raters < 2:
        return None, None
    freedom = (raters - 1) * (backgrounds - 1)
    within, total = np.zeros(len(gap.mean)), raters * backgrounds * gap.mean**2
    for table in (gap, level):
        own = (raters - 1) * table.squares.raters + freedom * table.squares.residual
        within += own
        total += own + (backgrounds - 1) * table.squares.backgrounds
    items = 2 * backgrounds
    alpha = 1 - (within / (items * (raters - 1))) / (total / (items * raters - 1))
    low, high = np.quantile(alpha, MIDDLE)
    return float(alpha.mean()), float(high - low)
