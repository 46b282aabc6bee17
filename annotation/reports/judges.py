"""The judges that scored a study's dialogues, beside its raters, by judge, metric and version."""

from collections.abc import Collection, Iterator
from typing import Any

import numpy as np
from django.db.models import Count, Max

from annotation.models import Item, Rating, Study
from annotation.reports.columns import StudyItems, StudyScores
from annotation.reports.judge_facts import Judge, Rated, judge_facts
from annotation.reports.judge_measures import JudgeFacts, Minutes
from generation.endpoints import shutdowns
from generation.judgements import notes
from generation.judgements.loading import findings_of
from generation.judgements.tables import judge_identity, judge_label
from generation.models import Judgement, RunStage, Stage


def judgements_read(study: Study) -> dict[str, Any]:
    """How many judgements there are, and the newest: they never change, and their numbers only grow, so both together
    name a set of them; and on which days their judges will be gone. There are none to read in a study of chats, where
    each rater scored a chat of their own."""
    if study.has_chats:
        return {"n": 0, "last": None}
    read = Judgement.objects.filter(dialogue__corpus=study.corpus_id).aggregate(n=Count("pk"), last=Max("pk"))
    if not read["n"]:
        return read
    judges = RunStage.objects.filter(stage=Stage.JUDGE, run__corpus=study.corpus_id)
    return read | {"shutdowns": shutdowns.as_read(judges.values_list("model", flat=True))}


def judges_beside(study: Study, items: StudyItems, scores: StudyScores) -> Iterator[JudgeFacts]:
    """Every judge that scored a rated dialogue."""
    dialogues, metrics = rated_dialogues(study), study.rubric.metric_list()
    rated = Rated(items, np.array(dialogues, dtype=np.int64), scores, metrics, study.rubric.scale)
    for judge in judges_of(study, dialogues, rated.slugs):
        if facts := judge_facts(rated, judge, study.seed):
            yield facts


def rater_minutes(study: Study) -> Minutes | None:
    """How long the raters who count took for an item; None where nobody was timed. A correction is not timed."""
    timed = Rating.objects.counted().for_study(study).filter(seconds__isnull=False)
    return Minutes.of(np.array(timed.values_list("seconds", flat=True), dtype=np.float64))


def rated_dialogues(study: Study) -> list[int]:
    """The keys of the items' dialogues, in the order of `study_items`."""
    rows = Item.objects.filter(study=study, purpose=Item.Purpose.RATED).order_by("pk")
    return list(rows.values_list("dialogue_id", flat=True))


def judges_of(study: Study, dialogues: Collection[int], slugs: Collection[str]) -> Iterator[Judge]:
    """Every judge of the study's corpus, with its scores of dialogues in these versions; `dialogues` are the rated."""
    known, found = set(dialogues), findings_of(study.corpus)
    for verdict in found.judges:
        rows = [row for row in verdict.rows if row.version in slugs]
        here = {row.writer for row in rows if row.dialogue in known}
        yield Judge(
            label=judge_label(found, verdict),
            name=verdict.name,
            is_demo=verdict.is_demo,
            about=(
                *judge_identity(found, verdict),
                *notes.own_writing(verdict.name, here, is_demo=verdict.is_demo),
            ),
            metrics=verdict.metrics,
            rows=rows,
            dollars=verdict.dollars_a_dialogue or 0.0,
            judged=len({row.dialogue for row in verdict.rows}),
            demo_writers=found.demo_writers,
        )
