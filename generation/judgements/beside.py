"""Judges' scores of a few dialogues that a page shows side by side, with their spread and every reason."""

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import mean, stdev

from dialogues.models import Dialogue
from dialogues.rubric import Metric
from generation.judgements.notes import settings_of
from generation.models import Call, Judgement
from generation.reuse import JudgeKey, judge_key


@dataclass(frozen=True, slots=True)
class Cell:
    """One dialogue on one metric: its scores, oldest first; empty if it was not judged."""

    dialogue: Dialogue
    judgements: Sequence[Judgement] = ()

    @property
    def score(self) -> float | None:
        return mean(row.score for row in self.judgements) if self.judgements else None

    @property
    def deviation(self) -> float | None:
        """Standard deviation over the repeats; None for fewer than two."""
        return stdev(row.score for row in self.judgements) if len(self.judgements) > 1 else None


@dataclass(frozen=True, slots=True)
class MetricLine:
    metric: Metric
    cells: Sequence[Cell]


@dataclass(frozen=True, slots=True)
class Column:
    """Every reason given for one dialogue, by metric."""

    dialogue: Dialogue
    reasons: Sequence[tuple[Metric, Sequence[Judgement]]]


@dataclass(frozen=True, slots=True)
class Panel:
    """One judge's scores of the dialogues, one line per metric."""

    judge: str
    about: str
    is_demo: bool
    lines: Sequence[MetricLine]

    @property
    def columns(self) -> list[Column]:
        """The reasons, one column per judged dialogue."""
        places = range(len(self.lines[0].cells)) if self.lines else ()
        by_place = [[(line.metric, line.cells[place].judgements) for line in self.lines] for place in places]
        found = [
            Column(self.lines[0].cells[place].dialogue, [row for row in rows if row[1]])
            for place, rows in zip(places, by_place, strict=True)
        ]
        return [column for column in found if column.reasons]


def panels(dialogues: Sequence[Dialogue]) -> list[Panel]:
    """One panel per judge, in one query; empty if nothing was judged."""
    rows = Judgement.objects.filter(dialogue__in=[one.pk for one in dialogues]).order_by("call_id", "pk")
    found: dict[JudgeKey, list[Judgement]] = {}
    for row in rows.select_related("call__run__rubric", "call__run_stage__prompt", "call__run_stage__endpoint"):
        found.setdefault(_key(row), []).append(row)
    return [_panel(given, dialogues) for _, given in sorted(found.items())]


def _key(row: Judgement) -> JudgeKey:
    return judge_key(row.call.run, row.call.run_stage)


def _panel(rows: Sequence[Judgement], dialogues: Sequence[Dialogue]) -> Panel:
    run, stage = rows[0].call.run, rows[0].call.run_stage
    assert run.rubric is not None
    by_place: dict[tuple[int, str], list[Judgement]] = {}
    for row in rows:
        by_place.setdefault((row.dialogue_id, row.metric), []).append(row)
    lines = [
        MetricLine(metric, [Cell(one, by_place.get((one.pk, metric.key), ())) for one in dialogues])
        for metric in run.rubric.metric_list()
    ]
    about = settings_of(run.rubric.name, f"v{stage.prompt.version}", stage.parameters, tidy=run.tidy_display)
    return Panel(stage.model, about, any(row.call.is_demo for row in rows), lines)


@dataclass(frozen=True, slots=True)
class Scored:
    """One metric of one call: its score and reason, and what the other repeats of the same judge gave."""

    metric: Metric
    judgement: Judgement
    others: Sequence[Judgement]


def scored(call: Call) -> list[Scored]:
    """A judge call's scores in the rubric's order; empty if it gave none."""
    if call.run.rubric is None:
        return []
    rows = Judgement.objects.filter(dialogue=call.dialogue_id, call__run_stage=call.run_stage_id)
    by_metric: dict[str, list[Judgement]] = {}
    for row in rows.order_by("call__sample", "call_id").select_related("call"):
        by_metric.setdefault(row.metric, []).append(row)
    found = []
    for metric in call.run.rubric.metric_list():
        given = by_metric.get(metric.key, [])
        own = [row for row in given if row.call_id == call.pk]
        if own:
            found.append(Scored(metric, own[0], [row for row in given if row.call_id != call.pk]))
    return found
