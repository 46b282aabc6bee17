"""A rated study whose dialogues a judge has scored, too, with further judged dialogues that nobody rated."""

from collections.abc import Callable

from annotation.models import Study
from dialogues.models import Dialogue
from generation.models import Judgement, Run
from tests.annotation.rated_study import VERSIONS, dialogue
from tests.generation import judged

# (background, version slug, metric key) → a score from 0 to 100.
JudgeScorer = Callable[[int, str, str], float]


def judge(study: Study, score: JudgeScorer, *, model: str = "judge-1", others: int = 0, repeats: int = 1) -> Run:
    """A run of one judge over the study's dialogues, and `others` more backgrounds of β."""
    run = judged.judge_run(study.corpus, model, name=f"Judging by {model}")
    extra = range(study.corpus.dialogues.filter(version="alpha").count(), others)
    for number in extra:
        original = dialogue(study.corpus, number, "alpha")
        original.save()
        dialogue(study.corpus, number, "beta", origin=original).save()
    rows = study.corpus.dialogues.filter(version__in=VERSIONS).order_by("pk")
    for row in rows:
        for sample in range(repeats):
            _scored(run, row, score, sample)
    return run


def _scored(run: Run, row: Dialogue, score: JudgeScorer, sample: int) -> None:
    made = judged.call(run, row, sample=sample)
    number = int(row.key.rsplit("-", 1)[1])
    Judgement.objects.bulk_create(
        Judgement(call=made, dialogue=row, metric=metric, score=score(number, row.version_id, metric), reason="So.")
        for metric in judged.METRICS
    )
