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
from annotation.reports.models.sums import Sums, Term

# The least sum of squares for the error, as a share of all squares: the likelihood has a maximum also without error.
LEAST_ERROR = 1e-10


@dataclass(frozen=True, slots=True)
class Outer:
    """What is left in the cells when items and backgrounds are eliminated: sums under their covariance's inverse W.

    `gram` (cells, cells) and `sums` (cells,) and `squares` are the products of the cells' indicators and values under
    W; `logs` is −log|W|. `rows` holds, for backgrounds and items (the latter None where their variance is not sought),
    Z'W times the cells (groups, cells) and times the values (groups,), and the trace of Z'WZ.
    """

    gram: Floats
    sums: Floats
    squares: float
    logs: float
    rows: tuple[tuple[Floats, Floats, float] | None, ...]


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
    found = [*(_outer(rows, taken, fitted, to_cells) for rows in outer.rows), *inner]
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


def eliminated(sums: Sums, ratios: Floats, with_items: bool) -> Outer:
    """Items, then backgrounds, eliminated from the equations at γ = `ratios`."""
    backgrounds, versions, raters = sums.counts.shape
    of_item = sums.counts.sum(axis=2)
    kept = 1 / (1 + ratios[Term.ITEM] * of_item)
    lost = ratios[Term.ITEM] * kept
    blocks = (sums.counts * kept[:, :, None]).reshape(backgrounds, versions * raters)
    size, total = (kept * of_item).sum(axis=1), (kept * sums.of_items).sum(axis=1)
    share = ratios[Term.BACKGROUND] / (1 + ratios[Term.BACKGROUND] * size)
    gram = np.diag(sums.counts.sum(axis=0).ravel()) - (blocks.T * share) @ blocks
    if ratios[Term.ITEM]:
        within = np.einsum("bvr,bvs->vrs", sums.counts * lost[:, :, None], sums.counts)
        every = np.arange(versions)
        gram.reshape(versions, raters, versions, raters)[every, :, every, :] -= within
    of_cells = sums.of_cells - (sums.counts * (lost * sums.of_items)[:, :, None]).sum(axis=0)
    left = 1 / (1 + ratios[Term.BACKGROUND] * size)
    return Outer(
        gram=gram,
        sums=of_cells.ravel() - blocks.T @ (share * total),
        squares=sums.squares - float((lost * sums.of_items**2).sum() + (share * total**2).sum()),
        logs=float(-np.log(kept).sum() - np.log(left).sum()),
        rows=(
            (blocks * left[:, None], total * left, float((size * left).sum())),
            _item_rows(sums, kept, blocks, share, total) if with_items else None,
        ),
    )


def _item_rows(sums: Sums, kept: Floats, blocks: Floats, share: Floats, total: Floats) -> tuple[Floats, Floats, float]:
    """Of items, the `rows` of `Outer`."""
    backgrounds, versions, raters = sums.counts.shape
    of_item = kept * sums.counts.sum(axis=2)
    rows = -(of_item * share[:, None])[:, :, None] * blocks[:, None, :]
    every = np.arange(versions)
    rows.reshape(backgrounds, versions, versions, raters)[:, every, every, :] += sums.counts * kept[:, :, None]
    values = kept * sums.of_items - of_item * (share * total)[:, None]
    trace = float((of_item - share[:, None] * of_item**2).sum())
    return rows.reshape(backgrounds * versions, versions * raters), values.ravel(), trace


def _outer(
    rows: tuple[Floats, Floats, float] | None, taken: Floats, fitted: Floats, to_cells: Floats
) -> tuple[float, float, Floats]:
    """tr(Z'PZ), |Z'P value|² and X'V⁻¹ZZ'V⁻¹X of a term that was eliminated."""
    if rows is None:
        return 0.0, 0.0, np.zeros((to_cells.shape[1], to_cells.shape[1]))
    cells, values, trace = rows
    by_version = cells @ to_cells
    trace -= float(np.sum((cells @ taken) * cells))
    return trace, float(np.sum((values - cells @ fitted) ** 2)), by_version.T @ by_version


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
