"""Raters' learning over time: scores and seconds by quarter of each rater's own ratings."""

from annotation.reports.findings import Findings
from annotation.reports.learning import QUARTERS
from annotation.reports.notes import hidden_note, provenance
from annotation.reports.reported import Reported
from core.tables import Column, Table

NAMES = ("first", "second", "third", "last")


def learning_tables(study: Reported, found: Findings) -> list[Table]:
    """One table, or none where no rater gave four ratings or nobody knows their order."""
    learned = found.learning
    if learned is None:
        return []
    rows = tuple(
        (name, quarter.ratings, quarter.seconds, *(quarter.means[metric.key] for metric in found.metrics))
        for name, quarter in zip(NAMES, learned.quarters, strict=True)
    )
    columns = (
        Column("Quarter", numeric=False),
        Column("Ratings"),
        Column("Seconds", 1),
        *(Column(metric.name, group="Mean score") for metric in found.metrics),
    )
    notes = (
        *provenance(study, found),
        f"Each rater’s ratings in the order of submission, in {QUARTERS} parts; a corrected rating stands "
        f"where it was corrected. Over the {learned.raters:,} raters with {QUARTERS} ratings or more, all versions "
        "together. Seconds from opening to submitting: geometric mean, so that a few long breaks weigh less.",
        "In brackets: 95 % interval for these raters, linearised, Student’s t over backgrounds; those of scores end "
        "where the scale does. n counts ratings.",
        *hidden_note(found),
    )
    return [Table("learning", "Learning over time: scores and seconds by quarter.", columns, rows, notes)]
