"""What is counted over a training set's dialogues: splits, lengths, and what a filter may be set to."""

import math
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dialogues.transcript import Transcript
from generation.training.counts import Tally
from generation.training.filter_values import Flag, Scores, Share, WholeNumber
from generation.training.rendering import Form, Source, example
from generation.training.splits import SPLITS, split_of
from generation.training.tokens import LENGTHS, MARKS_A_TURN, Lengths

TALK = Transcript.of([(1, "hello there"), (2, "hi"), (2, "how are you")])
NAMES = st.lists(st.sampled_from(["d1", "d2", "é", "b/1", "x y", "10", "9"]), unique=True, min_size=3)
JSON = st.recursive(
    st.none() | st.booleans() | st.floats() | st.integers() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(["metric", "at_least", "x"]), inner),
    max_leaves=6,
)


def made_of(background: str, number: int, talk: Transcript = TALK):  # type: ignore[no-untyped-def]
    return example(Source(f"{background}-{number}", background, "gamma", talk), 2, Form())


@given(NAMES, st.lists(st.integers(1, 4), min_size=7, max_size=7), st.floats(0, 0.3), st.integers(0, 9))
def test_each_background_is_in_one_split_and_the_counts_add_up(
    names: list[str], sizes: list[int], share: float, seed: int
) -> None:
    tally = Tally()
    for name, size in zip(names, sizes, strict=False):
        for number in range(size):
            tally.take(name, "gamma", [made_of(name, number)], is_demo=False)
    counts = tally.as_json(split_of(tally.examples.keys(), validation=share, test=share, seed=seed))["splits"]
    assert list(counts) == list(SPLITS)
    assert sum(row["backgrounds"] for row in counts.values()) == len(names)
    assert sum(row["examples"] for row in counts.values()) == sum(sizes[: len(names)])


@given(st.lists(st.integers(0, 10_000), min_size=1))
def test_what_is_beyond_a_length_is_what_a_cut_there_would_lose(sizes: list[int]) -> None:
    lengths = Lengths()
    for size in sizes:
        lengths.add(made_of("d", 1, Transcript.of([(1, "x" * (4 * size + 4)), (2, "y")])))
    found = lengths.as_json()
    # Two turns and the system message, which is a line of its own where there is neither theme nor character.
    system = math.ceil(len("You are a person in a private chat with another person. Stay in character.") / 4)
    each = [system + size + 1 + 1 + 3 * MARKS_A_TURN for size in sizes]
    assert (found["total"], found["longest"], found["is_estimate"]) == (sum(each), max(each), True)
    for row, length in zip(found["cut"], LENGTHS, strict=True):
        kept = sum(min(one, length) for one in each)
        assert row["length"] == length
        assert row["tokens"] == sum(each) - kept
        assert row["examples"] == sum(one > length for one in each)


@given(JSON)
def test_a_filter_reads_any_json_or_refuses_it_and_reads_again_what_it_read(given: object) -> None:
    for value in (Flag(), WholeNumber(), Share(), Scores()):
        with suppress(ValueError):
            read = value.read(given)
            assert read is None or value.read(read) == read
            assert not isinstance(read, float) or math.isfinite(read)


@pytest.mark.parametrize(
    ("text", "metric", "least", "most"),
    [("natural:60", "natural", 60, None), ("natural:..80", "natural", None, 80), ("natural:3.5..4", "natural", 3.5, 4)],
)
def test_a_range_of_scores_is_written_as_a_metric_and_its_ends(
    text: str, metric: str, least: float | None, most: float | None
) -> None:
    assert Scores().parse(text) == {"metric": metric, "at_least": least, "at_most": most}


@pytest.mark.parametrize("text", ["natural", "natural:", ":4", "natural:5..4", "natural:x", "natural:nan"])
def test_a_range_without_a_metric_or_an_end_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"\w"):
        Scores().parse(text)
