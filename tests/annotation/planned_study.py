"""Studies with an analysis plan, as if it had been written before their launch."""

from typing import Any

from django.core.cache import caches

from annotation.design.plan import AnalysisPlan
from annotation.design.plan_record import asked_of
from annotation.models import Study
from annotation.triggers import TRIGGERS


def with_plan(study: Study, **fields: Any) -> Study:
    """The study as if it had been launched with a plan of its first question and first pair."""
    pair, metrics = next(iter(asked_of(study).pairs.items()))
    plan = AnalysisPlan(**{"metrics": metrics[:1], "contrasts": (pair,), "raters": 3, "backgrounds": 6, **fields})
    with TRIGGERS.lifted():
        Study.objects.filter(pk=study.pk).update(analysis_plan=plan.as_json())
    caches["results"].clear()
    return Study.objects.select_related("rubric", "corpus").get(pk=study.pk)
