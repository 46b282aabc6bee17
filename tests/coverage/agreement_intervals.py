"""How often intervals of agreement hold what they are about: ICC(A,1) and Krippendorff's α of all items of a study."""

from dataclasses import dataclass

import numpy as np
from scipy import special

from annotation.reports import agreement
from annotation.reports.bootstrap import DRAWS, Floats
from annotation.reports.models.icc import icc_intervals
from tests.coverage.studies import BACKGROUND_SD, CUTS, LEVEL, NOISE_SD, VERSIONS, Cell, drawn

POINTS = np.arange(1.0, 6)
NODES, WEIGHTS = np.polynomial.hermite_e.hermegauss(21)


@dataclass(frozen=True)
class AgreementFigures:
    """Shares of studies: by F for raters like these; by resampled backgrounds for these raters, and for those alike."""

    icc_by_f: float
    icc_these: float
    icc_resampled_like_these: float
    alpha_these: float
    alpha_resampled_like_these: float


@dataclass(frozen=True)
class Truth:
    icc: float
    alpha: float


def measured(cell: Cell, studies: int, seed: int) -> AgreementFigures:
    rng = np.random.default_rng([seed, cell.raters, cell.backgrounds, int(1000 * cell.rater_sd)])
    like_these, held = of_raters_like_these(cell), []
    for study in range(studies):
        made = drawn(cell, 1, rng)
        these = of_these_raters(made.levels[0], cell)
        table = made.scores[0].reshape(cell.raters, -1)
        clusters = np.repeat(np.arange(cell.backgrounds), VERSIONS)
        found = agreement.summary(table, ("icc_2,1", "alpha_interval"), DRAWS, seed=study, clusters=clusters).estimates
        by_f = icc_intervals(table)["2,1"]
        icc, alpha = found["icc_2,1"], found["alpha_interval"]
        held.append(
            [
                _has(by_f.low, by_f.high, like_these.icc),
                _has(icc.low, icc.high, these.icc),
                _has(icc.low, icc.high, like_these.icc),
                _has(alpha.low, alpha.high, these.alpha),
                _has(alpha.low, alpha.high, like_these.alpha),
            ]
        )
    return AgreementFigures(*np.mean(held, axis=0).tolist())


def _has(low: float | None, high: float | None, truth: float) -> bool:
    return low is not None and high is not None and low <= truth <= high


def of_raters_like_these(cell: Cell) -> Truth:
    """Of two raters drawn anew, over all items there could be."""
    noise = np.sqrt(NOISE_SD**2 + cell.rater_sd**2 + cell.lean_sd**2)
    chances = _chances(np.full((1, 1), LEVEL), cell, noise)
    return _truth(np.repeat(chances, 2, axis=0))


def of_these_raters(levels: Floats, cell: Cell) -> Truth:
    """Of raters whose (raters, versions) levels are known, over all items there could be."""
    return _truth(_chances(levels, cell, np.array(NOISE_SD)))


def _chances(levels: Floats, cell: Cell, noise: Floats) -> Floats:
    """(raters, versions, nodes, points): how likely a rater gives each score, at each node of what items add."""
    shared = np.sqrt(BACKGROUND_SD**2 + cell.item_sd**2) * NODES
    at = levels[:, :, None] + shared
    below = special.ndtr((CUTS - at[..., None]) / noise)
    edges = np.concatenate([np.zeros_like(below[..., :1]), below, np.ones_like(below[..., :1])], axis=-1)
    return np.diff(edges, axis=-1)


def _truth(chances: Floats) -> Truth:
    """From (raters, versions, nodes, points)."""
    raters, versions, _, _ = chances.shape
    weights = np.tile(WEIGHTS / WEIGHTS.sum() / versions, versions)
    flat = chances.reshape(raters, len(weights), len(POINTS))
    expected = flat @ POINTS
    means = expected @ weights
    covariance = (expected * weights) @ expected.T - np.outer(means, means)
    variance = ((flat @ POINTS**2) @ weights - means**2).mean()
    others = ~np.eye(raters, dtype=bool)
    shared = covariance[others].mean()
    pairs = np.einsum("i,rik,sil->rskl", weights, flat, flat)[others].mean(axis=0)
    margins, distances = pairs.sum(axis=0), (POINTS[:, None] - POINTS) ** 2
    alpha = 1 - (pairs * distances).sum() / (np.outer(margins, margins) * distances).sum()
    return Truth(float(shared / (variance + means.var(ddof=1))), float(alpha))
