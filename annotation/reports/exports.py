"""What leaves the house: every score as a row of CSV, and tables marked for what they are. Pseudonyms only."""

from collections.abc import Iterator
from dataclasses import replace
from itertools import islice

from annotation.models import Study
from annotation.reports.scores import counted_members, counted_scores
from dialogues.tables import Column, Table, csv_text

DEMO_LABEL = "demo rules, not a language model"
LINES_AT_ONCE = 1000
OF_A_DIALOGUE = ("key", "version_id", "written_by", "is_demo")
RATING_COLUMNS = (
    *("study", "item", "background", "dialogue", "version", "written_by", "demo"),
    # In a study of pairs what it was compared with. Launch makes every item in its pair's order, so of two versions
    # the same one always comes first, and a value below 0 prefers it.
    *("other_dialogue", "other_version", "other_written_by", "other_demo"),
    *("rater", "metric", "value"),
    *("scale_low", "scale_high", "comment", "flag", "seconds", "submitted_at", "simulated"),
    # Of this one score: the rater's note, and the messages that led to it, counted from 1.
    *("score_comment", "evidence"),
    # Whether its rater failed the attention checks, in a study that counts them all the same.
    "screened_out",
)


def rating_rows(study: Study) -> Iterator[tuple[object, ...]]:
    """One row a score under RATING_COLUMNS, read from the database as it is written out."""
    members = counted_members(study)
    screened_out = set(study.memberships.screened_out().values_list("pk", flat=True))
    rows = (
        counted_scores(study, members)
        .order_by("rating_id", "pk")
        .values_list(
            *("rating__assignment__item__position", "rating__assignment__item__background__key"),
            *(f"rating__assignment__item__dialogue__{name}" for name in OF_A_DIALOGUE),
            *(f"rating__assignment__item__other__{name}" for name in OF_A_DIALOGUE),
            "rating__assignment__membership_id",
            *("metric", "value", "scale_low", "scale_high"),
            *("rating__comment", "rating__flag", "rating__seconds", "rating__created_at"),
            *("comment", "evidence"),
        )
    )
    for row in rows.iterator(LINES_AT_ONCE):
        position, background, *shown = row[:10]
        member, metric, value, low, high, comment, flag, seconds, at, note, places = row[10:]
        scored = (members[member], metric, value, low, high)
        evidence = " ".join(str(place + 1) for place in places)
        said = (comment, flag, seconds, at.isoformat(), study.is_simulated, note, evidence, member in screened_out)
        yield (study.name, position, background, *_dialogue(*shown[:4]), *_dialogue(*shown[4:]), *scored, *said)


def _dialogue(key: str, version: str, written_by: str, is_demo: bool | None) -> tuple[str, ...]:
    """A dialogue's cells; empty ones where there is no second dialogue."""
    return (key or "", version or "", written_by or "", DEMO_LABEL if is_demo else "")


def ratings_csv(study: Study) -> Iterator[str]:
    """The head, then a thousand lines at a time."""
    yield csv_text([RATING_COLUMNS])
    rows = rating_rows(study)
    while lines := list(islice(rows, LINES_AT_ONCE)):
        yield csv_text(lines)


def marked(table: Table, *, simulated: bool, demo: bool, screened_out: str) -> Table:
    """The table with columns that say on every row whether ratings are simulated, whether texts are the demo's, and
    how many raters were screened out and whether they count."""
    marks = tuple(Column(name, numeric=False) for name in ("simulated", "demo", "screened_out"))
    cells = (str(simulated), DEMO_LABEL if demo else "", screened_out)
    return replace(table, columns=table.columns + marks, rows=tuple(row + cells for row in table.rows))
