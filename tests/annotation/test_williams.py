"""Williams rows, blocks and paths: what each promises, whatever the seed."""

from collections import Counter
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from annotation.allocation.orders import claim_pivot, crossed_blocks
from annotation.allocation.williams import Tally, mending_row, williams_rows

SEEDS = st.integers(0, 2**32)


@pytest.mark.parametrize("versions", range(1, 10))
def test_in_a_square_each_version_stands_equally_often_at_each_place_and_after_each_other(versions: int) -> None:
    rows = williams_rows(versions)
    assert len(rows) == (2 * versions if versions % 2 and versions > 1 else versions)
    each = len(rows) // versions
    at_place = Counter((version, place) for row in rows for place, version in enumerate(row))
    assert set(at_place.values()) == {each}
    assert len(at_place) == versions**2
    after = Counter(pair for row in rows for pair in pairwise(row))
    assert len(after) == versions * (versions - 1)
    assert set(after.values()) <= {each}


@settings(max_examples=50, deadline=None)
@given(st.integers(2, 7), st.integers(1, 60), st.integers(0, 40))
def test_rows_chosen_one_by_one_stay_within_one_of_ideal(versions: int, blocks: int, turn: int) -> None:
    rows, tally = williams_rows(versions), Tally.empty(versions)
    for number in range(blocks):
        tally.add_row(mending_row(rows, tally, turn + number))
        for place in range(versions):
            assert all(abs(row[place] - (number + 1) / versions) <= 1 for row in tally.placed)
        even = (number + 1) / versions
        off = [abs(count - even) for a, row in enumerate(tally.carried) for b, count in enumerate(row) if a != b]
        # An odd number of versions needs both squares for that.
        assert max(off) <= (2 if versions % 2 and (number + 1) % (2 * versions) else 1)


def test_the_next_row_makes_up_for_blocks_that_were_broken_off() -> None:
    rows, tally = williams_rows(4), Tally.empty(4)
    for version in (1, 1, 2, 3):
        tally.add(version, 0, None)
    assert mending_row(rows, tally, 0)[0] == 4


def test_a_row_does_not_begin_with_a_version_whose_background_was_just_seen() -> None:
    rows = williams_rows(4)
    assert mending_row(rows, Tally.empty(4), 0, [rows[0][0]])[0] != rows[0][0]
    # Where all are barred, one of them has to come.
    assert mending_row(rows, Tally.empty(4), 0, [1, 2, 3, 4]) == rows[0]


def test_a_tally_survives_being_stored_and_is_begun_anew_for_another_number_of_versions() -> None:
    tally = Tally.empty(3)
    tally.add_row(williams_rows(3)[1])
    assert Tally.read(tally.to_json(), 3) == tally
    assert Tally.read(tally.to_json(), 4) == Tally.empty(4)
    assert Tally.read(None, 3) == Tally.empty(3)


@settings(max_examples=100, deadline=None)
@given(st.integers(1, 6), st.integers(0, 30), SEEDS)
def test_blocks_hold_every_item_once_each_version_once_and_no_background_twice(
    versions: int, more: int, seed: int
) -> None:
    backgrounds = versions + more
    families = [{v: 100 * number + v for v in range(1, versions + 1)} for number in range(backgrounds)]
    blocks = crossed_blocks(families, versions, seed)
    assert sorted(pk for block in blocks for pk in block.values()) == sorted(pk for f in families for pk in f.values())
    for block in blocks:
        assert set(block) == set(range(1, versions + 1))
        assert len({pk // 100 for pk in block.values()}) == versions
    if backgrounds >= 2 * versions:
        for one, two in pairwise(blocks):
            assert not {pk // 100 for pk in one.values()} & {pk // 100 for pk in two.values()}


@settings(max_examples=50, deadline=None)
@given(st.lists(st.sets(st.integers(1, 4), min_size=1), min_size=4, max_size=20), SEEDS)
def test_a_background_that_lacks_a_version_leaves_a_gap_and_nothing_is_lost(lacking: list[set[int]], seed: int) -> None:
    families = [{v: 100 * number + v for v in has} for number, has in enumerate(lacking)]
    blocks = crossed_blocks(families, 4, seed)
    assert sorted(pk for block in blocks for pk in block.values()) == sorted(pk for f in families for pk in f.values())
    assert all(len({pk // 100 for pk in block.values()}) == len(block) for block in blocks)


def test_fewer_backgrounds_than_versions_make_no_blocks() -> None:
    with pytest.raises(ValueError, match="fewer backgrounds"):
        crossed_blocks([{1: 1, 2: 2, 3: 3}], 3, 1)


@settings(max_examples=100, deadline=None)
@given(SEEDS, st.integers(1, 60), st.integers(1, 6))
def test_a_path_meets_each_background_once_in_each_version_and_different_ones_in_a_block(
    seed: int, backgrounds: int, versions: int
) -> None:
    at = {
        (block, version): claim_pivot(seed, version, block, backgrounds=backgrounds, versions=versions)
        for block in range(backgrounds)
        for version in range(1, versions + 1)
    }
    for version in range(1, versions + 1):
        assert {at[block, version] for block in range(backgrounds)} == set(range(backgrounds))
    if backgrounds >= versions:
        for block in range(backgrounds):
            assert len({at[block, version] for version in range(1, versions + 1)}) == versions


def test_a_study_without_backgrounds_has_no_path() -> None:
    with pytest.raises(ValueError, match="no pivot"):
        claim_pivot(1, 1, 0, backgrounds=0, versions=1)
