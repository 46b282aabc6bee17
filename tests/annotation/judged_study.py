"""Judges' scores of a rated study's dialogues, and of further dialogues that nobody rated."""

from collections.abc import Callable

from annotation.models import Study
from generation.models import Judgement, Run
from tests.annotation.rated_study import dialogue
from tests.generation import judged

# (background, version slug, metric key) → a score from 0 to 100.
JudgeScorer = Callable[[int, str, str], float]


def unrated_dialogues(study: Study, first: int, end: int, *, written_by: str = "demo-model") -> None:
    """Backgrounds from `first` to `end` with α and β, which are no items of the study."""
    for number in range(first, end):
        original = dialogue(study.corpus, number, "alpha")
        original.save()
        beta = dialogue(study.corpus, number, "beta", origin=original)
        beta.written_by = written_by
        beta.save()


def judge(study: Study, score: JudgeScorer, *, model: str = "judge-1", name: str = "Judging") -> Run:
    """A run in which one judge scores every dialogue of the study's corpus once."""
    run = judged.judge_run(study.corpus, model, name=name)
    for row in study.corpus.dialogues.order_by("pk"):
        made, number = judged.call(run, row), int(row.key.rsplit("-", 1)[1])
        Judgement.objects.bulk_create(
            Judgement(call=made, dialogue=row, metric=metric, score=score(number, row.version_id, metric), reason="So.")
            for metric in judged.METRICS
        )
    return run
