"""One metric's ratings as columns, which every model of them reads. Pure."""

from dataclasses import dataclass

import numpy as np

from annotation.reports.bootstrap import Floats, Ints


@dataclass(frozen=True, slots=True)
class Ratings:
    """Four columns (n,) with one entry per rating.

    `version`, `background` and `rater` are numbers from 0; `versions` says how many versions were asked about, also
    where one of them has no rating. A rating never misses: what was not rated has no entry.
    """

    value: Floats
    version: Ints
    background: Ints
    rater: Ints
    versions: int

    @classmethod
    def numbered(cls, value: Floats, version: Ints, background: Ints, rater: Ints, versions: int) -> "Ratings":
        """With backgrounds and raters numbered from 0 without gaps, in the order of their numbers."""
        return cls(
            value=np.asarray(value, dtype=np.float64),
            version=np.asarray(version, dtype=np.int64),
            background=np.unique(background, return_inverse=True)[1].astype(np.int64),
            rater=np.unique(rater, return_inverse=True)[1].astype(np.int64),
            versions=versions,
        )

    @property
    def backgrounds(self) -> int:
        return int(self.background.max()) + 1 if len(self.value) else 0

    @property
    def raters(self) -> int:
        return int(self.rater.max()) + 1 if len(self.value) else 0
