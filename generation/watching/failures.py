"""A few replies for every problem that a run met, to see what it looks like."""

from collections.abc import Sequence
from dataclasses import dataclass

from django.db.models import Case, F, QuerySet, When, Window
from django.db.models.functions import Left, RowNumber

from generation.models import Call, Run, Stage
from generation.parsing import Outcome

EXAMPLES_EACH = 3
LETTERS_SHOWN = 600
_CAME_BACK = Case(When(raw_reply="", then=F("raw_body")), default=F("raw_reply"))


@dataclass(frozen=True, slots=True)
class Failure:
    """One problem at one stage, and the newest calls that had it; each has `beginning`, the first of its reply."""

    cause: str
    stage: Stage
    calls: Sequence[Call]


def examples_of_failures(run: Run, most: int = EXAMPLES_EACH) -> list[Failure]:
    """By stage and cause, in the order of the stages; one query."""
    groups: dict[tuple[str, str], list[Call]] = {}
    for call in _newest_of_each(run, most):
        groups.setdefault((call.stage, call.outcome), []).append(call)
    return [Failure(cause, Stage(stage), calls) for (stage, cause), calls in groups.items()]


def _newest_of_each(run: Run, most: int) -> QuerySet[Call]:
    place = Window(RowNumber(), partition_by=[F("stage"), F("outcome")], order_by=[F("pk").desc()])
    unusable = Call.objects.filter(run=run).exclude(outcome__in=("", Outcome.OK))
    return (
        unusable.annotate(place=place, beginning=Left(_CAME_BACK, LETTERS_SHOWN))
        .filter(place__lte=most)
        .select_related("alpha", "run_stage")
        .defer("raw_reply", "raw_body", "alpha__messages", "alpha__traits_1", "alpha__traits_2", "alpha__theme")
        .order_by("depth", "outcome", "-pk")
    )
