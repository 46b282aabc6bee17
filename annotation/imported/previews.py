"""What a file of ratings holds, before it is imported: read once, kept as JSON, short enough for a page."""

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

from annotation.imported.gathering import Gathered
from annotation.imported.placing import NO_TEXT
from annotation.imported.rating_rows import Message, RatedItem
from dialogues.display import ShownTurn, turns_for_template
from dialogues.transcript import Transcript

RATERS, METRICS, ITEMS, VERSIONS = 20, 40, 3, 20
MESSAGES, LETTERS = 20, 500


@dataclass(frozen=True, slots=True)
class MetricRow:
    """One metric: its scale, and how many scores each of the first raters and all of them gave."""

    name: str
    low: int
    high: int
    by_rater: list[int]
    scores: int


@dataclass(frozen=True, slots=True)
class ItemExcerpt:
    name: str
    version: str
    messages: list[list[Any]]
    hidden: int

    @classmethod
    def of(cls, item: RatedItem) -> "ItemExcerpt":
        shown: Sequence[Message] = item.messages[:MESSAGES]
        messages = [[speaker, _cut(text)] for speaker, text in shown]
        return cls(item.item, item.version, messages, len(item.messages) - len(shown))

    def turns(self) -> list[ShownTurn]:
        return turns_for_template(Transcript.of(self.messages or [[1, NO_TEXT]]))


@dataclass(frozen=True, slots=True)
class RatingPreview:
    """Raters are numbered, as in the study to be; their names in the file are not kept anywhere."""

    form: str
    scores: int
    ratings: int
    items: int
    raters: int
    metric_count: int
    without_text: int
    refused: int
    bad: list[dict[str, Any]]
    set_aside: dict[str, int]
    versions: list[str]
    version_count: int
    metrics: list[MetricRow]
    first: list[ItemExcerpt]

    @classmethod
    def of(cls, found: Gathered) -> "RatingPreview":
        versions = [version for version in found.versions() if version]
        return cls(
            form=found.report.form,
            scores=found.report.scores,
            ratings=found.ratings(),
            items=len(found.items),
            raters=found.raters,
            metric_count=len(found.metrics),
            without_text=sum(not item.messages for item in found.items),
            refused=found.report.refused,
            bad=[asdict(bad) for bad in found.report.bad],
            set_aside=dict(found.report.tally),
            versions=versions[:VERSIONS],
            version_count=len(versions),
            metrics=_rows(found),
            first=[ItemExcerpt.of(item) for item in found.items[:ITEMS]],
        )

    def to_json(self) -> str:
        return json.dumps(asdict(self))

    @classmethod
    def from_json(cls, text: str) -> "RatingPreview":
        kept = json.loads(text)
        metrics = [MetricRow(**row) for row in kept.pop("metrics")]
        first = [ItemExcerpt(**row) for row in kept.pop("first")]
        return cls(**kept, metrics=metrics, first=first)

    @property
    def shown_raters(self) -> range:
        return range(1, min(self.raters, RATERS) + 1)

    @property
    def hidden_raters(self) -> int:
        return max(self.raters - RATERS, 0)

    @property
    def hidden_metrics(self) -> int:
        return self.metric_count - len(self.metrics)

    @property
    def hidden_bad(self) -> int:
        return self.refused - len(self.bad)

    @property
    def lines(self) -> list[tuple[str, int]]:
        """What was set aside, and how the file was read, in words."""
        return [(kind.replace("_", " ").capitalize(), count) for kind, count in self.set_aside.items()]


def _rows(found: Gathered) -> list[MetricRow]:
    table = found.table().tolist()[:METRICS]
    scales = zip(found.metrics[:METRICS], found.low.tolist(), found.high.tolist(), table, strict=False)
    return [MetricRow(name, low, high, counts[:RATERS], sum(counts)) for name, low, high, counts in scales]


def _cut(text: str) -> str:
    return text if len(text) <= LETTERS else f"{text[:LETTERS].rstrip()} …"
