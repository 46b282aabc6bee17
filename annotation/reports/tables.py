"""A study's findings as tables: the paper's Tables 3 to 5 for the study's own items, agreement, and comparisons."""

from annotation.models import Study
from annotation.reports.agreement_tables import agreement, agreement_by_version, raters
from annotation.reports.chat_tables import chat_tables, scores_after_chats
from annotation.reports.comparisons import EXACT_UP_TO, FLIPS, Difference, holm
from annotation.reports.findings import Findings
from annotation.reports.length_tables import lengths, runs
from annotation.reports.notes import INTERVALS, dash_notes, paper_note, provenance, unasked_notes
from core.tables import Cell, Column, Estimate, Table
from dialogues.published import published_table, uncompared
from dialogues.rubric import is_the_papers


def study_tables(study: Study, found: Findings, *, dashes: bool = True) -> dict[str, Table]:
    """Every table of the report by slug, in page order; `dashes` hides what the rubric hides (α's On-topic).

    Where no item has a text, there are no Tables 4 and 5; where each item has one rater, no tables of agreement.
    """
    chats = found.chats
    tables = (
        scores_after_chats(study, found, chats) if chats else human_scores(study, found, dashes=dashes),
        *(
            (agreement(study, found), agreement_by_version(study, found, dashes=dashes))
            if not (chats and study.raters_per_item == 1)
            else ()
        ),
        comparisons(study, found, dashes=dashes),
        raters(study, found),
        *((lengths(study, found), runs(study, found)) if found.has_lengths else ()),
        *(chat_tables(study, found, chats) if chats else ()),
    )
    return {table.slug: table for table in tables}


def human_scores(study: Study, found: Findings, *, dashes: bool = True) -> Table:
    """The paper's Table 3: mean score by metric and version, with the published mean of the same question."""
    scale = study.rubric.scale
    theirs = {metric.key for metric in found.metrics if is_the_papers(metric, scale)}
    columns = [Column("Metric", numeric=False)]
    for version in found.versions:
        columns += [Column(label, group=version.symbol) for label in (("here", "paper") if theirs else ("here",))]
    rows = []
    for metric in found.metrics:
        row: list[Cell] = [metric.name]
        for version in found.versions:
            hidden = dashes and version.slug in metric.dash_for
            mean = found.means[metric.key, version.slug]
            row.append(None if hidden or mean is None else mean.estimate)
            if theirs:
                row.append(published_table(3).value(metric.key, version.slug) if metric.key in theirs else None)
        rows.append(tuple(row))
    notes = (
        *provenance(study, found),
        f"Mean score from {scale.low} to {scale.high}. {INTERVALS} backgrounds; n counts scores.",
        *(dash_notes(found) if dashes else ()),
        *unasked_notes(found),
        *((paper_note(3),) if theirs else ()),
        *filter(None, [uncompared(metric.name for metric in found.metrics if metric.key not in theirs)]),
    )
    return Table(
        "table-3",
        f"Human evaluation: mean score by metric and version{' (the paper’s Table 3)' if theirs else ''}.",
        tuple(columns),
        tuple(rows),
        notes,
    )


def comparisons(study: Study, found: Findings, *, dashes: bool = True) -> Table:
    """Differences between versions, paired by background."""
    symbols = {version.slug: version.symbol for version in found.versions}
    hidden = {(metric.key, slug) for metric in found.metrics for slug in metric.dash_for} if dashes else set()
    shown = {
        key: difference
        for key, difference in found.differences.items()
        if not {(key[0], key[1]), (key[0], key[2])} & hidden
    }
    # The family of tests is everything asked; hiding some of it changes no number.
    family = {key: difference.p for key, difference in found.differences.items() if difference}
    adjusted = dict(zip(family, holm(list(family.values())), strict=True))
    names = {metric.key: metric.name for metric in found.metrics}
    rows = tuple(
        (names[key[0]], f"{symbols[key[2]]} − {symbols[key[1]]}", *_difference_cells(difference, adjusted.get(key)))
        for key, difference in shown.items()
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
        f"p: two-sided permutation test that flips the sign of whole backgrounds (exact up to {EXACT_UP_TO} of them, "
        f"else {FLIPS:,} seeded draws; ≤ where none of them reached the difference), adjusted after Holm for "
        f"{sum(p is not None for p in family.values()):,} tests: all pairs of versions on every metric asked about "
        "both, whether shown here or behind a dash. d: mean difference over the standard deviation of the differences, "
        "which divides by n − 1. Higher: share of backgrounds where the first-named version scored higher, ties "
        "counting half.",
    )
    return Table("comparisons", "Differences between versions, paired by background.", columns, rows, notes)


def _difference_cells(difference: Difference | None, adjusted: float | None) -> tuple[Cell, ...]:
    if difference is None:
        return (None,) * 5
    mean = Estimate(difference.mean, difference.n, difference.low, difference.high, difference.no_interval)
    return mean, difference.p, adjusted, difference.effect, 100 * difference.higher
