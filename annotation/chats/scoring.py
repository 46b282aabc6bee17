"""Scoring a chat outside studies by a rubric: its form, and what is kept. The last of a chat's scorings counts."""

from collections.abc import Mapping
from typing import Any

from django import forms
from django.contrib.auth.models import User
from django.db import transaction
from django.db.models import QuerySet
from django.utils import timezone

from annotation.models import Chat, ChatRating
from dialogues.models import Rubric
from dialogues.rubric import Metric, Scale

# The four metrics of the paper's Table 6.
USUAL_RUBRIC = "chat-four"
LONGEST_COMMENT = 5_000
_PREFIX = "score-"


class ScoringError(ValueError):
    """Scores that cannot be kept; the text says why."""


class ScoreForm(forms.Form):
    """One question a metric of the rubric, and a comment."""

    def __init__(self, rubric: Rubric, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for metric in rubric.metric_list():
            self.fields[f"{_PREFIX}{metric.key}"] = _question(metric, rubric.scale)
        self.fields["comment"] = forms.CharField(
            required=False, max_length=LONGEST_COMMENT, widget=forms.Textarea(attrs={"rows": 3})
        )

    @classmethod
    def initial_of(cls, rating: ChatRating) -> dict[str, Any]:
        return {f"{_PREFIX}{key}": value for key, value in rating.scores.items()} | {"comment": rating.comment}

    def scores(self) -> dict[str, int]:
        return {
            name.removeprefix(_PREFIX): value for name, value in self.cleaned_data.items() if name.startswith(_PREFIX)
        }


def _question(metric: Metric, scale: Scale) -> forms.TypedChoiceField:
    values = scale.values()
    words = metric.points if len(metric.points) == len(values) else ("",) * len(values)
    if not any(words):
        words = (metric.low, *words[1:-1], metric.high)
    choices = [(value, f"{value}: {word}" if word else str(value)) for value, word in zip(values, words, strict=True)]
    return forms.TypedChoiceField(
        label=metric.name, help_text=metric.definition, choices=choices, coerce=int, widget=forms.RadioSelect
    )


def rubrics() -> QuerySet[Rubric]:
    return Rubric.objects.order_by("pk")


def usual_rubric(chat: Chat) -> Rubric | None:
    """The one that the chat was last scored by, else that of Table 6, else any."""
    last = chat.ratings.select_related("rubric").first()
    return last.rubric if last else rubrics().filter(slug=USUAL_RUBRIC).first() or rubrics().first()


@transaction.atomic
def score(*, chat: Chat, rubric: Rubric, scores: Mapping[str, int], comment: str, by: User) -> ChatRating:
    """Keep the scores of a chat that has ended; raises ScoringError.

    From then on the rubric's questions never change, as after the launch of a study.
    """
    questions = Rubric.objects.select_for_update(no_key=True).get(pk=rubric.pk)
    if Chat.objects.select_for_update(no_key=True).get(pk=chat.pk).is_open:
        raise ScoringError("End the chat first, then score it.")
    keys = {metric.key for metric in questions.metric_list()}
    if set(scores) != keys or not all(value in questions.scale for value in scores.values()):
        raise ScoringError(
            f"Give each question of “{questions}” a whole number from {questions.scale_low} to {questions.scale_high}."
        )
    if questions.frozen_at is None:
        questions.frozen_at = timezone.now()
        questions.save(update_fields=["frozen_at"])
    return ChatRating.objects.create(chat=chat, by=by, rubric=questions, scores=dict(scores), comment=comment.strip())


def as_json(rating: ChatRating) -> dict[str, Any]:
    """As the chat's file has it."""
    return {
        "at": rating.at.isoformat(),
        "rubric": rating.rubric.slug,
        "scale": [rating.rubric.scale_low, rating.rubric.scale_high],
        "scores": rating.scores,
        "comment": rating.comment,
    }
