"""How far a run is, in numbers and in one sentence. A handful of sums, so that a page may ask every second."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from django.db.models import Count, Q, Sum
from django.utils import timezone

from generation.client import Trouble
from generation.models import Call, Run, Runner, Stage
from generation.parsing import Outcome
from generation.reading import NOT_STORED

RATE_WINDOW = timedelta(seconds=60)

CAUSES: dict[str, str] = {
    Outcome.TRUNCATED: "Cut off at the length limit",
    Outcome.FILTERED: "Stopped by a content filter",
    Outcome.EMPTY: "Empty reply",
    Outcome.UNPARSABLE: "Not in the form asked for",
    Outcome.WRONG_SPEAKERS: "Wrong speakers",
    Outcome.BETA_HAS_RUNS: "β with several messages in a row",
    Outcome.GAMMA_HAS_NONE: "Step-by-step without several messages in a row",
    Outcome.TOO_FEW_MESSAGES: "Too few messages",
    Outcome.LOST_CONTENT: "Lost content of γ",
    Outcome.INVENTED_CONTENT: "Invented content",
    Outcome.THEME_LENGTH: "Theme too short or too long",
    Outcome.TRAITS_MISSING: "Traits missing",
    Trouble.REJECTED: "Request rejected by the endpoint",
    Trouble.PROVIDER: "Endpoint failed five times",
    Trouble.AMBIGUOUS: "Sent, never answered",
    NOT_STORED: "Reply could not be stored",
}


@dataclass(slots=True)
class StageProgress:
    """One stage's calls. `total` is how many dialogues can still reach it."""

    stage: Stage
    total: int = 0
    ok: int = 0
    failed: int = 0
    waiting: int = 0
    in_flight: int = 0
    held: int = 0
    repaired: int = 0
    cost: Decimal = Decimal(0)

    @property
    def label(self) -> str:
        return str(self.stage.label)

    @property
    def left(self) -> int:
        return max(0, self.total - self.ok - self.failed)

    @property
    def cost_a_dialogue(self) -> Decimal:
        return self.cost / max(1, self.ok + self.failed)


@dataclass(slots=True)
class Progress:
    """A run at one moment. `seconds_left` and `cost_left` are None while there is nothing to tell them from."""

    run: Run
    stages: list[StageProgress]
    causes: Counter[str] = field(default_factory=Counter)
    tokens: int = 0
    calls_a_second: float = 0.0
    runners: int = 0
    unread: int = 0
    demo: bool = False

    @property
    def done(self) -> int:
        return self.stages[-1].ok if self.stages else 0

    @property
    def failed(self) -> int:
        return sum(stage.failed for stage in self.stages)

    @property
    def in_flight(self) -> int:
        return sum(stage.in_flight for stage in self.stages)

    @property
    def held(self) -> int:
        return sum(stage.held for stage in self.stages)

    @property
    def waiting(self) -> int:
        return sum(stage.waiting for stage in self.stages)

    @property
    def calls_left(self) -> int:
        return sum(stage.left for stage in self.stages)

    @property
    def seconds_left(self) -> float | None:
        return self.calls_left / self.calls_a_second if self.calls_a_second else None

    @property
    def cost_left(self) -> Decimal | None:
        begun = [stage for stage in self.stages if stage.ok]
        if len(begun) < len(self.stages):
            return None
        return sum((stage.left * stage.cost_a_dialogue for stage in self.stages), Decimal(0))

    @property
    def named_causes(self) -> list[tuple[str, str, int]]:
        """(cause, its words, how many), most frequent first."""
        return [(cause, CAUSES.get(cause, cause), count) for cause, count in self.causes.most_common()]

    @property
    def sentence(self) -> str:
        """The run in one sentence, for the top of its page and the terminal."""
        total = self.run.dialogue_count
        if self.run.state == Run.State.DRAFT:
            return f"{total:,} dialogue{'s' if total != 1 else ''}, not started yet"
        parts = [f"{self.done:,} of {total:,} dialogues"]
        if self.failed:
            parts.append(f"{self.failed:,} failed")
        if self.held:
            parts.append(f"{self.held:,} waiting for a decision")
        if self.run.state == Run.State.RUNNING:
            parts += self._to_go()
        return ", ".join(parts)

    def _to_go(self) -> list[str]:
        if self.seconds_left is None:
            return ["no answer in the last minute" if self.done else "waiting for the first answers"]
        time = f"about {duration(self.seconds_left)}"
        if not self.run.endpoint.is_free and self.cost_left is not None:
            return [f"{time} and {money(self.cost_left)} to go"]
        return [f"{time} to go"]

    @property
    def advice(self) -> str:
        """Why nothing moves, where that is so."""
        if self.run.state == Run.State.RUNNING and not self.runners and (self.waiting or self.unread):
            return "No worker is at it yet. If this stays, start one: celery -A config worker -B."
        blocked = self.run.endpoint.blocked_until
        if self.run.state == Run.State.RUNNING and blocked and blocked > timezone.now():
            return "The endpoint asked us to slow down; calls go on as soon as it allows."
        return self.run.state_reason

    def as_json(self) -> dict[str, Any]:
        """For the live page and for `run status --json`."""
        return {
            "run": self.run.pk,
            "name": self.run.name,
            "state": self.run.state,
            "sentence": self.sentence,
            "advice": self.advice,
            "dialogues": self.run.dialogue_count,
            "done": self.done,
            "failed": self.failed,
            "in_flight": self.in_flight,
            "waiting": self.waiting,
            "held": self.held,
            "calls_per_second": round(self.calls_a_second, 2),
            "tokens": self.tokens,
            "spent": str(self.run.spent),
            "seconds_left": None if self.seconds_left is None else round(self.seconds_left),
            "demo": self.demo,
            "stages": [
                {"stage": s.stage, "label": s.label, "total": s.total, "done": s.ok, "failed": s.failed,
                 "in_flight": s.in_flight, "waiting": s.waiting, "repaired": s.repaired}
                for s in self.stages
            ],
            "causes": [{"cause": cause, "label": label, "count": n} for cause, label, n in self.named_causes],
        }  # fmt: skip


def progress_of(run: Run, now: datetime | None = None) -> Progress:
    """Two queries, whatever the run's size."""
    return progress_of_all([run], now)[0]


def progress_of_all(runs: Sequence[Run], now: datetime | None = None) -> list[Progress]:
    """Two queries, however many runs; in their order."""
    now = now or timezone.now()
    sums = (
        Call.objects.filter(run__in=runs)
        .order_by()
        .values("run", "stage", "state", "outcome", "is_demo")
        .annotate(
            n=Count("pk"),
            recent=Count("pk", filter=Q(settled_at__gt=now - RATE_WINDOW)),
            tokens=Sum("prompt_tokens") + Sum("completion_tokens"),
            money=Sum("cost"),
        )
    )
    rows: dict[int, list[Any]] = {run.pk: [] for run in runs}
    for row in sums:
        rows[row["run"]].append(row)
    runners = Runner.live(now).count()
    return [_progress(run, rows[run.pk], runners, now) for run in runs]


def _progress(run: Run, rows: Sequence[dict[str, Any]], runners: int, now: datetime) -> Progress:
    progress = Progress(run, _stages(run, rows), runners=runners)
    for row in rows:
        if row["state"] == Call.State.FAILED:
            progress.causes[row["outcome"]] += row["n"]
        progress.demo = progress.demo or row["is_demo"]
    progress.tokens = sum(row["tokens"] for row in rows)
    progress.unread = sum(row["n"] for row in rows if row["state"] == Call.State.DONE and not row["outcome"])
    window = min(RATE_WINDOW, now - run.started_at) if run.started_at else RATE_WINDOW
    progress.calls_a_second = sum(row["recent"] for row in rows) / max(1.0, window.total_seconds())
    return progress


def _stages(run: Run, rows: Sequence[dict[str, Any]]) -> list[StageProgress]:
    found = {stage: StageProgress(stage) for stage in run.stage_list}
    for row in rows:
        _count(found[Stage(row["stage"])], row)
    reachable = run.dialogue_count
    for stage in found.values():
        stage.total = reachable
        reachable -= stage.failed
    return list(found.values())


def _count(stage: StageProgress, row: dict[str, Any]) -> None:
    counters = {
        Call.State.TODO: "waiting",
        Call.State.SENT: "in_flight",
        Call.State.FAILED: "failed",
        Call.State.AMBIGUOUS: "held",
        Call.State.DONE: "ok" if row["outcome"] == Outcome.OK else "repaired" if row["outcome"] else "in_flight",
    }
    name = counters[Call.State(row["state"])]
    setattr(stage, name, getattr(stage, name) + row["n"])
    stage.cost += row["money"]


def duration(seconds: float) -> str:
    """ "40 s", "12 min", "3 h 20 min"."""
    if seconds < 90:
        return f"{max(1, round(seconds))} s"
    minutes = round(seconds / 60)
    return f"{minutes} min" if minutes < 90 else f"{minutes // 60} h {minutes % 60} min"


def money(amount: Decimal) -> str:
    """Dollars, with more digits where they are few."""
    return f"${amount:.2f}" if amount >= 1 or not amount else f"${amount:.4f}"
