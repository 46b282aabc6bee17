"""When two judges are the same judge, and what that judge has said before, so that nobody pays for it again."""

from collections.abc import Mapping
from typing import NamedTuple

from django.db.models import BigIntegerField, Count, OuterRef, Subquery
from django.db.models.functions import Coalesce
from django.db.models.lookups import Exact

from generation.models import Call, Run, RunDialogue, RunStage, Stage


class JudgeKey(NamedTuple):
    """A judge: two judgements with the same key are comparable."""

    model: str
    address: str
    parameters: str  # as sorted JSON
    prompt: int
    rubric: int
    tidy: bool  # whether the text is shown tidied, as raters see it


def stages_of_same_judge(run: Run, row: RunStage) -> list[int]:
    """The stage rows of all runs in which this judge was asked."""
    key = judge_key(run, row)
    same = {"run__rubric": run.rubric_id, "run__tidy_display": run.tidy_display}
    rows = RunStage.objects.filter(stage=Stage.JUDGE, model=row.model, prompt=row.prompt_id, **same)
    return [one.pk for one in rows.select_related("run", "endpoint") if judge_key(one.run, one) == key]


def shown_the_same(run: Run, to_call: str = "") -> Exact:
    """Matches calls that showed the same background beside the dialogue as this run does."""
    theirs, mine = (
        RunDialogue.objects.filter(run=of, dialogue=OuterRef("dialogue")).values("background")[:1]
        for of in (OuterRef(f"{to_call}run"), run)
    )
    shown = [Coalesce(Subquery(rows), 0, output_field=BigIntegerField()) for rows in (theirs, mine)]
    return Exact(*shown)


def judge_key(run: Run, row: RunStage) -> JudgeKey:
    """The judge of a run's stage row."""
    assert run.rubric_id is not None
    address, model, parameters = row.who
    return JudgeKey(model, address, parameters, row.prompt_id, run.rubric_id, run.tidy_display)


def already_judged(run: Run, row: RunStage) -> Mapping[int, int]:
    """By chosen dialogue, how many usable judgements this judge gave in other runs beside the same background.

    Empty if the run asks again in any case.
    """
    if run.judge_again:
        return {}
    chosen = RunDialogue.objects.filter(run=run).values("dialogue")
    usable = Call.objects.filter(run_stage__in=stages_of_same_judge(run, row), outcome="ok", dialogue__in=chosen)
    usable = usable.filter(shown_the_same(run)).exclude(run=run)
    return dict(usable.order_by().values_list("dialogue").annotate(n=Count("pk")))


def judgements_there(run: Run) -> int:
    """How many of the run's judgements exist already and will not be paid for again."""
    judges = run.rows_of(Stage.JUDGE)
    return sum(min(run.repeats, n) for row in judges for n in already_judged(run, row).values())
