"""Restructuring as operations: what each does, what it refuses, and what holds for every sequence of them."""

import sys
from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dialogues.editing import (
    WHITE_SPACE,
    EditError,
    History,
    Merge,
    Piece,
    Split,
    Undo,
    begin,
    kept_share,
    operation_from_json,
    replay,
    transcript_of,
)
from dialogues.transcript import Transcript
from tests.dialogues.edits import DICE, TRANSCRIPTS, played
from tests.examples import many

CHAT = Transcript.of([[1, "hi there, how are you?"], [2, "fine. and you?"], [2, "i ski"], [1, "me too"]])


def after(*bodies: dict[str, Any], of: Transcript = CHAT) -> list[list[Any]]:
    return transcript_of(replay(of, bodies).draft).to_json()


def refusal(*bodies: dict[str, Any], of: Transcript = CHAT) -> str:
    with pytest.raises(EditError) as caught:
        replay(of, bodies)
    return str(caught.value)


def test_a_split_takes_the_white_space_at_the_cut() -> None:
    assert after({"op": "split", "at": 0, "offset": 9})[:2] == [[1, "hi there,"], [1, "how are you?"]]
    assert after({"op": "split", "at": 0, "offset": 10})[:2] == [[1, "hi there,"], [1, "how are you?"]]


def test_a_split_counts_characters_not_the_units_of_an_encoding() -> None:
    assert after({"op": "split", "at": 0, "offset": 2}, of=Transcript.of([[1, "😀 😀"]])) == [[1, "😀"], [1, "😀"]]


@pytest.mark.parametrize("offset", [0, 22, -1, 99])
def test_a_split_that_leaves_one_side_empty_is_refused(offset: int) -> None:
    assert refusal({"op": "split", "at": 0, "offset": offset})


def test_merging_needs_the_same_speaker_and_says_so() -> None:
    assert after({"op": "merge", "at": 2})[1:3] == [[2, "fine. and you? i ski"], [1, "me too"]]
    assert "other speaker" in refusal({"op": "merge", "at": 1})
    assert "first message" in refusal({"op": "merge", "at": 0})


def test_a_message_moves_with_its_speaker() -> None:
    moved = after({"op": "move", "at": 3, "to": 0})
    assert moved == [[1, "me too"], [1, "hi there, how are you?"], [2, "fine. and you?"], [2, "i ski"]]
    assert refusal({"op": "move", "at": 0, "to": -1})
    assert refusal({"op": "move", "at": 3, "to": 4})


def test_an_added_message_comes_from_nowhere_and_a_deleted_one_is_gone() -> None:
    history = replay(CHAT, [{"op": "insert", "at": 4, "speaker": 2, "text": " bye "}, {"op": "delete", "at": 0}])
    assert history.draft[-1] == Piece(2, "bye", ())
    assert [piece.sources for piece in history.draft] == [(1,), (2,), (3,), ()]


def test_the_last_message_stays() -> None:
    assert "at least one" in refusal({"op": "delete", "at": 0}, of=Transcript.of([[1, "hi"]]))


def test_a_rewording_keeps_where_the_message_came_from() -> None:
    history = replay(CHAT, [{"op": "reword", "at": 2, "text": "\n i love skiing "}])
    assert history.draft[2] == Piece(2, "i love skiing", (2,))
    assert "empty" in refusal({"op": "reword", "at": 2, "text": " \n"})


def test_an_accepted_proposal_that_only_cuts_loses_nothing() -> None:
    body = {"op": "accept", "at": 1, "texts": ["fine.", "and you?"], "by": "rules"}
    history = replay(CHAT, [body])
    assert history.draft[1:3] == (Piece(2, "fine.", (1,)), Piece(2, "and you?", (1,), " "))
    assert kept_share(CHAT, history.draft) == 1
    changed = replay(CHAT, [{**body, "texts": ["fine!", "you?"]}])
    assert changed.draft[1:3] == (Piece(2, "fine!", (1,)), Piece(2, "you?", (1,)))
    assert kept_share(CHAT, changed.draft) < 1


def test_the_log_can_be_rewound_and_the_rewinding_undone() -> None:
    split = {"op": "split", "at": 1, "offset": 5}
    history = replay(CHAT, [split, {"op": "delete", "at": 0}, {"op": "rewind", "to": 1}])
    assert history.draft == replay(CHAT, [split]).draft
    assert history.apply(Undo()) == replay(CHAT, [split, {"op": "delete", "at": 0}]).draft
    assert refusal({"op": "rewind", "to": 1})


def test_a_new_change_ends_what_could_be_done_again() -> None:
    history = replay(CHAT, [{"op": "delete", "at": 0}, {"op": "undo"}])
    history.apply(operation_from_json({"op": "delete", "at": 1}))
    with pytest.raises(EditError):
        history.apply(operation_from_json({"op": "redo"}))


@pytest.mark.parametrize(
    "body",
    [
        None, [], "split", {}, {"op": "burn"}, {"op": ["split"]}, {"op": {}}, {"op": "split", "at": 0},
        {"op": "split", "at": True, "offset": 3}, {"op": "split", "at": 0.0, "offset": 3},
        {"op": "split", "at": 0, "offset": 3, "by": "me"}, {"op": "undo", "at": 0},
        {"op": "reword", "at": 0, "text": 3},
        {"op": "accept", "at": 0, "texts": "ab", "by": "rules"}, {"op": "accept", "at": 0, "texts": [], "by": "rules"},
        {"op": "insert", "at": 0, "speaker": 3, "text": "x"}, {"op": "insert", "at": 9, "speaker": 1, "text": "x"},
        {"op": "reword", "at": 0, "text": "a\x00"}, {"op": "reword", "at": 0, "text": "\ud83d"},
        {"op": "reword", "at": 0, "text": "x" * 20_001}, {"op": "delete", "at": 4}, {"op": "delete", "at": -1},
        {"op": "rewind", "to": -1}, {"op": "undo"}, {"op": "redo"},
    ],
)  # fmt: skip
def test_what_is_no_operation_is_refused_with_its_number(body: Any) -> None:
    assert refusal(body).startswith("operation 1: ")


def test_white_space_is_what_python_takes_for_it() -> None:
    assert set(WHITE_SPACE) == {letter for letter in map(chr, range(sys.maxunicode)) if letter.isspace()}


# Four shares of one test, so that several processes can take them: 10,000 sequences in all.
@pytest.mark.parametrize("share", range(4))
@settings(max_examples=many(2500), deadline=None)
@given(original=TRANSCRIPTS, dice=DICE)
def test_whatever_is_done_the_log_tells_it_and_undoing_it_all_is_the_original(
    share: int, original: Transcript, dice: list[int]
) -> None:
    history, log = played(original, dice)
    again = replay(original, log)
    assert again.drafts == history.drafts
    assert transcript_of(again.draft).to_json() == transcript_of(history.draft).to_json()
    assert history.draft[0].lead is None
    assert 0 <= kept_share(original, history.draft) <= 1
    with suppress(EditError):
        while True:
            history.apply(Undo())
    assert history.draft == begin(original)


@settings(max_examples=many(1500), deadline=None)
@given(original=TRANSCRIPTS, dice=DICE, place=st.integers(0, 60), offset=st.integers(0, 60))
def test_split_then_merge_is_the_identity(original: Transcript, dice: list[int], place: int, offset: int) -> None:
    history, _ = played(original, dice)
    before = history.draft
    at = place % len(before)
    try:
        history.apply(Split(at, offset % (len(before[at].text) + 1)))
    except EditError:
        return
    assert len(history.draft) == len(before) + 1
    assert history.apply(Merge(at + 1)) == before


@settings(max_examples=many(1500), deadline=None)
@given(original=TRANSCRIPTS, cuts=st.lists(st.tuples(st.integers(0, 60), st.integers(0, 60)), max_size=20))
def test_splitting_alone_keeps_every_word_and_every_speaker(original: Transcript, cuts: list[tuple[int, int]]) -> None:
    history = History(original)
    for place, offset in cuts:
        at = place % len(history.draft)
        try:
            history.apply(Split(at, offset % (len(history.draft[at].text) + 1)))
        except EditError:
            continue
    assert kept_share(original, history.draft) == 1
    assert [original.messages[piece.sources[0]].speaker for piece in history.draft] == [
        piece.speaker for piece in history.draft
    ]


@settings(max_examples=many(1500), deadline=None)
@given(original=TRANSCRIPTS, dice=DICE)
def test_no_merge_changes_who_says_a_word(original: Transcript, dice: list[int]) -> None:
    history, _ = played(original, dice)
    for at in range(len(history.draft) - 1, 0, -1):
        above, piece = history.draft[at - 1 : at + 1]
        try:
            merged = history.apply(Merge(at))[at - 1]
        except EditError:
            assert above.speaker != piece.speaker or len(above.text) + len(piece.text) >= 20_000
            continue
        assert above.speaker == piece.speaker == merged.speaker
        assert merged.text.startswith(above.text)
        assert merged.text.endswith(piece.text)
