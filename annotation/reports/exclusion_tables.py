"""The primary differences with and without raters who were excluded or screened out."""

from annotation.design.plan import AnalysisPlan
from annotation.reports.analysis import shown
from annotation.reports.difference_tables import metric_and_pair
from annotation.reports.exclusions import WITH_ALL, WITHOUT_SCREENED_OUT, OtherRaters
from annotation.reports.findings import Findings, Key, compared_pairs, main_pairs
from annotation.reports.notes import interval_note, listed, provenance
from annotation.reports.reported import Reported
from core.tables import Cell, Column, Table

EXPLAINED = {
    WITH_ALL: "nobody left out: with ratings by excluded and screened-out raters, even where their place went to "
    "somebody else; raters who withdrew with their ratings stay out",
    WITHOUT_SCREENED_OUT: "without screened-out raters: their ratings count in this study",
}


def exclusion_tables(study: Reported, found: Findings, *, dashes: bool) -> list[Table]:
    """One table, or none where another choice of raters has the same ratings."""
    if not found.other_raters:
        return []
    rows = tuple(
        (
            *metric_and_pair(found, key),
            _as_reported(found, key),
            *(_cell(found, one, key) for one in found.other_raters),
        )
        for key in _primary(study, found, dashes=dashes)
    )
    columns = (
        Column("Metric", numeric=False),
        Column("Versions", numeric=False),
        Column("As reported"),
        *(Column(one.label) for one in found.other_raters),
    )
    counts = [
        f"{one.ratings:,} ratings by {one.raters:,} raters ({EXPLAINED[one.label]})" for one in found.other_raters
    ]
    notes = (
        *provenance(study, found),
        "The same analysis of different sets of ratings. "
        f"As reported: {found.ratings:,} ratings by {len(found.raters):,} raters. For comparison: {listed(counts)}.",
        f"n counts backgrounds that have both versions. {interval_note(found.target)}",
    )
    return [Table("exclusions", "Differences with and without the raters left out.", columns, rows, notes)]


def _primary(study: Reported, found: Findings, *, dashes: bool) -> list[Key]:
    """The plan's primary pairs and metrics; without a plan the last version with each other on every metric."""
    plan = AnalysisPlan.of(study.analysis_plan)
    keys = compared_pairs(found, dashes=dashes)
    return main_pairs(found, keys, lambda key: plan is not None and plan.is_confirmatory(key[0], key[1:]))


def _as_reported(found: Findings, key: Key) -> Cell:
    difference = found.differences[key]
    if difference is None or (interval := found.primary(difference)).value is None:
        return None
    return shown(interval, difference.backgrounds)


def _cell(found: Findings, other: OtherRaters, key: Key) -> Cell:
    slugs = [version.slug for version in found.versions]
    metric = [one.key for one in found.metrics].index(key[0])
    return other.differences.get((metric, (slugs.index(key[1]), slugs.index(key[2]))))
