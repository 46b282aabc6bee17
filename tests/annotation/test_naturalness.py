"""ACMC against naturalness, each figure worked out again from the rows."""

from collections import defaultdict

import numpy as np
import pytest
from scipy.stats import pearsonr, spearmanr

from annotation.models import Item, Score, Study
from annotation.reports.loading import findings_of
from annotation.reports.naturalness import naturalness
from annotation.reports.notes import NO_PLAN
from annotation.reports.tables import study_tables
from core.tables import Estimate, Table
from dialogues.models import Dialogue
from tests.annotation.rated_study import rated_study

pytestmark = pytest.mark.django_db


def table_of(study: Study) -> Table:
    return study_tables(study, findings_of(study))["naturalness"]


def spread_out(study: Study) -> None:
    """Give every dialogue an ACMC of its own."""
    for number, row in enumerate(Dialogue.objects.filter(corpus=study.corpus).order_by("pk")):
        Dialogue.objects.filter(pk=row.pk).update(message_count=20 + number * 7 % 13, turn_count=10)


def test_coefficients_are_those_of_the_stored_counts_and_scores() -> None:
    study = rated_study(backgrounds=4)
    spread_out(study)
    scores: dict[int, list[int]] = defaultdict(list)
    rows = Score.objects.filter(rating__assignment__study=study, metric="natural")
    for item, value in rows.values_list("rating__assignment__item", "value"):
        scores[item].append(value)
    items = Item.objects.filter(study=study).select_related("dialogue")
    acmc = [item.dialogue.message_count / item.dialogue.turn_count for item in items]
    mean = [np.mean(scores[item.pk]) for item in items]
    name, *cells = table_of(study).rows[0]
    assert name == "All together"
    for cell, expected in zip(cells, (pearsonr(acmc, mean)[0], spearmanr(acmc, mean)[0]), strict=True):
        assert isinstance(cell, Estimate)
        assert (cell.value, cell.n) == (pytest.approx(expected), 16)
        assert cell.low is not None
        assert cell.high is not None
        assert cell.low < cell.value < cell.high


def test_within_a_version_of_one_acmc_nothing_correlates() -> None:
    table = table_of(rated_study(backgrounds=3))
    assert [row[0] for row in table.rows] == ["All together", "α", "β", "γ", "Stephanie"]
    assert all(row[1:] == (None, None) for row in table.rows[1:])
    assert table.row_versions[0] == ""
    assert NO_PLAN in table.notes


def test_dialogues_without_text_or_score_are_left_out() -> None:
    whole = np.array([1.0, 2, 3, np.nan, 5])
    score = np.array([2.0, np.nan, 4, 5, 1])
    places = np.zeros(5, dtype=np.int64)
    found = naturalness("Natural", whole, score, places, np.arange(5), seed=1)
    assert found is not None
    assert found.points == ((0, 1.0, 2.0), (0, 3.0, 4.0), (0, 5.0, 1.0))
    assert (found.over_all.dialogues, found.over_all.backgrounds) == (3, 3)
    assert naturalness("Natural", whole, np.full(5, np.nan), places, np.arange(5), seed=1) is None
