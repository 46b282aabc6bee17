"""Whether a judge scores the same dialogues as it did before. Pure.

A provider may change a model behind its name. Scores of one judge (model, prompt, parameters) in two runs, paired by
dialogue, show it: a change of the mean beyond chance, or single scores that move further than repeats do.
"""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

import numpy as np

from core.intervals import Estimate, mean_of
from dialogues.rubric import JUDGE_SCALE
from generation.judgements.scores import Judged


@dataclass(frozen=True, slots=True)
class Occasion:
    """What a judge said in one run, which began at `at`."""

    run: int
    at: datetime
    rows: Sequence[Judged]


@dataclass(frozen=True, slots=True)
class Drift:
    """One metric, later minus earlier, in points: the mean over backgrounds, and the mean size over dialogues."""

    change: Estimate
    size: float
    dialogues: int


def drift(earlier: Occasion, later: Occasion) -> dict[str, Drift]:
    """By metric, over the dialogues that were scored on both occasions; a metric without any is left out."""
    before = {(row.dialogue, row.metric): row.mean for row in earlier.rows}
    gaps: dict[str, dict[int, list[float]]] = defaultdict(lambda: defaultdict(list))
    for row in later.rows:
        if (row.dialogue, row.metric) in before:
            gaps[row.metric][row.background].append(row.mean - before[row.dialogue, row.metric])
    return {metric: _drift(by_background) for metric, by_background in gaps.items()}


def _drift(by_background: dict[int, list[float]]) -> Drift:
    change = mean_of(np.array([np.mean(values) for values in by_background.values()]))
    assert change is not None
    every = np.concatenate([np.array(values) for values in by_background.values()])
    return Drift(change.within(-JUDGE_SCALE.reach, JUDGE_SCALE.reach), float(np.abs(every).mean()), len(every))
