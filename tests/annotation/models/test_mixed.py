"""The mixed model against lme4, lmerTest and emmeans on twelve tables, and what it says where there is none."""

import json
from itertools import combinations
from pathlib import Path

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from annotation.reports.models import crossed, intervals, mixed
from annotation.reports.models.intervals import Interval, Target, Unfit
from annotation.reports.models.mixed import MixedFit
from annotation.reports.models.ratings import Ratings
from core.intervals import NO_SPREAD
from tests.annotation.models.rating_tables import drawn, read
from tests.examples import many


def fitted(ratings: Ratings) -> MixedFit:
    found = mixed.fit(ratings)
    assert isinstance(found, MixedFit), found
    return found


def test_twelve_tables_have_the_fit_that_lme4_gives_them(shared_data: Path) -> None:
    for name, reference in json.loads((shared_data / "models" / "reference.json").read_text()).items():
        expected = reference["lmm"]
        found = fitted(read(shared_data / "models" / "ratings" / f"{name}.csv"))
        assert found.criterion == pytest.approx(expected["REML"], abs=1e-5), name
        variances = (found.variances.background, found.variances.rater, found.variances.rater_version)
        wanted = [expected["variances"][key] for key in ("background", "rater", "rater:version", "Residual")]
        # lme4's optimiser stops up to 7e-5 from the highest likelihood.
        assert (*variances, found.variances.residual) == pytest.approx(wanted, abs=1e-4), name
        assert found.singular is expected["singular"], name
        first = found.means[0]
        assert first.value == pytest.approx(expected["coefficients"]["(Intercept)"], abs=1e-6), name
        assert first.se == pytest.approx(expected["std_errors"]["(Intercept)"], abs=1e-4), name
        assert first.target is Target.RATERS_LIKE_THESE
        if not expected["singular"]:
            assert first.df == pytest.approx(expected["df_satterthwaite"]["(Intercept)"], rel=1e-3), name


def test_twelve_tables_have_the_differences_of_emmeans(shared_data: Path) -> None:
    for name, reference in json.loads((shared_data / "models" / "reference.json").read_text()).items():
        ratings = read(shared_data / "models" / "ratings" / f"{name}.csv")
        found = fitted(ratings)
        pairs = list(combinations(range(ratings.versions), 2))
        assert list(found.contrasts) == pairs
        for pair, expected in zip(pairs, reference["lmm"]["contrasts"], strict=True):
            contrast = found.contrasts[pair]
            # The second less the first here, the first less the second there.
            assert contrast.value == pytest.approx(-expected["estimate"], abs=1e-6), name
            assert contrast.se == pytest.approx(expected["SE"], abs=1e-4), name
            assert contrast.t == pytest.approx(-expected["t.ratio"], abs=1e-3), name
            if reference["lmm"]["singular"]:
                assert contrast.df < expected["df"], name
                continue
            assert contrast.df == pytest.approx(expected["df"], rel=1e-3), name
            assert contrast.p == pytest.approx(expected["p.value"], abs=1e-4), name
            ends = (-expected["upper.CL"], -expected["lower.CL"])
            assert (contrast.low, contrast.high) == pytest.approx(ends, abs=1e-3), name


def test_degrees_of_freedom_are_capped_where_raters_seem_to_see_versions_alike(shared_data: Path) -> None:
    ratings = read(shared_data / "models" / "ratings" / "crossed-24x5.csv")
    found = fitted(ratings)
    assert found.variances.rater_version == 0
    known = crossed.difference_intervals(ratings, list(found.contrasts))
    assert {pair: one.df for pair, one in found.contrasts.items()} == {pair: known[pair][0].df for pair in known}
    assert found.means[0].df == crossed.mean_intervals(ratings)[0][0].df


def test_the_fit_is_the_same_whatever_the_scale_and_where_it_starts() -> None:
    ratings = drawn(1, 4, 20, 3, missing=0.1)
    shifted = Ratings.numbered(
        100 + 25 * ratings.value, ratings.version, ratings.background, ratings.rater, ratings.versions
    )
    one, other = fitted(ratings), fitted(shifted)
    for pair, contrast in one.contrasts.items():
        assert other.contrasts[pair].value == pytest.approx(25 * contrast.value)
        assert other.contrasts[pair].se == pytest.approx(25 * contrast.se)
        assert other.contrasts[pair].df == pytest.approx(contrast.df)
    assert other.variances.residual == pytest.approx(625 * one.variances.residual)


def test_two_versions_in_one_order_or_the_other_differ_by_the_sign() -> None:
    ratings = drawn(5, 4, 15, 2, missing=0.1)
    turned = Ratings.numbered(ratings.value, 1 - ratings.version, ratings.background, ratings.rater, 2)
    one, other = fitted(ratings).contrasts[0, 1], fitted(turned).contrasts[0, 1]
    assert (other.value, other.low, other.high) == pytest.approx((-one.value, -one.high, -one.low))
    assert other.p == pytest.approx(one.p)


def test_severity_is_shrunk_and_its_interval_holds_the_raters_own_effect() -> None:
    held, effects = 0, []
    for seed in range(30):
        rng = np.random.default_rng(seed)
        background, version, rater = (axis.ravel() for axis in np.indices((20, 3, 6)))
        severity = rng.normal(0, 0.5, 6)
        value = 3 + severity[rater] + rng.normal(0, 0.5, 20)[background] + rng.normal(0, 1, len(rater))
        found = fitted(Ratings.numbered(value, version, background, rater, 3)).severity
        plain = np.array([value[rater == one].mean() for one in range(6)]) - value.mean()
        own = np.array([one.value for one in found])
        assert np.all(np.abs(own) <= np.abs(plain) + 1e-9)
        assert np.abs(own.sum()) < 1e-8
        held += sum(one.low <= true <= one.high for one, true in zip(found, severity, strict=True))
        effects.append(len(found))
    # Of 180 intervals; the variances are taken as known, which costs a little.
    assert 0.87 * sum(effects) < held < 0.995 * sum(effects)


def test_severity_of_raters_who_do_not_differ_has_no_interval() -> None:
    background, version, rater = (axis.ravel() for axis in np.indices((6, 2, 3)))
    value = np.array([1.0, 2, 3, 4, 5, 4, 3, 2, 1, 2, 3, 4])[(background * 2 + version + 4 * rater) % 12]
    found = fitted(Ratings.numbered(value, version, background, rater, 2))
    assert found.variances.rater == 0
    assert set(found.severity) == {Interval.none(0, Target.THESE_RATERS, mixed.NO_RATER_SPREAD)}


@st.composite
def constant_raters(draw: st.DrawFn) -> Ratings:
    """Each rater gives one value to whatever it scores, and any ratings are missing."""
    raters, backgrounds, versions = draw(st.integers(2, 6)), draw(st.integers(2, 8)), draw(st.integers(2, 4))
    values = draw(st.lists(st.sampled_from([1.0, 2, 3, 4.5, 5, 0.1]), min_size=raters, max_size=raters))
    background, version, rater = (axis.ravel() for axis in np.indices((backgrounds, versions, raters)))
    kept = np.array(draw(st.lists(st.booleans(), min_size=len(rater), max_size=len(rater))))
    assume(kept.any())
    return Ratings.numbered(np.array(values)[rater[kept]], version[kept], background[kept], rater[kept], versions)


def who_links(ratings: Ratings) -> list[set[int]]:
    """The versions as groups that raters link, one rater after the other."""
    groups: list[set[int]] = []
    for rater in range(ratings.raters):
        joined = set(ratings.version[ratings.rater == rater].tolist())
        touching = [group for group in groups if group & joined]
        groups = [group for group in groups if not group & joined] + [joined.union(*touching)]
    return groups


@settings(max_examples=many(500), deadline=None)
@given(constant_raters())
def test_raters_who_always_give_the_same_make_no_difference(ratings: Ratings) -> None:
    found = mixed.fit(ratings)
    groups = who_links(ratings)
    pairs = list(combinations(range(ratings.versions), 2))
    like_these = {pair: one for pair, (one, _) in crossed.difference_intervals(ratings, pairs).items()}
    these = {pair: one for pair, (_, one) in crossed.difference_intervals(ratings, pairs).items()}
    modelled = found.contrasts if isinstance(found, MixedFit) else {}
    if not isinstance(found, MixedFit):
        rated, varied = len(np.unique(ratings.version)), len(np.unique(ratings.value)) > 1
        assert min(rated, ratings.raters, ratings.backgrounds) < 2 or not varied
    for pair in pairs:
        is_linked = any(set(pair) <= group for group in groups)
        for one in (like_these[pair], these[pair], modelled.get(pair)):
            if one is not None and one.value is not None:
                assert abs(one.value) < 1e-8
                assert (one.low, one.high, one.p) == (None, None, None)
                assert one.no_interval
        if isinstance(found, MixedFit) and pair in modelled:
            assert (modelled[pair].value is not None) is is_linked


def test_where_each_rater_gave_one_value_only_raters_vary() -> None:
    background, version, rater = (axis.ravel() for axis in np.indices((4, 2, 3)))
    found = fitted(Ratings.numbered(np.array([2.0, 3, 5])[rater], version, background, rater, 2))
    assert (found.criterion, found.singular) == (None, True)
    assert found.variances == mixed.Variances(0, pytest.approx(7 / 3), 0, 0)
    for mean in found.means.values():
        assert (mean.value, mean.se, mean.df) == pytest.approx((10 / 3, np.sqrt(7 / 9), 2))
    assert [one.value for one in found.severity] == pytest.approx([-4 / 3, -1 / 3, 5 / 3])
    assert {(one.target, one.no_interval) for one in found.severity} == {(Target.THESE_RATERS, NO_SPREAD)}


def test_one_rating_that_is_not_the_raters_usual_one_gives_nearly_no_difference() -> None:
    background, version, rater = (axis.ravel() for axis in np.indices((10, 3, 4)))
    value = np.array([1.0, 2, 4, 5])[rater]
    value[17] += 1
    found = fitted(Ratings.numbered(value, version, background, rater, 3))
    assert all(abs(one.value) < 0.03 and one.low < 0 < one.high for one in found.contrasts.values())
    assert found.variances.rater == pytest.approx(np.var([1, 2, 4, 5], ddof=1), rel=0.02)


@pytest.mark.parametrize("lean", [0, 1])
def test_ratings_without_any_error_leave_differences_without_an_interval(lean: int) -> None:
    background, version, rater = (axis.ravel() for axis in np.indices((10, 3, 4)))
    value = 1.0 + version + background % 2 + lean * (version == 1) * (rater - 1.5)
    found = fitted(Ratings.numbered(value, version, background, rater, 3))
    assert [one.value for one in found.contrasts.values()] == pytest.approx([1, 2, 1], abs=1e-4)
    without = {(one.no_interval, one.target) for one in found.contrasts.values()}
    assert without == {(intervals.NO_ERROR, Target.RATERS_LIKE_THESE)}


@pytest.mark.parametrize(
    ("rows", "reason"),
    [
        ([(1, 0, 0, 0), (2, 0, 1, 1), (3, 0, 0, 1), (3, 0, 1, 0)], mixed.ONE_VERSION),
        ([(1, 0, 0, 0), (2, 1, 0, 0), (3, 0, 1, 0), (5, 1, 1, 0)], mixed.ONE_RATER),
        ([(1, 0, 0, 0), (2, 1, 0, 0), (3, 0, 0, 1), (5, 1, 0, 1)], mixed.ONE_BACKGROUND),
        ([(3, 0, 0, 0), (3, 1, 1, 0), (3, 0, 0, 1), (3, 1, 1, 1)], mixed.ALL_EQUAL),
        ([(1, 0, 0, 0), (2, 1, 1, 0), (3, 0, 1, 1), (5, 1, 0, 1)], mixed.TOO_FEW),
        (
            [(1, 0, 0, 0), (2, 1, 0, 0), (3, 0, 1, 0), (5, 1, 1, 0), (2, 0, 0, 1), (4, 1, 1, 1)],
            mixed.TOO_FEW,
        ),
        ([(1, 0, 0, 0), (2, 0, 1, 0), (3, 1, 0, 1), (5, 1, 1, 1)], mixed.NOT_CROSSED),
        # Raters share versions, but none scored two.
        (
            [
                (1, 0, 0, 0),
                (2, 0, 1, 0),
                (2, 0, 0, 1),
                (3, 0, 1, 1),
                (3, 1, 0, 2),
                (5, 1, 1, 2),
                (4, 1, 0, 3),
                (4, 1, 1, 3),
            ],
            mixed.NOT_CROSSED,
        ),
        ([], mixed.ONE_VERSION),
    ],
)
def test_ratings_without_a_model_say_why(rows: list[tuple[float, int, int, int]], reason: str) -> None:
    """Rows are value, version, background and rater."""
    value, version, background, rater = (np.array([row[place] for row in rows]) for place in range(4))
    assert mixed.fit(Ratings.numbered(value, version.astype(int), background, rater, 2)) == Unfit(reason)


def test_five_ratings_more_than_versions_are_enough_for_a_model() -> None:
    rows = [(1, 0, 0, 0), (2, 1, 0, 0), (4, 0, 1, 0), (5, 1, 1, 0), (2, 0, 0, 1), (2, 1, 0, 1), (3, 1, 1, 1)]
    value, version, background, rater = (np.array(column) for column in zip(*rows, strict=True))
    assert isinstance(mixed.fit(Ratings.numbered(value, version, background, rater, 2)), MixedFit)


def test_a_version_without_ratings_is_left_out() -> None:
    ratings = drawn(2, 3, 10, 2)
    wider = Ratings.numbered(ratings.value, 2 * ratings.version, ratings.background, ratings.rater, 3)
    found = fitted(wider)
    assert (list(found.means), list(found.contrasts)) == ([0, 2], [(0, 2)])
    assert found.contrasts[0, 2].value == pytest.approx(fitted(ratings).contrasts[0, 1].value)


def test_severity_has_the_prediction_errors_of_hendersons_equations() -> None:
    ratings = drawn(1, 4, 12, 2, missing=0.1)
    found = fitted(ratings)
    cell = ratings.version * 4 + ratings.rater
    effects = [np.equal.outer(one, np.arange(one.max() + 1)) for one in (ratings.rater, ratings.background, cell)]
    design = np.column_stack([np.equal.outer(ratings.version, np.arange(2)), *effects]).astype(float)
    of = found.variances
    own = np.repeat(np.maximum([of.rater, of.background, of.rater_version], 1e-9), [4, 12, 8])
    equations = design.T @ design / of.residual + np.diag(np.append([0, 0], 1 / own))
    inverse = np.linalg.inv(equations)
    solved = inverse @ design.T @ ratings.value / of.residual
    assert [one.value for one in found.severity] == pytest.approx(solved[2:6], abs=1e-5)
    assert [one.se for one in found.severity] == pytest.approx(np.sqrt(np.diag(inverse)[2:6]), rel=1e-4)
    assert {one.target for one in found.severity} == {Target.THESE_RATERS}


def test_a_ceiling_above_the_degrees_of_freedom_changes_nothing() -> None:
    like_these = Target.RATERS_LIKE_THESE
    own, higher, lower = (intervals.Interval.of(1, 4, df, like_these) for df in (5, 9, 3))
    assert mixed._capped(own, higher) == own
    assert mixed._capped(own, lower) == lower
