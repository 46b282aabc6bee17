"""Whether dialogues with more messages a turn sound more natural: ACMC against the raters' mean score. Pure.

The paper compares versions only (its Tables 3 and 4). Within one version, where nothing else differs by design, the
same question is asked of single dialogues. Exploratory.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from annotation.reports.bootstrap import DRAWS, Floats, Ints
from annotation.reports.judge_measures import FEWER_DRAWS, MANY_ITEMS
from annotation.reports.models.correlations import PEARSON, SPEARMAN, correlations
from core.intervals import Estimate

# The metric's key in the paper's rubric and in copies of it.
NATURAL = "natural"
COEFFICIENTS = (PEARSON, SPEARMAN)


@dataclass(frozen=True, slots=True)
class Correlated:
    """Coefficients by the names of `models/correlations.py`, None where a column never varies; n counts dialogues."""

    dialogues: int
    backgrounds: int
    coefficients: Mapping[str, Estimate | None]


@dataclass(frozen=True, slots=True)
class Naturalness:
    """`points` are (version's place, ACMC, mean score) of each rated dialogue; `within` is by the version's place."""

    metric: str
    points: tuple[tuple[int, float, float], ...]
    over_all: Correlated
    within: Mapping[int, Correlated]


def naturalness(
    metric: str, acmc: Floats, score: Floats, version: Ints, background: Ints, *, seed: int
) -> Naturalness | None:
    """Of (dialogues,) columns, NaN where a dialogue has no text or no score; None where none has both."""
    known = ~np.isnan(acmc) & ~np.isnan(score)
    if not known.any():
        return None
    acmc, score, version, background = acmc[known], score[known], version[known], background[known]

    def correlated(chosen: np.ndarray) -> Correlated:
        return _correlated(acmc[chosen], score[chosen], background[chosen], seed)

    return Naturalness(
        metric=metric,
        points=tuple(zip(version.tolist(), acmc.tolist(), score.tolist(), strict=True)),
        over_all=correlated(np.ones(len(acmc), dtype=np.bool_)),
        within={place: correlated(version == place) for place in np.unique(version).tolist()},
    )


def _correlated(acmc: Floats, score: Floats, background: Ints, seed: int) -> Correlated:
    draws = DRAWS if len(acmc) <= MANY_ITEMS else FEWER_DRAWS
    found = correlations(acmc, score, background, seed=seed, draws=draws, names=COEFFICIENTS)
    return Correlated(len(acmc), len(np.unique(background)), found)
