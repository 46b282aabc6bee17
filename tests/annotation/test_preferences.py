"""Win rates side by side, on decisions that can be counted by hand."""

import csv
import io
import json
from dataclasses import replace

import numpy as np
import pytest
from django.core.cache import caches
from django.core.management import call_command
from django.urls import reverse

from annotation.bundles.report_files import report_files
from annotation.models import Assignment, Item, Profile, Rating, Score, Study
from annotation.reports.agreement import alpha, weighted_kappa
from annotation.reports.bootstrap import Floats
from annotation.reports.figures import PAIR_FIGURES, drawable
from annotation.reports.models.davidson import Comparisons, Preference, preference
from annotation.reports.notes import FEW_BACKGROUNDS, NO_PLAN
from annotation.reports.pair_findings import Decision, PairRow, Preferences, pair_findings, placed_pairs
from annotation.reports.preference_agreement import preference_agreement_tables
from annotation.reports.preference_figures import win_rows, win_spec
from annotation.reports.preference_findings import preferences_of
from annotation.reports.preference_tables import preference_tables
from annotation.reports.preferences import Decisions, Rate, left_rates, win_rates
from annotation.reports.whole import whole_report
from core.tables import Cell, Estimate
from dialogues.charts import THEMES
from dialogues.rubric import NATURAL
from tests.annotation.rated_study import pair_study
from tests.annotation.setting import user
from tests.commands import said_by
from tests.people import client_of


def decisions(values: list[int], backgrounds: list[int], left: list[int] | None = None) -> Decisions:
    return Decisions(
        background=np.array(backgrounds),
        cell=np.zeros(len(values), dtype=np.int64),
        value=np.array(values),
        left=np.array(left or values),
        second_left=np.array(values) == np.array(left or values),
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
    assert _width(clustered.decided) > 2 * _width(apart.decided)


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
    second_left = np.ones(40, dtype=np.bool_)
    one = Decisions(np.arange(40), np.zeros(40, dtype=np.int64), left, left, second_left, cells=6)
    # Whoever preferred the left dialogue preferred it on every metric.
    six = Decisions(
        *(np.tile(np.arange(40), 6), np.repeat(np.arange(6), 40), np.tile(left, 6), np.tile(left, 6)),
        np.tile(second_left, 6),
        cells=6,
    )
    (alone,) = left_rates(one, [np.ones(40, dtype=np.bool_)], seed=2)
    (pooled,) = left_rates(six, [np.ones(240, dtype=np.bool_)], seed=2)
    assert (pooled.value, pooled.n) == (alone.value, 6 * alone.n)
    assert _width(pooled) == pytest.approx(_width(alone))
    # As if the 240 decisions were independent.
    share = (six.left == 1).mean()
    assert _width(pooled) > 2 * 2 * 1.96 * (share * (1 - share) / 240) ** 0.5


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
    assert {one.estimates["alpha_ordinal"].value for one in found.agreement.over_all.values()} == {1}


@pytest.mark.django_db
def test_agreement_on_pairs_has_kappa_and_exact_shares_and_a_warning_of_few_backgrounds() -> None:
    study = pair_study()
    first = Rating.objects.get(assignment__position=1, assignment__is_flipped=True)
    Rating.objects.filter(pk=first.pk).update(is_current=False)
    tied = Rating.objects.create(assignment=first.assignment, supersedes=first)
    for metric in study.rubric.metric_list():
        Score.objects.create(rating=tied, metric=metric.key, value=0, scale_low=-1, scale_high=1)
    table = preference_tables(study, preferences_of(study))["agreement"]
    assert [column.label for column in table.columns] == ["Metric", "α, ordinal", "Weighted κ", "Exact, %"]
    decided = np.array([[-1.0, 1, 1, 1], [-1, 0, 1, 1]])
    for row in table.rows:
        shown = [cell for cell in row if isinstance(cell, Estimate)]
        assert [cell.n for cell in shown] == [4, 4, 4]
        expected = [alpha(decided, "ordinal").value, weighted_kappa(decided).value, 75]
        assert [cell.value for cell in shown] == pytest.approx(expected)
    assert table.notes.count(FEW_BACKGROUNDS) == 1


def compared_by_three() -> tuple[Preferences, dict[str, Floats]]:
    """β with γ and γ with Stephanie on twelve backgrounds; by pair the (raters, backgrounds) values, 1 for the later
    version. The third rater left out every third background."""
    rng, metric = np.random.default_rng(5), NATURAL
    pairs = {"γ over β": ("beta", "gamma"), "Stephanie over γ": ("gamma", "stephanie")}
    values = {name: rng.choice([-1.0, 0, 1], (3, 12), p=[0.2, 0.2, 0.6]) for name in pairs}
    rows, decisions = [], []
    for number, (name, pair) in enumerate(pairs.items()):
        values[name][2, ::3] = np.nan
        for background in range(12):
            item, turned = 12 * number + background, background % 2 == 1
            rows.append(PairRow(item, background, *(reversed(pair) if turned else pair), False, False))
            for rater in range(3):
                if not np.isnan(value := values[name][rater, background]):
                    stored = int(-value if turned else value)
                    decisions.append(Decision(item, rater, metric.key, stored, rater == 1, 100 * rater + item))
    known = placed_pairs({"beta": "β", "gamma": "γ", "stephanie": "Stephanie"}, rows)
    return pair_findings(known, (metric,), decisions, 1, {0: "ada", 1: "bob", 2: "eve"}, 0), values


def test_agreement_on_pairs_is_told_by_versions_and_by_raters() -> None:
    found, values = compared_by_three()
    over_all, by_versions, by_raters = preference_agreement_tables(found, ["A note."])
    together = np.hstack(list(values.values()))
    assert estimate(over_all.rows[0][1]).value == pytest.approx(alpha(together, "ordinal").value)
    assert {row[1]: estimate(row[2]).value for row in by_versions.rows} == {
        name: pytest.approx(alpha(table, "ordinal").value) for name, table in values.items()
    }
    assert [estimate(row[2]).n for row in by_versions.rows] == [12, 12]
    pairs = {"ada and bob": [0, 1], "ada and eve": [0, 2], "bob and eve": [1, 2]}
    assert [row[1] for row in by_raters.rows] == list(pairs)
    for _, name, shown, kappa, exact in by_raters.rows:
        of_two = together[pairs[str(name)]]
        of_two = of_two[:, ~np.isnan(of_two).any(axis=0)]
        assert estimate(shown).value == pytest.approx(alpha(of_two, "ordinal").value)
        assert estimate(kappa).value == pytest.approx(weighted_kappa(of_two).value)
        assert estimate(exact).value == pytest.approx(100 * np.mean(of_two[0] == of_two[1]))
        assert estimate(shown).low is not None
        assert estimate(kappa).no_interval == ""
    assert all(table.notes[0] == "A note." for table in (over_all, by_versions, by_raters))


def estimate(cell: Cell) -> Estimate:
    assert isinstance(cell, Estimate)
    return cell


@pytest.mark.django_db
def test_one_pair_of_versions_and_two_raters_have_one_table_of_agreement() -> None:
    study = pair_study()
    slugs = [slug for slug in preference_tables(study, preferences_of(study)) if slug.startswith("agreement")]
    assert slugs == ["agreement"]
    told = said_by("study_report", study.name, "--json")
    within = told["agreement_by_pair_of_versions"]
    assert [(row["first"], row["second"], row["units"]) for row in within] == [("β", "γ", 4)] * 6
    assert [row["between"] for row in told["agreement_by_pair"]] == [[f"R-{study.pk}-0", f"R-{study.pk}-1"]]


@pytest.mark.django_db
def test_davidsons_model_takes_the_side_out_of_the_studys_win_rates() -> None:
    study = pair_study()
    found = preferences_of(study)
    for number in range(6):
        rate = found.modelled(number, "γ", "β")
        assert rate is not None
        # Six wins of eight, and each side was chosen as often.
        assert (rate.value, rate.n) == (pytest.approx(0.75), 8)
        assert found.models[number].left.value == pytest.approx(0.5)  # type: ignore[union-attr]
    # Were the second rater's screens not flipped, the left would have won half of γ's comparisons and all that β won.
    Assignment.objects.filter(study=study, is_flipped=True, position=0).update(is_flipped=False)
    caches["results"].clear()
    again = preferences_of(Study.objects.get(pk=study.pk))
    assert again.left[0].value == pytest.approx(5 / 8)


@pytest.mark.django_db
def test_where_one_version_always_wins_the_report_says_that_there_is_no_model() -> None:
    study = pair_study()
    Score.objects.filter(rating__assignment__position=0).update(value=0)
    caches["results"].clear()
    found = preferences_of(study)
    assert found.modelled(0, "γ", "β") is None
    tables = preference_tables(study, found)
    assert any("was preferred every time" in note for note in tables["strengths"].notes)
    assert tables["strengths"].rows[0][1:] == (None,) * 4
    assert {row[-1] for row in tables["win-rates"].rows} == {None}


@pytest.mark.django_db
def test_the_matrix_stands_where_more_than_two_versions_were_compared() -> None:
    study = pair_study()
    found = preferences_of(study)
    assert "win-rate-matrix" not in preference_tables(study, found)
    wider = replace(found, versions=("α", "β", "γ"), models=tuple(_three_versions() for _ in found.metrics))
    table = preference_tables(study, wider)["win-rate-matrix"]
    (_, name, *cells) = table.rows[2]
    assert name == "γ"
    over_alpha, over_beta, over_itself = cells
    assert over_itself is None
    assert (over_alpha.value, over_alpha.n) == (pytest.approx(75), 16)  # type: ignore[union-attr]
    assert over_beta.value == pytest.approx(50)  # type: ignore[union-attr]


def _three_versions() -> Preference:
    """γ wins three of four against α, and as often as β against each other; each on both sides alike."""
    rows = [(0, 2, -1)] * 6 + [(0, 2, 1)] * 2 + [(2, 0, 1)] * 6 + [(2, 0, -1)] * 2
    rows += [(1, 2, 1), (1, 2, -1), (2, 1, 1), (2, 1, -1)]
    left, right, outcome = np.array(rows).T
    found = preference(Comparisons(np.arange(len(rows)), left, right, outcome, 3), draws=20)
    assert isinstance(found, Preference)
    return found


@pytest.mark.django_db
def test_the_report_of_pairs_shows_and_exports_win_rates_and_no_means() -> None:
    study, client = pair_study(), client_of(user("rey", "researcher"))
    text = client.get(reverse("study_report", args=[study.pk])).content.decode()
    assert "γ over β" in text
    assert "Mean score" not in text
    table = client.get(reverse("study_table_csv", args=[study.pk, "win-rates"])).content.decode()
    rows = list(csv.DictReader(io.StringIO(table)))
    assert {(row["Wins"], row["Losses"], row["Win rate, % ties half"]) for row in rows} == {("6", "2", "75.0")}
    latex = client.get(reverse("study_table_tex", args=[study.pk, "sides"])).content.decode()
    assert r"\begin{tabular}" in latex
    assert client.get(reverse("study_table_csv", args=[study.pk, "table-3"])).status_code == 404
    assert client.get(reverse("study_figure", args=[study.pk, "means", "svg"])).status_code == 404
    assert "γ over β" in client.get(study.get_absolute_url()).content.decode()


@pytest.mark.django_db
def test_the_figure_of_wins_has_the_counts_and_the_rate_of_each_two_versions() -> None:
    study = pair_study()
    Score.objects.filter(rating__assignment__position=1).update(value=0)
    rows = [row for row in win_rows(preferences_of(study)) if row["metric"] == "Natural"]
    # Four wins, two ties and two losses of eight; the rate stands in the middle of the ties.
    shares = [(row["preferred"], row["start"], row["end"]) for row in rows if row["kind"] == "share"]
    assert shares == [("γ", 0, 0.5), ("Tie", 0.5, 0.75), ("β", 0.75, 1)]
    (rate,) = (row for row in rows if row["kind"] == "rate")
    assert (rate["pair"], rate["value"], rate["counts"]) == ("γ over β", 0.625, "4 · 2 · 2")
    assert rate["low"] < 0.625 < rate["high"]


@pytest.mark.django_db
@pytest.mark.parametrize("slug", PAIR_FIGURES)
def test_the_report_of_pairs_shows_each_figure_in_two_themes_and_keeps_it_as_a_file(slug: str) -> None:
    study, client = pair_study(), client_of(user("rey", "researcher"))
    Study.objects.filter(pk=study.pk).update(is_simulated=True)
    Profile.objects.update(is_simulated=True)
    address = reverse("study_figure", args=[study.pk, slug, "svg"])
    page = client.get(reverse("study_report", args=[study.pk])).content.decode()
    assert f'src="{address}"' in page
    assert f'href="#figure-{slug}"' in page
    light, dark = client.get(address).content, client.get(address, {"theme": "dark"}).content
    assert light != dark
    of_ratings = (
        () if slug.startswith("distinct") else ("γ over β", "6 · 0 · 2", "Simulated ratings", "the 95 % interval")
    )
    for words in ("demo rules, not a language model", *of_ratings):
        assert words in light.decode()
    for form, magic in (("pdf", b"%PDF"), ("png", b"\x89PNG")):
        kept = client.get(reverse("study_figure", args=[study.pk, slug, form]), {"download": ""})
        assert kept.content.startswith(magic)


@pytest.mark.django_db
def test_a_rate_without_an_interval_says_so_and_pairs_that_nobody_compared_are_not_drawn() -> None:
    study = pair_study()
    first = Item.objects.filter(study=study).earliest("position")
    Item.objects.filter(study=study).exclude(pk=first.pk).update(purpose="gold")
    found = preferences_of(study)
    assert "has no interval" in json.dumps(win_spec(study, found, THEMES["light"]))
    nothing = replace(found, rates=(None,) * len(found.rates), texts=None)
    assert win_rows(nothing) == []
    assert drawable(nothing) == {}


@pytest.mark.django_db
def test_all_of_a_report_of_pairs_has_its_figures() -> None:
    study = pair_study()
    report = whole_report(study, preferences_of(study))
    names = [name for name, _ in report_files(study, "r", report, with_ratings=False, figure_forms=("svg",))]
    assert {f"r/figures/{slug}.svg" for slug in ("wins", "distinct-pooled", "distinct-matched", "flow")} <= set(names)


@pytest.mark.django_db
def test_the_report_of_pairs_says_whether_there_was_a_plan_and_that_one_pair_waits() -> None:
    study, client = pair_study(), client_of(user("rey", "researcher"))
    page = reverse("study_report", args=[study.pk])
    assert NO_PLAN in client.get(page).content.decode()
    Item.objects.filter(study=study, position__gt=0).update(purpose="gold")
    Rating.objects.update(is_current=False)
    assert "1 pair, which nobody has rated yet." in client.get(page).content.decode()


@pytest.mark.django_db
def test_the_command_prints_win_rates_as_tables_and_as_json(capsys: pytest.CaptureFixture[str]) -> None:
    study = pair_study()
    call_command("study_report", study.name)
    assert "γ over β" in capsys.readouterr().out
    call_command("study_report", study.name, "--json")
    found = json.loads(capsys.readouterr().out)
    assert {(row["first"], row["second"], row["wins"]) for row in found["win_rates"]} == {("β", "γ", 6)}
    assert found["left"]["all"]["value"] == 0.5
    for model in found["davidson"].values():
        assert {(row["version"], row["over"], round(row["value"], 6)) for row in model["rates"]} == {
            ("γ", "β", 0.75), ("β", "γ", 0.25)
        }  # fmt: skip
        assert model["strengths"].keys() == {"β", "γ"}


@pytest.mark.django_db
def test_training_and_checks_are_in_no_win_rate_and_no_table() -> None:
    study = pair_study()
    Item.objects.filter(study=study, position=0).update(purpose="gold")
    found = preferences_of(study)
    assert {(line.rate.wins, line.rate.losses) for line in found.lines if line.rate} == {(6, 0)}
    assert found.items == 3
    asked = {"win-rates", "strengths", "sides", "agreement"}
    assert preference_tables(study, found).keys() == {*asked, "table-4", "table-5", "distinct"}
