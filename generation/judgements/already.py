"""What the judges of a run have said before, so that nobody pays for it again."""

from collections.abc import Mapping

from django.db.models import Count

from generation.judgements.loading import shown_the_same, stages_of_same_judge
from generation.models import Call, Run, RunDialogue, RunStage, Stage


def already_judged(run: Run, row: RunStage) -> Mapping[int, int]:
    """By chosen dialogue how many usable judgements this judge gave in other runs, shown the same background.

    Empty where it is asked again.
    """
    if run.judge_again:
        return {}
    chosen = RunDialogue.objects.filter(run=run).values("dialogue")
    usable = Call.objects.filter(run_stage__in=stages_of_same_judge(run, row), outcome="ok", dialogue__in=chosen)
    usable = usable.filter(shown_the_same(run)).exclude(run=run)
    return dict(usable.order_by().values_list("dialogue").annotate(n=Count("pk")))


def judgements_there(run: Run) -> int:
    """How many of the judgements asked for are there and will not be paid for again."""
    judges = run.rows_of(Stage.JUDGE)
    return sum(min(run.repeats, n) for row in judges for n in already_judged(run, row).values())
