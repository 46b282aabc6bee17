"""How far a run is, in numbers and in one sentence; cheap enough to ask every second."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from django.db.models import Count, Q, Sum
from django.utils import timezone

from core.durations import duration
from generation.batching.jobs import BatchProgress, batches_of
from generation.models import Call, Run, RunDialogue, Runner, Stage
from generation.watching.causes import CAUSES
from generation.watching.endpoint_progress import EndpointProgress, Reports, endpoints_of
from generation.watching.stage_progress import StageProgress, stages_of

RATE_WINDOW = timedelta(seconds=60)


@dataclass(slots=True)
class Progress:
    """A run at one moment. `seconds_left` and `cost_left` are None until they can be estimated."""

    run: Run
    stages: list[StageProgress]
    causes: Counter[str] = field(default_factory=Counter)
    tokens: int = 0
    refusals: int = 0
    calls_a_second: float = 0.0
    runners: int = 0
    unread: int = 0
    demo: bool = False
    endpoints: list[EndpointProgress] = field(default_factory=list)
    batches: BatchProgress = field(default_factory=BatchProgress)

    @property
    def done(self) -> int:
        """Dialogues that went all the way, by every writer."""
        return sum(stage.ok for stage in self.last)

    @property
    def journeys(self) -> int:
        """How many the run makes: one for each dialogue and writer (or judge and repeat, if not judged before)."""
        if self.run.is_judging and self.run.state != Run.State.DRAFT:
            return sum(stage.total for stage in self.last)
        return self.run.dialogue_count * max(1, len(self.last)) * self.run.repeats

    @property
    def last(self) -> list[StageProgress]:
        """The last stage, by each writer."""
        return [stage for stage in self.stages if stage.stage == self.stages[-1].stage]

    @property
    def failed(self) -> int:
        return sum(stage.failed for stage in self.stages)

    @property
    def to_store(self) -> int:
        """Answers that have come and are not stored or not read yet."""
        return self.unread + sum(endpoint.to_store for endpoint in self.endpoints)

    @property
    def in_flight(self) -> int:
        """Calls sent and not answered yet, as far as we know."""
        return max(0, sum(stage.in_flight for stage in self.stages) - self.to_store)

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
    def forecast(self) -> Decimal | None:
        """Estimated cost of the whole run in US dollars; None while it cannot be estimated."""
        return None if self.run.is_free or self.cost_left is None else self.run.spent + self.cost_left

    @property
    def spent_words(self) -> str:
        return money(self.run.spent)

    @property
    def forecast_words(self) -> str:
        return "–" if self.forecast is None else money(self.forecast)

    @property
    def time_left(self) -> str:
        """In words; a dash while it cannot be estimated."""
        running = self.run.state == Run.State.RUNNING
        return duration(self.seconds_left) if running and self.seconds_left else "–"

    @property
    def named_causes(self) -> list[tuple[str, str, int]]:
        """(cause, its words, how many), most frequent first."""
        return [(cause, CAUSES.get(cause, cause), count) for cause, count in self.causes.most_common()]

    @property
    def sentence(self) -> str:
        """The run in one sentence, for the top of its page and the terminal."""
        total, chosen = self.journeys, self.run.dialogue_count
        if self.run.state == Run.State.DRAFT:
            return f"{chosen:,} dialogue{'s' if chosen != 1 else ''}, not started yet"
        parts = [f"{self.done:,} of {total:,} {'judgements' if self.run.is_judging else 'dialogues'}"]
        if self.failed:
            parts.append(f"{self.failed:,} failed")
        if self.held:
            parts.append(f"{self.held:,} waiting for a decision")
        if self.run.state == Run.State.RUNNING:
            parts += self._to_go()
        return ", ".join(parts)

    def _to_go(self) -> list[str]:
        if self.batches.open:
            return [self.batches.sentence]
        if self.seconds_left is None:
            return ["no answer in the last minute" if self.done else "waiting for the first answers"]
        time = f"about {duration(self.seconds_left)}"
        if not self.run.is_free and self.cost_left is not None:
            return [f"{time} and {money(self.cost_left)} to go"]
        return [f"{time} to go"]

    @property
    def advice(self) -> str:
        """Why nothing moves; "" if all is well."""
        if self.run.state == Run.State.RUNNING and self.batches.open:
            return self.batches.problem or "Batches are answered within a day; results come in by themselves."
        if self.run.state == Run.State.RUNNING and not self.runners and (self.waiting or self.unread):
            return "No worker is running yet. If this does not change, start one: celery -A config worker -B."
        now = timezone.now()
        blocked = [str(endpoint) for endpoint in self.run.endpoints if endpoint.is_blocked(now)]
        if self.run.state == Run.State.RUNNING and blocked:
            return f"{' and '.join(blocked)} asked us to slow down; calls continue as soon as it allows."
        return self.run.state_reason

    def as_json(self) -> dict[str, Any]:
        """For the live page and for `run status --json`."""
        return {
            "run": self.run.pk,
            "name": self.run.name,
            "state": self.run.state,
            "sentence": self.sentence,
            "advice": self.advice,
            "dialogues": self.journeys,
            "done": self.done,
            "failed": self.failed,
            "in_flight": self.in_flight,
            "to_store": self.to_store,
            "in_batch": self.batches.in_batch,
            "batches": self.batches.as_json(),
            "waiting": self.waiting,
            "held": self.held,
            "calls_per_second": round(self.calls_a_second, 2),
            "refusals": self.refusals,
            "tokens": self.tokens,
            "spent": str(self.run.spent),
            "spent_words": money(self.run.spent),
            "forecast": None if self.forecast is None else str(self.forecast),
            "forecast_words": self.forecast_words,
            "time_left": self.time_left,
            "seconds_left": None if self.seconds_left is None else round(self.seconds_left),
            "demo": self.demo,
            "stages": [
                {"key": s.key, "stage": s.stage, "branch": s.branch, "model": s.row.model, "label": s.label,
                 "total": s.total, "done": s.ok, "failed": s.failed, "in_flight": s.in_flight, "waiting": s.waiting,
                 "held": s.held, "repaired": s.repaired}
                for s in self.stages
            ],
            "endpoints": [endpoint.as_json() for endpoint in self.endpoints],
            "causes": [{"cause": cause, "label": label, "count": n} for cause, label, n in self.named_causes],
        }  # fmt: skip


def progress_of(run: Run, now: datetime | None = None) -> Progress:
    """Three queries (one more with batches), whatever its size; load the run with `Run.objects.with_stages()`."""
    return progress_of_all([run], now)[0]


def progress_of_all(runs: Sequence[Run], now: datetime | None = None) -> list[Progress]:
    """Three queries (one more with batches), however many runs; in their order."""
    now = now or timezone.now()
    sums = (
        Call.objects.filter(run__in=runs)
        .order_by()
        .values("run", "run_stage", "state", "outcome", "replaced", "is_demo")
        .annotate(
            n=Count("pk"),
            recent=Count("pk", filter=Q(settled_at__gt=now - RATE_WINDOW)),
            refusals=Sum("refusals"),
            tokens=Sum("prompt_tokens") + Sum("completion_tokens"),
            money=Sum("cost"),
        )
    )
    rows: dict[int, list[Any]] = {run.pk: [] for run in runs}
    for row in sums:
        rows[row["run"]].append(row)
    given = _given_themes(runs)
    reports = list(Runner.live(now).values_list("calls", flat=True))
    found = [_progress(run, rows[run.pk], given.get(run.pk, 0), reports, now) for run in runs]
    batches = batches_of(runs)
    for progress in found:
        progress.batches = batches[progress.run.pk]
    return found


def _given_themes(runs: Sequence[Run]) -> dict[int, int]:
    """How many dialogues of each run have a theme from an earlier run."""
    writing = [run.pk for run in runs if Stage.THEME in run.stages]
    chosen = RunDialogue.objects.filter(run__in=writing, background__isnull=False).order_by()
    return dict(chosen.values("run").annotate(n=Count("pk")).values_list("run", "n")) if writing else {}


def _progress(run: Run, rows: Sequence[dict[str, Any]], given: int, reports: Reports, now: datetime) -> Progress:
    progress = Progress(run, stages_of(run, rows, given), runners=len(reports))
    for row in rows:
        if row["state"] == Call.State.FAILED and not row["replaced"]:
            progress.causes[row["outcome"]] += row["n"]
        progress.demo = progress.demo or row["is_demo"]
    progress.tokens = sum(row["tokens"] for row in rows)
    progress.endpoints = endpoints_of(run, rows, now, reports)
    progress.refusals = sum(row["refusals"] for row in rows)
    progress.unread = sum(row["n"] for row in rows if row["state"] == Call.State.DONE and not row["outcome"])
    window = min(RATE_WINDOW, now - run.started_at) if run.started_at else RATE_WINDOW
    progress.calls_a_second = sum(row["recent"] for row in rows) / max(1.0, window.total_seconds())
    return progress


def money(amount: Decimal) -> str:
    """US dollars, with more digits for small amounts."""
    return f"${amount:.2f}" if amount >= 1 or not amount else f"${amount:.4f}"
