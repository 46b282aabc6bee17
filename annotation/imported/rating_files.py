"""Files of ratings: which form one has, told from what it holds, and its scores."""

from collections.abc import Callable
from dataclasses import dataclass

from annotation.imported import label_studio, long_rows, response_lists
from annotation.imported.rating_rows import Reader
from dialogues.formats.columns import names_from
from dialogues.formats.containers import head_of
from dialogues.formats.described import nothing_in
from dialogues.formats.head import Head
from dialogues.formats.reading import FileLines, UnreadableFileError, listed

_HOW = (
    "Write rater=NAME,item=NAME,metric=NAME,value=NAME with the names that the file uses; the others can be named the "
    "same way."
)


@dataclass(frozen=True, slots=True)
class RatingForm:
    """`fits` says in words what shows that a file is of this form, or "" if nothing does."""

    name: str
    label: str
    read: Reader
    fits: Callable[[Head], str]
    # Whether raters are known only by their places in lists, so that one person may be several or several one.
    has_places_for_raters: bool = False


FORMS = (
    RatingForm("label-studio", "Label Studio JSON", label_studio.task_scores, label_studio.fits),
    RatingForm(
        "responses", "JSON of responses with lists of scores (as USR)",
        response_lists.response_scores, response_lists.fits_responses, has_places_for_raters=True,
    ),
    RatingForm(
        "annotations", "JSON of annotated answers (as FED)",
        response_lists.annotation_scores, response_lists.fits_annotations, has_places_for_raters=True,
    ),
)  # fmt: skip
ROWS = RatingForm("rows", "JSON or Parquet, a score a row", long_rows.object_scores, long_rows.fits)
CSV = RatingForm("csv", "CSV or TSV, a score a row", long_rows.csv_scores, long_rows.fits)


def recognised(file: FileLines, *, has_columns: bool = False) -> RatingForm:
    """The form that the beginning of the file shows; raises UnreadableFileError if it shows none."""
    head = head_of(file)
    if not head.text.strip():
        raise UnreadableFileError("The file is empty.")
    if not head.container:
        return CSV
    for form in FORMS:
        if form.fits(head):
            return form
    if has_columns or ROWS.fits(head):
        return ROWS
    if nothing := nothing_in(head, "ratings"):
        raise UnreadableFileError(nothing)
    found = listed(head.objects[0]) if head.objects else "none"
    raise UnreadableFileError(
        f"These objects hold no ratings that are known: their keys are {found}. Wanted are "
        f"{', '.join(long_rows.REQUIRED)} (or name them by --columns or under Columns), Label Studio's data and "
        "annotations, responses with lists of scores, or annotations with lists of scores."
    )


def rating_columns_from(text: str) -> dict[str, str]:
    """Read `rater=worker,item=hit` as the file's names by what they hold; raises ValueError with a sentence."""
    return names_from(text, long_rows.NAMES, _HOW)
