"""Label Studio's JSON export: a list of tasks with annotations, whose ratings, numbers and choices are scores.

A result's `from_name` is the metric, an annotation's `completed_by` the rater and its `lead_time` the seconds. Choices
are scores if their labels are numbers, or if a person named the labels from worst to best.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from annotation.imported.item_texts import item_messages
from annotation.imported.rating_rows import (
    NOT_RATED,
    Parsed,
    RatedItem,
    RatingChoices,
    RatingError,
    ScoreRow,
    SetAside,
    needed,
    plain,
    score_of,
    seconds_of,
)
from dialogues.formats.containers import Item, objects_of
from dialogues.formats.head import Head
from dialogues.formats.reading import FileLines, quoted
from dialogues.formats.records import BadRecord

# Keys of a task's data that columns can rename.
NAMES = ("item", "version", "background", "dialogue")
_VERSIONS = ("version", "model", "system")
_SCORED = ("rating", "number", "choices")


def fits(head: Head) -> str:
    shown = head.objects[0] if head.objects else {}
    is_task = isinstance(shown.get("annotations"), list) and isinstance(shown.get("data"), Mapping)
    return "tasks with data and annotations" if is_task else ""


def task_scores(file: FileLines, choices: RatingChoices) -> Iterator[Parsed]:
    for task in objects_of(file):
        if isinstance(task, BadRecord):
            yield task
            continue
        try:
            of = _item(task, choices.columns)
            annotations = _list(task.value, "annotations")
        except RatingError as error:
            yield BadRecord(task.row, str(error))
            continue
        if predictions := task.value.get("predictions"):
            yield SetAside("predictions_set_aside", len(predictions) if isinstance(predictions, list) else 1)
        for annotation in annotations:
            yield from _of_annotation(task.row, of, annotation, choices.labels)


def _item(task: Item, columns: Mapping[str, str]) -> RatedItem:
    data = task.value.get("data")
    if not isinstance(data, Mapping):
        raise RatingError("the task has no data")
    called = {name: data.get(columns.get(name, name)) for name in NAMES}
    if "version" not in columns:
        called["version"] = next((data[key] for key in _VERSIONS if isinstance(data.get(key), str)), None)
    # The text of a dialogue often stands under this key; only a key that a person named is an id.
    dialogue = called["dialogue"] if "dialogue" in columns else data.get("dialogue_key")
    return RatedItem(
        needed("item", called["item"] if "item" in columns else task.value.get("id", task.row)),
        version=plain("version", called["version"]),
        background=plain("background", called["background"]),
        dialogue=plain("dialogue", dialogue),
        messages=item_messages(data),
    )


def _of_annotation(row: int, of: RatedItem, annotation: object, labels: Sequence[str]) -> Iterator[Parsed]:
    if not isinstance(annotation, Mapping):
        yield BadRecord(row, "an annotation is not an object")
    elif annotation.get("was_cancelled"):
        yield SetAside("cancelled_annotations_set_aside")
    else:
        try:
            rater = needed("rater", _person(annotation.get("completed_by")))
            results = _list(annotation, "result")
        except RatingError as error:
            yield BadRecord(row, str(error))
            return
        seconds = seconds_of(annotation.get("lead_time"))
        for result in results:
            yield _score(row, of, rater, seconds, result, labels)


def _score(row: int, of: RatedItem, rater: str, seconds: float | None, result: object, labels: Sequence[str]) -> Parsed:
    if not isinstance(result, Mapping):
        return BadRecord(row, "a result is not an object")
    kind, value = result.get("type"), result.get("value")
    if kind not in _SCORED or not isinstance(value, Mapping):
        return SetAside(f"results_of_type_{quoted(str(kind))}_set_aside")
    try:
        metric = needed("metric", result.get("from_name"))
        given = value.get(str(kind))
        if kind == "choices":
            given = _point(given, labels)
            if given is None:
                return SetAside(f"choices_of_{quoted(metric)}_without_an_order_set_aside")
        score = score_of(given)
    except RatingError as error:
        return BadRecord(row, str(error))
    return NOT_RATED if score is None else ScoreRow(row, of, rater, metric, score, seconds=seconds)


def _point(given: object, labels: Sequence[str]) -> object:
    """The score of the chosen label; None if it is no number and has no place among `labels`."""
    chosen = given if isinstance(given, list) else [given]
    if len(chosen) != 1:
        raise RatingError(f"{len(chosen)} labels are chosen at once, and a score is one")
    label = str(chosen[0]).strip().lower()
    known = [one.lower() for one in labels]
    if label in known:
        return known.index(label) + 1
    return label if label.lstrip("+-").isdecimal() else None


def _person(found: object) -> object:
    """`completed_by` is a number, or an object with the person's number and address."""
    return found.get("id") if isinstance(found, Mapping) else found


def _list(of: Mapping[str, Any], key: str) -> Sequence[object]:
    found = of.get(key)
    if not isinstance(found, list):
        raise RatingError(f"{key} is not a list")
    return found
