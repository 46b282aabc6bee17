"""Win rates side by side, on decisions that can be counted by hand."""

import csv
import io
import json

import numpy as np
import pytest
from django.core.management import call_command
from django.urls import reverse

from annotation.models import Item
from annotation.reports.preference_tables import preference_tables, preferences_of
from annotation.reports.preferences import Decisions, Rate, left_rates, wilson, win_rates
from tests.annotation.rated_study import pair_study
from tests.annotation.setting import user
from tests.people import client_of


def test_wilsons_interval_is_the_published_one() -> None:
    # Newcombe (1998), Table I: 81 of 263, 15 of 148, 0 of 20, 1 of 29, to four decimals.
    known = {(81, 263): (0.2553, 0.3662), (15, 148): (0.0624, 0.1605), (0, 20): (0, 0.1611), (1, 29): (0.0061, 0.1718)}
    for (hits, n), ends in known.items():
        rate = wilson(hits, n)
        assert (rate.low, rate.high) == pytest.approx(ends, abs=5e-5)
    assert wilson(0, 0).value is None


def decisions(values: list[int], backgrounds: list[int], left: list[int] | None = None) -> Decisions:
    return Decisions(
        background=np.array(backgrounds),
        cell=np.zeros(len(values), dtype=np.int64),
        value=np.array(values),
        left=np.array(left or values),
        cells=2,
    )


def test_wins_ties_and_losses_are_counted_and_ties_count_half() -> None:
    found, nothing = win_rates(decisions([1, 1, 0, -1], [0, 1, 2, 3]), seed=1)
    assert found is not None
    assert (found.wins, found.ties, found.losses, found.n) == (2, 1, 1, 4)
    assert (found.decided.value, found.decided.n) == (2 / 3, 3)
    assert (found.halves.value, found.halves.n) == (2.5 / 4, 4)
    assert found.halves.low is not None
    assert nothing is None


def test_the_interval_knows_that_decisions_on_one_background_are_not_independent() -> None:
    rng = np.random.default_rng(3)
    by_background = np.where(rng.random(30) < 0.6, 1, -1)
    many = [int(value) for value in np.repeat(by_background, 10)]
    clustered = win_rates(decisions(many, [int(one) for one in np.repeat(np.arange(30), 10)]), seed=1)[0]
    apart = win_rates(decisions(many, list(range(300))), seed=1)[0]
    assert clustered is not None
    assert apart is not None
    assert _width(clustered.halves) > 2 * _width(apart.halves)


def _width(rate: object) -> float:
    return rate.high - rate.low  # type: ignore[attr-defined, no-any-return]


def test_a_side_is_counted_among_decided_comparisons() -> None:
    found = decisions([1, 1, -1, 0], [0, 1, 2, 3], left=[1, -1, 1, 0])
    (rate,) = left_rates(found, [np.ones(4, dtype=np.bool_)])
    assert (rate.value, rate.n) == (2 / 3, 3)
    assert left_rates(found, [np.zeros(4, dtype=np.bool_), found.left == 0])[1] == Rate(None, 0)


def test_six_metrics_of_one_comparison_make_the_side_rate_no_surer_than_one() -> None:
    rng = np.random.default_rng(5)
    left = np.where(rng.random(40) < 0.6, 1, -1)
    one = Decisions(np.arange(40), np.zeros(40, dtype=np.int64), left, left, cells=6)
    # Whoever preferred the left dialogue preferred it on every metric.
    six = Decisions(np.tile(np.arange(40), 6), np.repeat(np.arange(6), 40), np.tile(left, 6), np.tile(left, 6), cells=6)
    (alone,) = left_rates(one, [np.ones(40, dtype=np.bool_)], seed=2)
    (pooled,) = left_rates(six, [np.ones(240, dtype=np.bool_)], seed=2)
    assert (pooled.value, pooled.n) == (alone.value, 6 * alone.n)
    assert _width(pooled) == pytest.approx(_width(alone))
    assert _width(pooled) > 2 * _width(wilson(int((six.left == 1).sum()), 240))


def test_the_side_rate_of_one_background_has_no_interval_and_says_why() -> None:
    found = decisions([1, -1, 1], [0, 0, 0])
    (rate,) = left_rates(found, [np.ones(3, dtype=np.bool_)])
    assert (rate.value, rate.low, rate.no_interval) == (2 / 3, None, "only one background")


@pytest.mark.django_db
def test_a_win_is_a_win_whichever_dialogue_came_first_and_stood_left() -> None:
    found = preferences_of(pair_study())
    assert found.pairs == (("β", "γ"),)
    for line in found.lines:
        assert line.rate is not None
        assert (line.rate.wins, line.rate.ties, line.rate.losses) == (6, 0, 2)
    # One rater saw every item as it is and the other flipped, so each side was chosen as often.
    assert [rate.value for rate in found.left] == [0.5] * 7
    assert found.agreement[0].estimates["alpha_ordinal"].value == 1


@pytest.mark.django_db
def test_the_report_of_pairs_shows_and_exports_win_rates_and_no_means() -> None:
    study, client = pair_study(), client_of(user("rey", "researcher"))
    text = client.get(reverse("study_report", args=[study.pk])).content.decode()
    assert "γ over β" in text
    assert "Mean score" not in text
    table = client.get(reverse("study_table_csv", args=[study.pk, "win-rates"])).content.decode()
    rows = list(csv.DictReader(io.StringIO(table)))
    assert {(row["Wins"], row["Losses"], row["Win rate, ties half, %"]) for row in rows} == {("6", "2", "75.0")}
    latex = client.get(reverse("study_table_tex", args=[study.pk, "sides"])).content.decode()
    assert r"\begin{tabular}" in latex
    assert client.get(reverse("study_table_csv", args=[study.pk, "table-3"])).status_code == 404
    assert client.get(reverse("study_figure", args=[study.pk, "means", "svg"])).status_code == 404
    assert "γ over β" in client.get(study.get_absolute_url()).content.decode()


@pytest.mark.django_db
def test_the_command_prints_win_rates_as_tables_and_as_json(capsys: pytest.CaptureFixture[str]) -> None:
    study = pair_study()
    call_command("study_report", study.name)
    assert "γ over β" in capsys.readouterr().out
    call_command("study_report", study.name, "--json")
    found = json.loads(capsys.readouterr().out)
    assert {(row["first"], row["second"], row["wins"]) for row in found["win_rates"]} == {("β", "γ", 6)}
    assert found["left"]["all"]["value"] == 0.5


@pytest.mark.django_db
def test_training_and_checks_are_in_no_win_rate_and_no_table() -> None:
    study = pair_study()
    Item.objects.filter(study=study, position=0).update(purpose="gold")
    found = preferences_of(study)
    assert {(line.rate.wins, line.rate.losses) for line in found.lines if line.rate} == {(6, 0)}
    assert found.items == 3
    assert preference_tables(study, found).keys() == {"win-rates", "sides", "agreement"}
