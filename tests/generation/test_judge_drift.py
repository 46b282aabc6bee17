"""A judge that is asked about the same dialogues again: how its scores changed."""

from datetime import UTC, datetime, timedelta

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.tables import Estimate
from dialogues.models import Corpus
from generation.judgements.drift import Occasion, drift
from generation.judgements.loading import findings_of
from generation.judgements.scores import Judged
from generation.judgements.tables import as_json, judge_tables
from tests.generation import judged

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)


def occasion(day: int, scores: dict[int, float]) -> Occasion:
    """Two dialogues a background; every score was given twice."""
    rows = [Judged(number // 2, number, "m", "beta", "natural", 2, 2 * score, 0) for number, score in scores.items()]
    return Occasion(day, NOON + timedelta(days=day), rows)


@given(st.dictionaries(st.integers(0, 9), st.integers(0, 100)), st.dictionaries(st.integers(0, 9), st.integers(0, 100)))
def test_drift_is_the_mean_of_backgrounds_mean_changes(one: dict[int, float], other: dict[int, float]) -> None:
    found = drift(occasion(0, one), occasion(9, other))
    common = sorted(one.keys() & other.keys())
    if not common:
        assert found == {}
        return
    gaps = {number: other[number] - one[number] for number in common}
    means = [np.mean([gaps[n] for n in common if n // 2 == background]) for background in {n // 2 for n in common}]
    row = found["natural"]
    assert (row.dialogues, row.change.n) == (len(common), len(means))
    assert row.change.value == pytest.approx(float(np.mean(means)))
    assert row.size == pytest.approx(float(np.mean([abs(gap) for gap in gaps.values()])))


@pytest.mark.django_db
def test_a_judge_of_two_dates_has_its_changes_in_a_table_and_another_judge_is_another() -> None:
    corpus = Corpus.objects.create(name="Corpus", source="test")
    families = [judged.family(corpus, number, {"writer": ["beta"]}) for number in range(3)]
    for days, lower in ((0, 0), (30, 5)):
        run = judged.judge_run(corpus, "judge-1", f"once-{days}")
        run.started_at = NOON + timedelta(days=days)
        run.save()
        for place, family in enumerate(families):
            judged.judge(run, family["writer", "beta"], 50 + place - lower)
            judged.judge(run, family["writer", "beta"], 80, branch=1)
    found = findings_of(corpus)
    table = judge_tables(found)["drift"]
    assert {row[:3] for row in table.rows} == {("judge-1", "2026-03-01", "2026-03-31")}
    change = table.rows[0][4]
    assert isinstance(change, Estimate)
    assert (change.value, change.n, table.rows[0][5:]) == (-5, 3, (5.0, 3))
    told = {judge["model"]: judge["drift"] for judge in as_json(found)["judges"]}
    assert {len(told["judge-1"]), len(told["once-0"])} == {len(judged.METRICS), 0}


@pytest.mark.django_db
def test_a_judge_asked_once_has_no_such_table() -> None:
    corpus = Corpus.objects.create(name="Corpus", source="test")
    family = judged.family(corpus, 1, {"writer": ["beta"]})
    judged.judge(judged.judge_run(corpus, "judge-1"), family["writer", "beta"], 50)
    assert "drift" not in judge_tables(findings_of(corpus))
