"""The paper's Tables 1 and 2: a judge's mean scores by metric and version. Pure."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Self

from core.intervals import Estimate
from core.tables import Cell, Column, Label, Table
from dialogues.display import DEMO_LABEL
from dialogues.published import uncompared
from dialogues.rubric import JUDGE_SCALE, Metric, has_the_papers_words
from generation.judgements import notes, scores
from generation.judgements.scores import Judged, Place

INTERVAL = (
    "In brackets: 95 % interval, Student's t over backgrounds, cut off where no value can lie; n counts backgrounds."
)


@dataclass(frozen=True, slots=True)
class Writers:
    """Who wrote what a judge scored: `symbols` of the versions by slug, in their order, and the writers that are the
    demo's rules."""

    symbols: Mapping[str, str]
    demo: Collection[str]

    def columns(self, places: Sequence[Place], compared: str = "") -> tuple[Column, ...]:
        """A column for metrics and one for each place, grouped by writer."""
        named = (Column(f"{self.symbols[place.version]}{compared}", group=self._name(place.writer)) for place in places)
        return (Column("Metric", numeric=False), *named)

    def _name(self, writer: str) -> str:
        return f"{writer} ({DEMO_LABEL})" if writer in self.demo else writer


@dataclass(frozen=True, slots=True)
class JudgeMeans:
    """A judge's mean scores by column and metric key; `writers` wrote the dialogues, the originals' own included.

    `name` is the judge's model, and `label` tells it from other judges with the same model. `about` are sentences on
    what is in no mean, and on when the model will be gone.
    """

    label: str
    name: str
    is_demo: bool
    metrics: tuple[Metric, ...]
    means: Mapping[tuple[Place, str], Estimate]
    places: tuple[Place, ...]
    writers: frozenset[str]
    by: Writers
    about: tuple[str, ...] = ()

    @classmethod
    def of(
        cls,
        rows: Sequence[Judged],
        by: Writers,
        metrics: tuple[Metric, ...],
        *,
        label: str,
        name: str,
        is_demo: bool,
        about: Iterable[str] = (),
    ) -> Self:
        by_place = scores.scores_by_place(rows)
        places = tuple(scores.places(by_place, list(by.symbols)))
        writers = frozenset(row.writer for row in rows)
        return cls(label, name, is_demo, metrics, scores.means(by_place), places, writers, by, tuple(about))


def score_table(judge: JudgeMeans, slug: str, *, dashes: bool = True, paper: bool = True) -> Table:
    """A row per metric, a column per version, grouped by writer; `paper` puts printed values below.

    `dashes` hides what the rubric hides.
    """
    rows: list[tuple[Cell, ...]] = []
    for metric in judge.metrics:
        rows.append((metric.name, *(_mean(judge, metric, place, dashes=dashes) for place in judge.places)))
        beside = [notes.paper_figure(metric, place) for place in judge.places]
        if paper and any(value is not None for value in beside):
            rows.append((Label(metric.name, "paper"), *beside))
    below = (
        *notes.provenance(judge.name, judge.writers, judge.by.demo, is_demo=judge.is_demo),
        f"Mean score from {JUDGE_SCALE.low} to {JUDGE_SCALE.high}; several judgements of a dialogue are averaged "
        f"first. {INTERVAL}",
        *notes.own_writing(judge.name, judge.writers, is_demo=judge.is_demo),
        *judge.about,
        *notes.originals(judge.writers),
        *(notes.dash_note(judge.by.symbols, judge.metrics) if dashes else ()),
        *(notes.paper_notes(judge.places) if any(isinstance(row[0], Label) for row in rows) else ()),
        *filter(None, [uncompared(metric.name for metric in judge.metrics if not has_the_papers_words(metric))]),
    )
    caption = f"Scores by {judge.label}: mean by metric and version (the paper's Tables 1 and 2)."
    return Table(slug, caption, judge.by.columns(judge.places), tuple(rows), below)


def is_hidden(metric: Metric, place: Place, *, dashes: bool) -> bool:
    return dashes and place.version in metric.dash_for


def _mean(judge: JudgeMeans, metric: Metric, place: Place, *, dashes: bool) -> Cell:
    return None if is_hidden(metric, place, dashes=dashes) else judge.means.get((place, metric.key))
