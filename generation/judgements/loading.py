"""The judgements of a corpus or of some runs, by judge: summed in the database, one row per dialogue and metric."""

import json
from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from functools import cached_property, reduce
from operator import or_
from typing import Any, NamedTuple

from django.db.models import Count, F, Q, QuerySet, Sum

from dialogues.models import AUTHOR, Corpus, Dialogue, Version
from dialogues.rubric import Metric
from generation.endpoints.shutdowns import Days, announced
from generation.judgements.drift import Occasion
from generation.judgements.scores import ORIGINAL, Judged, Scores, scores_by_place
from generation.models import Call, Judgement, Run, RunDialogue, RunStage, Stage
from generation.reuse import JudgeKey, judge_key, shown_the_same, stages_of_same_judge

NOT_NAMED = "writer not named"


@dataclass(slots=True)
class CallCounts:
    """The states of a judge's calls in one column; repairs and replaced calls are not counted."""

    usable: int = 0
    failed: int = 0
    open: int = 0

    @property
    def asked(self) -> int:
        return self.usable + self.failed + self.open


@dataclass
class Verdict:
    """Everything one judge said. `calls` by (writer, version); `spent` dollars on all of them, repairs included.

    `occasions`, from the first on, only of a judge that was asked in several runs.
    """

    key: JudgeKey
    prompt: str
    rubric: str
    metrics: tuple[Metric, ...]
    is_demo: bool = False
    rows: list[Judged] = field(default_factory=list)
    calls: dict[tuple[str, str], CallCounts] = field(default_factory=lambda: defaultdict(CallCounts))
    spent: Decimal = Decimal(0)
    occasions: list[Occasion] = field(default_factory=list)

    @property
    def name(self) -> str:
        return self.key.model

    @property
    def parameters(self) -> dict[str, Any]:
        """What was sent besides messages, model and seed."""
        found: dict[str, Any] = json.loads(self.key.parameters)
        return found

    @cached_property
    def scores(self) -> Scores:
        """By column, metric and background; read it only after all rows are loaded."""
        return scores_by_place(self.rows)

    @property
    def dollars_a_dialogue(self) -> float | None:
        """What a dialogue that has a score cost; calls that failed are paid for by the others."""
        scored = len({row.dialogue for row in self.rows})
        return float(self.spent) / scored if scored else None

    @property
    def failed(self) -> int:
        return sum(counts.failed for counts in self.calls.values())


@dataclass(frozen=True, slots=True)
class Findings:
    """All judges of a corpus or of some of its runs; `versions`: those that were judged, in their usual order;
    `days`: when models will be gone."""

    corpus: Corpus
    verdicts: tuple[Verdict, ...]
    versions: tuple[Version, ...]
    demo_writers: frozenset[str]
    days: Days

    @property
    def judges(self) -> list[Verdict]:
        """The judges that have scored anything."""
        return [verdict for verdict in self.verdicts if verdict.rows]

    @property
    def symbols(self) -> dict[str, str]:
        """Of the versions, by slug."""
        return {version.slug: version.symbol for version in self.versions}

    @property
    def has_demo(self) -> bool:
        return bool(self.demo_writers) or any(verdict.is_demo for verdict in self.verdicts)

    @property
    def dialogues(self) -> int:
        return len({row.dialogue for verdict in self.verdicts for row in verdict.rows})


class _Text(NamedTuple):
    background: int
    writer: str
    version: str
    is_demo: bool


def findings_of(corpus: Corpus, runs: Sequence[Run] = ()) -> Findings:
    """What judges said of the corpus's dialogues, in all runs or in the given ones. Eight queries."""
    # Before the texts: otherwise a run that starts in between could name a text that was not loaded.
    sums, states = list(_sums(corpus, runs)), list(_states(corpus, runs))
    texts, stages = _texts(corpus), _stages({row[0] for row in (*sums, *states)})
    judges = {pk: judge_key(row.run, row) for pk, row in stages.items()}
    verdicts = {judges[pk]: _verdict(judges[pk], row) for pk, row in stages.items()}
    for stage, is_demo, *_ in sums:
        verdict = verdicts[judges[stage]]
        verdict.is_demo = verdict.is_demo or is_demo
    for (key, dialogue, metric), figures in _by_judge(sums, judges).items():
        text = texts[dialogue]
        verdicts[key].rows.append(Judged(text.background, dialogue, text.writer, text.version, metric, *figures))
    for verdict, occasions in _occasions(sums, stages, judges, verdicts, texts):
        verdict.occasions = occasions
    for stage, cost in _spent(corpus, runs):
        if stage in judges:
            verdicts[judges[stage]].spent += cost
    for stage, dialogue, state, outcome, n in states:
        text = texts[dialogue]
        _count(verdicts[judges[stage]].calls[text.writer, text.version], state, outcome, n)
    judged = {text.version for text in texts.values()}
    ordered = sorted(verdicts.values(), key=lambda row: row.key)
    versions = tuple(Version.objects.filter(pk__in=judged))
    demo = frozenset(text.writer for text in texts.values() if text.is_demo and text.writer != ORIGINAL)
    return Findings(corpus, tuple(ordered), versions, demo, announced())


def _texts(corpus: Corpus) -> Mapping[int, _Text]:
    """The dialogues that a judge was given."""
    asked = Call.objects.filter(stage=Stage.JUDGE).values("dialogue")
    rows = Dialogue.objects.filter(corpus=corpus, pk__in=asked).annotate(author=AUTHOR)
    fields = rows.values_list("pk", "origin_id", "author", "version_id", "is_demo")
    return {
        pk: _Text(origin or pk, (writer or NOT_NAMED) if origin else ORIGINAL, version, is_demo)
        for pk, origin, writer, version, is_demo in fields.iterator()
    }


def _sums(corpus: Corpus, runs: Sequence[Run]) -> QuerySet[Judgement, tuple[Any, ...]]:
    rows = Judgement.objects.filter(dialogue__corpus=corpus).filter(_scope(runs, "call__"))
    sums = (Count("pk"), Sum("score"), Sum(F("score") * F("score")))
    grouped = rows.order_by().values_list("call__run_stage", "call__is_demo", "dialogue", "metric")
    return grouped.annotate(n=sums[0], total=sums[1], squares=sums[2])


def _states(corpus: Corpus, runs: Sequence[Run]) -> QuerySet[Call, tuple[Any, ...]]:
    """How many calls of each dialogue are in which state; replaced calls are left out."""
    rows = Call.objects.filter(stage=Stage.JUDGE, dialogue__corpus=corpus, replaced=False).filter(_scope(runs, ""))
    grouped = rows.order_by().values_list("run_stage", "dialogue", "state", "outcome")
    return grouped.annotate(n=Count("pk"))


def _stages(keys: Collection[int]) -> Mapping[int, RunStage]:
    rows = RunStage.objects.filter(pk__in=keys).select_related("run__rubric", "endpoint", "prompt")
    return {row.pk: row for row in rows}


def _verdict(key: JudgeKey, row: RunStage) -> Verdict:
    """An empty verdict."""
    assert row.run.rubric is not None
    return Verdict(key, f"v{row.prompt.version}", row.run.rubric.name, row.run.rubric.metric_list())


def _by_judge(sums: Iterable[Any], judges: Mapping[int, JudgeKey]) -> dict[tuple[JudgeKey, int, str], list[Any]]:
    """The sums of one judge's runs together: number, total and squares by judge, dialogue and metric."""
    found: dict[tuple[JudgeKey, int, str], list[Any]] = defaultdict(lambda: [0, 0.0, 0.0])
    for stage, _, dialogue, metric, *figures in sums:
        there = found[judges[stage], dialogue, metric]
        there[:] = [before + type(before)(more) for before, more in zip(there, figures, strict=True)]
    return found


def _occasions(
    sums: Iterable[Any],
    stages: Mapping[int, RunStage],
    judges: Mapping[int, JudgeKey],
    verdicts: Mapping[JudgeKey, Verdict],
    texts: Mapping[int, _Text],
) -> Iterator[tuple[Verdict, list[Occasion]]]:
    """Judges that were asked in several runs, and what they said in each."""
    by_run: dict[JudgeKey, dict[int, list[Judged]]] = defaultdict(lambda: defaultdict(list))
    for stage, _, dialogue, metric, *figures in sums:
        text = texts[dialogue]
        row = Judged(text.background, dialogue, text.writer, text.version, metric, *figures)
        by_run[judges[stage]][stages[stage].run_id].append(row)
    began = {row.run_id: row.run.started_at or row.run.created_at for row in stages.values()}
    for key, rows in by_run.items():
        if len(rows) > 1:
            occasions = [Occasion(run, began[run], said) for run, said in rows.items()]
            yield verdicts[key], sorted(occasions, key=lambda occasion: (occasion.at, occasion.run))


def _spent(corpus: Corpus, runs: Sequence[Run]) -> QuerySet[Call, tuple[Any, ...]]:
    """Dollars by stage row, calls included that were replaced or failed after they had been paid."""
    rows = Call.objects.filter(stage=Stage.JUDGE, dialogue__corpus=corpus).filter(_scope(runs, ""))
    return rows.order_by().values_list("run_stage").annotate(cost=Sum("cost"))


def _count(counts: CallCounts, state: str, outcome: str, n: int) -> None:
    if state == Call.State.FAILED:
        counts.failed += n
    elif state != Call.State.DONE or not outcome:
        counts.open += n
    elif outcome == "ok":
        counts.usable += n
    # Any other outcome led to a repair call, which has its own row.


def _scope(runs: Sequence[Run], to_call: str) -> Q:
    """The runs' own calls, and the same judge's earlier calls that they reused."""
    return reduce(or_, [_of_run(run, to_call) for run in runs], Q()) if runs else Q()


def _of_run(run: Run, to_call: str) -> Q:
    own = Q(**{f"{to_call}run": run})
    if run.judge_again or not run.is_judging:
        return own
    chosen = RunDialogue.objects.filter(run=run).values("dialogue")
    for row in run.rows_of(Stage.JUDGE):
        same = {f"{to_call}run_stage__in": stages_of_same_judge(run, row), f"{to_call}outcome": "ok"}
        own |= Q(shown_the_same(run, to_call), **same, dialogue__in=chosen)
    return own
