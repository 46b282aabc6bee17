"""How far each stage of a run is, by each of its writers, from counts of its calls."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from generation.models import Call, Run, RunStage, Stage
from generation.parsing import Outcome


@dataclass(slots=True)
class StageProgress:
    """One stage's calls by one writer, all editions. `total` is how many dialogues can still reach it."""

    row: RunStage
    several: bool = False  # writers at this stage
    total: int = 0
    ok: int = 0
    failed: int = 0
    waiting: int = 0
    in_flight: int = 0
    held: int = 0
    repaired: int = 0
    cost: Decimal = Decimal(0)

    @property
    def stage(self) -> Stage:
        return Stage(self.row.stage)

    @property
    def branch(self) -> int:
        return self.row.branch

    @property
    def key(self) -> str:
        """Its name on the live page."""
        return f"{self.stage}-{self.branch}"

    @property
    def label(self) -> str:
        return f"{self.stage.label}, {self.row.model}" if self.several else str(self.stage.label)

    @property
    def left(self) -> int:
        return max(0, self.total - self.ok - self.failed)

    @property
    def cost_a_dialogue(self) -> Decimal:
        return self.cost / max(1, self.ok + self.failed)


def stages_of(run: Run, rows: Sequence[dict[str, Any]], given: int) -> list[StageProgress]:
    """In the order of stages and writers; `rows` are counts by run_stage, state and outcome, with their cost.

    `given` is how many dialogues have a theme from an earlier run. Load the run with `Run.objects.with_stages()`.
    """
    newest = run.newest_rows
    several = Counter(row.stage for row in newest)
    found = {(row.stage, row.branch): StageProgress(row, several[row.stage] > 1) for row in newest}
    place = {row.pk: (row.stage, row.branch) for row in run.run_stages.all()}
    for row in rows:
        _count(found[place[row["run_stage"]]], row)
    reachable = dict.fromkeys(range(run.branches), run.dialogue_count * run.repeats)
    for stage in found.values():
        is_theme = stage.stage == Stage.THEME
        stage.total = reachable[stage.branch] - (given if is_theme else 0)
        for branch in reachable if is_theme else (stage.branch,):
            reachable[branch] -= stage.failed
        if run.is_judging and rows:
            # All judgements are planned at the start, without those given before.
            stage.total = stage.ok + stage.failed + stage.waiting + stage.in_flight + stage.held
    return list(found.values())


def _count(stage: StageProgress, row: dict[str, Any]) -> None:
    counters = {
        Call.State.TODO: "waiting",
        Call.State.SENT: "in_flight",
        Call.State.FAILED: "failed",
        Call.State.AMBIGUOUS: "held",
        Call.State.DONE: "ok" if row["outcome"] == Outcome.OK else "repaired" if row["outcome"] else "in_flight",
    }
    stage.cost += row["money"]
    if row["replaced"]:
        return
    name = counters[Call.State(row["state"])]
    setattr(stage, name, getattr(stage, name) + row["n"])
