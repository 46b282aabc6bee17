"""Dialogues on their way through a run: how far each is, and every call of one of them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal

from django.db.models import Exists, OuterRef, Q, QuerySet

from dialogues.models import Dialogue
from generation.models import Call, Run, RunDialogue, RunStage, Stage
from generation.parsing import Outcome

STATES = {
    "done": "Done",
    "open": "Waiting or on their way",
    "held": "Held for a decision",
    "failed": "Failed",
    "new": "Not begun",
}
_OPEN = Q(state__in=(Call.State.TODO, Call.State.SENT)) | Q(state=Call.State.DONE, outcome="")
_FAILED = Q(state=Call.State.FAILED, replaced=False)


@dataclass(frozen=True, slots=True)
class Stop:
    """One stage by one writer on a dialogue's way: its newest call, or None if the dialogue has not come so far.

    `reused`: an earlier run's theme replaces the call.
    """

    row: RunStage
    call: Call | None
    reused: bool = False

    @property
    def state(self) -> str:
        """A word for the badge: done, reused, failed, ambiguous, sent, todo, or "" for not yet."""
        if self.call is None:
            return "reused" if self.reused else ""
        if self.call.state == Call.State.DONE and self.call.outcome != Outcome.OK:
            return Call.State.SENT
        return str(self.call.state)


@dataclass(slots=True)
class Way:
    """A dialogue's way through a run, in short."""

    alpha: Dialogue
    stops: list[Stop]
    calls: int = 0
    tokens: int = 0
    cost: Decimal = field(default_factory=Decimal)


def chosen(run: Run, *, state: str = "", cause: str = "", text: str = "") -> QuerySet[RunDialogue]:
    """The run's dialogues, filtered: `state` of STATES, `cause` an outcome that a failed call has, `text` in them."""
    rows = RunDialogue.objects.filter(run=run).order_by("dialogue_id")
    calls = Call.objects.filter(run=run, **{run.subject_field: OuterRef("dialogue")})
    failed = Exists(calls.filter(_FAILED))
    is_open, held = Exists(calls.filter(_OPEN)), Exists(calls.filter(state=Call.State.AMBIGUOUS))
    if state == "done":
        rows = rows.filter(Exists(calls)).exclude(failed | is_open | held)
    elif state in STATES:
        rows = rows.filter({"open": is_open, "held": held, "failed": failed, "new": ~Exists(calls)}[state])
    if cause:
        rows = rows.filter(Exists(calls.filter(_FAILED, outcome=cause)))
    if text:
        rows = rows.filter(dialogue__in=Dialogue.objects.filter(chosen_by__run=run).searched(text).values("pk"))
    return rows


def ways(run: Run, rows: Sequence[RunDialogue]) -> list[Way]:
    """How far each of these dialogues is; one query. Load `run` with its stages and the rows with their dialogue."""
    calls = Call.objects.filter(run=run, **{f"{run.subject_field}__in": [row.dialogue_id for row in rows]})
    found: dict[int, list[Call]] = {}
    for call in (
        calls.defer("raw_reply", "raw_body", "error")
        .select_related("run_stage")
        .order_by("run_stage__edition", "sample", "repair", "pk")
    ):
        found.setdefault(getattr(call, f"{run.subject_field}_id"), []).append(call)
    return [_way(run, row, found.get(row.dialogue_id, [])) for row in rows]


def _way(run: Run, chosen_row: RunDialogue, calls: Sequence[Call]) -> Way:
    newest: Mapping[tuple[str, int], Call] = {(call.stage, call.run_stage.branch): call for call in calls}
    stops = [
        Stop(
            row,
            newest.get((row.stage, row.branch)),
            reused=row.stage == Stage.THEME and chosen_row.background_id is not None,
        )
        for row in run.newest_rows
    ]
    return Way(
        alpha=chosen_row.dialogue,
        stops=stops,
        calls=len(calls),
        tokens=sum(call.prompt_tokens + call.completion_tokens for call in calls),
        cost=sum((call.cost for call in calls), Decimal(0)),
    )


def calls_of(run: Run, chosen_one: Dialogue) -> list[Call]:
    """Every call made for one of the run's dialogues, in the order of stages, writers and attempts."""
    calls = Call.objects.filter(run=run, **{run.subject_field: chosen_one})
    calls = calls.select_related("dialogue", "alpha", "run_stage")
    return list(calls.order_by("depth", "run_stage__branch", "run_stage__edition", "sample", "repair"))
