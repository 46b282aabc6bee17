"""Agreement of two people on where messages end, by examples worked out by hand and by laws."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dialogues.segmentation import Segmentation, boundary_similarity, pk, segmentation_of, window, window_diff
from dialogues.transcript import Transcript
from tests.generation.transcripts import transcripts


def segments(boundaries: set[int], *lengths: int) -> Segmentation:
    return Segmentation(lengths, frozenset(boundaries))


ORIGINAL = Transcript.of([[1, "a b c d e f"], [2, "g h i"], [1, "j k"]])


@pytest.mark.parametrize(
    ("rewrite", "boundaries"),
    [
        ([[1, "a b c d e f"], [2, "g h i"], [1, "j k"]], set()),
        ([[1, "a b"], [1, "c d e f"], [2, "g"], [2, "h i"], [1, "j k"]], {2, 7}),
        # Other words on either side of a boundary leave it where it was.
        ([[1, "a x"], [1, "c d e f"], [2, "g h i"], [1, "j k"]], {2}),
        ([[1, "a b"], [1, "x d e f"], [2, "g h i"], [1, "j k"]], {2}),
        ([[1, "a x y z"], [1, "v w d e f"], [2, "g h i"], [1, "j k"]], {2}),
        # Whole messages that were put in: in the middle of a text, between two turns.
        ([[1, "a b"], [1, "brand new"], [1, "c d e f"], [2, "g h i"], [1, "j k"]], {2}),
        ([[1, "a b c d e f"], [1, "brand new"], [2, "g h i"], [1, "j k"]], set()),
        ([[1, "a b"], [2, "brand new"], [1, "c d e f"], [2, "g h i"], [1, "j k"]], {2}),
        # Dropped words stand behind the boundary.
        ([[1, "a b"], [1, "e f"], [2, "g h i"], [1, "j k"]], {2}),
        ([[1, "c d"], [1, "e f"], [2, "g h i"], [1, "j k"]], {4}),
    ],
)
def test_a_boundary_is_placed_by_the_originals_words(rewrite: list[object], boundaries: set[int]) -> None:
    assert segmentation_of(ORIGINAL, Transcript.of(rewrite)) == segments(boundaries, 6, 3, 2)


def test_messages_of_the_original_are_boundaries_of_their_own() -> None:
    gamma = Transcript.of([[1, "a b"], [1, "c d"], [2, "e f"]])
    assert segmentation_of(gamma, gamma) == segments({2}, 4, 2)
    assert segmentation_of(gamma, Transcript.of([[1, "a b c d"], [2, "e f"]])) == segments(set(), 4, 2)


def test_pk_by_hand() -> None:
    # 12 words: 12 + 12 words in 3 + 3 segments, 4 a segment, so k = 2 and 10 windows start at words 0 to 9.
    # Of those, the boundary after 4 is in windows 2, 3; after 5 in 3, 4; after 8 in 6, 7 for both: 2 and 4 differ.
    one, other = segments({4, 8}, 12), segments({5, 8}, 12)
    assert window(one, other) == 2
    assert pk(one, other) == pytest.approx(2 / 10)


def test_window_diff_sees_a_second_boundary_that_pk_does_not() -> None:
    # 14 words in 2 and 3 segments: 28 / 5 / 2 = 2.8, so k = 3 and windows start at 0 to 10. Boundaries after 6, and
    # after 6 and 7: the windows 3, 4, 5 hold the first, 4, 5, 6 the second. Pk differs at 6; WindowDiff at 4, 5, 6.
    one, other = segments({6}, 14), segments({6, 7}, 14)
    assert window(one, other) == 3
    assert pk(one, other) == pytest.approx(1 / 11)
    assert window_diff(one, other) == pytest.approx(3 / 11)


def test_windows_stay_within_turns() -> None:
    # Turns of 4 and 2 words: 12 words in 2 + 3 segments, k = round(1.2) = 1: gaps 1, 2, 3 and 5. One of them differs.
    one, other = segments(set(), 4, 2), segments({2}, 4, 2)
    assert pk(one, other) == window_diff(one, other) == pytest.approx(1 / 4)


@pytest.mark.parametrize(
    ("left", "right", "expected"),
    [
        ({4, 8}, {4, 8}, 1.0),
        # One match, one near miss: 1 − 0.5 / 2.
        ({4, 8}, {5, 8}, 0.75),
        # One match, two that only one has: 1 − 2 / 3.
        ({4, 8}, {6, 8}, 1 / 3),
        ({4}, {8}, 0.0),
        ({4}, set(), 0.0),
        # Two near misses although the first place could take either: 1 − 1 / 2.
        ({4, 6}, {5, 7}, 0.5),
        # A match is a match first: 4 is shared, so 5 stands alone: 1 − 1 / 2.
        ({4, 5}, {4}, 0.5),
        # No boundary at all: they agree that there is none.
        (set(), set(), 1.0),
    ],
)
def test_boundary_similarity_by_hand(left: set[int], right: set[int], expected: float) -> None:
    assert boundary_similarity(segments(left, 12), segments(right, 12)) == pytest.approx(expected)


def test_a_wider_near_miss_costs_by_its_distance() -> None:
    # n_t = 3: two words apart cost 2/3.
    assert boundary_similarity(segments({4}, 12), segments({6}, 12), near=3) == pytest.approx(1 - 2 / 3)


def test_a_near_miss_does_not_reach_over_the_end_of_a_turn() -> None:
    assert boundary_similarity(segments({3}, 4, 4), segments({5}, 4, 4), near=3) == 0


def test_without_two_words_in_any_turn_there_is_nothing_to_agree_on() -> None:
    one = segments(set(), 1, 1)
    assert pk(one, one) is None
    assert window_diff(one, one) is None


def test_no_boundary_in_either_is_full_agreement() -> None:
    one = segments(set(), 5, 3)
    assert (pk(one, one), window_diff(one, one), boundary_similarity(one, one)) == (0, 0, 1)


def test_different_texts_are_not_compared_and_boundaries_stand_inside_turns() -> None:
    with pytest.raises(ValueError, match="one text"):
        pk(segments(set(), 5), segments(set(), 4))
    with pytest.raises(ValueError, match="between two words"):
        segments({5}, 5, 3)


@st.composite
def pairs(draw: st.DrawFn) -> tuple[Segmentation, Segmentation]:
    lengths = tuple(draw(st.lists(st.integers(1, 12), min_size=1, max_size=5)))
    gaps = sorted(Segmentation(lengths, frozenset()).gaps())
    chosen = st.sets(st.sampled_from(gaps)) if gaps else st.just(set())
    return Segmentation(lengths, frozenset(draw(chosen))), Segmentation(lengths, frozenset(draw(chosen)))


@settings(max_examples=200)
@given(pairs())
def test_every_measure_is_symmetric_within_bounds_and_perfect_for_the_same(
    two: tuple[Segmentation, Segmentation],
) -> None:
    one, other = two
    for measure, perfect in ((pk, 0), (window_diff, 0), (boundary_similarity, 1)):
        value = measure(one, other)
        assert value == measure(other, one)
        assert value is None or 0 <= value <= 1
        assert measure(one, one) in (perfect, None)
    if (low := pk(one, other)) is not None and (high := window_diff(one, other)) is not None:
        assert low <= high
    assert (pk(one, other) is None) == (max(one.lengths) == 1)


@settings(max_examples=100)
@given(pairs())
def test_as_many_near_misses_are_found_as_any_matching_has(two: tuple[Segmentation, Segmentation]) -> None:
    one, other = two
    expected = by_trying_all(one, other)
    assert boundary_similarity(one, other, near=3) == pytest.approx(expected)


def by_trying_all(one: Segmentation, other: Segmentation, near: int = 3) -> float:
    """Boundary similarity over every way of pairing; exponential, as an oracle."""
    turn = {gap: number for number, (start, end) in enumerate(one.spans()) for gap in range(start + 1, end)}
    left, right = sorted(one.boundaries - other.boundaries), sorted(other.boundaries - one.boundaries)

    def best(place: int, free: tuple[int, ...]) -> tuple[int, int]:
        if place == len(left):
            return 0, 0
        found = [best(place + 1, free)]
        for target in free:
            apart = abs(left[place] - target)
            if apart < near and turn[left[place]] == turn[target]:
                missing, distance = best(place + 1, tuple(other for other in free if other != target))
                found.append((missing - 1, distance + apart))
        return min(found)

    missing, distance = best(0, tuple(right))
    pairs_found, same = -missing, len(one.boundaries & other.boundaries)
    alone = len(left) + len(right) - 2 * pairs_found
    whole = alone + pairs_found + same
    return 1 - (alone + distance / near) / whole if whole else 1.0


@settings(max_examples=60)
@given(transcripts(), transcripts())
def test_any_rewrite_is_a_segmentation_of_its_original(original: Transcript, rewrite: Transcript) -> None:
    found = segmentation_of(original, rewrite)
    assert found.lengths == segmentation_of(original, original).lengths
