"""What a trainer reports becomes rows, and the state of its run follows from them.

A trainer may send an event twice, late or in any company. Every event is stored once by its number, and the state is
read from all that are stored: the last event that says how a run stands decides, whenever it came.
"""

import math
from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, datetime
from typing import Any

from django.db import transaction
from django.utils import timezone

from dialogues.transcript import text_problem
from generation.models import TrainingEvent, TrainingRun
from generation.training.events import Event, EventError, EventKind

EVENTS_AT_ONCE = 1_000
# A step a second for two days.
MOST_EVENTS = 200_000
LARGEST_COUNT = 2**31 - 1
_STATES = {
    EventKind.STARTED: TrainingRun.State.RUNNING,
    EventKind.FINISHED: TrainingRun.State.FINISHED,
    EventKind.STOPPED: TrainingRun.State.STOPPED,
    EventKind.FAILED: TrainingRun.State.FAILED,
}
_FOLLOWS = [
    "state", "problem", "step", "steps", "parameters", "environment", "checked", "folder", "started_at", "finished_at",
    "told_at", "stop_asked_at",
]  # fmt: skip


def record(run: TrainingRun, events: Iterable[Event]) -> int:
    """Store events in any number and order; returns the number up to which none is missing.

    Each batch is one transaction. Raises EventError where an event cannot be stored; what came in batches before it
    stays.
    """
    stored = _complete_up_to(run)
    for batch in _batched(events):
        stored = _record_batch(run.pk, batch)
    return stored


@transaction.atomic
def _record_batch(pk: int, events: list[Event]) -> int:
    run = TrainingRun.objects.select_for_update().get(pk=pk)
    rows = [_row(run, event) for event in events]
    if max(row.number for row in rows) > MOST_EVENTS:
        raise EventError(f"a run has at most {MOST_EVENTS:,} events")
    TrainingEvent.objects.bulk_create(rows, ignore_conflicts=True)
    _follow(run)
    return _complete_up_to(run)


def _row(run: TrainingRun, event: Event) -> TrainingEvent:
    try:
        payload = cleaned(event.payload)
    except RecursionError:
        raise EventError(f"event {event.number:,} is nested too deeply") from None
    return TrainingEvent(run=run, number=event.number, at=moment(event.at), kind=event.kind, payload=payload)


def _follow(run: TrainingRun) -> None:
    """Set the run to what its stored events say."""
    told = run.events.filter(kind__in=[*_STATES]).order_by("-number").first()
    started = _last(run, EventKind.STARTED)
    step = _last(run, EventKind.STEP)
    begun = run.events.filter(kind=EventKind.STARTED).order_by("number").first()
    checked = _last(run, EventKind.CHECKED).get("rows")
    run.told_at = timezone.now()
    run.state = _STATES[EventKind(told.kind)] if told else TrainingRun.State.RUNNING
    run.finished_at = told.at if told and not run.is_open else None
    run.problem = _text(told.payload.get("why")) if told and told.kind == EventKind.FAILED else ""
    run.folder = _text(_last(run, EventKind.FINISHED).get("folder"))[:500] or run.folder
    run.started_at = begun.at if begun else run.started_at
    run.parameters = _mapping(started.get("parameters"))
    run.environment = _mapping(started.get("environment"))
    run.steps, run.step = _count(started.get("steps")), _count(step.get("step"))
    run.checked = [row for row in checked if isinstance(row, dict)] if isinstance(checked, list) else []
    if not run.is_open:
        run.stop_asked_at = None
    run.save(update_fields=_FOLLOWS)


def _last(run: TrainingRun, kind: EventKind) -> dict[str, Any]:
    """The payload of the last event of a kind; empty if there is none."""
    row = run.events.filter(kind=kind).order_by("-number").first()
    return row.payload if row else {}


def _complete_up_to(run: TrainingRun) -> int:
    numbers = run.events.order_by("number").values_list("number", flat=True)
    count = numbers.count()
    highest = numbers.last() or 0
    if count == highest:
        return highest
    return next(place - 1 for place, number in enumerate(numbers.iterator(), 1) if number != place)


def _batched(events: Iterable[Event]) -> Iterator[list[Event]]:
    batch: list[Event] = []
    for event in events:
        batch.append(event)
        if len(batch) == EVENTS_AT_ONCE:
            yield batch
            batch = []
    if batch:
        yield batch


def moment(at: str) -> datetime:
    """When an event happened; raises EventError for a time that cannot be told in UTC."""
    try:
        return datetime.fromisoformat(at).astimezone(UTC)
    except OverflowError:
        raise EventError("at is out of the calendar") from None


def cleaned(value: Any) -> Any:
    """JSON as a database stores it: numbers are finite, and NUL and broken letters in texts are replaced."""
    if isinstance(value, str):
        return _text(value)
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, list):
        return [cleaned(one) for one in value]
    if isinstance(value, Mapping):
        return {_text(name): cleaned(one) for name, one in value.items()}
    return value


def _text(value: object) -> str:
    text = value if isinstance(value, str) else ""
    if text_problem(text):
        text = text.replace("\0", "\N{REPLACEMENT CHARACTER}").encode("utf-8", "replace").decode()
    return text


def _mapping(value: object) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


def _count(value: object) -> int:
    return min(max(value, 0), LARGEST_COUNT) if type(value) is int else 0
