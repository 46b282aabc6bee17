"""What a run will send and cost: the exact messages for a dialogue, tokens and price of every stage."""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction

from django.db.models import Avg, Count, Q, QuerySet
from django.utils import timezone

from dialogues.models import Dialogue
from generation.engine.requests import Request, build, cost
from generation.models import Call, Run, RunDialogue, RunStage, Stage
from generation.parsing import Outcome
from generation.reuse import already_judged
from generation.stages import MOST_REPAIRS

# Tokens of a typical reply, until there are real ones to measure.
USUAL_REPLY = {Stage.THEME: 170, Stage.PAIR: 1200, Stage.FURTHER_SPLIT: 800, Stage.JUDGE: 350}
LOOKED_AT = 20  # dialogues that an estimate is made from
ENOUGH = 50  # answers, from which on measured means are used
THEME_TO_COME = (
    "(here stands the theme that the first stage writes: fifty to a hundred words on what the two talk about, in which "
    "situation and in what mood, so that somebody who reads only the theme could write another dialogue on it; its "
    "length is what this note stands for, and the rest of the message is what will be sent)"
)


@dataclass(frozen=True, slots=True)
class StageEstimate:
    """One stage by one writer, over the whole run. `measured`: how many answers the means come from; 0 for a guess."""

    row: RunStage
    calls: int
    prompt_tokens: int
    completion_tokens: int
    cost: Decimal
    measured: int = 0

    @property
    def stage(self) -> Stage:
        return Stage(self.row.stage)


@dataclass(frozen=True, slots=True)
class _Measured:
    """Means over answered calls: tokens per answer, answers per dialogue, share of dialogues that pass the stage."""

    answers: int
    prompt_tokens: float
    completion_tokens: float
    answers_each: Fraction
    passing: Fraction


def preview(run: Run, dialogue: Dialogue | None = None) -> list[tuple[RunStage, Request]]:
    """The messages of each stage and writer for one of the run's dialogues (by default the first).

    Exact for the first stage. Later stages read what earlier ones will write; a stand-in takes its place: a note for
    the theme, the α for γ.
    """
    alpha = dialogue or Dialogue.objects.filter(chosen_by__run=run).order_by("pk").first()
    return [(row, _example_requests(run, row, [alpha])[0]) for row in run.newest_rows] if alpha else []


def estimate(run: Run) -> list[StageEstimate]:
    """Calls, tokens and price of every stage and writer over the whole run.

    With ENOUGH real answers, of this run or of earlier ones with the same model, prompt and examples, from their means,
    repairs included. Before that from the messages of the first dialogues and typical replies, repairs not included.
    """
    alphas = list(Dialogue.objects.filter(chosen_by__run=run).order_by("pk")[:LOOKED_AT])
    given = 0 if run.is_judging else RunDialogue.objects.filter(run=run, background__isnull=False).count()
    reach = {branch: Fraction(run.dialogue_count * run.repeats) for branch in range(run.branches)}
    found = []
    for row in run.newest_rows:
        measured = _measured(row)
        places = reach[row.branch] - (given if row.stage == Stage.THEME else 0) - _judged_before(run, row)
        found.append(_from_means(row, places, measured) if measured else _from_messages(run, row, places, alphas))
        lost = places * (1 - measured.passing) if measured else Fraction(0)
        for branch in reach if row.stage == Stage.THEME else (row.branch,):
            reach[branch] -= lost
    return found


def _judged_before(run: Run, row: RunStage) -> int:
    """How many judgements earlier runs hold, so that nobody pays for them again."""
    return sum(min(run.repeats, n) for n in already_judged(run, row).values()) if run.is_judging else 0


def _from_means(row: RunStage, places: Fraction, means: _Measured) -> StageEstimate:
    calls = round(places * means.answers_each)
    prompt_tokens, completion_tokens = round(calls * means.prompt_tokens), round(calls * means.completion_tokens)
    price = cost(row, prompt_tokens, completion_tokens)
    return StageEstimate(row, calls, prompt_tokens, completion_tokens, price, means.answers)


def _from_messages(run: Run, row: RunStage, places: Fraction, alphas: Sequence[Dialogue]) -> StageEstimate:
    sizes = [request.prompt_tokens for request in _example_requests(run, row, alphas)]
    calls = round(places)
    prompt_tokens = sum(sizes) * calls // max(1, len(sizes))
    completion_tokens = USUAL_REPLY[Stage(row.stage)] * calls
    return StageEstimate(row, calls, prompt_tokens, completion_tokens, cost(row, prompt_tokens, completion_tokens))


def _measured(row: RunStage) -> _Measured | None:
    """The means of this run's answers at this stage, else of other runs' answers to the same questions."""
    here = Call.objects.filter(run_stage__run=row.run_id, run_stage__branch=row.branch, stage=row.stage)
    return _means(here) or _means(Call.objects.filter(run_stage__in=_same_elsewhere(row)))


def _same_elsewhere(row: RunStage) -> list[int]:
    """Stages of other runs with the same model, prompt and examples."""
    rows = RunStage.objects.filter(model=row.model, prompt=row.prompt_id, endpoint=row.endpoint_id)
    shown = {used.pk for used in row.example_sets.all()}
    others = rows.exclude(run=row.run_id).prefetch_related("example_sets")
    return [other.pk for other in others if {used.pk for used in other.example_sets.all()} == shown]


def _means(calls: QuerySet[Call]) -> _Measured | None:
    """None below ENOUGH answers. Token means leave out answers whose endpoint reported no usage."""
    told = Q(prompt_tokens__gt=0) | Q(completion_tokens__gt=0)
    first, wrong = Q(repair=0), ~Q(outcome=Outcome.OK)
    sums = calls.exclude(raw_reply="", raw_body="", finish_reason="").aggregate(
        answers=Count("pk"),
        prompt=Avg("prompt_tokens", filter=told),
        completion=Avg("completion_tokens", filter=told),
        firsts=Count("pk", filter=first & ~Q(outcome="")),
        wrong_firsts=Count("pk", filter=first & wrong & ~Q(outcome="")),
        repairs=Count("pk", filter=~first & ~Q(outcome="")),
        wrong_repairs=Count("pk", filter=~first & wrong & ~Q(outcome="")),
    )
    if sums["answers"] < ENOUGH or sums["prompt"] is None or not sums["firsts"]:
        return None
    # Not answers over dialogues: while the run goes on, many repairs are still to come.
    to_mend = Fraction(sums["wrong_firsts"], sums["firsts"])
    again = Fraction(sums["wrong_repairs"], sums["repairs"]) if sums["repairs"] else to_mend
    tries = [to_mend * again**number for number in range(MOST_REPAIRS + 1)]
    return _Measured(
        answers=sums["answers"],
        prompt_tokens=sums["prompt"],
        completion_tokens=sums["completion"],
        answers_each=sum(tries[:-1], Fraction(1)),
        passing=1 - tries[-1],
    )


def _example_requests(run: Run, row: RunStage, alphas: Sequence[Dialogue]) -> list[Request]:
    now = timezone.now()
    calls = [
        Call(run=run, run_stage=row, dialogue=_stand_in(run, alpha), alpha=alpha, stage=row.stage, not_before=now)
        for alpha in alphas
    ]
    return build(calls)


def _stand_in(run: Run, alpha: Dialogue) -> Dialogue:
    """What a stage will read, as far as that is known before the run."""
    return Dialogue(
        pk=alpha.pk,
        messages=alpha.messages,
        theme=alpha.theme if Stage.THEME not in run.stages else THEME_TO_COME,
        traits_1=alpha.traits_1,
        traits_2=alpha.traits_2,
    )
