"""A study's findings as tables: the paper's Tables 3 to 5 for the study's own items, agreement, and comparisons."""

from annotation.models import Study
from annotation.reports.agreement_tables import agreement, agreement_by_version, raters
from annotation.reports.chat_tables import chat_tables, scores_after_chats
from annotation.reports.difference_tables import comparisons, means, no_worse, robustness, severity
from annotation.reports.findings import Findings
from annotation.reports.judge_tables import judge_tables
from annotation.reports.length_tables import lengths, runs
from annotation.reports.notes import dash_notes, interval_note, paper_note, provenance, unasked_notes
from core.tables import Cell, Column, Table
from dialogues.published import published_table, uncompared
from dialogues.rubric import is_the_papers


def study_tables(study: Study, found: Findings, *, dashes: bool = True) -> dict[str, Table]:
    """Every table of the report by slug, in page order; `dashes` hides what the rubric hides (α's On-topic).

    Where no item has a text, there are no Tables 4 and 5; where each item has one rater, no tables of agreement. Those
    of judges need scores of rated dialogues.
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
        *filter(None, [no_worse(study, found)]),
        means(study, found, dashes=dashes),
        robustness(study, found, dashes=dashes),
        raters(study, found),
        severity(study, found),
        *judge_tables(study, found, found.judges, dashes=dashes),
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
            row.append(None if hidden or mean is None else mean.estimate(found.target))
            if theirs:
                row.append(published_table(3).value(metric.key, version.slug) if metric.key in theirs else None)
        rows.append(tuple(row))
    notes = (
        *provenance(study, found),
        f"Mean score from {scale.low} to {scale.high}. n counts scores. {interval_note(found.target)}",
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
