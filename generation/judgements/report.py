"""The report of what judges said of a corpus as its page shows it, kept until a judge says more."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.db.models import Count, Max

from core.fingerprint import fingerprint
from core.results import Result, Size
from core.steps import Steps
from core.tables import Table
from dialogues.models import Corpus, Version
from generation.endpoints import shutdowns
from generation.judgements.loading import findings_of
from generation.judgements.tables import judge_tables
from generation.models import Call, Judgement, Run, RunStage, Stage
from generation.reuse import judge_key

# Increase when JudgeReport or its arithmetic changes, so that no outdated result is shown.
FORM = 2
# Seconds that a judgement takes, as measured by `tests.benchmarks.study_report`.
A_JUDGEMENT = 3e-5


@dataclass(frozen=True, slots=True)
class JudgeReport:
    """Tables by slug, with dashes where the rubric hides a score, and without; and what the page says above them.

    `asked` says whether a judge was asked anything, answered or not; `judges` counts those that scored anything.
    """

    dashed: Mapping[str, Table]
    bare: Mapping[str, Table]
    dialogues: int
    judges: int
    asked: bool
    has_demo: bool
    has_dashes: bool

    def tables(self, *, dashes: bool) -> Mapping[str, Table]:
        return self.dashed if dashes else self.bare


def judge_report(corpus: Corpus, runs: Sequence[Run]) -> Result[JudgeReport]:
    """Of all judge runs of the corpus, or of the given ones."""
    return Result(
        key=lambda: f"judge-report:{FORM}:{fingerprint(_what_is_read(corpus, runs))}",
        compute=lambda step: _compute(corpus, runs, step),
        size=lambda: Size(A_JUDGEMENT * (_judgements(corpus)["n"] or 0), 2),
        task="generation.compute_judge_report",
        arguments={"corpus": corpus.pk, "runs": [run.pk for run in runs]},
    )


def _compute(corpus: Corpus, runs: Sequence[Run], step: Steps) -> JudgeReport:
    step("Reading judgements")
    found = findings_of(corpus, runs)
    step("Making tables")
    return JudgeReport(
        dashed=judge_tables(found, dashes=True),
        bare=judge_tables(found, dashes=False),
        dialogues=found.dialogues,
        judges=len(found.judges),
        asked=bool(found.verdicts),
        has_demo=found.has_demo,
        has_dashes=any(
            version.slug in metric.dash_for
            for verdict in found.verdicts
            for metric in verdict.metrics
            for version in found.versions
        ),
    )


def _what_is_read(corpus: Corpus, runs: Sequence[Run]) -> dict[str, Any]:
    """Everything that may change: judgements never do, and their numbers only grow; calls change their state."""
    calls = Call.objects.filter(stage=Stage.JUDGE, dialogue__corpus=corpus)
    asked = calls.order_by().values("run_stage").distinct()
    stages = RunStage.objects.filter(pk__in=asked).order_by("pk").select_related("run__rubric", "endpoint")
    return {
        "corpus": (corpus.pk, corpus.created_at, corpus.name),
        "runs": [(run.pk, run.judge_again) for run in runs],
        "judges": [(row.pk, judge_key(row.run, row), row.run.rubric and row.run.rubric.name) for row in stages],
        "judgements": _judgements(corpus),
        "calls": list(calls.order_by("pk").values_list("pk", "state", "outcome", "replaced", "is_demo")),
        "shutdowns": shutdowns.as_read({row.model for row in stages}),
        "versions": list(Version.objects.order_by("pk").values_list("pk", "symbol", "hue", "position")),
    }


def _judgements(corpus: Corpus) -> dict[str, int | None]:
    return Judgement.objects.filter(dialogue__corpus=corpus).aggregate(n=Count("pk"), last=Max("pk"))
