"""A judge's scores become means, differences and spreads: the same as plain arithmetic gives."""

from math import sqrt
from statistics import mean, stdev
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from generation.judgements.notes import printed, system_beside
from generation.judgements.scores import Judged, Place, correlation, differences, means, places, scores_by_place, spread


def judged(background: int, writer: str, version: str, *scores: float, metric: str = "natural") -> Judged:
    dialogue = hash((background, writer, version)) % 10**9
    squares = sum(score**2 for score in scores)
    return Judged(background, dialogue, writer, version, metric, len(scores), sum(scores), squares)


def test_a_mean_is_taken_over_repeats_then_dialogues_then_backgrounds() -> None:
    rows = [
        judged(1, "m", "beta", 80, 90),
        Judged(1, 7, "m", "beta", "natural", 1, 65.0, 65.0**2),
        judged(2, "m", "beta", 60),
        judged(3, "m", "beta", 71, 73, 78),
    ]
    estimate = means(scores_by_place(rows))[Place("m", "beta"), "natural"]
    by_background = [mean([85, 65]), 60, 74]
    assert estimate.value == pytest.approx(mean(by_background))
    assert estimate.n == 3
    half = 4.3027 * stdev(by_background) / sqrt(3)
    assert (estimate.low, estimate.high) == pytest.approx((mean(by_background) - half, mean(by_background) + half))


@given(scores=st.lists(st.tuples(st.integers(0, 100), st.integers(0, 100)), min_size=2, max_size=5))
def test_no_interval_reaches_beyond_the_scale(scores: list[tuple[int, int]]) -> None:
    rows = [judged(number, "m", "beta", one) for number, (one, _) in enumerate(scores)]
    rows += [judged(number, "m", "gamma", other) for number, (_, other) in enumerate(scores)]
    placed = scores_by_place(rows)
    for estimate in means(placed).values():
        assert estimate.low is None or 0 <= estimate.low <= estimate.value <= (estimate.high or 0) <= 100
    for one in differences(placed, "beta").values():
        gap = one.mean
        assert gap.low is None or -100 <= gap.low <= gap.value <= (gap.high or 0) <= 100


def test_an_interval_is_cut_off_where_the_scale_ends() -> None:
    rows = [judged(number, "m", "beta", score) for number, score in enumerate((100, 100, 100, 60))]
    estimate = means(scores_by_place(rows))[Place("m", "beta"), "natural"]
    assert estimate.high == 100
    assert estimate.low == pytest.approx(90 - 3.1824 * 20 / 2)


def test_originals_stand_beside_each_writer_over_that_writers_backgrounds() -> None:
    rows = [judged(1, "", "alpha", 50), judged(2, "", "alpha", 60), judged(3, "", "alpha", 100)]
    rows += [judged(1, "a", "beta", 70), judged(2, "a", "beta", 70), judged(2, "b", "beta", 90)]
    found = means(scores_by_place(rows))
    assert found[Place("a", "alpha"), "natural"].value == 55
    assert found[Place("b", "alpha"), "natural"].value == 60
    assert places(scores_by_place(rows), ["alpha", "beta", "gamma"]) == [
        ("a", "alpha"), ("a", "beta"), ("b", "alpha"), ("b", "beta"),
    ]  # fmt: skip
    alone = scores_by_place(rows[:3])
    assert means(alone)[Place("", "alpha"), "natural"].value == 70


def test_a_version_that_one_writer_lacks_is_a_column_without_figures() -> None:
    rows = [judged(1, "a", "beta", 70), judged(1, "a", "gamma", 80), judged(1, "b", "beta", 60)]
    scores = scores_by_place(rows)
    assert Place("b", "gamma") in places(scores, ["beta", "gamma"])
    assert (Place("b", "gamma"), "natural") not in means(scores)
    assert (Place("b", "gamma"), "natural") not in differences(scores, "beta")


def test_a_difference_is_paired_by_background() -> None:
    rows = [judged(1, "m", "beta", 70), judged(2, "m", "beta", 60), judged(3, "m", "beta", 10)]
    rows += [judged(1, "m", "gamma", 75), judged(2, "m", "gamma", 71), judged(4, "m", "gamma", 99)]
    gap = differences(scores_by_place(rows), "beta")[Place("m", "gamma"), "natural"]
    assert (gap.mean.value, gap.mean.n) == (8, 2)
    assert gap.effect == pytest.approx(8 / stdev([5, 11]))
    assert gap.higher == 1
    assert (Place("m", "beta"), "natural") not in differences(scores_by_place(rows), "beta")


def test_spread_counts_only_dialogues_judged_more_than_once() -> None:
    rows = [judged(1, "m", "beta", 70, 80, 90), judged(2, "m", "beta", 50, 52), judged(3, "m", "beta", 10)]
    found = spread(rows)["natural"]
    assert found.value == pytest.approx(mean([stdev([70, 80, 90]), stdev([50, 52])]))
    assert found.n == 2
    assert spread(rows[2:]) == {}


@settings(max_examples=60)
@given(scores=st.lists(st.integers(0, 100), min_size=2, max_size=12))
def test_a_deviation_from_sums_is_the_plain_one(scores: list[int]) -> None:
    assert judged(1, "m", "beta", *scores).deviation == pytest.approx(stdev(scores), abs=1e-6)


def test_two_judges_agree_as_far_as_pearsons_r_says() -> None:
    first = [judged(n, "m", "beta", score) for n, score in enumerate((50, 60, 90, 70))]
    second = [judged(n, "m", "beta", score) for n, score in enumerate((55, 50, 80))]
    r, n = correlation(first, second)["natural"]
    assert n == 3
    assert r == pytest.approx(np.corrcoef([50, 60, 90], [55, 50, 80])[0, 1])
    flat = [judged(n, "m", "beta", 70) for n in range(3)]
    assert correlation(first, flat)["natural"] == (None, 3)


@pytest.mark.parametrize(
    ("writer", "system"),
    [
        ("gpt-4", "GPT-4"),
        ("gpt-4-0613", "GPT-4"),
        ("openai/gpt-4-turbo", "GPT-4"),
        ("meta-llama/Meta-Llama-3-70B-Instruct", "Llama3-70b"),
        ("llama3-70b-8192", "Llama3-70b"),
        ("llama3:70b", "Llama3-70b"),
        ("microsoft/Phi-3-mini-4k-instruct", "Phi3-3.8b"),
        ("phi3-3.8b", "Phi3-3.8b"),
        # Not in the paper: its main model stands beside.
        ("gpt-4o-mini", "GPT-4"),
        ("llama3-8b", "GPT-4"),
        ("", "GPT-4"),
    ],
)
def test_the_papers_system_of_the_same_model_stands_beside_a_writer(writer: str, system: str) -> None:
    assert system_beside(writer) == system


def test_llama_3_1_is_another_model_than_the_papers() -> None:
    assert system_beside("Llama-3.1-70B-Instruct") == "GPT-4"
    assert system_beside("llama-3.3-70b") == "GPT-4"


@pytest.mark.parametrize(
    ("place", "value"),
    [
        (("interesting", "alpha", "GPT-4"), 82.0),
        (("natural", "stephanie", "Llama3-70b"), 97.61),
        (("natural", "stephanie", "Phi3-3.8b"), 87.41),
        (("natural", "gamma", "Phi3-3.8b"), None),
        (("on_topic", "alpha", "GPT-4"), None),
        (("humour", "alpha", "GPT-4"), None),
        (("natural", "punctuation", "GPT-4"), None),
    ],
)
def test_a_printed_value_is_found_by_metric_version_and_system(place: Any, value: float | None) -> None:
    assert printed(*place) == value
