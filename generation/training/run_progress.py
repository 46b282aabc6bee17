"""How far a training run is: in numbers, as curves, and in one sentence, read from what its trainer reported.

A trainer on another machine may be of another version, so that nothing in a payload is taken for granted.
"""

from collections import defaultdict
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from django.utils import timezone

from core.durations import duration
from dialogues.display import ShownTurn
from generation.models import TrainingRun
from generation.training.curves import Point, number, points, thinned
from generation.training.delimiter import split
from generation.training.events import EventKind

SILENT_AFTER = timedelta(minutes=10)
EVALUATIONS_SHOWN = 12
PICTURES = 50
GIBIBYTE = 2**30


@dataclass(frozen=True, slots=True)
class Sample:
    """A reply to a held-out prompt; `turns` is what `_bubbles.html` draws."""

    turns: list[ShownTurn]
    system: str
    stopped: bool


@dataclass(slots=True)
class TrainingProgress:
    """A run at one moment; what the trainer has not told is None or empty."""

    run: TrainingRun
    last_number: int = 0
    epoch: float | None = None
    loss: float | None = None
    learning_rate: float | None = None
    tokens_per_second: float | None = None
    seconds_left: float | None = None
    memory_bytes: float | None = None
    evaluation_loss: float | None = None

    @property
    def is_silent(self) -> bool:
        """Nothing was heard for long, though it has not ended: its machine or the way from there may be down."""
        run = self.run
        is_running = run.state == TrainingRun.State.RUNNING
        return is_running and (run.told_at is None or timezone.now() - run.told_at > SILENT_AFTER)

    @property
    def time_left(self) -> str:
        running = self.run.state == TrainingRun.State.RUNNING
        return duration(self.seconds_left) if running and self.seconds_left else "–"

    @property
    def memory(self) -> str:
        return f"{self.memory_bytes / GIBIBYTE:,.1f} GiB" if self.memory_bytes else "–"

    @property
    def learning_rate_words(self) -> str:
        return f"{self.learning_rate:.2g}" if self.learning_rate is not None else "–"

    @property
    def picture_mark(self) -> str:
        """Changes with the curves: at each evaluation, and about fifty times in all."""
        every = max(1, self.run.steps // PICTURES)
        return f"{self.run.step // every}-{self.evaluation_loss}-{self.run.state}"

    @property
    def sentence(self) -> str:
        """The run in one sentence, for the top of its page and the terminal."""
        run = self.run
        if run.state == TrainingRun.State.WAITING:
            return "Waiting for its trainer"
        parts = [f"Step {run.step:,} of {run.steps:,}" if run.steps else "Before the first step"]
        if self.loss is not None:
            parts.append(f"loss {self.loss:.3f}")
        if self.evaluation_loss is not None:
            parts.append(f"evaluation loss {self.evaluation_loss:.3f}")
        if self.time_left != "–":
            parts.append(f"about {self.time_left} left")
        return ", ".join(parts)

    @property
    def mark(self) -> str:
        """Changes whenever the page has something new to show."""
        return f"{self.last_number}-{self.run.state}-{int(self.is_silent)}-{int(self.run.stop_asked_at is not None)}"

    def as_json(self) -> dict[str, Any]:
        return {
            "run": self.run.pk,
            "name": self.run.name,
            "state": self.run.state,
            "silent": self.is_silent,
            "step": self.run.step,
            "steps": self.run.steps,
            "loss": self.loss,
            "evaluation_loss": self.evaluation_loss,
            "tokens_per_second": self.tokens_per_second,
            "seconds_left": self.seconds_left,
            "memory_bytes": self.memory_bytes,
            "sentence": self.sentence,
        }


def progress_of(run: TrainingRun) -> TrainingProgress:
    newest = run.events.order_by("-number").first()
    step = run.events.filter(kind=EventKind.STEP).order_by("-number").first()
    told = step.payload if step else {}
    figures = {
        name: number(told.get(name))
        for name in ("epoch", "loss", "learning_rate", "tokens_per_second", "seconds_left", "memory_bytes")
    }
    evaluated = run.events.filter(kind=EventKind.EVALUATED).order_by("-number").first()
    evaluation_loss = number(evaluated.payload.get("loss")) if evaluated else None
    return TrainingProgress(run, newest.number if newest else 0, evaluation_loss=evaluation_loss, **figures)


def training_curve(run: TrainingRun) -> list[Point]:
    return thinned(_curve(run, EventKind.STEP))


def evaluation_curve(run: TrainingRun) -> list[Point]:
    return thinned(_curve(run, EventKind.EVALUATED))


def _curve(run: TrainingRun, kind: EventKind) -> list[Point]:
    return points(run.events.filter(kind=kind).values_list("payload", flat=True))


def notices_of(run: TrainingRun) -> list[str]:
    texts = [event.payload.get("text") for event in run.events.filter(kind=EventKind.NOTICE)]
    return [text for text in texts if isinstance(text, str) and text.strip()]


def samples_of(run: TrainingRun, delimiter: str) -> list[tuple[int, list[Sample]]]:
    """The replies at each evaluation by step, the newest first; at most EVALUATIONS_SHOWN evaluations."""
    found: dict[int, list[Sample]] = defaultdict(list)
    for event in run.events.filter(kind=EventKind.SAMPLE):
        step = event.payload.get("step")
        if sample := _sample(event.payload, delimiter):
            found[step if type(step) is int else 0].append(sample)
    newest = sorted(found, reverse=True)[:EVALUATIONS_SHOWN]
    return [(step, found[step]) for step in newest]


def _sample(payload: dict[str, Any], delimiter: str) -> Sample | None:
    reply, prompt = payload.get("reply"), payload.get("prompt")
    if not isinstance(reply, str) or not isinstance(prompt, list):
        return None
    said = [
        (turn[0], turn[1])
        for turn in prompt
        if isinstance(turn, list) and len(turn) == 2 and all(isinstance(part, str) for part in turn)
    ]
    system = "\n".join(text for role, text in said if role == "system")
    turns = [_turn(role, text, delimiter) for role, text in said if role != "system"]
    turns.append(_turn("reply", reply, delimiter))
    return Sample(turns, system, stopped=payload.get("stopped") is True)


_NAMES = {"user": "Other speaker", "assistant": "Model’s side, from the data", "reply": "Model’s reply"}


def _turn(role: str, text: str, delimiter: str) -> ShownTurn:
    messages = split(text, delimiter) or ["(nothing)"]
    return {"speaker": 1 if role == "user" else 2, "name": _NAMES.get(role, role), "messages": messages}
