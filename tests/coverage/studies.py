"""Simulated studies whose truth is known: raters who differ score versions of backgrounds from 1 to 5.

A score is 3.2 + rater + rater × version + background + item + noise, each normal with mean 0, rounded and cut to 1 … 5;
an item is a background's version. No version is better than another. Noise has a standard deviation of 1.1 and
backgrounds one of .3, which is what the reference tables have about. Rounding and cutting keep an expected score that
differs from 3.2; it is known exactly.
"""

from dataclasses import dataclass

import numpy as np
from scipy import special

from annotation.reports.bootstrap import Floats
from annotation.reports.models.ratings import Ratings

LEVEL, BACKGROUND_SD, NOISE_SD = 3.2, 0.3, 1.1
VERSIONS = 4
CUTS = np.array([1.5, 2.5, 3.5, 4.5])


@dataclass(frozen=True)
class Cell:
    """One kind of study; `each` is how many of the raters score an item, None for all."""

    raters: int
    backgrounds: int
    rater_sd: float
    lean_sd: float
    item_sd: float = 0
    each: int | None = None


@dataclass(frozen=True)
class Studies:
    """`scores` (studies, raters, backgrounds, versions), and the truth about them.

    `levels` (studies, raters, versions) is where each rater's scores of a version lie before they are rounded,
    `of_raters` what each rater's scores average over all backgrounds there could be, and `overall` what all scores
    average over all raters there could be, which is the same for each version.
    """

    scores: Floats
    levels: Floats
    of_raters: Floats
    overall: float


def drawn(cell: Cell, studies: int, rng: np.random.Generator) -> Studies:
    shape = (studies, cell.raters, cell.backgrounds, VERSIONS)
    own = rng.normal(0, cell.rater_sd, (studies, cell.raters, 1)) + rng.normal(
        0, cell.lean_sd, (studies, cell.raters, VERSIONS)
    )
    shared = rng.normal(0, BACKGROUND_SD, (studies, cell.backgrounds, 1)) + rng.normal(
        0, cell.item_sd, (studies, cell.backgrounds, VERSIONS)
    )
    scores = LEVEL + own[:, :, None, :] + shared[:, None] + rng.normal(0, NOISE_SD, shape)
    within = np.sqrt(BACKGROUND_SD**2 + cell.item_sd**2 + NOISE_SD**2)
    return Studies(
        scores=np.clip(np.rint(scores), 1, 5),
        levels=LEVEL + own,
        of_raters=expected_score(LEVEL + own, within),
        overall=float(expected_score(np.array(LEVEL), np.sqrt(within**2 + cell.rater_sd**2 + cell.lean_sd**2))),
    )


def expected_score(level: Floats, sd: float) -> Floats:
    """The mean of a normal variable that is rounded and cut to 1 … 5."""
    found: Floats = 1 + special.ndtr((level[..., None] - CUTS) / sd).sum(axis=-1)
    return found


def ratings_of(scores: Floats, each: int | None, rng: np.random.Generator) -> Ratings:
    """One study's (raters, backgrounds, versions) scores; of each item `each` raters, drawn anew for each."""
    rater, background, version = (axis.ravel() for axis in np.indices(scores.shape))
    kept = np.ones(scores.shape, dtype=bool)
    if each is not None:
        kept = rng.random(scores.shape).argsort(axis=0).argsort(axis=0) < each
    kept = kept.ravel()
    return Ratings.numbered(scores.ravel()[kept], version[kept], background[kept], rater[kept], scores.shape[2])
