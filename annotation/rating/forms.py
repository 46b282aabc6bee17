"""The rating page's forms, for browsers without a script."""

import uuid
from typing import Any

from django import forms

from annotation.rating.answers import FLAGS, Answer, AnswerError
from dialogues.models import Rubric

REASONS = {
    **FLAGS,
    "cannot-judge": "I cannot judge it",
    "technical": "It is not shown properly",
}


class SkipForm(forms.Form):
    """Why an item is put aside."""

    reason = forms.ChoiceField(label="Why do you skip it?", choices=list(REASONS.items()))


class SubmissionForm:
    """A posted rating form: one radio group a metric, named `score-<metric>`."""

    def __init__(self, data: Any, *, rubric: Rubric) -> None:
        self.data = data
        self.rubric = rubric

    def read(self) -> tuple[uuid.UUID, Answer]:
        """The submission id and the answer so far; raises AnswerError."""
        try:
            submission_id = uuid.UUID(self.data.get("submission_id", ""))
            scores = {
                metric.key: int(self.data[f"score-{metric.key}"])
                for metric in self.rubric.metric_list()
                if self.data.get(f"score-{metric.key}")
            }
        except ValueError as error:
            raise AnswerError("The form was damaged on its way. Reload the page and choose again.") from error
        return submission_id, Answer.read(scores, self.data.get("comment", ""), self.data.get("flag", ""), self.rubric)
