"""A score a row: CSV, TSV and semicolons, or JSON and Parquet rows with the same names; our own export is one such."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from itertools import chain

from annotation.imported.rating_rows import (
    NOT_RATED,
    REPEAT,
    Parsed,
    RatedItem,
    RatingChoices,
    RatingError,
    ScoreRow,
    needed,
    plain,
    remark,
    score_of,
    seconds_of,
)
from core.spreadsheets import unguarded
from dialogues.formats.containers import objects_of
from dialogues.formats.csv_plain import delimiter_of, likeliest_delimiter
from dialogues.formats.head import Head
from dialogues.formats.reading import FileLines, UnreadableFileError, csv_rows, listed, missing_columns
from dialogues.formats.records import LONGEST_MESSAGE, BadRecord
from dialogues.transcript import text_problem

REQUIRED = ("rater", "item", "metric", "value")
OPTIONAL = (
    *("version", "background", "dialogue", "text", "scale_low", "scale_high", "seconds", "comment", "score_comment"),
    *("simulated", "other_dialogue", "purpose"),
)
NAMES = (*REQUIRED, *OPTIONAL)
# What files call them; only ever offered, never applied.
_WORDS = {
    "rater": ("rater_id", "worker", "workerid", "worker_id", "annotator", "annotator_id", "judge", "coder", "user"),
    "item": ("item_id", "unit", "example", "example_id", "sample_id", "instance", "hit", "hitid", "task", "id"),
    "metric": ("criterion", "dimension", "aspect", "question", "quality", "attribute", "measure"),
    "value": ("score", "rating", "answer", "judgment", "judgement", "label", "points"),
}

Cell = Callable[[str], object]


def fits(head: Head) -> str:
    if head.container:
        shown = head.objects[0] if head.objects else {}
        keys = {key.strip().lower() for key in shown}
        return f"objects with the keys {', '.join(REQUIRED)}" if set(REQUIRED) <= keys else ""
    return "a header of columns"


def csv_scores(file: FileLines, choices: RatingChoices) -> Iterator[Parsed]:
    """Rows are counted from the header, which is row 1. Raises UnreadableFileError without a header."""
    lines = iter(file)
    first = next(lines, "")
    wanted = [choices.columns.get(name, name).lower() for name in choices.asks(REQUIRED)]
    rows = csv_rows(chain([first], lines), delimiter_of(first, wanted) or likeliest_delimiter(first))
    _, header = next(rows, (1, []))
    places = _places(header, choices)
    for row, cells in rows:
        if isinstance(cells, str):
            yield BadRecord(row, cells)
        elif len(cells) != len(header):
            if cells:
                yield BadRecord(row, f"{len(cells)} cells where the header has {len(header)}")
        else:
            yield _score(row, _cells_by(cells, places), choices)


def object_scores(file: FileLines, choices: RatingChoices) -> Iterator[Parsed]:
    """The same from JSON or Parquet rows; the keys are as in the header of a CSV."""
    called = {name: choices.columns.get(name, name) for name in NAMES}
    for found in objects_of(file):
        if isinstance(found, BadRecord):
            yield found
        elif missing := [called[name] for name in choices.asks(REQUIRED) if called[name] not in found.value]:
            yield BadRecord(found.row, f"the keys {', '.join(missing)} are missing; it has {listed(found.value)}")
        else:
            yield _score(found.row, lambda name, value=found.value: value.get(called[name]), choices)  # type: ignore[misc]


def _places(header: list[str] | str, choices: RatingChoices) -> dict[str, int]:
    """The places of the known columns; raises UnreadableFileError if a required or named one is missing."""
    columns, required = choices.columns, choices.asks(REQUIRED)
    names = [] if isinstance(header, str) else [name.strip().lower() for name in header]
    called = {name: columns.get(name, name).strip().lower() for name in NAMES}
    places = {name: names.index(one) for name, one in called.items() if one in names}
    if not places.keys() >= {*required, *columns}:
        wanted = [columns.get(name, name) for name in dict.fromkeys((*required, *columns))]
        raise UnreadableFileError(f"{missing_columns(wanted, header)} {_advice(names, required)}")
    if twice := [one for one in called.values() if names.count(one) > 1]:
        raise UnreadableFileError(f"The header names {listed(twice)} twice. Rename one of the columns.")
    return places


def _advice(names: Iterable[str], required: Sequence[str]) -> str:
    known = list(names)
    guess = {name: next((word for word in (name, *_WORDS[name]) if word in known), "…") for name in required}
    option = ",".join(f"{name}={called}" for name, called in guess.items())
    return f"Say which columns these are: under Columns on the page, or by --columns {option}."


def _cells_by(cells: list[str], places: Mapping[str, int]) -> Cell:
    return lambda name: unguarded(cells[places[name]]) if name in places else ""


def _score(row: int, cell: Cell, choices: RatingChoices) -> Parsed:
    # Our own export names the second scores of a rater, which are only compared with their first.
    if str(cell("purpose")).strip().lower() == "repeat":
        return REPEAT
    try:
        value = score_of(cell("value"))
        return NOT_RATED if value is None else _score_row(row, value, cell, choices.only_metric)
    except RatingError as error:
        return BadRecord(row, str(error))


def _score_row(row: int, value: int, cell: Cell, only_metric: str) -> ScoreRow:
    if cell("other_dialogue"):
        raise RatingError("it compares two dialogues, and only scores of one can be imported")
    return ScoreRow(
        row,
        _item(cell),
        rater=needed("rater", cell("rater")),
        metric=needed("metric", cell("metric") or only_metric),
        value=value,
        scale=_scale(value, score_of(cell("scale_low")), score_of(cell("scale_high"))),
        seconds=seconds_of(cell("seconds")),
        comment=remark(cell("comment")),
        note=remark(cell("score_comment")),
        is_simulated=str(cell("simulated")).strip().lower() == "true",
    )


def _item(cell: Cell) -> RatedItem:
    text = str(cell("text") or "").strip()
    if len(text) > LONGEST_MESSAGE:
        raise RatingError(f"the text has {len(text):,} characters; a message has at most {LONGEST_MESSAGE:,}")
    if problem := text_problem(text):
        raise RatingError(f"text: {problem}")
    return RatedItem(
        needed("item", cell("item")),
        version=plain("version", cell("version")),
        background=plain("background", cell("background")),
        dialogue=plain("dialogue", cell("dialogue")),
        messages=((1, text),) if text else (),
    )


def _scale(value: int, low: int | None, high: int | None) -> tuple[int, int] | None:
    if low is None and high is None:
        return None
    if low is None or high is None or low >= high:
        raise RatingError("scale_low and scale_high belong together, and low is below high")
    if not low <= value <= high:
        raise RatingError(f"the score {value} is not on its scale, {low} to {high}")
    return low, high
