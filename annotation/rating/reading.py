"""From what a rater sends to what is stored, and back: the one place that knows which side a dialogue stood on."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from annotation.models import Assignment
from annotation.rating.answers import Answer, scale_of
from annotation.rating.sides import turned_places, turned_scores

NOTHING: Mapping[str, Any] = {}


def read_answer(assignment: Assignment, sent: Mapping[str, Any]) -> Answer:
    """The answer as it is stored; `sent` holds scores, comment, flag, comments and evidence. Raises AnswerError."""
    study = assignment.study
    asked = assignment.item.asked(study.rubric)
    answer = Answer.read(sent["scores"], sent["comment"], sent["flag"], asked, scale_of(study))
    comments, evidence = sent.get("comments", NOTHING), sent.get("evidence", NOTHING)
    if comments or evidence:
        answer = answer.noted(comments, evidence, asked, sum(_lengths(assignment)))
    left, right = _lengths(assignment) if assignment.is_flipped and answer.evidence else (0, 0)
    return _turned(answer, right, left) if assignment.is_flipped else answer


def shown_answer(assignment: Assignment, answer: Answer) -> Answer:
    """A stored answer as the rater gave it."""
    if not assignment.is_flipped:
        return answer
    first, second = _lengths(assignment) if answer.evidence else (0, 0)
    return _turned(answer, first, second)


def _turned(answer: Answer, before: int, after: int) -> Answer:
    evidence = turned_places(answer.evidence, before, after)
    return replace(answer, scores=turned_scores(answer.scores), evidence=evidence)


def _lengths(assignment: Assignment) -> tuple[int, int]:
    """Messages of the item's dialogue and of the one it is compared with."""
    item = assignment.item
    return item.dialogue.message_count, item.other.message_count if item.other else 0
