"""A report's tables as an author compiles them: within a column and within a page."""

from pathlib import Path
from typing import get_args

import pytest

from annotation import triggers
from annotation.models import Study
from annotation.reports.loading import findings_of
from annotation.reports.preference_findings import preferences_of
from annotation.reports.preference_tables import preference_tables
from annotation.reports.tables import study_tables
from core.latex import to_latex
from core.latex_layout import Fit
from core.tables import Table
from dialogues.models import Dialogue, Rubric, Version
from tests.annotation.rated_study import pair_study, rated_study
from tests.latex import compiled, flaws, needs_latex

pytestmark = [pytest.mark.django_db, pytest.mark.any_database]
UGLY = 'Natürlich <b>&"_%#\\ 😀 自然度 طبيعي'


def tables_of(study: Study) -> list[Table]:
    if study.compares:
        return list(preference_tables(study, preferences_of(study)).values())
    return list(study_tables(study, findings_of(study)).values())


def uglily_named(study: Study) -> Study:
    """The same study, its metrics, versions and writers named as people do name things."""
    metrics = [{**metric, "name": f"{UGLY} {metric['name']}"} for metric in study.rubric.metrics]
    with triggers.TRIGGERS.lifted():
        Rubric.objects.filter(pk=study.rubric_id).update(metrics=metrics)
    Version.objects.filter(slug="gamma").update(symbol="γ_2 & more")
    Dialogue.objects.update(is_demo=False, written_by=r"\input{secret}/a-very-long-name-of-a-model-2026-11-30")
    return Study.objects.get(pk=study.pk)


@needs_latex
def test_every_table_of_a_study_compiles_and_stays_within_its_width(tmp_path: Path) -> None:
    studies = [rated_study(name="Scores", backgrounds=2), pair_study()]
    tables = [table for study in studies for table in tables_of(study)]
    tables += tables_of(uglily_named(studies[0]))
    texts = [to_latex(table, fit) for table in tables for fit in get_args(Fit)]
    assert flaws(compiled(tmp_path, texts)) == []
