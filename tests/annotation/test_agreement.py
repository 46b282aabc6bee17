"""Agreement coefficients against published values, the `krippendorff` package and the textbook formulas."""

import csv
import json
import tracemalloc
from itertools import combinations
from pathlib import Path

import krippendorff
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from annotation.reports import agreement
from annotation.reports.agreement import ICC_FORMS, Estimate, IccForm, Level, Undefined
from annotation.reports.components import variances
from annotation.reports.patterns import Patterns

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


def rated(path: Path) -> Scores:
    """A file of rater, background, version and value as (raters, items), an item being a background's version."""
    rows = list(csv.DictReader(path.read_text().splitlines()))
    raters = sorted({row["rater"] for row in rows})
    items = sorted({(row["background"], row["version"]) for row in rows})
    scores = np.full((len(raters), len(items)), np.nan)
    for row in rows:
        scores[raters.index(row["rater"]), items.index((row["background"], row["version"]))] = float(row["value"])
    return scores


# How far the two programs' optimisers may stop from each other; lme4 stops up to 3e-5 from the highest likelihood.
SAME = 5e-5


def test_correlations_of_twelve_studies_are_those_of_lme4s_components(shared_data: Path) -> None:
    for name, reference in json.loads((shared_data / "models" / "reference.json").read_text()).items():
        expected = reference["icc_components"]
        scores = rated(shared_data / "models" / "ratings" / f"{name}.csv")
        patterns = Patterns.of(scores)
        unit, rater, error = variances(patterns)
        wanted = (expected["item"], expected["rater"], expected["residual"])
        assert (unit, rater, error) == pytest.approx(wanted, abs=SAME), name
        k = np.isfinite(scores).sum() / scores.shape[1]
        found = (unit / (unit + rater + error), unit / (unit + (rater + error) / k), unit / (unit + error))
        assert found == pytest.approx([expected[f"ICC_{form}"] for form in ("A1", "Ak", "C1")], abs=SAME), name
        # A complete table keeps the exact forms, which differ only where a variance would be estimated below nought.
        if not (patterns.is_complete() and expected["singular"]):
            forms: tuple[IccForm, ...] = ("2,1", "2,k", "3,1")
            by_form = [value_of(agreement.icc(scores, form)) for form in forms]
            assert by_form == pytest.approx(found, abs=SAME), name


def k_of_n(raters: int, seed: int, *, items: int = 400, k: int = 3) -> tuple[Scores, Scores]:
    """Simulated scores from 1 to 5 by everyone, and the same where k raters drawn anew for each item score it."""
    rng = np.random.default_rng(seed)
    severity, quality = rng.normal(0, 0.3, (raters, 1)), rng.normal(3, 1, items)
    complete = np.clip(np.rint(quality + severity + rng.normal(0, 0.9, (raters, items))), 1, 5)
    scored = rng.random((raters, items)).argsort(axis=0) < k
    return complete, np.where(scored, complete, np.nan)


@pytest.mark.parametrize("raters", [3, 10, 30, 60])
def test_kappa_and_icc_of_three_raters_an_item_are_near_those_of_complete_data(raters: int) -> None:
    gaps = []
    for seed in range(8):
        complete, few = k_of_n(raters, seed)
        whole = value_of(agreement.weighted_kappa(complete))
        gaps.append([value_of(agreement.weighted_kappa(few)) - whole, value_of(agreement.icc(few, "2,1")) - whole])
    kappa, icc = np.array(gaps).T
    # 1,200 scores leave a standard error of about .02; no study may be far off, and on average there is no bias.
    assert np.abs(kappa).max() < 0.06
    assert abs(kappa.mean()) < 0.015
    assert abs(icc.mean()) < 0.015


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 2**32 - 1), st.integers(2, 4), st.integers(2, 6), st.integers(1, 3))
def test_a_handful_of_scores_has_an_agreement_or_none_but_never_fails(
    seed: int, raters: int, units: int, clusters: int
) -> None:
    """Small studies draw resamples without a score, or with the same score everywhere."""
    rng = np.random.default_rng(seed)
    table = rng.integers(1, rng.integers(2, 6) + 1, size=(raters, units)).astype(float)
    table[rng.random(table.shape) < 0.4] = np.nan
    found = agreement.summary(table, seed=seed, clusters=rng.integers(0, clusters, size=units))
    assert found.paired_units <= found.units <= units


@given(st.integers(0, 2**32 - 1), st.integers(3, 6), st.integers(12, 40))
def test_components_of_a_complete_table_are_those_of_the_analysis_of_variance(seed: int, k: int, n: int) -> None:
    rng = np.random.default_rng(seed)
    scores = rng.normal(0, 2, n) + rng.normal(0, 1, (k, 1)) + rng.normal(0, 1, (k, n))
    rows, columns = scores.mean(axis=0), scores.mean(axis=1)
    residual = scores - rows - columns[:, None] + scores.mean()
    error = (residual**2).sum() / ((n - 1) * (k - 1))
    unit, rater = rows.var(ddof=1) - error / k, columns.var(ddof=1) - error / n
    # Variances that would be below nought are at nought instead, and then the others change too.
    if min(unit, rater) > 0.01:
        assert variances(Patterns.of(scores)) == pytest.approx((unit, rater, error), rel=1e-4, abs=1e-5)


def test_one_missing_score_moves_a_correlation_little_and_every_score_counts() -> None:
    judged = np.clip(np.random.default_rng(4).integers(1, 6, 40) + np.array([[0], [1], [0]]), 1, 5).astype(float)
    judged[0, :20] = np.roll(judged[0, :20], 3)
    holed = judged.copy()
    holed[1, 7] = np.nan
    for form in ("2,1", "2,k", "3,1"):
        whole, missing = (value_of(agreement.icc(scores, form)) for scores in (judged, holed))
        assert missing == pytest.approx(whole, abs=0.03)
        assert missing != whole
    found = agreement.summary(holed, draws=10)
    assert (found.units, found.incomplete_units) == (40, 1)


def test_a_one_way_correlation_of_incomplete_scores_leaves_the_raters_out() -> None:
    _, few = k_of_n(10, seed=2)
    shuffled = np.full_like(few, np.nan)
    # Whoever gave a score does not matter then: the same scores in the hands of any three raters.
    shuffled[:3] = np.sort(few, axis=0)[:3]
    assert value_of(agreement.icc(few, "1,1")) == pytest.approx(value_of(agreement.icc(shuffled, "1,1")), abs=1e-4)


def test_raters_who_agree_throughout_correlate_perfectly_where_scores_are_missing() -> None:
    quality = np.random.default_rng(1).integers(1, 6, 30).astype(float)
    scores = np.tile(quality, (5, 1))
    scores[np.random.default_rng(2).random(scores.shape) < 0.4] = np.nan
    assert value_of(agreement.icc(scores, "2,1")) == pytest.approx(1, abs=1e-4)
    assert value_of(agreement.weighted_kappa(scores)) == 1


UNITS = (1e-5, 1e-3, 0.1, 1e6)


@pytest.mark.parametrize("unit", UNITS)
def test_no_coefficient_depends_on_the_unit_of_the_scores(unit: float) -> None:
    small = table([[1, 2, 3, 4], [1, 2, 3, 5], [2, 2, 3, 4]])
    _, few = k_of_n(6, seed=1, items=30)
    for scores in (small, few):
        for name in agreement.COEFFICIENTS[:5]:
            plain, scaled = (
                agreement.summary(one, (name,), draws=60).estimates[name] for one in (scores, unit * scores)
            )
            assert scaled.value == pytest.approx(plain.value, abs=1e-6), name
            assert scaled.undefined is plain.undefined
            assert scaled.no_interval == plain.no_interval, name
            assert scaled.low == pytest.approx(plain.low, abs=1e-4), name


def test_the_collected_tables_have_their_right_values(shared_cases: Path) -> None:
    cases = {case["name"]: case for case in json.loads((shared_cases / "agreement.json").read_text())}
    assert cases.keys() == {
        "one-unit", "icc-negative-denominator", "icc-tiny-units", "kappa-one-shared-item", "k-of-n-icc",
    }  # fmt: skip
    lone = agreement.summary(table(cases["one-unit"]["scores"]), draws=50).estimates["alpha_ordinal"]
    assert (lone.value, lone.low, lone.no_interval) == (cases["one-unit"]["alpha_ordinal"], None, "only one item")
    assert agreement.icc(table(cases["icc-negative-denominator"]["scores"]), "2,k").undefined is Undefined.OUTWEIGHED
    tiny = table(cases["icc-tiny-units"]["scores"])
    for form in ICC_FORMS:
        scaled = agreement.icc(cases["icc-tiny-units"]["scores_times"] * tiny, form)
        assert value_of(scaled) == pytest.approx(value_of(agreement.icc(tiny, form)))


def test_the_denominator_of_a_correlation_has_its_own_reason() -> None:
    # The items' means are 2, 2.5 and 2: not equal, but nearer to each other than the two raters' scores.
    opposed = table([[1, 2, 3], [3, 3, 1]])
    assert agreement.icc(opposed, "2,k").undefined is Undefined.OUTWEIGHED
    assert agreement.icc(table([[1, 2], [2, 1]]), "2,k").undefined is Undefined.NO_ITEM_SPREAD
    assert agreement.icc(1e-5 * opposed, "2,k").undefined is Undefined.OUTWEIGHED


def test_nothing_that_is_resampled_alike_has_an_interval_and_each_says_why() -> None:
    one_item = agreement.summary(table([[2], [4], [2]]), draws=50).estimates
    assert {one_item[name].no_interval for name in ("alpha_ordinal", "alpha_interval", "exact", "within_1")} == {
        "only one item"
    }
    pairs = table([[1, 2, 3, 4], [1, 3, 3, 4]])
    one_background = agreement.summary(pairs, draws=50, clusters=np.zeros(4, dtype=np.int64)).estimates
    assert {found.no_interval for found in one_background.values()} == {"only one background"}
    alike = agreement.summary(np.tile(pairs, 3), draws=50, clusters=np.repeat(np.arange(3), 4)).estimates
    for found in (*one_item.values(), *one_background.values(), *alike.values()):
        assert (found.low, found.high) == (None, None)
        assert found.value is None or found.no_interval
    assert alike["exact"].no_interval == "no spread"


def confusion_kappa(first: Scores, second: Scores, values: Scores) -> float:
    """Cohen's own form: 1 − Σ weight·observed / Σ weight·expected over the table of joint scores."""
    observed = np.array([[np.mean((first == a) & (second == b)) for b in values] for a in values])
    expected = np.outer(observed.sum(axis=1), observed.sum(axis=0))
    weights = (values[:, None] - values[None, :]) ** 2
    return float(1 - (weights * observed).sum() / (weights * expected).sum())


def test_weighted_kappa_of_two_raters_is_cohens_but_for_the_pairs_themselves() -> None:
    rng = np.random.default_rng(2)
    base = rng.integers(1, 6, size=400)
    first, second = np.clip(base + rng.integers(-1, 2, size=(2, 400)), 1, 5).astype(float)
    cohen = confusion_kappa(first, second, np.arange(1.0, 6.0))
    pooled = value_of(agreement.weighted_kappa(np.stack([first, second])))
    # Cohen's expected disagreement has 400 of its 400 · 400 terms from scores of the same unit.
    assert 1 - pooled == pytest.approx(399 * (1 - cohen) / (400 - (1 - cohen)), rel=1e-9)


def kappa_by_loops(scores: Scores) -> float:
    """The definition, score by score: each pair of raters as often as they share a unit."""
    observed = expected = 0.0
    for one, other in combinations(scores, 2):
        shared = [u for u in range(len(one)) if not np.isnan(one[u] + other[u])]
        apart = [
            (one[u] - other[v]) ** 2
            for u in range(len(one))
            for v in range(len(one))
            if u != v and not np.isnan(one[u] + other[v])
        ]
        if apart:
            observed += sum((one[u] - other[u]) ** 2 for u in shared)
            expected += len(shared) * sum(apart) / len(apart)
    return 1 - observed / expected


@settings(max_examples=60, deadline=None)
@given(reliability_data())
def test_weighted_kappa_is_pooled_over_pairs_of_scores_as_its_definition_says(scores: Scores) -> None:
    found = agreement.weighted_kappa(scores)
    if found.value is not None:
        assert found.value == pytest.approx(kappa_by_loops(scores), abs=1e-9)


def test_a_pair_of_raters_whom_chance_would_let_agree_leaves_the_others_their_kappa() -> None:
    scores = table([[3, 3, 3, 3], [3, 3, 3, 3], [1, 2, 4, 5]])
    assert value_of(agreement.weighted_kappa(scores)) == pytest.approx(kappa_by_loops(scores))


def test_a_pair_of_raters_with_one_shared_unit_weighs_little_beside_one_with_a_hundred() -> None:
    complete, _ = k_of_n(2, seed=3, items=100)
    third = np.full((1, 100), np.nan)
    # The third rater scored one unit besides those of nobody else's: as far off as can be.
    third[0, 0] = 5 if complete[0, 0] < 3 else 1
    alone = value_of(agreement.weighted_kappa(complete))
    together = value_of(agreement.weighted_kappa(np.vstack([complete, third])))
    assert abs(together - alone) < 0.1


def test_shares_count_pairs_of_scores_within_items() -> None:
    scores = table([[1, 3, 5], [1, 4, 1], [2, 4, gap]])
    # Pairs: (1,1) (1,2) (1,2) | (3,4) (3,4) (4,4) | (5,1)
    found = agreement.summary(scores, ("exact", "within_1"), draws=10).estimates
    assert value_of(found["exact"]) == pytest.approx(2 / 7)
    assert value_of(found["within_1"]) == pytest.approx(6 / 7)


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


@pytest.mark.parametrize(
    ("rows", "why"),
    [
        ([[3, 3], [3, 3]], Undefined.ALL_EQUAL),
        ([[3], [4]], Undefined.ONE_ITEM),
        ([[3, gap], [4, gap], [gap, 5]], Undefined.ONE_ITEM),
        # A rater's own two scores are not compared with each other.
        ([[3, gap, gap], [4, gap, gap], [gap, 1, 5]], Undefined.ONE_ITEM),
        ([[1, 2], [2, 1]], Undefined.NO_CHANCE),
        # One item is shared, and the second rater's other score is what the first gave to it.
        ([[1, gap], [2, 1]], Undefined.NO_CHANCE),
        # The third rater differs, but has nothing else that could be compared.
        ([[3, 3], [3, 3], [gap, gap]], Undefined.ALL_EQUAL),
        ([[1, 2], [2, 1], [gap, gap]], Undefined.NO_CHANCE),
    ],
)
def test_an_undefined_kappa_says_why(rows: list[list[float | None]], why: Undefined) -> None:
    assert agreement.weighted_kappa(table(rows)).undefined is why


@settings(max_examples=150, deadline=None)
@given(reliability_data())
def test_scores_are_called_equal_only_where_they_are(scores: Scores) -> None:
    paired = scores[:, (~np.isnan(scores)).sum(axis=0) >= 2]
    are_equal = len(np.unique(paired[~np.isnan(paired)])) == 1
    for name in agreement.COEFFICIENTS:
        (found,) = agreement.summary(scores, (name,), draws=2).estimates.values()
        assert are_equal or found.undefined is not Undefined.ALL_EQUAL


def test_an_undefined_correlation_says_why() -> None:
    assert agreement.icc(table([[1, 2, gap], [gap, 2, 3]]), "2,1").undefined is Undefined.NOT_CROSSED
    assert agreement.icc(table([[4, 4], [4, 4]]), "2,1").undefined is Undefined.ALL_EQUAL
    nested = table([[1, gap, gap], [2, gap, gap], [gap, 3, gap], [gap, 3, gap], [gap, gap, 5], [gap, gap, 4]])
    assert agreement.icc(nested, "3,1").undefined is Undefined.TOO_FEW
    assert agreement.icc(table([[1, 2], [2, 1]]), "3,k").undefined is Undefined.NO_ITEM_SPREAD


def test_what_rounding_leaves_is_neither_spread_nor_error() -> None:
    # In binary, sums of tenths do not cancel.
    severe = table([[value] * 11 for value in (4.1, 0, 4.3, 0.2)])
    assert agreement.icc(severe, "2,1") == Estimate(0)
    assert agreement.icc(severe, "3,1").undefined is Undefined.NO_ITEM_SPREAD
    alike = table([[0.9, 4.3, 2.7, 1.5, 2.1, 0.1, 0.6, 3.4, 3.2]] * 5)
    assert [value_of(agreement.icc(alike, form)) for form in agreement.ICC_FORMS] == [1] * 6


def test_shares_are_defined_where_all_scores_are_equal() -> None:
    found = agreement.summary(table([[3, 3], [3, 3]]), ("exact", "within_1"), draws=10).estimates
    assert [value_of(found[name]) for name in ("exact", "within_1")] == [1, 1]


def test_a_unit_that_nobody_scored_is_none_and_one_that_one_rater_scored_is_one() -> None:
    assert agreement.icc(table([[1, 2, gap], [2, 4, gap]]), "2,1").undefined is None
    # Five scores cannot tell three units, three raters and error apart.
    assert agreement.icc(table([[1, 2, gap], [2, 4, gap], [gap, gap, 3]]), "2,1").undefined is Undefined.TOO_FEW


def test_no_ratings_at_all_are_undefined_not_an_error() -> None:
    for shape in ((0, 0), (3, 0), (0, 3)):
        summary = agreement.summary(np.empty(shape), draws=10)
        assert {estimate.undefined for estimate in summary.estimates.values()} == {Undefined.NO_PAIRS}
        assert summary.paired_units == 0


def test_a_summary_counts_raters_units_pairs_and_gaps() -> None:
    found = agreement.summary(table([[1, 2, 3, 4], [1, 3, 3, None], [2, 2, None, None]]), draws=20)
    assert (found.raters, found.units, found.paired_units, found.incomplete_units) == (3, 4, 3, 2)


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


@settings(max_examples=60, deadline=None)
@given(reliability_data(), st.sampled_from([1.0, 0.5, 1000.0]), st.booleans())
def test_patterns_count_units_that_look_alike_and_lose_no_score(scores: Scores, unit: float, tile: bool) -> None:
    scores = np.tile(unit * scores, 3) if tile else unit * scores
    patterns = Patterns.of(scores)
    again = np.append(patterns.domain, np.nan)[patterns.codes[patterns.of_unit]].T
    assert np.array_equal(again, scores, equal_nan=True)
    assert len(np.unique(patterns.codes, axis=0)) == len(patterns.codes)


def test_patterns_of_more_raters_than_a_number_has_digits_are_told_apart() -> None:
    scores = np.random.default_rng(1).integers(1, 101, (40, 60)).astype(float)
    scores = np.hstack([scores, scores[:, :30]])
    patterns = Patterns.of(scores)
    assert (len(patterns.codes), patterns.weights.max()) == (60, 2)


def test_alpha_of_twenty_raters_holds_its_scores_no_three_times_over() -> None:
    scores = np.random.default_rng(1).integers(1, 6, (20, 20_000)).astype(float)
    tracemalloc.start()
    try:
        agreement.alpha(scores, "ordinal")
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    # A sort, or a table of distinct units, holds more copies of all scores.
    assert peak < 3 * scores.nbytes


def test_clusters_are_drawn_by_the_seed() -> None:
    scores = np.random.default_rng(8).integers(1, 6, (3, 40)).astype(float)
    names, clusters = ("alpha_interval", "kappa"), np.arange(40) // 2
    first, again, other = (agreement.summary(scores, names, 50, seed, clusters) for seed in (1, 1, 2))
    assert first == again != other


def test_copies_of_a_unit_in_one_cluster_make_no_interval_narrower() -> None:
    rng = np.random.default_rng(8)
    scores = np.clip(rng.integers(1, 6, size=40) + rng.integers(-1, 2, size=(3, 40)), 1, 5).astype(float)
    alone = agreement.summary(scores, ("alpha_interval",), clusters=np.arange(40)).estimates["alpha_interval"]
    copied = agreement.summary(np.tile(scores, 4), ("alpha_interval",), clusters=np.tile(np.arange(40), 4)).estimates[
        "alpha_interval"
    ]
    widths = [found.high - found.low for found in (alone, copied) if found.high is not None and found.low is not None]
    assert widths[1] == pytest.approx(widths[0], rel=0.05)


def test_only_what_is_named_is_resampled_over_as_many_clusters_as_there_are() -> None:
    scores, clusters = table(DATA_C), np.repeat(np.arange(4), 3)
    found = agreement.summary(scores, ("alpha_ordinal", "kappa"), 50, seed=1, clusters=clusters, resampled={"kappa"})
    assert found.clusters == 4
    assert found.estimates["alpha_ordinal"] == agreement.alpha(scores, "ordinal")
    assert found.estimates["kappa"].low is not None
    both = agreement.summary(scores, ("alpha_ordinal", "kappa"), 50, seed=1, clusters=clusters)
    assert both.estimates["kappa"] == found.estimates["kappa"]
    assert both.estimates["alpha_ordinal"].low is not None
    assert agreement.summary(scores, ("kappa",), 50).clusters == 11
