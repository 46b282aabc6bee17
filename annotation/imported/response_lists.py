"""Files of answers to contexts, each with lists of scores: as USR's data have them, and as FED's.

The raters of such a list are told apart only by their places in it.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from annotation.imported.item_texts import context_and_answer
from annotation.imported.rating_rows import (
    NOT_RATED,
    Parsed,
    RatedItem,
    RatingChoices,
    RatingError,
    ScoreRow,
    needed,
    plain,
    score_of,
)
from dialogues.formats.containers import Item, objects_of
from dialogues.formats.head import Head
from dialogues.formats.reading import FileLines
from dialogues.formats.records import BadRecord
from dialogues.transcript import text_problem

LONGEST_THEME = 20_000


def fits_responses(head: Head) -> str:
    shown = head.objects[0] if head.objects else {}
    responses = shown.get("responses")
    has_them = isinstance(responses, list) and any(isinstance(one, Mapping) for one in responses)
    return "contexts with responses, each with lists of scores" if has_them else ""


def fits_annotations(head: Head) -> str:
    shown = head.objects[0] if head.objects else {}
    return "answers with lists of scores under annotations" if isinstance(shown.get("annotations"), Mapping) else ""


def response_scores(file: FileLines, choices: RatingChoices) -> Iterator[Parsed]:
    """Of [{context, fact, responses: [{response, model, METRIC: [1, 1, 0], …}]}]; a context is a background."""
    return _of_objects(file, lambda found: _responses(found, choices.columns))


def annotation_scores(file: FileLines, choices: RatingChoices) -> Iterator[Parsed]:
    """Of [{context, response, system, annotations: {METRIC: [1, 0], …}}]; without a response the context is rated."""
    return _of_objects(file, lambda found: _annotations(found, choices.columns))


def _of_objects(file: FileLines, scores: Callable[[Item], Iterator[Parsed]]) -> Iterator[Parsed]:
    """The scores of every object of the file; a RatingError makes the rest of its object a bad record."""
    for found in objects_of(file):
        if isinstance(found, BadRecord):
            yield found
            continue
        try:
            yield from scores(found)
        except RatingError as error:
            yield BadRecord(found.row, str(error))


def _responses(found: Item, columns: Mapping[str, str]) -> Iterator[Parsed]:
    responses = found.value.get("responses")
    if not isinstance(responses, list):
        raise RatingError("responses is not a list")
    for number, response in enumerate(responses, 1):
        if isinstance(response, Mapping):
            yield from _of_response(found, number, response, columns)
        else:
            yield BadRecord(found.row, f"response {number} is not an object")


def _annotations(found: Item, columns: Mapping[str, str]) -> Iterator[Parsed]:
    annotations = found.value.get("annotations")
    if not isinstance(annotations, Mapping):
        raise RatingError("annotations is not an object of metrics")
    yield from _scores(found.row, _annotated(found, columns), annotations)


def _of_response(found: Item, number: int, response: Mapping[str, Any], columns: Mapping[str, str]) -> Iterator[Parsed]:
    try:
        context, messages = context_and_answer(found.value.get("context"), response.get("response"))
        of = RatedItem(
            f"{found.row}/{number}",
            version=plain("version", response.get(columns.get("version", "model"))),
            background=str(found.row),
            messages=messages,
            context=context,
            theme=_theme(found.value.get("fact")),
        )
    except RatingError as error:
        yield BadRecord(found.row, f"response {number}: {error}")
        return
    yield from _scores(found.row, of, response)


def _annotated(found: Item, columns: Mapping[str, str]) -> RatedItem:
    _, messages = context_and_answer(found.value.get("context"), found.value.get("response"))
    version = plain("version", found.value.get(columns.get("version", "system")))
    return RatedItem(str(found.row), version=version, messages=messages)


def _scores(row: int, of: RatedItem, lists: Mapping[str, Any]) -> Iterator[Parsed]:
    """Keys whose value is a list of numbers are metrics; a gap in it is a rater who gave no score."""
    for metric, values in lists.items():
        if isinstance(values, list) and _are_scores(values):
            for place, value in enumerate(values, 1):
                yield _score(row, of, metric, place, value)


def _are_scores(values: Sequence[object]) -> bool:
    """Whether there is a number among them, and nothing that is no simple value."""
    simple = all(value is None or isinstance(value, int | float | str) for value in values)
    return simple and any(isinstance(value, int | float) for value in values)


def _score(row: int, of: RatedItem, metric: str, place: int, value: object) -> Parsed:
    try:
        score = score_of(value)
        if score is None:
            return NOT_RATED
        return ScoreRow(row, of, f"place {place}", needed("metric", metric), score)
    except RatingError as error:
        return BadRecord(row, f"{error} (number {place} in its list)", of.item)


def _theme(fact: object) -> str:
    text = fact.strip() if isinstance(fact, str) else ""
    if len(text) > LONGEST_THEME:
        raise RatingError(f"the fact is longer than {LONGEST_THEME:,} characters")
    if problem := text_problem(text):
        raise RatingError(f"fact: {problem}")
    return text
