"""The rating page's forms for browsers without scripts."""

import uuid
from typing import Any

from django import forms
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, gettext_noop

from annotation.models import Assignment
from annotation.rating.answers import DAMAGED, FLAGS, Answer, AnswerError, read_answer
from core.numbers import whole_numbers

REASONS = {
    **FLAGS,
    "cannot-judge": gettext_noop("I cannot judge it"),
    "technical": gettext_noop("It is not shown properly"),
}


class SkipForm(forms.Form):
    """Why a rater skips an item."""

    reason = forms.ChoiceField(
        label=gettext_lazy("Why do you skip it?"),
        choices=[(reason, gettext_lazy(words)) for reason, words in REASONS.items()],
    )


class SubmissionForm:
    """A posted rating form: for each metric a radio group `score-<metric>`, a note and message numbers."""

    def __init__(self, data: Any, *, assignment: Assignment) -> None:
        self.data = data
        self.assignment = assignment
        self.keys = [metric.key for metric in assignment.item.asked(assignment.study.rubric)]

    def read(self) -> tuple[uuid.UUID, Answer]:
        """The submission id and the answer so far; raises AnswerError."""
        try:
            submission_id = uuid.UUID(self.data.get("submission_id", ""))
            scores = {key: int(self.data[f"score-{key}"]) for key in self.keys if self.data.get(f"score-{key}")}
        except ValueError as error:
            raise AnswerError(str(DAMAGED)) from error
        sent = {
            "scores": scores,
            "comment": self.data.get("comment", ""),
            "flag": self.data.get("flag", ""),
            "comments": {key: self.data.get(f"comment-{key}", "") for key in self.keys},
            "evidence": {key: _places(self.data.get(f"evidence-{key}", "")) for key in self.keys},
        }
        return submission_id, read_answer(self.assignment, sent)


def _places(numbers: str) -> list[int]:
    """Places, from 0, for message numbers as people write them: “3, 5 8”."""
    words = numbers.replace(",", " ").split()
    found = whole_numbers(words)
    if len(found) < len(words):
        reason = _("Name messages by their numbers, such as 3, 5: %(numbers)s is not that.")
        raise AnswerError(reason % {"numbers": repr(numbers[:40])})
    return [number - 1 for number in found]
