"""The table of raters' agreement with themselves."""

from collections.abc import Iterable, Iterator, Mapping, Sequence

from annotation.allocation.orders import BETWEEN
from annotation.reports.agreement_tables import COEFFICIENTS as LABELS
from annotation.reports.agreement_tables import coefficient, undefined_notes
from annotation.reports.notes import INTERVALS, few_clusters_note
from annotation.reports.own_agreement import COEFFICIENTS, OwnAgreement
from annotation.reports.reported import Reported
from core.tables import Cell, Column, Table
from dialogues.rubric import Metric

# Not of preferences, which are in an order, but have no distances.
OF_DISTANCES = ("alpha_interval", "icc_2,1", "within_1")
FEWEST = 2


def own_agreement_tables(
    study: Reported, found: Mapping[str, OwnAgreement], metrics: Sequence[Metric], provenance: Iterable[str]
) -> Iterator[Table]:
    """The table, where somebody has scored a repeat; `provenance` are the first notes of every table of the report."""
    if any(one.pairs for one in found.values()):
        yield _table(study, found, metrics, provenance)


def _table(
    study: Reported, found: Mapping[str, OwnAgreement], metrics: Sequence[Metric], provenance: Iterable[str]
) -> Table:
    shown = [key for key in COEFFICIENTS if not (study.compares and key in OF_DISTANCES)]
    columns = (Column("Metric", numeric=False), *(Column(*LABELS[key]) for key in shown), Column("Raters"))
    rows = tuple((metric.name, *_cells(found[metric.key], shown), found[metric.key].raters) for metric in metrics)
    treated = "α and κ" if study.compares else "α, ICC and κ"
    notes = (
        *provenance,
        f"Each rater met up to {study.hidden_repeats} of their own items a second time, unannounced, with at least "
        f"{BETWEEN} other items in between if they had that many; no other table counts the second scores. "
        f"{treated} treat all first scores as one rater’s and all second scores as another’s.",
        f"{INTERVALS} backgrounds. n counts pairs of scores; fewer than {FEWEST} say nothing.",
        *few_clusters_note(one.agreement for one in found.values() if one.pairs >= FEWEST),
        *_undefined(found, metrics, shown),
    )
    return Table("own-agreement", "Raters’ agreement with themselves, by metric.", columns, rows, notes)


def _cells(one: OwnAgreement, shown: Sequence[str]) -> Iterator[Cell]:
    for key in shown:
        yield coefficient(one.agreement, key) if one.pairs >= FEWEST else None


def _undefined(found: Mapping[str, OwnAgreement], metrics: Sequence[Metric], shown: Sequence[str]) -> Iterator[str]:
    yield from undefined_notes(
        (metric.name, {LABELS[key][0]: found[metric.key].agreement.estimates[key] for key in shown})
        for metric in metrics
        if found[metric.key].pairs >= FEWEST
    )
