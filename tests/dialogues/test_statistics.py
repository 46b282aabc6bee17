"""Words, turns and Distinct-N are counted as the paper's tables say, whatever the text."""

from collections.abc import Iterable
from statistics import mean

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.intervals import Estimate, PairSums, mean_of, ratio_of, student_t_975
from dialogues.statistics.distinct import SIZES, Encoded, distinct, encode, pooled
from dialogues.statistics.words_and_turns import (
    TOKENIZERS,
    Tokenizer,
    acmc,
    acmc_from_shares,
    count_words,
    run_shares,
    tokens,
)

# Few words, so that n-grams repeat within and across dialogues; blanks of several kinds between them.
WORDS = st.sampled_from(["a", "b", "c", ".", "?!", "é", "don't", "7", "_", "👋"])
TEXTS = st.lists(WORDS, max_size=9).map(" \u00a0".join)
DIALOGUES = st.lists(st.lists(TEXTS, max_size=6), max_size=8)


def plain_distinct(dialogues: Iterable[Iterable[str]], size: int, tokenizer: Tokenizer) -> tuple[int, int, list[float]]:
    """Distinct-N with sets of tuples: unique and total for all, and each dialogue's own ratio."""
    everything: set[tuple[str, ...]] = set()
    total, ratios = 0, []
    for texts in dialogues:
        grams = []
        for text in texts:
            words = tokens(text, tokenizer)
            grams += [tuple(words[place : place + size]) for place in range(len(words) - size + 1)]
        everything.update(grams)
        total += len(grams)
        if grams:
            ratios.append(len(set(grams)) / len(grams))
    return len(everything), total, ratios


def test_a_mean_of_shares_has_no_interval_beyond_one() -> None:
    found = distinct(encode([["a b c d"], ["a b a b a b"], ["e f g h"]], "whitespace"))[2].mean
    assert found is not None
    assert found.low is not None
    assert found.low < found.value < 1
    assert found.high == 1


@settings(max_examples=200, deadline=None)
@given(DIALOGUES, st.sampled_from(list(TOKENIZERS)))
def test_hashed_distinct_n_equals_plain_sets(dialogues: list[list[str]], tokenizer: Tokenizer) -> None:
    encoded = encode(dialogues, tokenizer)
    found = distinct(encoded)
    for size in SIZES:
        unique, total, ratios = plain_distinct(dialogues, size, tokenizer)
        assert (found[size].unique, found[size].total) == (unique, total)
        assert pooled(encoded)[size] == found[size].pooled == (unique / total if total else None)
        estimate = found[size].mean
        assert (estimate.n if estimate else 0) == len(ratios)
        if estimate:
            assert estimate.value == pytest.approx(mean(ratios), abs=1e-12)


def test_an_n_gram_does_not_cross_a_message_boundary() -> None:
    found = distinct(encode([["a b", "c d"]], "whitespace"))
    assert found[2].total == 2
    assert found[3].total == 0
    assert found[3].pooled is None
    assert found[3].mean is None


def test_a_dialogue_too_short_for_an_n_gram_is_left_out_of_the_mean_and_n_says_so() -> None:
    found = distinct(encode([["a b a b"], ["a"], ["x y z"]], "whitespace"))
    assert found[2].pooled == pytest.approx(4 / 5)
    assert found[2].mean is not None
    assert found[2].mean[:2] == (pytest.approx((2 / 3 + 1) / 2), 2)


@settings(max_examples=100, deadline=None)
@given(DIALOGUES, st.integers(0, 60))
def test_a_sample_holds_whole_dialogues_up_to_the_budget(dialogues: list[list[str]], budget: int) -> None:
    encoded = encode(dialogues, "whitespace")
    sample = encoded.sample(budget)
    assert len(sample.ids) == sample.lengths.sum() == min(budget, len(encoded.ids))
    cut = [owner for owner in np.unique(sample.owners) if ids_of(sample, owner) != ids_of(encoded, owner)]
    assert len(cut) <= 1
    for owner in cut:
        whole, part = ids_of(encoded, owner), ids_of(sample, owner)
        assert whole[: len(part)] == part


def ids_of(encoded: Encoded, owner: int) -> list[int]:
    return list(encoded.ids[np.repeat(encoded.owners, encoded.lengths) == owner])


def test_two_samples_of_one_seed_are_the_same_and_another_seed_differs() -> None:
    encoded = encode(([f"w{number} x y"] for number in range(200)), "whitespace")
    assert list(encoded.sample(60).ids) == list(encoded.sample(60).ids)
    assert list(encoded.sample(60).ids) != list(encoded.sample(60, seed=1).ids)


@settings(max_examples=200)
@given(st.text())
def test_the_words_tokenizer_keeps_exactly_the_whitespace_tokens_with_a_letter_or_digit(text: str) -> None:
    whitespace = tokens(text, "whitespace")
    assert tokens(text, "words") == [token for token in whitespace if any(map(str.isalnum, token))]
    assert count_words([text, text], "whitespace") == 2 * len(whitespace)


# Table 5 as printed, in % of turns with one, two … messages, and what Table 4 prints for it.
TABLE_5 = {
    "alpha": ({1: 92.65, 2: 7.35}, 1.07, 1.07),
    "beta": ({1: 91.26, 2: 8.74}, 1.09, 1.08),
    "gamma": ({1: 20.50, 2: 60.10, 3: 17.98, 4: 1.21, 5: 0.1}, 2.00, 1.99),
    "stephanie": ({1: 11.17, 2: 39.24, 3: 34.33, 4: 10.86, 5: 2.97}, 2.51, 2.51),
}


@pytest.mark.parametrize(("shares", "expected", "printed"), TABLE_5.values(), ids=TABLE_5)
def test_table_5_gives_the_acmc_of_table_4(shares: dict[int, float], expected: float, printed: float) -> None:
    found = acmc_from_shares(shares)
    assert found is not None
    assert round(found, 2) == expected
    assert abs(found - printed) < 0.011


def test_acmc_is_messages_over_turns_and_nothing_of_nothing() -> None:
    assert acmc(6, 4) == 1.5
    assert acmc(0, 0) is None


def test_shares_of_turns_add_up_to_one_with_six_or_more() -> None:
    shares = run_shares((5, 2, 1, 0, 1, 1))
    assert shares == {"1": 0.5, "2": 0.2, "3": 0.1, "4": 0.0, "5": 0.1, "6+": 0.1}
    assert run_shares((0,) * 6) == dict.fromkeys(shares, 0.0)


@pytest.mark.parametrize(
    ("degrees", "expected"), [(1, 12.7062), (10, 2.2281), (30, 2.0423), (31, 2.0395), (60, 2.0003), (1000, 1.9623)]
)
def test_students_t_agrees_with_printed_tables(degrees: int, expected: float) -> None:
    assert student_t_975(degrees) == pytest.approx(expected, abs=6e-5)


def test_a_mean_comes_with_n_and_its_interval() -> None:
    estimate = mean_of(np.array([1.0, 2.0, 3.0, 4.0]))
    # Half-width: t(3) · s / √n = 3.1824 · 1.29099 / 2.
    assert estimate == Estimate(2.5, 4, pytest.approx(0.44575, abs=1e-4), pytest.approx(4.55425, abs=1e-4))
    assert mean_of(np.array([7.0])) == Estimate(7.0, 1, no_interval="only one observation")
    assert mean_of(np.array([])) is None


def test_a_ratio_of_sums_has_the_interval_of_its_dialogues() -> None:
    words, messages = np.array([10.0, 30.0, 20.0]), np.array([1.0, 2.0, 3.0])
    sums = PairSums(3, 60, 6, (words**2).sum(), (words * messages).sum(), (messages**2).sum())
    residual = words - 10 * messages
    half = 4.3027 * np.sqrt((residual**2).sum() / (3 * 2)) / 2
    assert ratio_of(sums) == Estimate(10.0, 3, pytest.approx(10 - half), pytest.approx(10 + half))
    assert ratio_of(PairSums(1, 10, 4, 100, 40, 16)) == Estimate(2.5, 1, no_interval="only one observation")
    assert ratio_of(PairSums(0, 0, 0, 0, 0, 0)) is None


@pytest.mark.parametrize("value", [0.0, 0.1, 7.0, 1e-5, 1e9])
def test_equal_values_have_no_interval_of_no_width_and_say_why(value: float) -> None:
    assert mean_of(np.full(9, value)) == Estimate(pytest.approx(value), 9, no_interval="no spread")
    turns = np.array([3.0, 7.0, 11.0])
    messages = value * turns
    sums = PairSums(3, messages.sum(), 21, (messages**2).sum(), (messages * turns).sum(), (turns**2).sum())
    assert ratio_of(sums) == Estimate(pytest.approx(value), 3, no_interval="no spread")


def test_an_estimate_in_another_unit_keeps_the_reason() -> None:
    assert Estimate(0.5, 1, no_interval="only one observation").times(100) == Estimate(
        50, 1, no_interval="only one observation"
    )


def test_the_ratio_interval_covers_the_truth_about_as_often_as_it_says() -> None:
    random = np.random.default_rng(3)
    hits = 0
    for _ in range(400):
        y = random.integers(5, 20, 50).astype(float)
        x = random.poisson(12 * y).astype(float)
        estimate = ratio_of(PairSums(50, x.sum(), y.sum(), (x * x).sum(), (x * y).sum(), (y * y).sum()))
        assert estimate is not None
        assert estimate.low is not None
        assert estimate.high is not None
        hits += estimate.low <= 12 <= estimate.high
    assert 0.90 < hits / 400 < 0.99
