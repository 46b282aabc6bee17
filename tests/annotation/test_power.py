"""Power and precision of a study of a given size: against theory, against whole simulated tables, and as people ask."""

import json
from dataclasses import replace
from io import StringIO
from itertools import product
from typing import Any

import krippendorff
import numpy as np
import pytest
from django.core.management import CommandError, call_command
from django.test import Client
from django.urls import reverse
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from annotation.design import drafting
from annotation.design.plan import CLAIMS_ABOUT, AnalysisPlan
from annotation.design.plan_record import plan_of
from annotation.design.plan_text import power_in_words
from annotation.models import Study
from annotation.reports.models.crossed import crossed_of
from annotation.reports.models.power import Cell, Components, power_table
from annotation.reports.power import ASSUMED, PowerError, components_of, sizes
from tests.annotation.rated_study import rated_study
from tests.annotation.setting import corpus, draft

TYPICAL = Components(background=0.5, item=0.3, rater=0.4, rater_version=0.2, residual=0.8)
STUDIES = 2000
# What 2,000 studies on either side leave to chance, at most.
FIVE_POINTS = 0.05


def cell(components: Components, raters: int, backgrounds: int, difference: float, **more: Any) -> Cell:
    return next(power_table(components, [raters], [backgrounds], difference, **{"studies": STUDIES, **more}))


def paired_t(difference: float, sd: float, pairs: int) -> float:
    """The power of a two-sided paired t test at .05 (the noncentral t distribution)."""
    off_centre, limit = difference / sd * np.sqrt(pairs), stats.t.ppf(0.975, pairs - 1)
    return float(stats.nct.sf(limit, pairs - 1, off_centre) + stats.nct.cdf(-limit, pairs - 1, off_centre))


@pytest.mark.parametrize(("backgrounds", "difference"), [(8, 0.5), (24, 0.5), (24, 0.0), (100, 0.3)])
def test_one_rater_taken_as_given_is_a_paired_t_test(backgrounds: int, difference: float) -> None:
    components = replace(TYPICAL, rater_version=0.0)
    expected = paired_t(difference, np.sqrt(2 * (components.item**2 + components.residual**2)), backgrounds)
    found = cell(components, 1, backgrounds, difference, population="these")
    assert found.power == pytest.approx(expected, abs=FIVE_POINTS)
    assert found.alpha is None


def test_raters_who_all_agree_on_versions_make_a_paired_t_test_over_backgrounds() -> None:
    found = cell(replace(TYPICAL, rater_version=0.0, item=0.6), 4, 30, 0.5, population="these")
    assert found.power == pytest.approx(paired_t(0.5, np.sqrt(2 * (0.6**2 + 0.8**2 / 4)), 30), abs=FIVE_POINTS)


def test_the_interval_for_these_raters_is_students_t_over_backgrounds() -> None:
    components = replace(TYPICAL, rater_version=0.0)
    found = cell(components, 3, 5, 0.5, population="these")
    error = np.sqrt(2 * (components.item**2 + components.residual**2 / 3) / 5)
    # The mean of a standard deviation with 4 degrees of freedom is .94 of the true one.
    assert found.half_width == pytest.approx(stats.t.ppf(0.975, 4) * error * stats.chi.mean(4) / 2, rel=0.03)


def test_two_raters_have_an_alpha() -> None:
    alphas = alpha_of(whole_tables(TYPICAL, 2, 12, 0.3))
    found = cell(TYPICAL, 2, 12, 0.3)
    assert found.alpha == pytest.approx(alphas.mean(), abs=0.02)


def whole_tables(components: Components, raters: int, backgrounds: int, difference: float) -> Any:
    """(studies, versions, raters, backgrounds) of single ratings."""
    rng = np.random.default_rng(11)

    def normal(sd: float, *shape: int) -> Any:
        return sd * rng.standard_normal((STUDIES, *shape))

    ratings = normal(components.background, 1, 1, backgrounds) + normal(components.item, 2, 1, backgrounds)
    ratings = ratings + normal(components.rater, 1, raters, 1) + normal(components.rater_version, 2, raters, 1)
    ratings = ratings + normal(components.residual, 2, raters, backgrounds)
    ratings[:, 1] += difference
    return ratings


@pytest.mark.parametrize(("raters", "backgrounds"), list(product((3, 10), (6, 24))))
@pytest.mark.parametrize("difference", [0.0, 0.6])
def test_mean_squares_alone_tell_what_whole_tables_tell(raters: int, backgrounds: int, difference: float) -> None:
    ratings = whole_tables(TYPICAL, raters, backgrounds, difference)
    crossed = crossed_of(ratings[:, 1] - ratings[:, 0])
    half = stats.t.ppf(0.975, crossed.df) * crossed.se
    found = cell(TYPICAL, raters, backgrounds, difference)
    assert found.power == pytest.approx((np.abs(crossed.mean) > half).mean(), abs=FIVE_POINTS)
    assert found.half_width == pytest.approx(half.mean(), rel=0.06)
    alphas = alpha_of(ratings)
    # One column an item: every version of every background.
    items = ratings[0].transpose(1, 0, 2).reshape(raters, -1)
    assert alphas[0] == pytest.approx(krippendorff.alpha(items, level_of_measurement="interval"))
    assert found.alpha == pytest.approx(alphas.mean(), abs=0.02)
    low, high = np.quantile(alphas, [0.025, 0.975])
    assert found.alpha_width == pytest.approx(high - low, rel=0.15)


def alpha_of(ratings: Any) -> Any:
    """(studies,) interval α of complete tables: mean squared differences within items over those of all scores."""
    _, versions, raters, backgrounds = ratings.shape
    items, axes = versions * backgrounds, (1, 2, 3)
    within = ((ratings - ratings.mean(axis=2, keepdims=True)) ** 2).sum(axis=axes) / (items * (raters - 1))
    total = ((ratings - ratings.mean(axis=axes, keepdims=True)) ** 2).sum(axis=axes) / (items * raters - 1)
    return 1 - within / total


@settings(max_examples=30)
@given(st.floats(0, 1), st.floats(0, 1), st.floats(0.2, 2), st.integers(2, 9), st.integers(2, 60))
def test_a_cell_is_the_same_in_every_table_and_a_share(
    lean: float, item: float, residual: float, raters: int, rows: int
) -> None:
    components = Components(0.3, item, 0.3, lean, residual)
    alone = next(power_table(components, [raters], [rows], 0.4, studies=200))
    (*_, last) = power_table(components, [1, raters], [1, rows], 0.4, studies=200)
    assert alone == last
    assert alone.power is not None
    assert alone.half_width is not None
    assert 0 <= alone.power <= 1
    assert alone.half_width > 0


def test_more_backgrounds_do_not_mend_too_few_raters() -> None:
    cells = {(row.raters, row.backgrounds): row for row in power_table(TYPICAL, [3, 30], [20, 2000], 0.3)}
    widths = {size: row.half_width or 0 for size, row in cells.items()}
    assert widths[3, 2000] > widths[30, 20]
    assert (cells[30, 2000].power or 0) > 0.95


def test_what_one_rater_or_background_cannot_tell_is_left_open() -> None:
    assert cell(TYPICAL, 1, 20, 0.3)[2:] == (None, None, None, None)
    assert cell(TYPICAL, 4, 1, 0.3)[2:4] == (None, None)
    for wrong in (replace(TYPICAL, residual=0.0), replace(TYPICAL, item=-0.1)):
        with pytest.raises(ValueError, match=r"residual must|deviation is"):
            cell(wrong, 3, 12, 0.3)


@pytest.mark.parametrize("text", ["", "0", "3,x", "-1", "1 2 3 4 5 6 7 8 9", "10001"])
def test_sizes_are_a_few_whole_numbers(text: str) -> None:
    assert sizes("10, 3,5 3", 10_000) == (3, 5, 10)
    with pytest.raises(PowerError, match="Give 1 to 8 whole numbers from 1 to 10,000"):
        sizes(text, 10_000)


def asked(*words: str) -> Any:
    out = StringIO()
    call_command("study", "power", *words, "--json", stdout=out)
    return json.loads(out.getvalue())


def test_the_command_answers_as_the_simulation_does() -> None:
    given_sizes = ("--raters", "3,5", "--backgrounds", "12", "--difference", ".4", "--sd-residual", ".8", "--seed", "4")
    found = asked(*given_sizes, "--sd-rater-version", ".1", "--studies", "500")
    components = replace(ASSUMED, residual=0.8, rater_version=0.1)
    expected = list(power_table(components, [3, 5], [12], 0.4, studies=500, seed=4))
    assert [Cell(**row) for row in found["cells"]] == expected
    out = StringIO()
    call_command("study", "power", *given_sizes, stdout=out)
    assert "rater × version 0.2, residual 0.8" in out.getvalue()
    assert out.getvalue().count("Raters:") == 3


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--raters", "many"), "whole numbers from 1 to 10,000"),
        (("--studies", "0"), "Simulate 1 to 1,000,000"),
        (("--sd-residual", "0"), "residual must be more than 0"),
        (("--sd-rater", "-1"), "deviation is 0 or more"),
        (("--difference", "nan"), "are numbers up to 1,000"),
        (("--seed", "-3"), "seed is 0 or more"),
    ],
)
def test_the_command_refuses_with_a_reason(words: tuple[str, ...], said: str) -> None:
    with pytest.raises(CommandError, match=said) as error:
        call_command("study", "power", *words, stdout=StringIO())
    assert error.value.returncode == 2


def spread_study(raters: int = 6, backgrounds: int = 30) -> Study:
    """Scores by a known spread: backgrounds 1, raters .8, residual about .5."""
    rng = np.random.default_rng(5)
    of_background, of_rater = rng.normal(0, 1, backgrounds), rng.normal(0, 0.8, raters)

    def score(rater: int, background: int, version: str, metric: str) -> int:
        value = 3 + of_background[background] + of_rater[rater] + rng.normal(0, 0.4)
        return int(min(5, max(1, round(value))))

    return rated_study(backgrounds=backgrounds, versions=("beta", "gamma"), raters=raters, score=score)


@pytest.mark.django_db
def test_standard_deviations_come_from_a_study_and_say_nothing_of_its_versions() -> None:
    one = spread_study()
    found = components_of(one, "natural")
    assert found.background == pytest.approx(1, abs=0.35)
    assert found.rater == pytest.approx(0.8, abs=0.4)
    assert found.residual == pytest.approx(0.5, abs=0.2)
    assert max(found.rater_version, found.item) < 0.25
    told = asked("--from", one.name, "--metric", "natural", "--sd-item", ".3")
    assert told["components"] == {**told["components"], "rater": found.rater, "item": 0.3}
    with pytest.raises(PowerError, match="has no metric 'warm'"):
        components_of(one, "warm")


@pytest.mark.django_db
def test_a_study_that_shows_no_spread_says_why() -> None:
    one = rated_study(raters=1, versions=("beta", "gamma"))
    with pytest.raises(PowerError, match="Fewer than two raters"):
        components_of(one, "natural")
    with pytest.raises(CommandError, match="Fewer than two raters") as error:
        call_command("study", "power", "--from", one.name, stdout=StringIO())
    assert error.value.returncode == 2


PAGE = "/studies/power/"


@pytest.mark.django_db
def test_the_page_shows_the_tables_of_what_it_was_asked(researcher: Client) -> None:
    shown = researcher.get(PAGE, {"raters": "3 5", "backgrounds": "12", "difference": "0.5"})
    assert shown.status_code == 200
    power, half_width, alpha = (row["table"] for row in shown.context["tables"])
    cells = list(power_table(ASSUMED, [3, 5], [12], 0.5))
    assert power.rows == ((12, cells[0].power, cells[1].power),)
    assert half_width.rows == ((12, cells[0].half_width, cells[1].half_width),)
    assert alpha.rows == ((12, cells[0].alpha_width, cells[1].alpha_width),)
    file = researcher.get(shown.context["tables"][1]["files"]["csv"]).content.decode()
    assert file.splitlines() == ["Backgrounds,Raters 3,Raters 5", f"12,{cells[0].half_width},{cells[1].half_width}"]
    refused = researcher.get(PAGE, {"raters": "0"})
    assert refused.status_code == 422
    assert "Give 1 to 8 whole numbers" in refused.content.decode()


@pytest.mark.django_db
def test_the_page_takes_the_spread_of_a_study(researcher: Client) -> None:
    one = spread_study()
    shown = researcher.get(PAGE, {"of": one.pk, "metric": "natural"})
    assert shown.context["fitted"] == components_of(one, "natural")
    assert shown.context["form"]["rater"].value() == f"{components_of(one, 'natural').rater:.4g}"
    other = researcher.get(PAGE, {"of": one.pk, "metric": "warm", "raters": "7"})
    assert "warm is not one of the available choices" in other.content.decode()
    assert other.context["tables"][0]["table"].columns[1].label == "7"


@pytest.mark.django_db
def test_a_size_goes_into_the_plan_with_its_power_and_what_was_assumed(researcher: Client) -> None:
    one = draft(None, of=corpus(3))
    keep = reverse("study_power_keep", args=[one.pk])
    plan = AnalysisPlan(metrics=("natural",), contrasts=(("beta", "gamma"),), raters=4, backgrounds=30)
    assert researcher.post(keep, {"cell": "5x24"}).headers["Location"].endswith("/design/analysis/")
    drafting.change_study(study=one, by=None, analysis_plan=plan.as_json())
    shown = researcher.get(PAGE, {"study": one.pk})
    assert "4 raters, 30 backgrounds" in shown.content.decode()
    sent = {bound.name: bound.value() for bound in shown.context["form"]}
    answer = researcher.post(keep, {**sent, "cell": "5x24", "difference": "0.5"})
    assert answer.status_code == 302
    one.refresh_from_db()
    kept = plan_of(one)
    assert kept is not None
    assert kept.power is not None
    assert (kept.raters, kept.backgrounds, kept.metrics) == (5, 24, ("natural",))
    assert kept.power.power == cell(ASSUMED, 5, 24, 0.5).power
    assert kept.power.difference == 0.5
    assert kept.problems() == []
    page = researcher.get(reverse("study_step", args=[one.pk, "analysis"])).content.decode()
    assert "5 raters and 24 backgrounds find a difference of 0.5 points" in page
    assert "as a claim about raters like these: by one test without adjustment" in page


@pytest.mark.django_db
def test_a_power_takes_its_population_into_the_plan_and_says_so(researcher: Client) -> None:
    plan = AnalysisPlan(metrics=("natural",), contrasts=(("beta", "gamma"),), raters=5, backgrounds=24)
    one = draft(None, of=corpus(3), analysis_plan=plan.as_json())
    sent = {bound.name: bound.value() for bound in researcher.get(PAGE, {"study": one.pk}).context["form"]}
    keep = reverse("study_power_keep", args=[one.pk])
    said = []
    for population in ("these", "these", "like"):
        answer = researcher.post(keep, {**sent, "cell": "5x24", "population": population}, follow=True)
        said += [str(message) for message in answer.context["messages"]]
        one.refresh_from_db()
        kept = plan_of(one)
        assert kept is not None
        assert kept.power is not None
        assert (kept.population, kept.power.population) == (population, population)
        assert kept.power.power == cell(ASSUMED, 5, 24, 0.3, population=population).power
        assert f"for a claim about {CLAIMS_ABOUT[kept.power.population]}, " in power_in_words(kept)
    assert [sentence.partition("Its intervals are now for ")[2] for sentence in said] == [
        "these raters, as the power is.", "", "raters like these, as the power is.",
    ]  # fmt: skip


@pytest.mark.django_db
def test_a_study_of_pairs_gets_no_power(researcher: Client) -> None:
    plan = AnalysisPlan(metrics=("natural",), contrasts=(("beta", "gamma"),), raters=5, backgrounds=24)
    one = draft(None, of=corpus(3), kind="pairs", pairs=[["beta", "gamma"]], analysis_plan=plan.as_json())
    assert researcher.get(PAGE, {"study": one.pk}).context["draft"] is None
    assert researcher.post(reverse("study_power_keep", args=[one.pk]), {"cell": "5x24"}).status_code == 404
