"""Ratings for tests: files of rater, background, version and value, and ratings drawn at random."""

import csv
from pathlib import Path

import numpy as np

from annotation.reports.models.ratings import Ratings

VERSIONS = ("alpha", "beta", "gamma", "stephanie")


def read(path: Path) -> Ratings:
    """Versions are numbered in the order of their names."""
    rows = list(csv.DictReader(path.read_text().splitlines()))
    columns = ("version", "background", "rater")
    version, background, rater = (np.unique([row[name] for row in rows], return_inverse=True)[1] for name in columns)
    value = np.array([float(row["value"]) for row in rows])
    return Ratings.numbered(value, version, background, rater, int(version.max()) + 1)


def drawn(seed: int, raters: int, backgrounds: int, versions: int, missing: float = 0.0) -> Ratings:
    """Scores from 1 to 5 by raters who differ; `missing` is the share that was not given."""
    rng = np.random.default_rng(seed)
    background, version, rater = (axis.ravel() for axis in np.indices((backgrounds, versions, raters)))
    level = 3 + 0.3 * version + rng.normal(0, 0.4, raters)[rater] + rng.normal(0, 0.5, backgrounds)[background]
    level += rng.normal(0, 0.2, (raters, versions))[rater, version]
    value = np.clip(np.rint(level + rng.normal(0, 1, len(level))), 1, 5)
    kept = rng.random(len(value)) >= missing
    return Ratings.numbered(value[kept], version[kept], background[kept], rater[kept], versions)
