"""Parts of ratings, and what can be said of them before any model. Pure."""

from collections.abc import Sequence

import numpy as np
from scipy import sparse

from annotation.reports.bootstrap import Floats, Ints, ratio
from annotation.reports.models.ratings import Ratings
from core.intervals import DUST


def summed(place: Ints, size: int, values: Floats | None = None) -> Floats:
    """(size,) the sum of the values at each place from 0; without values, how many entries it has."""
    return np.bincount(place, values, size).astype(np.float64)


def rated_versions(ratings: Ratings) -> list[int]:
    """The versions that have a rating."""
    return [int(version) for version in np.unique(ratings.version)]


def of_versions(ratings: Ratings, versions: Sequence[int]) -> Ratings:
    """The ratings of these versions, which are numbered anew in the order given."""
    place = np.full(ratings.versions, -1)
    place[list(versions)] = np.arange(len(versions))
    kept = place[ratings.version] >= 0
    columns = (ratings.background[kept], ratings.rater[kept])
    return Ratings.numbered(ratings.value[kept], place[ratings.version[kept]], *columns, len(versions))


def table_of(ratings: Ratings, version: int) -> Floats:
    """(raters, backgrounds) mean ratings of a version, NaN where there is none."""
    chosen = ratings.version == version
    shape = (ratings.raters, ratings.backgrounds)
    place = ratings.rater[chosen] * shape[1] + ratings.background[chosen]
    size = shape[0] * shape[1]
    return ratio(summed(place, size, ratings.value[chosen]), summed(place, size)).reshape(shape)


def varies(values: Floats) -> bool:
    """Whether values differ by more than rounding."""
    return len(values) > 0 and float(np.ptp(values)) > DUST * float(np.abs(values).max())


def constant_raters(ratings: Ratings) -> Floats | None:
    """(raters,) the one value that each rater gave to everything; None if a rater gave two."""
    own = np.empty(ratings.raters)
    own[ratings.rater] = ratings.value
    return None if varies(ratings.value - own[ratings.rater]) else own


def linked(ratings: Ratings) -> Ints:
    """(versions,) the same number for versions that raters link: who scored one of them scored another."""
    nodes = ratings.versions + ratings.raters
    links = sparse.coo_array(
        (np.ones(len(ratings.value)), (ratings.version, ratings.versions + ratings.rater)), shape=(nodes, nodes)
    )
    labels = sparse.csgraph.connected_components(links, directed=False)[1][: ratings.versions]
    return np.asarray(labels, dtype=np.int64)
