"""The restricted likelihood of a linear mixed model of ratings, with its derivatives. Pure.

value = version's mean + background + item + rater + rater × version + error; every effect but the first is random,
with a variance of its own (or none). Write γ for the four variances relative to the error's, V = I + Σ γ Z Z' for the
relative covariance of the ratings, and P = V⁻¹ − V⁻¹X(X'V⁻¹X)⁻¹X'V⁻¹. Items and backgrounds, of which there are many,
are eliminated first (each is a rank-one change of what it covers); the rest is dense in the cells, raters × versions.
Sources: Patterson & Thompson 1971 (REML); Searle, Casella & McCulloch, Variance Components, 1992, §6.6 (derivatives).
"""

from dataclasses import dataclass

import numpy as np

from annotation.reports.bootstrap import Floats
from annotation.reports.models.elimination import Group, eliminated
from annotation.reports.models.sums import Sums, Term

# The least sum of squares for the error, as a share of all squares: the likelihood has a maximum also without error.
LEAST_ERROR = 1e-10


@dataclass(frozen=True, slots=True)
class Point:
    """The model at one γ; `means` (versions,) are generalised least squares, in the units of `Sums`.

    `covariance` is (X'V⁻¹X)⁻¹. For each term, `traces` is tr(Z'PZ), `pulls` is |Z'P value|², and `gains` the
    derivative of the covariance in its γ. `rater_effects` and `rater_errors` are Z'P value of raters (raters,) and
    their Z'PZ.
    """

    logs: float
    error: float
    means: Floats
    covariance: Floats
    traces: Floats
    pulls: Floats
    gains: Floats
    rater_effects: Floats
    rater_errors: Floats


def at(sums: Sums, ratios: Floats, with_items: bool) -> Point:
    """The model at γ = `ratios` (terms,); `with_items` asks for derivatives in the items' variance, too."""
    outer = eliminated(sums, ratios, with_items)
    versions, raters = sums.of_cells.shape
    cells = versions * raters
    spread = np.kron(np.full((versions, versions), ratios[Term.RATER]), np.eye(raters))
    spread[np.diag_indices(cells)] += ratios[Term.RATER_VERSION]
    system = np.eye(cells) + outer.gram @ spread
    undone = np.linalg.inv(system)
    gram, weighted = undone @ outer.gram, undone @ outer.sums
    by_version = gram.reshape(versions, raters, cells).sum(axis=1)
    precision = by_version.reshape(versions, versions, raters).sum(axis=2)
    covariance = np.linalg.inv(precision)
    totals = weighted.reshape(versions, raters).sum(axis=1)
    means = covariance @ totals
    error = outer.squares - outer.sums @ spread @ weighted - means @ totals
    projected = gram - by_version.T @ covariance @ by_version
    residual = weighted - by_version.T @ means
    inner = _inner(projected, residual, by_version, raters)
    to_cells = undone.reshape(versions, raters, cells).sum(axis=1).T
    taken = spread @ undone + to_cells @ covariance @ to_cells.T
    fitted = spread @ weighted + to_cells @ means
    found = [*(_outer(group, taken, fitted, to_cells) for group in (outer.backgrounds, outer.items)), *inner]
    return Point(
        logs=outer.logs + float(np.linalg.slogdet(system)[1] + np.linalg.slogdet(precision)[1]),
        error=max(float(error), 0.0) + LEAST_ERROR * sums.squares,
        means=means,
        covariance=covariance,
        traces=np.array([trace for trace, _, _ in found]),
        pulls=np.array([pull for _, pull, _ in found]),
        gains=np.array([covariance @ product @ covariance for _, _, product in found]),
        rater_effects=residual.reshape(versions, raters).sum(axis=0),
        rater_errors=projected.reshape(versions, raters, versions, raters).sum(axis=(0, 2)),
    )


def _outer(group: Group | None, taken: Floats, fitted: Floats, to_cells: Floats) -> tuple[float, float, Floats]:
    """tr(Z'PZ), |Z'P value|² and X'V⁻¹ZZ'V⁻¹X of a term that was eliminated."""
    if group is None:
        return 0.0, 0.0, np.zeros((to_cells.shape[1], to_cells.shape[1]))
    pull = group.squares - 2 * fitted @ group.sums + fitted @ group.cells @ fitted
    return group.trace - float(np.sum(taken * group.cells)), float(pull), to_cells.T @ group.cells @ to_cells


def _inner(projected: Floats, residual: Floats, by_version: Floats, raters: int) -> list[tuple[float, float, Floats]]:
    """The same of raters and of raters × versions."""
    versions = len(by_version)
    blocks = projected.reshape(versions, raters, versions, raters)
    of_raters = by_version.reshape(versions, versions, raters).sum(axis=1)
    pull = np.sum(residual.reshape(versions, raters).sum(axis=0) ** 2)
    return [
        (float(np.einsum("vrwr->", blocks)), float(pull), of_raters @ of_raters.T),
        (float(np.trace(projected)), float(np.sum(residual**2)), by_version @ by_version.T),
    ]
