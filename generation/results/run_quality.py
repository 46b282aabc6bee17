"""The quality of what runs wrote, in figures: a few sums of stored counts, however large the runs."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any

from django.db.models import Avg, Count, F, Min, Q, QuerySet, Sum

from core.intervals import Estimate, PairSums, ratio_of
from dialogues.corpus_figures import sums_by
from dialogues.coverage import covers, few
from dialogues.models import Dialogue, DialogueQuerySet, Version
from dialogues.statistics.figures import Measures
from dialogues.statistics.measuring import WORD_FIELDS, measures
from dialogues.statistics.words_and_turns import Tokenizer
from generation.models import Call, Output, Run, Stage
from generation.parsing import Outcome
from generation.results.writers import Writer, Writers, writers_of

# Upper ends of the bands that shares of kept words fall into; the last band is 1 itself.
KEPT_BANDS = (0.8, 0.9, 0.95, 1.0)


@dataclass(frozen=True, slots=True)
class Written(Measures):
    """One version by one writer (None: the α that the runs started from), measured."""

    writer: Writer | None
    version: Version


@dataclass(slots=True)
class StageOutcomes:
    """How one stage went for one writer, in dialogues, and what was wrong with replies, in replies.

    `first` were usable at the first reply, `mended` after one or two repair calls. `causes` counts every reply that
    was not usable, also those mended later; `failed` the dialogues that ended there, by cause.
    """

    writer: Writer
    stage: Stage
    first: int = 0
    mended: int = 0
    open: int = 0
    causes: Counter[str] = field(default_factory=Counter)
    failed: Counter[str] = field(default_factory=Counter)

    @property
    def usable(self) -> int:
        return self.first + self.mended

    @property
    def reached(self) -> int:
        """Dialogues that came to this stage."""
        return self.usable + self.failed.total() + self.open


@dataclass(frozen=True, slots=True)
class Kept:
    """How faithful one writer's further-splits are to γ; shares in 0–1, `bands` as in KEPT_BANDS and then 1 itself."""

    writer: Writer
    kept: Estimate
    least: float
    invented: float
    bands: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Quality:
    """Everything the quality page and the comparison of models show."""

    writers: Writers
    written: tuple[Written, ...]
    outcomes: tuple[StageOutcomes, ...]
    kept: tuple[Kept, ...]
    tokenizer: Tokenizer
    # In words, what was left out of shared backgrounds because it covers few.
    left_out: tuple[str, ...] = ()

    @property
    def by_demo(self) -> bool:
        return any(row.by_demo for row in self.written)


def quality_of(runs: Sequence[Run], *, tokenizer: Tokenizer = "whitespace", shared_only: bool = False) -> Quality:
    """Six to nine queries. `shared_only` keeps only backgrounds on which every writer has written every version.

    A version that a writer wrote on few backgrounds is then left out, because it would leave little to compare.
    """
    writers = writers_of(runs)
    shared = _shared(runs) if shared_only else None
    return Quality(
        writers=writers,
        written=tuple(_written(runs, WORD_FIELDS[tokenizer], shared)),
        outcomes=tuple(outcomes_of(runs)),
        kept=tuple(_kept(runs, shared)),
        tokenizer=tokenizer,
        left_out=tuple(shared.words(writers)) if shared else (),
    )


@dataclass(frozen=True, slots=True)
class _Shared:
    """Keys of the α on which every writer has every version, except for `sparse`: those that cover few of `widest`."""

    alphas: QuerySet[Any]
    sparse: Mapping[tuple[Writer, str], int]
    widest: int

    def words(self, writers: Writers) -> Iterator[str]:
        symbols = {version.pk: version.symbol for version in Version.objects.all()}
        for (writer, version), count in sorted(self.sparse.items()):
            yield f"{symbols[version]} by {writers.label(writer, version)}, {covers(count, self.widest)}"


def _shared(runs: Sequence[Run]) -> _Shared:
    outputs = Output.objects.filter(call__run__in=runs).order_by()
    groups = outputs.values_list("call__run", "call__run_stage__branch", "version").annotate(n=Count("call__alpha"))
    counts = {(Writer(run, branch), version): n for run, branch, version, n in groups}
    sparse = few(counts)
    for writer, version in sparse:
        outputs = outputs.exclude(call__run=writer.run, call__run_stage__branch=writer.branch, version=version)
    complete = outputs.values("call__alpha").annotate(n=Count("pk")).filter(n=len(counts) - len(sparse))
    return _Shared(
        complete.values("call__alpha"), {key: counts[key] for key in sparse}, max(counts.values(), default=0)
    )


def outcomes_of(runs: Sequence[Run]) -> list[StageOutcomes]:
    """One row for each stage and writer, in the order of runs, stages, branches; one query."""
    rows: Iterable[Any] = (
        Call.objects.filter(run__in=runs)
        .order_by()
        .values("run_id", "depth", "stage", "run_stage__branch", "repair", "state", "outcome", "replaced")
        .annotate(n=Count("pk"))
    )
    found: dict[tuple[int, int, int], StageOutcomes] = {}
    for row in rows:
        writer = Writer(row["run_id"], row["run_stage__branch"])
        place = (writer.run, row["depth"], writer.branch)
        _count(found.setdefault(place, StageOutcomes(writer, Stage(row["stage"]))), row)
    return [found[place] for place in sorted(found)]


def _count(stage: StageOutcomes, row: Mapping[str, Any]) -> None:
    n, outcome = row["n"], row["outcome"]
    if outcome == Outcome.OK:
        if row["repair"]:
            stage.mended += n
        else:
            stage.first += n
        return
    if outcome:
        stage.causes[outcome] += n
    if row["state"] == Call.State.FAILED:
        if not row["replaced"]:
            stage.failed[outcome] += n
    elif row["state"] != Call.State.DONE or not outcome:
        stage.open += n


def _written(runs: Sequence[Run], words: str, shared: _Shared | None) -> list[Written]:
    versions = Version.objects.in_bulk()
    # Judge runs choose dialogues, too, but write none.
    writing = [run for run in runs if not run.is_judging]
    originals = Dialogue.objects.filter(chosen_by__run__in=writing, version="alpha").order_by().values("pk")
    sources: tuple[tuple[DialogueQuerySet, str], ...] = (
        (Dialogue.objects.filter(pk__in=originals), ""),
        (Dialogue.objects.filter(output__call__run__in=runs), "output__call__"),
        (
            Dialogue.objects.of_version("punctuation").filter(parent__output__call__run__in=runs),
            "parent__output__call__",
        ),
    )
    rows = [row for dialogues, path in sources for row in _measured(dialogues, path, words, versions, shared)]
    rows = [row for row in rows if shared is None or (row.writer, row.version.pk) not in shared.sparse]
    return sorted(rows, key=lambda row: (row.version.position, row.writer or Writer(0, 0)))


def _measured(
    dialogues: DialogueQuerySet,
    path: str,
    words: str,
    versions: Mapping[str, Version],
    shared: _Shared | None,
) -> list[Written]:
    if shared is not None:
        dialogues = dialogues.filter(**{"origin__in" if path else "pk__in": shared.alphas})
    by = {"run": f"{path}run_id", "branch": f"{path}run_stage__branch"} if path else {}
    groups = sums_by(dialogues, words, *by.values(), "version_id")
    return [
        Written(
            writer=Writer(sums[by["run"]], sums[by["branch"]]) if by else None,
            version=versions[sums["version_id"]],
            **measures(sums),
        )
        for sums in groups
    ]


def _kept(runs: Sequence[Run], shared: _Shared | None) -> list[Kept]:
    outputs = Output.objects.filter(call__run__in=runs, kept__isnull=False)
    if shared is not None:
        outputs = outputs.filter(call__alpha__in=shared.alphas)
    below = {f"below_{place}": Count("pk", filter=Q(kept__lt=end)) for place, end in enumerate(KEPT_BANDS)}
    rows: Iterable[Any] = (
        outputs.order_by()
        .values("call__run_id", "call__run_stage__branch")
        .annotate(
            n=Count("pk"),
            total=Sum("kept"),
            squares=Sum(F("kept") * F("kept")),
            least=Min("kept"),
            new=Avg("invented"),
            **below,
        )
    )
    return sorted(map(_kept_by, rows), key=lambda row: row.writer)


def _kept_by(row: Mapping[str, Any]) -> Kept:
    n = row["n"]
    mean = ratio_of(PairSums(n, row["total"], n, row["squares"], row["total"], n))
    assert mean is not None
    ends = [0, *(row[f"below_{place}"] for place in range(len(KEPT_BANDS))), n]
    bands = tuple(after - before for before, after in pairwise(ends))
    writer = Writer(row["call__run_id"], row["call__run_stage__branch"])
    return Kept(writer, mean.within(0, 1), row["least"], row["new"] or 0, bands)
