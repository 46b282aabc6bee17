"""How often the report's primary analysis of differences holds: `python -m tests.coverage.primary --studies 2000`.

The model has effects of backgrounds, items, raters and raters × versions, and no closed form, so each simulated study
is fitted; that takes about a second for ten studies on one core, and every core takes a row. No version is better than
another.
"""

from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from itertools import combinations

import numpy as np

from annotation.reports.comparisons import holm
from annotation.reports.models import mixed
from annotation.reports.models.intervals import Interval, Unfit
from annotation.reports.models.with_items import ItemModel
from tests.coverage.options import parser_of
from tests.coverage.studies import VERSIONS, Cell, drawn, ratings_of

CELLS = (
    *(Cell(raters, backgrounds, 0.4, 0.2) for raters in (3, 5, 10) for backgrounds in (6, 24, 100)),
    Cell(3, 100, 0.0, 0.0),
    Cell(3, 24, 0.4, 0.2, 0.3),
    Cell(3, 100, 0.4, 0.2, 0.3),
    Cell(10, 24, 0.4, 0.2, 0.3),
    Cell(10, 100, 0.4, 0.2, 0.3),
    Cell(10, 24, 0.4, 0.2, 0.3, each=3),
)
HEAD = (
    "| raters | backgrounds | rater SD | rater × version SD | item SD | differences, primary | family-wise, primary "
    "| family-wise, without items |"
)


def measured(cell: Cell, *, studies: int, seed: int) -> tuple[float, float, float]:
    """Per cent: intervals that hold 0, and families with a false alarm, of the primary model and without items."""
    rng = np.random.default_rng([seed, cell.raters, cell.backgrounds, int(10 * cell.item_sd)])
    held, families, plain = [], [], []
    for scores in drawn(cell, studies, rng).scores:
        ratings = ratings_of(scores, cell.each, rng)
        model = ItemModel(ratings)
        found = [model.interval({one: -1, other: 1}) for one, other in combinations(range(VERSIONS), 2)]
        held += [one.low is not None and one.high is not None and one.low <= 0 <= one.high for one in found]
        families.append(_alarm(found))
        fitted = mixed.fit(ratings)
        plain.append(not isinstance(fitted, Unfit) and _alarm(list(fitted.contrasts.values())))
    return 100 * float(np.mean(held)), 100 * float(np.mean(families)), 100 * float(np.mean(plain))


def _alarm(found: Sequence[Interval]) -> bool:
    return any(p is not None and p < 0.05 for p in holm([one.p for one in found]))


def main() -> None:
    options = parser_of(__doc__).parse_args()
    print(HEAD)
    print("|---" * HEAD.count("| ") + "|")
    of_cell = partial(measured, studies=options.studies, seed=options.seed)
    with ProcessPoolExecutor(options.processes) as processes:
        for cell, found in zip(CELLS, processes.map(of_cell, CELLS), strict=True):
            raters = f"{cell.each} of {cell.raters}" if cell.each else cell.raters
            shares = " | ".join(f"{share:.1f}" for share in found)
            about = f"{cell.backgrounds} | {cell.rater_sd:g} | {cell.lean_sd:g} | {cell.item_sd:g}"
            print(f"| {raters} | {about} | {shares} |", flush=True)


if __name__ == "__main__":
    main()
