"""The sums over ratings that a linear mixed model needs. Pure.

A cell is a rater in a version, an item a version of a background. Ratings are read once, by counting; whatever is
computed later costs the same for ten thousand ratings as for a hundred of as many cells.
"""

from dataclasses import dataclass
from enum import IntEnum

import numpy as np
from numpy.typing import NDArray

from annotation.reports.bootstrap import Floats
from annotation.reports.models.ratings import Ratings
from annotation.reports.models.selections import summed


class Term(IntEnum):
    """The random effects: which row of an array speaks of which."""

    BACKGROUND = 0
    ITEM = 1
    RATER = 2
    RATER_VERSION = 3


@dataclass(frozen=True, slots=True)
class Sums:
    """Sums of 1, value and value², values being taken from their mean and divided by their standard deviation.

    `counts` (backgrounds, versions, raters) counts ratings, `of_items` (backgrounds, versions) and `of_cells`
    (versions, raters) sum values, and `squares` sums their squares. A value is `centre` + `scale` × what is summed.
    """

    counts: Floats
    of_items: Floats
    of_cells: Floats
    squares: float
    centre: float
    scale: float

    @classmethod
    def of(cls, ratings: Ratings) -> "Sums":
        """Of ratings that vary; every version must have one."""
        shape = (ratings.backgrounds, ratings.versions, ratings.raters)
        centre, scale = float(ratings.value.mean()), float(ratings.value.std())
        value = (ratings.value - centre) / scale
        item = ratings.background * ratings.versions + ratings.version
        cell = ratings.version * ratings.raters + ratings.rater
        places = item * ratings.raters + ratings.rater
        return cls(
            counts=summed(places, shape[0] * shape[1] * shape[2]).reshape(shape),
            of_items=summed(item, shape[0] * shape[1], value).reshape(shape[:2]),
            of_cells=summed(cell, shape[1] * shape[2], value).reshape(shape[1:]),
            squares=float(value @ value),
            centre=centre,
            scale=scale,
        )

    @property
    def ratings(self) -> int:
        return int(self.counts.sum())

    @property
    def versions(self) -> int:
        return len(self.of_cells)

    @property
    def spare(self) -> int:
        """Ratings less versions: the degrees of freedom that are left for variances."""
        return self.ratings - self.versions

    @property
    def largest(self) -> Floats:
        """(terms,) how many ratings share an effect at most."""
        counts = self.counts
        parts = (counts.sum(axis=(1, 2)), counts.sum(axis=2), counts.sum(axis=(0, 1)), counts.sum(axis=0))
        return np.array([part.max() for part in parts])

    def told_apart(self, wanted: tuple[Term, ...]) -> NDArray[np.bool_]:
        """(terms,) those wanted whose variance the ratings can tell from the error's and from each other's.

        An effect that no two ratings share is part of the error. Items are told from backgrounds only where a
        background has two, and a rater's lean towards a version from the rater's severity only where a rater scored
        two versions.
        """
        found = np.zeros(len(Term), dtype=np.bool_)
        found[list(wanted)] = True
        found &= self.largest > 1
        scored = self.counts > 0
        found[Term.BACKGROUND] &= scored.shape[0] > 1
        found[Term.RATER] &= scored.shape[2] > 1
        found[Term.ITEM] &= bool((scored.any(axis=2).sum(axis=1) > 1).any())
        found[Term.RATER_VERSION] &= bool((scored.any(axis=0).sum(axis=0) > 1).any())
        return found
