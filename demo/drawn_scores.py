"""The seeded models that simulated ratings are drawn from.

One score, before it is rounded to the rubric's scale:

    quality(version, metric) + lean(rater) + charm(background, metric) + noise

quality is the paper's Table 3 mean, mapped from its scale of 1 to 5; a version or metric without one takes the mean
of what the table has. lean ~ N(0, 0.25), charm ~ N(0, 0.45) and noise ~ N(0, 0.55), in points of the 1–5 scale.

One preference between two dialogues is the difference of two such scores, in which a dialogue has its own charm and a
rater's lean cancels out, plus 0.15 points for the dialogue on the left. A difference of up to 0.35 points is a tie.
"""

import random
from dataclasses import dataclass, field

from annotation.models import Assignment, Item, Study
from dialogues.models import Dialogue
from dialogues.published import published_tables
from dialogues.rubric import HUMAN_SCALE, Metric, Scale

CHARM, NOISE = 0.45, 0.55
LEFT, TIE = 0.15, 0.35
PAIRS_SAID = (
    f"Of each pair the dialogue on the left got {LEFT} points more, and a difference of up to {TIE} points is a tie."
)


@dataclass(slots=True)
class DrawnValues:
    """Draws what a rater says; the same seed and the same order of questions give the same answers."""

    seed: int
    scale: Scale
    charms: dict[str, float] = field(default_factory=dict)

    @classmethod
    def of(cls, study: Study, seed: int) -> "DrawnValues":
        return cls(seed, study.rubric.scale)

    def answer(self, rng: random.Random, lean: float, assignment: Assignment, metric: Metric) -> int:
        """As it is stored: a point of the scale; of a pair −1 for the item's own dialogue, 1 for the other, 0 a tie."""
        item = assignment.item
        if item.other is None:
            return self._score(rng, lean, item, metric.key)
        gap = self._appeal(rng, item, item.other, metric.key) - self._appeal(rng, item, item.dialogue, metric.key)
        gap += LEFT if assignment.is_flipped else -LEFT
        return 0 if abs(gap) <= TIE else 1 if gap > 0 else -1

    def _score(self, rng: random.Random, lean: float, item: Item, metric: str) -> int:
        charm = self._charm(f"{item.background_id}:{metric}")
        latent = quality(item.dialogue.version_id, metric) + lean + charm + rng.gauss(0, NOISE)
        share = (latent - HUMAN_SCALE.low) / (HUMAN_SCALE.high - HUMAN_SCALE.low)
        point = round(self.scale.low + share * (self.scale.high - self.scale.low))
        return min(max(point, self.scale.low), self.scale.high)

    def _appeal(self, rng: random.Random, item: Item, shown: Dialogue, metric: str) -> float:
        """What one dialogue of a pair seems worth at this moment."""
        charm = self._charm(f"{item.background_id}:{shown.version_id}:{metric}")
        return quality(shown.version_id, metric) + charm + rng.gauss(0, NOISE)

    def _charm(self, of: str) -> float:
        if of not in self.charms:
            self.charms[of] = random.Random(f"{self.seed}:{of}").gauss(0, CHARM)  # noqa: S311 - repeatable
        return self.charms[of]


def quality(version: str, metric: str) -> float:
    """The mean human rating of the paper's Table 3, 1 to 5; if it has none, the mean of the nearest figures."""
    table = published_tables()[3]
    exact = table.value(metric, version)
    if exact is not None:
        return exact
    place = [column.key for column in table.columns].index(version) if version in _versions() else None
    by_version = [row.values[place] for row in table.rows] if place is not None else []
    by_metric = [value for row in table.rows if row.key == metric for value in row.values]
    near = [value for value in by_version or by_metric or _all_means() if value is not None]
    return sum(near) / len(near)


def _versions() -> tuple[str, ...]:
    return tuple(column.key for column in published_tables()[3].columns)


def _all_means() -> list[float | None]:
    return [value for row in published_tables()[3].rows for value in row.values]
