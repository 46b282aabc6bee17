"""Ratings by the simulator: seeded, near the paper's means, never mistaken for people's."""

import json
from io import StringIO
from itertools import combinations
from statistics import mean
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.core.management import CommandError, call_command
from django.utils import timezone

from annotation.design import drafting
from annotation.models import Profile, Rating, Score, Study
from annotation.reports.notes import SIMULATED
from annotation.reports.preference_findings import preferences_of
from annotation.reports.preference_tables import preference_tables
from demo import drawn_scores
from demo.drawn_scores import LEFT, TIE, quality
from demo.simulation import simulate
from tests.annotation.setting import KEYS, corpus, counted, draft, study

pytestmark = pytest.mark.django_db


def scores(of: Study) -> list[int]:
    rows = Score.objects.filter(rating__assignment__study=of)
    order = ("rating__assignment__item__dialogue", "rating__assignment__membership", "metric")
    return list(rows.order_by(*order).values_list("value", flat=True))


def test_the_same_seed_gives_the_same_scores_and_another_gives_others() -> None:
    chats = corpus(2)
    studies = [study(of=chats, is_simulated=True) for _ in range(3)]
    for one, seed in zip(studies, (1, 1, 2), strict=True):
        assert simulate(study=one, raters=2, seed=seed) == 16
    first, same, other = map(scores, studies)
    assert first == same
    assert first != other


def test_scores_are_near_the_papers_means() -> None:
    one = study(of=corpus(12), is_simulated=True)
    simulate(study=one, raters=3, seed=4)
    for version in ("beta", "stephanie"):
        drawn = Score.objects.filter(rating__assignment__item__dialogue__version=version)
        assert mean(drawn.values_list("value", flat=True)) == pytest.approx(
            mean(quality(version, key) for key in KEYS), abs=0.4
        )


def test_where_the_paper_has_no_mean_the_nearest_is_taken() -> None:
    assert quality("stephanie", "natural") == 3.97
    assert 2.9 < quality("alpha", "on_topic") < 3.8
    assert 2.9 < quality("punctuation", "natural") < 4
    assert 2.9 < quality("punctuation", "own-metric") < 4


def test_a_study_with_places_is_filled_exactly_and_a_second_time_adds_nothing() -> None:
    one = study(2, of=corpus(2), is_simulated=True)
    assert simulate(study=one, raters=3, seed=1) == 16
    assert simulate(study=one, raters=3, seed=1) == 0
    assert Rating.objects.counted().for_study(one).count() == 16


def pairs(name: str = "Pairs") -> Study:
    """Three versions, each two of them side by side on 12 backgrounds."""
    versions = ("alpha", "beta", "stephanie")
    compared = [list(two) for two in combinations(versions, 2)]
    return study(
        of=corpus(12, name=f"{name} corpus"), versions=versions, kind="pairs", pairs=compared, is_simulated=True,
        name=name,
    )  # fmt: skip


def test_pairs_are_compared_with_ties_and_the_better_version_wins() -> None:
    one = pairs()
    assert simulate(study=one, raters=3, seed=1) == 3 * 36
    assert simulate(study=one, raters=3, seed=1) == 0
    assert set(scores(one)) == {-1, 0, 1}
    found = preferences_of(one)
    # The paper's means: Stephanie's are far above β's on every metric.
    for line in (row for row in found.lines if (row.first, row.second) == ("β", "Stephanie")):
        assert line.rate is not None
        assert line.rate.wins > line.rate.losses
        assert line.rate.ties > 0


def test_the_left_of_a_pair_is_favoured_as_the_command_says() -> None:
    one = pairs()
    told = StringIO()
    call_command("simulate_ratings", one.name, "--raters", "3", stdout=told)
    assert f"the dialogue on the left got {LEFT} points more, and a difference of up to {TIE} points is a tie" in (
        told.getvalue()
    )
    left = preferences_of(one).left[-1]
    assert left.value is not None
    assert left.n > 300
    assert 0.5 < left.value < 0.65


def test_without_its_bias_the_simulator_favours_no_side(monkeypatch: pytest.MonkeyPatch) -> None:
    with_bias, without = pairs(), pairs(name="Without")
    simulate(study=with_bias, seed=1)
    monkeypatch.setattr(drawn_scores, "LEFT", 0.0)
    simulate(study=without, seed=1)
    assert preferences_of(without).left[-1].value < preferences_of(with_bias).left[-1].value  # type: ignore[operator]


def test_the_same_seed_gives_the_same_preferences_and_they_are_marked() -> None:
    chats = corpus(2)
    of: dict[str, Any] = {"of": chats, "versions": ("beta", "gamma"), "kind": "pairs", "pairs": [["beta", "gamma"]]}
    studies = [study(is_simulated=True, raters_per_item=2, **of) for _ in range(3)]
    for one, seed in zip(studies, (1, 1, 2), strict=True):
        simulate(study=one, seed=seed)
        assert set(counted(one).values()) == {2}
        (table, *_) = preference_tables(one, preferences_of(one)).values()
        assert SIMULATED in table.notes
    first, same, other = map(scores, studies)
    assert first == same
    assert first != other


def test_simulated_raters_are_marked_and_cannot_log_in() -> None:
    simulate(study=study(of=corpus(1), is_simulated=True), raters=2, seed=1)
    raters = User.objects.filter(memberships__isnull=False)
    assert raters.count() == 2
    assert not any(rater.is_active or rater.has_usable_password() for rater in raters)
    assert all(profile.is_simulated for profile in Profile.objects.filter(user__in=raters))


def test_a_study_of_people_and_a_study_that_is_not_open_are_refused() -> None:
    with pytest.raises(drafting.DesignError, match="marked as simulated"):
        simulate(study=study(), raters=1, seed=1)
    with pytest.raises(drafting.DesignError, match="Launch"):
        simulate(study=draft(of=corpus(1, name="B"), is_simulated=True), raters=1, seed=1)


def test_the_commands_make_launch_and_fill_a_study() -> None:
    corpus(2)
    made = StringIO()
    versions = ["--versions", "alpha", "beta"]
    call_command("create_study", "--corpus", "Chats", "--name", "R", "--simulated", "--json", *versions, stdout=made)
    assert json.loads(made.getvalue())["items"] == 4
    filled = StringIO()
    call_command("simulate_ratings", "R", "--raters", "2", "--seed", "3", "--json", stdout=filled)
    assert json.loads(filled.getvalue()) == {"study": "R", "ratings": 8, "simulated": True}


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["--corpus", "No such", "--versions", "alpha"], "Available: Chats"),
        (["--corpus", "Chats", "--versions", "delta"], "No such version: delta"),
        (["--corpus", "Chats", "--versions", "punctuation"], "No background has every chosen version"),
    ],
)
def test_a_study_that_cannot_be_made_is_refused_and_leaves_nothing(arguments: list[str], says: str) -> None:
    corpus(1)
    with pytest.raises(CommandError, match=says):
        call_command("create_study", "--name", "R", *arguments)
    assert not Study.objects.exists()


def test_simulated_work_lies_in_the_past() -> None:
    for k, of in ((None, corpus(1, name="Few")), (2, corpus(12, name="Many"))):
        one = study(k, of=of, is_simulated=True)
        simulate(study=one, raters=3, seed=2)
        opened = one.assignments.filter(membership__isnull=False).values_list("opened_at", flat=True)
        assert max(at for at in opened if at) < timezone.now()
