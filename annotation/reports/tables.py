"""A study's findings as tables: the paper's Tables 3 to 5 over the study's own items, and what they rest on."""

from annotation.models import Study
from annotation.reports.agreement_tables import agreement, agreement_by_version, raters
from annotation.reports.comparisons import Difference, Mean, holm
from annotation.reports.findings import Findings
from annotation.reports.length_tables import lengths, runs
from annotation.reports.notes import INTERVALS, dash_notes, paper_note, provenance, unasked_notes
from dialogues.published import published_table
from dialogues.rubric import HUMAN_SCALE
from dialogues.tables import Cell, Column, Estimate, Table


def study_tables(study: Study, found: Findings, *, dashes: bool = True) -> dict[str, Table]:
    """Every table of the report by slug, in page order; `dashes` hides what the rubric hides (α's On-topic)."""
    tables = (
        human_scores(study, found, dashes=dashes),
        agreement(study, found),
        agreement_by_version(study, found, dashes=dashes),
        comparisons(study, found, dashes=dashes),
        raters(study, found),
        lengths(study, found),
        runs(study, found),
    )
    return {table.slug: table for table in tables}


def human_scores(study: Study, found: Findings, *, dashes: bool = True) -> Table:
    """Paper Table 3: mean score by metric and version, the published mean beside it."""
    columns = [Column("Metric", numeric=False)]
    for version in found.versions:
        columns += [Column("here", group=version.symbol), Column("paper", group=version.symbol)]
    rows = []
    for metric in found.metrics:
        row: list[Cell] = [metric.name]
        for version in found.versions:
            hidden = dashes and version.slug in metric.dash_for
            row += [
                None if hidden else _mean(found.means[metric.key, version.slug]),
                published_table(3).value(metric.key, version.slug),
            ]
        rows.append(tuple(row))
    scale = study.rubric.scale
    notes = (
        *provenance(study, found),
        f"Mean score from {scale.low} to {scale.high}. {INTERVALS} backgrounds; n counts scores.",
        *(dash_notes(found) if dashes else ()),
        *unasked_notes(found),
        paper_note(3),
        *(() if scale == HUMAN_SCALE else (f"The paper's scores go from {HUMAN_SCALE.low} to {HUMAN_SCALE.high}.",)),
    )
    return Table(
        "table-3",
        "Human evaluation: mean score by metric and version (the paper's Table 3).",
        tuple(columns),
        tuple(rows),
        notes,
    )


def comparisons(study: Study, found: Findings, *, dashes: bool = True) -> Table:
    """Versions against each other, paired by background."""
    symbols = {version.slug: version.symbol for version in found.versions}
    hidden = {(metric.key, slug) for metric in found.metrics for slug in metric.dash_for} if dashes else set()
    shown = {
        key: difference
        for key, difference in found.differences.items()
        if not {(key[0], key[1]), (key[0], key[2])} & hidden
    }
    adjusted = holm([difference.p if difference else None for difference in shown.values()])
    names = {metric.key: metric.name for metric in found.metrics}
    rows = tuple(
        (names[metric], f"{symbols[second]} − {symbols[first]}", *_difference_cells(difference, chance))
        for ((metric, first, second), difference), chance in zip(shown.items(), adjusted, strict=True)
    )
    columns = (
        Column("Metric", numeric=False),
        Column("Versions", numeric=False),
        Column("Difference"),
        Column("p", 4),
        Column("p, adjusted", 4),
        Column("Effect d", 2),
        Column("Higher, %", 1),
    )
    notes = (
        *provenance(study, found),
        f"Difference of mean scores, paired by background; n counts backgrounds. {INTERVALS} backgrounds.",
        "p: two-sided permutation test that flips the sign of whole backgrounds (exact up to 13 of them, else 10,000 "
        "seeded draws); adjusted after Holm for all tests of this table. d: mean difference over its standard "
        "deviation. Higher: share of backgrounds where the first-named version scored higher, ties counting half.",
    )
    return Table("comparisons", "Differences between versions, paired by background.", columns, rows, notes)


def _mean(mean: Mean | None) -> Estimate | None:
    return Estimate(mean.value, mean.n, mean.low, mean.high) if mean else None


def _difference_cells(difference: Difference | None, adjusted: float | None) -> tuple[Cell, ...]:
    if difference is None:
        return (None,) * 5
    mean = Estimate(difference.mean, difference.n, difference.low, difference.high)
    return mean, difference.p, adjusted, difference.effect, 100 * difference.higher
