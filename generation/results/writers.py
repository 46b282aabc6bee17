"""Who wrote what in some runs: every branch of every run with the name that tables and pages give it."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from generation.models import Run, RunStage, Stage

STAGE_OF = {
    "beta": Stage.PAIR,
    "gamma": Stage.PAIR,
    "punctuation": Stage.PAIR,
    "stephanie": Stage.FURTHER_SPLIT,
}


class Writer(NamedTuple):
    """One branch of one run: a model that wrote on the run's backgrounds."""

    run: int
    branch: int


@dataclass(frozen=True, slots=True)
class Writers:
    """The writers of some runs in order, each with a name that no other of them has."""

    names: Mapping[Writer, str]
    models: Mapping[tuple[Writer, str], str]

    def __iter__(self) -> object:
        return iter(self.names)

    def __len__(self) -> int:
        return len(self.names)

    def label(self, writer: Writer | None, version: str = "") -> str:
        """The writer's name, and the model that split its γ if it is another one; "" for text by people."""
        if writer is None:
            return ""
        name = self.names.get(writer, "")
        author = self.models.get((writer, Stage.PAIR))
        splitter = self.models.get((writer, Stage.FURTHER_SPLIT))
        if version == "stephanie" and author and splitter and splitter != author:
            return f"{name}, split by {splitter}"
        return name


def writers_of(runs: Sequence[Run]) -> Writers:
    """One query, however many runs."""
    rows = (
        RunStage.objects.filter(run__in=runs).select_related("endpoint", "run").order_by("run_id", "branch", "edition")
    )
    models: dict[tuple[Writer, str], str] = {}
    newest: dict[tuple[Writer, str], RunStage] = {}
    for row in rows:
        place = (Writer(row.run_id, row.branch), row.stage)
        models[place], newest[place] = row.model, row
    main: dict[Writer, RunStage] = {}
    for (writer, stage), row in newest.items():
        if stage == Stage.PAIR or (writer not in main and not _has_pair(newest, writer)):
            main[writer] = row
    return Writers(_distinct_names(main), models)


def _has_pair(newest: Mapping[tuple[Writer, str], RunStage], writer: Writer) -> bool:
    return any(stage == Stage.PAIR and place.run == writer.run for place, stage in newest)


def _distinct_names(main: Mapping[Writer, RunStage]) -> dict[Writer, str]:
    """The model, and as far as needed to tell writers apart the endpoint, the run and the number of the branch."""
    names = {writer: row.model for writer, row in main.items()}
    for place in range(4):
        often = Counter(names.values())
        for name in [name for name, count in often.items() if count > 1]:
            alike = [writer for writer in main if names[writer] == name]
            found = {writer: _details(main[writer])[place] for writer in alike}
            if len(set(found.values())) > 1:
                names.update({writer: f"{name} · {found[writer]}" for writer in alike})
    return names


def _details(row: RunStage) -> tuple[str, str, str, str]:
    return str(row.endpoint), str(row.run), f"run {row.run_id}", f"writer {row.branch + 1}"
