"""Backgrounds and items, of which there are many, eliminated from the equations of a linear mixed model. Pure.

Each is a rank-one change of what it covers, so what remains is sums over cells, raters × versions. With W the inverse
of the relative covariance I + γ Z Z' of items and backgrounds, these are products under W of the cells' indicators and
the values.
"""

from dataclasses import dataclass

import numpy as np

from annotation.reports.bootstrap import Floats
from annotation.reports.models.sums import Sums, Term


@dataclass(frozen=True, slots=True)
class Group:
    """What derivatives need of backgrounds or of items, E being Z'W times the cells and e Z'W times the values.

    `cells` (cells, cells) is E'E, `sums` (cells,) E'e, `squares` e'e and `trace` the trace of Z'WZ.
    """

    cells: Floats
    sums: Floats
    squares: float
    trace: float


@dataclass(frozen=True, slots=True)
class Outer:
    """`gram` (cells, cells), `sums` (cells,) and `squares` are the products under W; `logs` is −log|W|.

    `items` is None where derivatives in their variance were not asked for.
    """

    gram: Floats
    sums: Floats
    squares: float
    logs: float
    backgrounds: Group
    items: Group | None


def eliminated(sums: Sums, ratios: Floats, with_items: bool) -> Outer:
    """Items, then backgrounds, eliminated at γ = `ratios`."""
    backgrounds, versions, raters = sums.counts.shape
    of_item = sums.counts.sum(axis=2)
    kept = 1 / (1 + ratios[Term.ITEM] * of_item)
    lost = ratios[Term.ITEM] * kept
    blocks = (sums.counts * kept[:, :, None]).reshape(backgrounds, versions * raters)
    size, total = (kept * of_item).sum(axis=1), (kept * sums.of_items).sum(axis=1)
    left = 1 / (1 + ratios[Term.BACKGROUND] * size)
    share = ratios[Term.BACKGROUND] * left
    gram = np.diag(sums.counts.sum(axis=0).ravel()) - (blocks.T * share) @ blocks
    if ratios[Term.ITEM]:
        _add_within(gram, -lost, sums.counts)
    of_cells = sums.of_cells - (sums.counts * (lost * sums.of_items)[:, :, None]).sum(axis=0)
    own = Group(
        cells=(blocks.T * left**2) @ blocks,
        sums=blocks.T @ (left**2 * total),
        squares=float((left * total) @ (left * total)),
        trace=float(size @ left),
    )
    return Outer(
        gram=gram,
        sums=of_cells.ravel() - blocks.T @ (share * total),
        squares=sums.squares - float((lost * sums.of_items**2).sum() + (share * total**2).sum()),
        logs=float(-np.log(kept).sum() - np.log(left).sum()),
        backgrounds=own,
        items=_of_items(sums, kept, blocks, share, total) if with_items else None,
    )


def _add_within(gram: Floats, weights: Floats, counts: Floats) -> None:
    """To the cells' products: each item's with itself, by weights (backgrounds, versions)."""
    _, versions, raters = counts.shape
    by_version = counts.transpose(1, 0, 2)
    weighted = (counts * weights[:, :, None]).transpose(1, 2, 0)
    every = np.arange(versions)
    gram.reshape(versions, raters, versions, raters)[every, :, every, :] += weighted @ by_version


def _of_items(sums: Sums, kept: Floats, blocks: Floats, share: Floats, total: Floats) -> Group:
    """An item's row of E is its own cells, kept, less what its background takes from all cells."""
    of_item = kept * sums.counts.sum(axis=2)
    taken = of_item * share[:, None]
    values = kept * sums.of_items - taken * total[:, None]
    weighted = (sums.counts * (kept * taken)[:, :, None]).reshape(blocks.shape)
    both = weighted.T @ blocks
    cells = (blocks.T * (taken**2).sum(axis=1)) @ blocks - both - both.T
    _add_within(cells, kept**2, sums.counts)
    by_cell = (sums.counts * (kept * values)[:, :, None]).sum(axis=0).ravel()
    return Group(
        cells=cells,
        sums=by_cell - blocks.T @ (taken * values).sum(axis=1),
        squares=float((values**2).sum()),
        trace=float((of_item - share[:, None] * of_item**2).sum()),
    )
