"""How often intervals hold what they are about, in one kind of study."""

from dataclasses import dataclass, fields

import numpy as np
from scipy import special

from annotation.reports.bootstrap import Floats
from annotation.reports.comparisons import holm
from annotation.reports.models import crossed, mixed
from annotation.reports.models.crossed import Crossed
from annotation.reports.models.intervals import Interval
from annotation.reports.models.mixed import MixedFit
from tests.coverage.closed_form import PAIRS, crossed_of, fixed, mixed_contrasts
from tests.coverage.studies import VERSIONS, Cell, Studies, drawn, ratings_of

CHUNK = 200
# How many studies of a cell are held against the product's functions.
HELD = 3
LEVEL = 0.05


@dataclass(frozen=True)
class Figures:
    """Shares of studies: intervals of means and differences, for raters like these and for these raters.

    `mixed` is the mixed model's intervals of differences. The others are studies in which Holm's adjustment leaves at
    least one of all pairs below .05, by the crossed intervals' p values and by the mixed model's.
    """

    mean_like_these: float
    mean_these: float
    difference_like_these: float
    difference_these: float
    mixed: float
    family_crossed: float
    family_mixed: float


def measured(cell: Cell, studies: int, seed: int) -> Figures:
    """Of `studies` studies; where not everybody scores everything, with the product's functions themselves."""
    rng = np.random.default_rng([seed, *(int(1000 * (getattr(cell, field.name) or 0)) for field in fields(cell))])
    parts = []
    for start in range(0, studies, CHUNK):
        made = drawn(cell, min(CHUNK, studies - start), rng)
        if cell.each is not None:
            parts.append(np.stack([_one_by_one(made, place, cell, rng) for place in range(len(made.scores))]))
            continue
        if start == 0:
            hold_against_product(made.scores[:HELD], rng)
        parts.append(_at_once(made))
    return Figures(*np.concatenate(parts).mean(axis=0).tolist())


def _at_once(made: Studies) -> Floats:
    """(studies, figures) of complete studies."""
    scores = made.scores
    gaps = [scores[..., second] - scores[..., first] for first, second in PAIRS]
    means = [scores[..., version] for version in range(VERSIONS)]
    own_means = made.of_raters.mean(axis=1)
    own_gaps = np.stack([own_means[:, second] - own_means[:, first] for first, second in PAIRS], axis=1)
    like_these = [crossed_of(gap) for gap in gaps]
    difference, error, df = mixed_contrasts(scores)
    return np.stack(
        [
            np.mean([_holds(*crossed_of(one), made.overall) for one in means], axis=0),
            np.mean([_holds(*fixed(one), own_means[:, place]) for place, one in enumerate(means)], axis=0),
            np.mean([_holds(*one, 0) for one in like_these], axis=0),
            np.mean([_holds(*fixed(one), own_gaps[:, place]) for place, one in enumerate(gaps)], axis=0),
            _holds(difference, error, df, 0).mean(axis=1),
            _any_below(np.stack([_p(*one) for one in like_these], axis=1)),
            _any_below(_p(difference, error, df)),
        ],
        axis=1,
    )


def _holds(value: Floats, error: Floats, df: Floats, truth: Floats | float) -> Floats:
    return np.asarray(np.abs(value - truth) <= special.stdtrit(df, 1 - LEVEL / 2) * error, dtype=np.float64)


def _p(value: Floats, error: Floats, df: Floats) -> Floats:
    found: Floats = 2 * special.stdtr(df, -np.abs(value) / error)
    return found


def _any_below(chances: Floats) -> Floats:
    """(studies,) whether Holm's adjustment of a row leaves any at most .05."""
    return np.array(
        [min(one for one in holm(row.tolist()) if one is not None) <= LEVEL for row in chances], dtype=float
    )


def _one_by_one(made: Studies, place: int, cell: Cell, rng: np.random.Generator) -> Floats:
    """(figures,) of one study by the product's functions."""
    ratings = ratings_of(made.scores[place], cell.each, rng)
    own = made.of_raters[place].mean(axis=0)
    means = crossed.mean_intervals(ratings)
    differences = crossed.difference_intervals(ratings, PAIRS)
    fitted = mixed.fit(ratings)
    contrasts = fitted.contrasts if isinstance(fitted, MixedFit) else {}
    return np.array(
        [
            np.mean([_has(means[version][0], made.overall) for version in means]),
            np.mean([_has(means[version][1], own[version]) for version in means]),
            np.mean([_has(differences[pair][0], 0) for pair in PAIRS]),
            np.mean([_has(differences[pair][1], own[pair[1]] - own[pair[0]]) for pair in PAIRS]),
            np.mean([_has(one, 0) for one in contrasts.values()]),
            _least([differences[pair][0].p for pair in PAIRS]) <= LEVEL,
            _least([one.p for one in contrasts.values()]) <= LEVEL,
        ]
    )


def _has(interval: Interval, truth: float) -> bool:
    return interval.low is not None and interval.high is not None and interval.low <= truth <= interval.high


def _least(chances: list[float | None]) -> float:
    return min((one for one in holm(chances) if one is not None), default=1.0)


def hold_against_product(scores: Floats, rng: np.random.Generator) -> None:
    """That these complete studies have from the product's functions what they have at once; AssertionError if not."""
    like_these = [crossed_of(scores[..., b] - scores[..., a]) for a, b in PAIRS]
    these = [fixed(scores[..., b] - scores[..., a]) for a, b in PAIRS]
    means = [(crossed_of(scores[..., one]), fixed(scores[..., one])) for one in range(VERSIONS)]
    difference, error, df = mixed_contrasts(scores)
    for study, one in enumerate(scores):
        ratings = ratings_of(one, None, rng)
        by_pair = crossed.difference_intervals(ratings, PAIRS)
        by_version = crossed.mean_intervals(ratings)
        fitted = mixed.fit(ratings)
        assert isinstance(fitted, MixedFit), fitted
        for place, pair in enumerate(PAIRS):
            _same(by_pair[pair][0], _row(like_these[place], study))
            _same(by_pair[pair][1], _row(these[place], study))
            expected = (float(difference[study, place]), float(error[study, 0]), float(df[study, place]))
            _same(fitted.contrasts[pair], expected)
        for version, expected_means in enumerate(means):
            for found, wanted in zip(by_version[version], expected_means, strict=True):
                _same(found, _row(wanted, study))


def _row(found: Crossed, study: int) -> tuple[float, float, float]:
    return float(found.mean[study]), float(found.se[study]), float(found.df[study])


def _same(found: Interval, expected: tuple[float, float, float]) -> None:
    assert found.value is not None
    assert found.se is not None
    assert found.df is not None
    np.testing.assert_allclose((found.value, found.se, found.df), expected, rtol=2e-3, atol=1e-9)
