"""Raters' learning: quarters of their own ratings, each figure worked out again from the rows."""

from math import exp, log

import numpy as np
import pytest
from django.urls import reverse
from hypothesis import given, settings
from hypothesis import strategies as st

from annotation.models import Rating, Score, Study
from annotation.reports.learning import QUARTERS, Submitted, learning, quarters
from annotation.reports.loading import findings_of
from annotation.reports.notes import NO_PLAN
from annotation.reports.tables import study_tables
from annotation.roles import Role
from core.tables import Estimate, Table
from dialogues.rubric import Scale
from tests.annotation.rated_study import rated_study
from tests.examples import many
from tests.people import logged_in


@settings(max_examples=many(250))
@given(st.lists(st.integers(0, 5), max_size=60))
def test_quarters_of_a_rater_are_in_order_and_as_equal_as_can_be(raters: list[int]) -> None:
    rater = np.array(raters, dtype=np.int64)
    found = quarters(rater)
    for one in np.unique(rater):
        own = found[rater == one].tolist()
        if len(own) < QUARTERS:
            assert set(own) == {-1}
            continue
        assert own == sorted(own)
        counts = np.bincount(own, minlength=QUARTERS)
        assert counts.max() - counts.min() <= 1


def test_a_raters_few_ratings_and_unknown_seconds_count_nowhere() -> None:
    rater = np.array([0, 0, 0, 0, 1, 1], dtype=np.int64)
    seconds = np.array([10, 1000, np.nan, 0, 5, 5])
    scores = {"natural": np.array([1.0, 2, 3, np.nan, 5, 5])}
    found = learning(Submitted(rater, np.arange(6), seconds), scores, Scale(1, 5))
    assert found is not None
    assert [quarter.ratings for quarter in found.quarters] == [1, 1, 1, 1]
    assert [quarter.seconds.value if quarter.seconds else None for quarter in found.quarters] == pytest.approx(
        [10, 1000, None, None]
    )
    assert found.by_rater["natural"] == ((1.0, 2.0, 3.0, None),)
    assert found.quarters[3].means["natural"] is None
    assert learning(Submitted(rater[4:], np.arange(2), seconds[4:]), {"natural": np.ones(2)}, Scale(1, 5)) is None


def table_of(study: Study) -> Table:
    return study_tables(study, findings_of(study))["learning"]


@pytest.mark.django_db
def test_the_table_counts_the_stored_ratings_and_says_that_it_is_exploratory() -> None:
    study = rated_study(backgrounds=2)
    for number, rating in enumerate(Rating.objects.order_by("pk")):
        Rating.objects.filter(pk=rating.pk).update(seconds=10 + number)
    table = table_of(study)
    first: list[Rating] = []
    for member in study.memberships.all():
        first += Rating.objects.filter(assignment__membership=member).order_by("pk")[:2]
    scores = Score.objects.filter(rating__in=first, metric="natural").values_list("value", flat=True)
    name, ratings, seconds, *means = table.rows[0]
    place = [metric.key for metric in study.rubric.metric_list()].index("natural")
    natural = means[place]
    assert isinstance(seconds, Estimate)
    assert isinstance(natural, Estimate)
    assert (name, ratings, seconds.n) == ("first", 6, 6)
    logs = [log(one.seconds or 0) for one in Rating.objects.filter(pk__in=[one.pk for one in first])]
    assert seconds.value == pytest.approx(exp(np.mean(logs)))
    assert natural.value == pytest.approx(np.mean(list(scores)))
    assert natural.n == 6
    assert NO_PLAN in table.notes


@pytest.mark.django_db
def test_the_order_of_imported_ratings_is_not_known() -> None:
    study = rated_study(backgrounds=2)
    Study.objects.filter(pk=study.pk).update(is_imported=True, state=Study.State.CLOSED)
    study.refresh_from_db()
    assert "learning" not in study_tables(study, findings_of(study))


@pytest.mark.django_db
def test_the_figure_draws_each_rater_and_all() -> None:
    study = rated_study(backgrounds=2)
    answer = logged_in(Role.RESEARCHER).get(reverse("study_figure", args=[study.pk, "learning", "svg"]))
    assert "Quarter" in answer.content.decode()


def test_mean_scores_of_a_quarter_stay_on_the_scale() -> None:
    rater, values = np.repeat([0, 1, 2], 4), np.array([5.0, 5, 5, 5, 5, 5, 5, 5, 1, 5, 5, 5])
    found = learning(Submitted(rater, np.repeat([0, 1, 2], 4), np.full(12, 9.0)), {"natural": values}, Scale(1, 5))
    assert found is not None
    first = found.quarters[0].means["natural"]
    assert first is not None
    assert (first.low, first.high) == (1, 5)
