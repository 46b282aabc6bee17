"""Read a file of ratings and measure the agreement in it; nothing is stored."""

from typing import BinaryIO

from annotation.agreement_files.measuring import Effort, Measured, measured
from annotation.imported.gathering import NO_LIMIT, Gathered, RatingsRefusedError, RowLimit
from annotation.imported.imported_study import bad_sentence, read_scores
from annotation.imported.rating_rows import RatingChoices

# What scores are called in a file that has no column for the metric.
ONLY_METRIC = "score"
# Rows of a table on a page, and the rows and raters of a file that one measures within two seconds.
MOST_ROWS = 60
MOST_READ, MOST_RATERS = 10_000, 60
TOO_MUCH = (
    f"A page measures up to {MOST_READ:,} scores by {MOST_RATERS} raters. Compute it where the file is: "
    "manage.py agreement FILE"
)
ON_A_PAGE = RowLimit(MOST_READ, TOO_MUCH)


def agreement_in(
    stream: BinaryIO, choices: RatingChoices, effort: Effort | None = None, *, skip_bad: bool = False
) -> tuple[Gathered, Measured]:
    """The scores of the file and their agreement; without `effort` as much as a page can wait for.

    Raises RatingsRefusedError for a file that cannot be read, holds no score, or has bad rows that are not skipped.
    """
    found = read_scores(stream, choices, NO_LIMIT if effort else ON_A_PAGE)
    if found.report.refused and not skip_bad:
        raise RatingsRefusedError(bad_sentence(found.report.refused, "computed"), found.report)
    if not found.report.scores:
        raise RatingsRefusedError("The file holds no score that can be read.", found.report)
    if effort is None and found.raters > MOST_RATERS:
        raise RatingsRefusedError(TOO_MUCH, found.report)
    return found, measured(found, effort or for_a_page(found.report.scores, found.raters))


def for_a_page(scores: int, raters: int) -> Effort:
    """What takes two seconds at most: fewer resamples of many scores by many raters, and none of very many."""
    for most, draws in ((6_000, 1000), (100_000, 200)):
        if scores * raters <= most:
            return Effort(draws, MOST_ROWS)
    return Effort(0, MOST_ROWS // 2, "not on a page for so many scores; manage.py agreement FILE gives it")
