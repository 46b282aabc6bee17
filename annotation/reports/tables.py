"""A study's findings as tables: the paper's Tables 3 to 5 for the study's own items, agreement, comparisons. Pure."""

from annotation.reports.agreement_tables import agreement, agreement_by_pair, agreement_by_version, raters
from annotation.reports.chat_tables import chat_tables, scores_after_chats
from annotation.reports.difference_tables import comparisons, means, no_worse, robustness, severity
from annotation.reports.exclusion_tables import exclusion_tables
from annotation.reports.findings import Findings
from annotation.reports.judge_tables import judge_tables
from annotation.reports.learning_tables import learning_tables
from annotation.reports.length_tables import beside_published, lengths, published_versions, runs
from annotation.reports.naturalness_tables import naturalness_tables
from annotation.reports.notes import dash_notes, interval_note, paper_note, provenance, unasked_notes, with_status
from annotation.reports.repeat_tables import own_agreement_tables
from annotation.reports.reported import Reported
from annotation.reports.text_tables import diversity_tables
from core.tables import Cell, Column, Table
from dialogues.published import published_table, uncompared
from dialogues.rubric import is_the_papers


def study_tables(study: Reported, found: Findings, *, dashes: bool = True, paper: bool = True) -> dict[str, Table]:
    """Every table of the report by slug, in page order, each with a note of what the analysis plan named.

    `dashes` hides what the rubric hides (α's On-topic); `paper` sets the published values beside the study's own.
    Where no item has a text, there are no Tables 4 and 5; where each item has one rater, no tables of agreement. Those
    of judges need scores of rated dialogues.
    """
    chats = found.chats
    tables = (
        scores_after_chats(study, found, chats, paper=paper)
        if chats
        else human_scores(study, found, dashes=dashes, paper=paper),
        *(
            (
                agreement(study, found),
                agreement_by_version(study, found, dashes=dashes),
                *agreement_by_pair(study, found),
            )
            if not (chats and study.raters_per_item == 1)
            else ()
        ),
        *own_agreement_tables(study, found.own_agreement, found.metrics, provenance(study, found)),
        comparisons(study, found, dashes=dashes),
        *filter(None, [no_worse(study, found)]),
        means(study, found, dashes=dashes),
        robustness(study, found, dashes=dashes),
        *exclusion_tables(study, found, dashes=dashes),
        raters(study, found),
        *filter(None, [severity(study, found)]),
        *learning_tables(study, found),
        *judge_tables(study, found, found.judges, dashes=dashes, paper=paper),
        *((lengths(study, found, paper=paper), runs(study, found, paper=paper)) if found.has_lengths else ()),
        *naturalness_tables(study, found),
        *diversity_tables(found.texts, provenance(study, found, ratings=False)),
        *(chat_tables(study, found, chats) if chats else ()),
    )
    return with_status(study, tables)


def human_scores(study: Reported, found: Findings, *, dashes: bool = True, paper: bool = True) -> Table:
    """The paper's Table 3: mean score by metric and version, with the published mean of the same question."""
    scale = study.rubric.scale
    theirs = {metric.key for metric in found.metrics if is_the_papers(metric, scale)}
    printed = published_versions(3, found) if theirs and paper else []
    rows = []
    for metric in found.metrics:
        row: list[Cell] = [metric.name]
        for version in found.versions:
            hidden = dashes and version.slug in metric.dash_for
            mean = found.means[metric.key, version.slug]
            row.append(None if hidden or mean is None else mean.estimate(found.target))
        row += [
            published_table(3).value(metric.key, version.slug) if metric.key in theirs else None for version in printed
        ]
        rows.append(tuple(row))
    others = [metric.name for metric in found.metrics if metric.key not in theirs]
    notes = (
        *provenance(study, found),
        f"Mean score from {scale.low} to {scale.high}. n counts scores. {interval_note(found.target)}",
        *(dash_notes(found) if dashes else ()),
        *unasked_notes(found),
        *((paper_note(3),) if printed else ()),
        *filter(None, [uncompared(others) if paper else ""]),
    )
    return Table(
        "table-3",
        f"Human evaluation: mean score by metric and version{' (the paper’s Table 3)' if theirs else ''}.",
        (Column("Metric", numeric=False), *beside_published(found, printed)),
        tuple(rows),
        notes,
    )
