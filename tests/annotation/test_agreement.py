"""Agreement coefficients against published values, the `krippendorff` package and the textbook formulas."""

import json
from pathlib import Path

import krippendorff
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from annotation.reports import agreement
from annotation.reports.agreement import ICC_FORMS, Estimate, IccForm, Level, Patterns, Undefined
from annotation.reports.bootstrap import cluster_resamples, distributions, interval, resamples

LEVELS: tuple[Level, ...] = ("nominal", "ordinal", "interval", "ratio")
gap = None
# Krippendorff (2011), data C: four observers, twelve units.
DATA_C = [
    [1, 2, 3, 3, 2, 1, 4, 1, 2, gap, gap, gap],
    [1, 2, 3, 3, 2, 2, 4, 1, 2, 5, gap, 3],
    [gap, 3, 3, 3, 2, 3, 4, 2, 2, 5, 1, gap],
    [1, 2, 3, 3, 2, 4, 4, 1, 2, 5, 1, gap],
]
# Shrout & Fleiss (1979), table 2: six targets by four judges.
SIX_BY_FOUR = [[9, 2, 5, 8], [6, 1, 3, 2], [8, 4, 6, 8], [7, 1, 2, 6], [10, 5, 6, 9], [6, 2, 4, 7]]
PUBLISHED_ICC = {"1,1": 0.17, "2,1": 0.29, "3,1": 0.71, "1,k": 0.44, "2,k": 0.62, "3,k": 0.91}

Scores = NDArray[np.float64]


def table(rows: list[list[float | None]]) -> Scores:
    return np.array([[np.nan if value is None else value for value in row] for row in rows], dtype=float)


def value_of(estimate: Estimate) -> float:
    assert estimate.value is not None, estimate.sentence
    return estimate.value


@pytest.mark.parametrize(
    ("level", "published"), [("nominal", 0.743), ("ordinal", 0.815), ("interval", 0.849), ("ratio", 0.797)]
)
def test_alpha_of_krippendorffs_data_c_is_the_published_one(level: Level, published: float) -> None:
    assert round(value_of(agreement.alpha(table(DATA_C), level)), 3) == published


@pytest.mark.parametrize("form", ICC_FORMS)
def test_the_six_correlations_of_shrout_and_fleiss_are_the_published_ones(form: IccForm) -> None:
    assert round(value_of(agreement.icc(np.array(SIX_BY_FOUR).T, form)), 2) == PUBLISHED_ICC[form]


def test_the_reference_tables_are_reproduced_to_the_digits_given(shared_data: Path) -> None:
    reference = json.loads((shared_data / "agreement" / "reference.json").read_text())
    for name in ("krippendorff_c", "two_of_three"):
        for level, published in reference[name]["alpha"].items():
            assert round(value_of(agreement.alpha(table(reference[name]["data"]), level)), 3) == published
    fleiss = reference["shrout_fleiss_1979"]
    judged = table(fleiss["data_targets_by_judges"]).T
    forms: dict[str, IccForm] = {form.replace("k", "4"): form for form in ICC_FORMS}
    for form, published in fleiss["icc"].items():
        assert round(value_of(agreement.icc(judged, forms[form])), 2) == published


@st.composite
def reliability_data(draw: st.DrawFn) -> Scores:
    raters, units = draw(st.integers(2, 5)), draw(st.integers(2, 12))
    cells = st.one_of(st.none(), st.integers(0, 5))
    return table(draw(st.lists(st.lists(cells, min_size=units, max_size=units), min_size=raters, max_size=raters)))


@settings(max_examples=150, deadline=None)
@given(reliability_data(), st.sampled_from(LEVELS))
def test_alpha_by_weighted_patterns_equals_the_package(scores: Scores, level: Level) -> None:
    point = agreement.alpha(scores, level)
    if point.value is None:
        assert point.undefined in (Undefined.NO_PAIRS, Undefined.ALL_EQUAL)
        return
    patterns = Patterns.of(scores)
    by_weights = agreement.statistic(patterns, f"alpha_{level}")(patterns.weights)
    assert by_weights == pytest.approx([krippendorff.alpha(scores, level_of_measurement=level)], abs=1e-9)


@settings(max_examples=30, deadline=None)
@given(reliability_data(), st.integers(0, 2**32 - 1), st.sampled_from(LEVELS))
def test_a_resample_by_weights_equals_the_package_on_the_repeated_units(
    scores: Scores, seed: int, level: Level
) -> None:
    patterns = Patterns.of(scores)
    picks = np.random.default_rng(seed).integers(scores.shape[1], size=scores.shape[1])
    drawn = np.bincount(patterns.of_unit[picks], minlength=len(patterns.codes))[None, :].astype(float)
    point = agreement.alpha(scores[:, picks], level)
    if point.value is not None:
        assert agreement.statistic(patterns, f"alpha_{level}")(drawn) == pytest.approx([point.value], abs=1e-9)


def test_icc_equals_the_analysis_of_variance_written_out() -> None:
    scores = np.random.default_rng(5).integers(1, 6, size=(4, 30)).astype(float)
    k, n = scores.shape
    grand, rows, columns = scores.mean(), scores.mean(axis=0), scores.mean(axis=1)
    bms = k * ((rows - grand) ** 2).sum() / (n - 1)
    jms = n * ((columns - grand) ** 2).sum() / (k - 1)
    ems = ((scores - rows - columns[:, None] + grand) ** 2).sum() / ((n - 1) * (k - 1))
    wms = ((scores - rows) ** 2).sum() / (n * (k - 1))
    expected: dict[IccForm, float] = {
        "1,1": (bms - wms) / (bms + (k - 1) * wms),
        "2,1": (bms - ems) / (bms + (k - 1) * ems + k * (jms - ems) / n),
        "3,1": (bms - ems) / (bms + (k - 1) * ems),
        "1,k": (bms - wms) / bms,
        "2,k": (bms - ems) / (bms + (jms - ems) / n),
        "3,k": (bms - ems) / bms,
    }
    for form, by_hand in expected.items():
        assert value_of(agreement.icc(scores, form)) == pytest.approx(by_hand)


def test_icc_leaves_out_units_that_not_everyone_scored_and_says_how_many() -> None:
    judged = np.array(SIX_BY_FOUR, dtype=float).T
    holed = np.hstack([judged, [[1.0], [np.nan], [3.0], [2.0]]])
    assert value_of(agreement.icc(holed, "2,1")) == pytest.approx(value_of(agreement.icc(judged, "2,1")))
    assert agreement.summary(holed, draws=10).incomplete_units == 1


def confusion_kappa(first: Scores, second: Scores, values: Scores) -> float:
    """Cohen's own form: 1 − Σ weight·observed / Σ weight·expected over the table of joint scores."""
    observed = np.array([[np.mean((first == a) & (second == b)) for b in values] for a in values])
    expected = np.outer(observed.sum(axis=1), observed.sum(axis=0))
    weights = (values[:, None] - values[None, :]) ** 2
    return float(1 - (weights * observed).sum() / (weights * expected).sum())


def test_weighted_kappa_is_the_mean_over_pairs_of_raters() -> None:
    rng = np.random.default_rng(2)
    base = rng.integers(1, 6, size=40)
    scores = np.clip(base + rng.integers(-1, 2, size=(3, 40)), 1, 5).astype(float)
    scores[2, :15] = np.nan
    values = np.arange(1.0, 6.0)
    seen = slice(15, None)
    by_hand = [
        confusion_kappa(scores[0], scores[1], values),
        confusion_kappa(scores[0, seen], scores[2, seen], values),
        confusion_kappa(scores[1, seen], scores[2, seen], values),
    ]
    assert value_of(agreement.weighted_kappa(scores)) == pytest.approx(np.mean(by_hand))


def test_shares_count_pairs_of_scores_within_items() -> None:
    scores = table([[1, 3, 5], [1, 4, 1], [2, 4, gap]])
    # Pairs: (1,1) (1,2) (1,2) | (3,4) (3,4) (4,4) | (5,1)
    assert value_of(agreement.share_within(scores, 0)) == pytest.approx(2 / 7)
    assert value_of(agreement.share_within(scores, 1)) == pytest.approx(6 / 7)


@pytest.mark.parametrize(
    ("rows", "why"),
    [
        ([[1, 2, 3]], "no item has scores from two raters"),
        ([[1, gap], [gap, 2]], "no item has scores from two raters"),
        ([[gap, gap], [gap, gap]], "no item has scores from two raters"),
        ([[3, 3], [3, 3]], "all scores are equal"),
        # A lone score elsewhere pairs with nothing, so it cannot help.
        ([[3, 3, 5], [3, 3, gap]], "all scores are equal"),
    ],
)
def test_an_undefined_alpha_says_why(rows: list[list[float | None]], why: str) -> None:
    for level in LEVELS:
        estimate = agreement.alpha(table(rows), level)
        assert estimate.value is None
        assert estimate.sentence == f"Undefined: {why}."


def test_an_undefined_correlation_says_why() -> None:
    assert agreement.icc(table([[1, 2, gap], [gap, 2, 3]]), "2,1").undefined is Undefined.NOT_CROSSED
    assert agreement.icc(table([[4, 4], [4, 4]]), "2,1").undefined is Undefined.ALL_EQUAL
    assert agreement.icc(table([[1, 2], [2, 1]]), "3,k").undefined is Undefined.NO_ITEM_SPREAD


def test_shares_are_defined_where_all_scores_are_equal() -> None:
    assert value_of(agreement.share_within(table([[3, 3], [3, 3]]), 0)) == 1


def test_no_ratings_at_all_are_undefined_not_an_error() -> None:
    for shape in ((0, 0), (3, 0), (0, 3)):
        summary = agreement.summary(np.empty(shape), draws=10)
        assert {estimate.undefined for estimate in summary.estimates.values()} == {Undefined.NO_PAIRS}
        assert summary.paired_units == 0


def test_the_interval_holds_the_value_and_the_same_seed_gives_it_again() -> None:
    rng = np.random.default_rng(9)
    scores = np.clip(rng.integers(1, 6, size=80) + rng.integers(-1, 2, size=(3, 80)), 1, 5).astype(float)
    first, again = (agreement.summary(scores, draws=300, seed=4) for _ in range(2))
    other = agreement.summary(scores, draws=300, seed=5)
    assert first == again
    assert first.estimates["alpha_ordinal"] != other.estimates["alpha_ordinal"]
    for name, estimate in first.estimates.items():
        assert estimate.low is not None, name
        assert estimate.high is not None, name
        assert estimate.low < value_of(estimate) < estimate.high, name


def test_more_units_make_a_narrower_interval() -> None:
    rng = np.random.default_rng(1)
    widths = []
    for units in (20, 2000):
        scores = np.clip(rng.integers(1, 6, size=units) + rng.integers(-1, 2, size=(3, units)), 1, 5).astype(float)
        estimate = agreement.summary(scores, ("alpha_ordinal",), draws=300).estimates["alpha_ordinal"]
        assert estimate.low is not None
        assert estimate.high is not None
        widths.append(estimate.high - estimate.low)
    assert widths[1] < widths[0] / 4


def test_an_interval_is_left_out_where_resamples_miss_the_value() -> None:
    assert interval(np.array([0.1, 0.2, 0.3]), point=0.9) is None
    assert interval(np.array([0.1, np.nan, np.nan]), point=0.1) is None
    assert interval(np.array([1.0, 1.0, 1.0]), point=1.0) == (1.0, 1.0)


def test_every_resample_draws_as_many_units_as_there_are() -> None:
    of_unit = np.array([0, 0, 1, 2, 2, 2])
    samples = resamples(of_unit, draws=250, seed=3)
    sizes = distributions({"size": lambda weights: weights.sum(axis=1)}, samples)["size"]
    assert sizes.tolist() == [6.0] * 250


def test_a_resample_of_clusters_draws_their_units_together() -> None:
    # Clusters 7, 8 and 9 have the patterns (0, 1), (0, 2) and (3,).
    pattern, cluster = np.array([0, 1, 0, 2, 3]), np.array([7, 7, 8, 8, 9])
    weights = np.concatenate(list(cluster_resamples(pattern, cluster, draws=250, seed=3)))
    assert weights.shape == (250, 4)
    assert (weights[:, 0] == weights[:, 1] + weights[:, 2]).all()
    assert (weights[:, 1:].sum(axis=1) == 3).all()
    assert len(np.unique(weights, axis=0)) == 10


def test_copies_of_a_unit_in_one_cluster_make_no_interval_narrower() -> None:
    rng = np.random.default_rng(8)
    scores = np.clip(rng.integers(1, 6, size=40) + rng.integers(-1, 2, size=(3, 40)), 1, 5).astype(float)
    alone = agreement.summary(scores, ("alpha_interval",), clusters=np.arange(40)).estimates["alpha_interval"]
    copied = agreement.summary(np.tile(scores, 4), ("alpha_interval",), clusters=np.tile(np.arange(40), 4)).estimates[
        "alpha_interval"
    ]
    widths = [found.high - found.low for found in (alone, copied) if found.high is not None and found.low is not None]
    assert widths[1] == pytest.approx(widths[0], rel=0.05)
