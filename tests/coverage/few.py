"""How often intervals hold what they are about where backgrounds are few: `python -m tests.coverage.few`.

Three raters. α is that of all items of a study. A win rate, ties counting half, is of two versions that differ a little
while backgrounds, raters and chance add to a decision. A judge gives more points than the raters, and more to long
dialogues: its bias is a mean difference with Student's t over backgrounds, its rise a slope with clustered errors.
A study without an interval counts as one whose interval does not hold.
"""

from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from itertools import repeat

import numpy as np
from scipy.stats import norm

from annotation.reports.judge_measures import JudgedScores, beside
from annotation.reports.preferences import Decisions, win_rates
from tests.coverage import agreement_intervals
from tests.coverage.options import parser_of
from tests.coverage.studies import VERSIONS, Cell

BACKGROUNDS = (4, 6, 8, 11, 12, 24)
RATERS = 3
HEADS = ("backgrounds", "α", "win rate", "judge's bias", "rise of the bias")
# Of decisions: how much better the second version is, the spread of backgrounds and of raters, and how near a tie is.
BETTER, OF_BACKGROUNDS, OF_RATERS, TIED = 0.3, 0.5, 0.3, 0.3
# Of judges: points above the raters, and points a 100 words; the spread of words, backgrounds and single scores.
BIAS, RISE, WORDS, SHARED, ALONE = 0.4, 0.2, 30.0, 0.3, 0.6


def measured(backgrounds: int, *, studies: int, seed: int) -> tuple[float, ...]:
    """Per cent of the studies, in the order of the columns after the first."""
    rng = np.random.default_rng([seed, backgrounds])
    alpha = agreement_intervals.measured(Cell(RATERS, backgrounds, 0.4, 0.2, item_sd=0.7), studies, seed).alpha_these
    wins = [_holds_win_rate(backgrounds, rng, study) for study in range(studies)]
    judged = [_holds_bias_and_rise(backgrounds, rng, study) for study in range(studies)]
    return tuple(100 * float(share) for share in (alpha, np.mean(wins), *np.mean(judged, axis=0)))


def _holds_win_rate(backgrounds: int, rng: np.random.Generator, seed: int) -> bool:
    lean = rng.normal(0, OF_RATERS, RATERS)
    level = BETTER + lean + rng.normal(0, OF_BACKGROUNDS, (backgrounds, 1)) + rng.normal(0, 1, (backgrounds, RATERS))
    value = np.where(np.abs(level) < TIED, 0, np.sign(level)).astype(np.int64).ravel()
    decisions = Decisions(
        background=np.repeat(np.arange(backgrounds), RATERS),
        cell=np.zeros(len(value), dtype=np.int64),
        value=value,
        left=value,
        second_left=value > 0,
        cells=1,
    )
    spread = np.hypot(1, OF_BACKGROUNDS)
    ends = (norm.cdf((BETTER + lean - end) / spread).mean() for end in (TIED, -TIED))
    (found,) = win_rates(decisions, seed)
    return found is not None and _has(found.halves.low, found.halves.high, float(np.mean(list(ends))))


def _holds_bias_and_rise(backgrounds: int, rng: np.random.Generator, seed: int) -> tuple[bool, bool]:
    background = np.repeat(np.arange(backgrounds), VERSIONS)
    version = np.tile(np.arange(VERSIONS), backgrounds)
    longer = rng.normal(0, WORDS, len(version))
    people = rng.uniform(2, 4, len(version))
    judge = people + BIAS + RISE * longer / 100 + rng.normal(0, SHARED, backgrounds)[background]
    judge += rng.normal(0, ALONE, len(version))
    words = 150 + longer
    found = beside(
        JudgedScores(background, version, np.zeros_like(version), words, judge, people, people[None]), VERSIONS, seed
    )
    assert found is not None
    mean, rise = found.bias.mean, found.bias.per_100_words
    assert mean is not None
    assert rise is not None
    return _has(mean.low, mean.high, BIAS), _has(rise.low, rise.high, RISE)


def _has(low: float | None, high: float | None, truth: float) -> bool:
    return low is not None and high is not None and low <= truth <= high


def _line(cells: Sequence[object]) -> str:
    return f"| {' | '.join(map(str, cells))} |"


def main() -> None:
    options = parser_of(__doc__).parse_args()
    print(_line(HEADS), _line([*repeat("---", len(HEADS))]), sep="\n")
    with ProcessPoolExecutor(options.processes) as processes:
        of_row = partial(measured, studies=options.studies, seed=options.seed)
        for backgrounds, shares in zip(BACKGROUNDS, processes.map(of_row, BACKGROUNDS), strict=True):
            print(_line([backgrounds, *(f"{share:.1f}" for share in shares)]), flush=True)


if __name__ == "__main__":
    main()
