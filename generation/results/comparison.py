"""Several models on the same backgrounds: which runs are compared, and one background's dialogues side by side."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from django.db.models import Q, QuerySet

from dialogues.models import Dialogue, Version
from generation.models import Background, Call, Output, Run, RunDialogue
from generation.results.writers import STAGE_OF, Writer, Writers, writers_of
from generation.watching.causes import CAUSES

GENERATED = ("beta", "gamma", "stephanie")


@dataclass(frozen=True, slots=True)
class Cell:
    """One version by one writer on a background; without a dialogue, `why` says what happened instead."""

    writer: Writer
    name: str
    version: Version
    dialogue: Dialogue | None
    why: str = ""


@dataclass(frozen=True, slots=True)
class SideBySide:
    """One α, its background and every version by every writer of some runs."""

    alpha: Dialogue
    background: Background | None
    cells: tuple[Cell, ...]
    previous: int | None
    next: int | None

    def by_version(self) -> list[tuple[str, list[Cell]]]:
        return _grouped(self.cells, lambda cell: cell.version.symbol)

    def by_model(self) -> list[tuple[str, list[Cell]]]:
        return _grouped(self.cells, lambda cell: cell.name)


def comparable() -> QuerySet[Run]:
    """Runs that have written something, newest first."""
    written = Output.objects.values("call__run")
    return Run.objects.listed().filter(pk__in=written).with_stages().select_related("corpus")


def side_by_side(runs: Sequence[Run], alpha: Dialogue) -> SideBySide:
    """A few queries, however many runs."""
    writers = writers_of(runs)
    outputs = _outputs(runs, alpha)
    why = _reasons(runs, alpha)
    versions = Version.objects.in_bulk()
    slugs = [slug for slug in STAGE_OF if slug in GENERATED or any(version == slug for _, version in outputs)]
    cells = [
        Cell(
            writer,
            writers.label(writer, slug),
            versions[slug],
            outputs.get((writer, slug)),
            why.get((writer, STAGE_OF[slug]), "Not written."),
        )
        for slug in sorted(slugs, key=lambda slug: versions[slug].position)
        for writer in writers.names
        if _may_write(writers, writer, slug)
    ]
    background = Background.objects.filter(run__in=runs, dialogue=alpha).order_by("pk").first()
    return SideBySide(alpha, background, tuple(cells), *_neighbours(runs, alpha))


def first_alpha(runs: Sequence[Run]) -> int | None:
    """Key of the first background of the runs."""
    return (
        RunDialogue.objects.filter(run__in=runs).order_by("dialogue_id").values_list("dialogue_id", flat=True).first()
    )


def _may_write(writers: Writers, writer: Writer, slug: str) -> bool:
    return (writer, STAGE_OF[slug]) in writers.models


def _outputs(runs: Sequence[Run], alpha: Dialogue) -> Mapping[tuple[Writer, str], Dialogue]:
    # A run that only splits starts from a γ, which its calls read.
    about = Q(call__alpha=alpha) | Q(call__dialogue=alpha)
    rows = Output.objects.filter(about, call__run__in=runs).select_related("call__run_stage", "dialogue")
    found = {}
    by_beta = {}
    for row in rows.order_by("pk"):
        writer = Writer(row.call.run_id, row.call.run_stage.branch)
        found[writer, row.version_id] = row.dialogue
        by_beta[row.dialogue_id] = writer
    for baseline in Dialogue.objects.of_version("punctuation").filter(parent__in=list(by_beta)):
        assert baseline.parent_id is not None
        found[by_beta[baseline.parent_id], "punctuation"] = baseline
    return found


def _reasons(runs: Sequence[Run], alpha: Dialogue) -> Mapping[tuple[Writer, str], str]:
    """Why a stage made nothing, by writer and stage, as its newest call tells."""
    calls = Call.objects.filter(Q(alpha=alpha) | Q(dialogue=alpha), run__in=runs)
    calls = calls.select_related("run_stage").defer("raw_reply", "raw_body")
    found = {}
    for call in calls.order_by("pk"):
        writer = Writer(call.run_id, call.run_stage.branch)
        failed = call.state == Call.State.FAILED
        why = CAUSES.get(call.outcome, call.outcome) if failed else call.get_state_display()
        found[writer, call.stage] = f"{'Failed' if failed else 'Not yet'}: {why[:1].lower() + why[1:]}."
    return found


def _neighbours(runs: Sequence[Run], alpha: Dialogue) -> tuple[int | None, int | None]:
    keys = RunDialogue.objects.filter(run__in=runs).values_list("dialogue_id", flat=True)
    before = keys.filter(dialogue__lt=alpha.pk).order_by("-dialogue_id").first()
    after = keys.filter(dialogue__gt=alpha.pk).order_by("dialogue_id").first()
    return before, after


def _grouped(cells: Sequence[Cell], key: Callable[[Cell], str]) -> list[tuple[str, list[Cell]]]:
    groups: dict[str, list[Cell]] = {}
    for cell in cells:
        groups.setdefault(key(cell), []).append(cell)
    return list(groups.items())
