"""How often the report's intervals hold what they are about: simulated studies in which the truth is known.

Run by hand: python -m tests.coverage [--studies 2000] [--incomplete 300] [--seed 1] [--write docs/method/coverage.md]

Prints a Markdown table, and writes nothing unless asked. `--incomplete` is how many studies of a kind are simulated
where not every rater scores everything, which takes a fit each; complete ones take seconds for thousands. Each core
computes one row at a time.
"""

import argparse
import re
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import astuple
from functools import partial
from itertools import product
from pathlib import Path

from tests.coverage import agreement_intervals
from tests.coverage.agreement_intervals import AgreementFigures
from tests.coverage.measuring import Figures, measured
from tests.coverage.options import parser_of
from tests.coverage.studies import Cell

COMPLETE = [
    *(Cell(*row) for row in product((3, 5, 10), (6, 12, 24, 100), (0, 0.4), (0, 0.2))),
    *(Cell(raters, backgrounds, 0.4, 0.2, item_sd=0.3) for raters, backgrounds in product((3, 10), (24, 100))),
]
INCOMPLETE = [
    Cell(3, 24, 0.4, 0.2, each=2),
    Cell(5, 24, 0.4, 0.2, each=3),
    Cell(10, 24, 0.4, 0.2, each=3),
    Cell(10, 24, 0.4, 0.2, item_sd=0.3, each=3),
    Cell(10, 100, 0.4, 0.2, each=3),
]
HEADS = (
    "raters", "backgrounds", "rater SD", "rater × version SD", "item SD",
    "means, raters like these", "means, these raters",
    "differences, raters like these", "differences, these raters", "differences, mixed model",
    "family-wise, crossed", "family-wise, mixed model",
)  # fmt: skip
# Items must differ for there to be something to agree on.
AGREEMENT = [Cell(*row, 0.2, item_sd=0.7) for row in product((3, 5, 10), (12, 24, 100), (0, 0.4))]
AGREEMENT_HEADS = (
    "raters", "backgrounds", "rater SD", "rater × version SD", "item SD",
    "ICC(A,1) by F, raters like these", "ICC(A,1) resampled, these raters", "ICC(A,1) resampled, raters like these",
    "α resampled, these raters", "α resampled, raters like these",
)  # fmt: skip
BLOCK = re.compile(r"(?<=<!-- measured -->\n).*(?=<!-- end -->)", re.DOTALL)


def main() -> None:
    options = _options()
    lines = []
    for line in _lines(options):
        print(line, flush=True)
        lines.append(line)
    if options.write:
        page = options.write.read_text(encoding="utf-8")
        options.write.write_text(BLOCK.sub(lambda _: "\n".join(["", *lines, "", ""]), page), encoding="utf-8")


def _lines(options: argparse.Namespace) -> Iterator[str]:
    seeded = {"seed": options.seed}
    with ProcessPoolExecutor(options.processes) as processes:
        complete = processes.map(partial(measured, studies=options.studies, **seeded), COMPLETE)
        incomplete = processes.map(partial(measured, studies=options.incomplete, **seeded), INCOMPLETE)
        agreed = processes.map(partial(agreement_intervals.measured, studies=options.studies, **seeded), AGREEMENT)
        yield from _heading(HEADS)
        yield from map(_row, COMPLETE, complete)
        yield from map(_row, INCOMPLETE, incomplete)
        yield from ("", *_heading(AGREEMENT_HEADS))
        yield from map(_row, AGREEMENT, agreed)
    yield from ("", _said(options))


def _heading(heads: tuple[str, ...]) -> Iterator[str]:
    yield f"| {' | '.join(heads)} |"
    yield f"|{'---|' * len(heads)}"


def _row(cell: Cell, figures: Figures | AgreementFigures) -> str:
    raters = str(cell.raters) if cell.each is None else f"{cell.each} of {cell.raters}"
    kind = [raters, cell.backgrounds, *(f"{sd:g}" for sd in (cell.rater_sd, cell.lean_sd, cell.item_sd))]
    shares = [f"{100 * share:.1f}" for share in astuple(figures)]
    return f"| {' | '.join(map(str, (*kind, *shares)))} |"


def _said(options: argparse.Namespace) -> str:
    command = f"--studies {options.studies} --incomplete {options.incomplete} --seed {options.seed}"
    return (
        f"Per cent of {options.studies:,} studies a row; of {options.incomplete:,} where not every rater scores every "
        f"item. `python -m tests.coverage {command}`."
    )


def _options() -> argparse.Namespace:
    parser = parser_of(__doc__)
    parser.add_argument("--incomplete", type=int, default=300, help="studies where not every rater scores every item")
    parser.add_argument("--write", type=Path, help="replace the table of this page")
    return parser.parse_args()


if __name__ == "__main__":
    main()
