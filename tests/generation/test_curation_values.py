"""The pure half of curation: plain text, wording, comparison, balance."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dialogues.transcript import Transcript
from generation.curation.balance import balance_of
from generation.curation.comparison import Entry, compared
from generation.curation.content import Content
from generation.curation.editing import moved
from generation.curation.plain_text import PlainTextError, from_text, to_text
from generation.curation.wording import dialogue_changed, words_changed
from tests.generation.transcripts import transcripts

TALK = Transcript.of([[1, "Hi there!"], [2, "Hello."], [2, "How are you?"], [1, "Fine."]])


def content(*texts: str, **fields: str) -> Content:
    return Content(Transcript.of([[1 + place % 2, text] for place, text in enumerate(texts)]), **fields)


def entries(*contents: Content) -> list[Entry]:
    return [Entry(place, one) for place, one in enumerate(contents, 1)]


def said(before: list[Entry], after: list[Entry]) -> list[tuple[str, ...]]:
    return [one.words for one in compared(before, after)]


SOME_TEXT = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\x00\r")).filter(str.strip)


@given(st.lists(st.tuples(st.sampled_from([1, 2]), SOME_TEXT), min_size=1, max_size=8))
def test_a_dialogue_written_as_plain_text_reads_back_as_itself(messages: list[tuple[int, str]]) -> None:
    transcript = Transcript.of(messages)
    assert from_text(to_text(transcript)) == transcript


def test_plain_text_is_read_as_people_type_it() -> None:
    read = from_text(" a:Hi\r\n\r\nB :  Hello\n| second line\n2: x\n")
    assert read.to_json() == [[1, "Hi"], [2, " Hello\nsecond line"], [2, "x"]]


def test_every_line_at_fault_is_named_with_its_number() -> None:
    with pytest.raises(PlainTextError) as refused:
        from_text("| first\nA: ok\nhello\n\nB:   \nC: x")
    assert refused.value.problems == [
        "Line 1 says neither A: nor B: at its start.", "Line 3 says neither A: nor B: at its start.",
        "Line 6 says neither A: nor B: at its start.", "Line 5: text is empty.",
    ]  # fmt: skip
    with pytest.raises(PlainTextError, match="no message yet"):
        from_text(" \n ")
    with pytest.raises(PlainTextError, match="And 90 more"):
        from_text("\n".join(["x"] * 100))


@given(st.text(), st.text())
def test_words_that_changed_give_back_both_texts(before: str, after: str) -> None:
    pieces = words_changed(before, after)
    assert "".join(piece.text for piece in pieces if piece.mark != "added").split() == before.split()
    assert "".join(piece.text for piece in pieces if piece.mark != "removed") == after


def test_a_reworded_message_is_marked_word_by_word_and_a_new_one_as_a_whole() -> None:
    after = Transcript.of([[1, "Hi there!"], [2, "Hello, you."], [2, "How are you?"], [1, "Fine."], [2, "Good."]])
    lines = dialogue_changed(TALK, after)
    assert [line.mark for line in lines] == ["same", "reworded", "same", "same", "added"]
    assert [tuple(piece) for piece in lines[1].pieces] == [("removed", "Hello."), ("added", "Hello, you.")]


def test_what_came_went_moved_and_changed_is_told_apart() -> None:
    one, two, three = content("one dog", "a"), content("two cats run", "b", note="x"), content("three fish", "c")
    noted = content("two cats run", "b", note="y")
    reworded = content("three big fish", "c")
    new = content("something else entirely", "z z z")
    assert said(entries(one, two), entries(one, two)) == [(), ()]
    assert said(entries(one, two, three), entries(three, one, two)) == [("moved",), (), ()]
    assert said(entries(one, two), entries(one, noted)) == [(), ("note changed",)]
    assert said(entries(one, three), entries(one, reworded, new)) == [(), ("changed",), ("added",)]
    assert said(entries(one, two), entries(two)) == [(), ("removed",)]


def test_an_example_rewritten_from_top_to_bottom_is_still_the_same_by_its_dialogue() -> None:
    before = [Entry(1, content("aa bb", "cc"), comes_from=7)]
    after = [Entry(1, content("xx yy", "zz"), comes_from=7)]
    assert said(before, after) == [("changed",)]


@given(st.permutations(range(6)))
def test_an_order_is_told_with_as_few_moves_as_possible_and_loses_nothing(order: list[int]) -> None:
    contents = [content(f"number {place} of them", str(place)) for place in range(6)]
    found = compared(entries(*contents), entries(*(contents[place] for place in order)))
    assert [one.after.content for one in found if one.after] == [contents[place] for place in order]
    stayed = [one.before.position for one in found if one.before and not one.moved]
    assert stayed == sorted(stayed)
    assert len(stayed) >= 2 or order == sorted(order, reverse=True)


@given(st.lists(st.integers(), unique=True, min_size=1, max_size=9), st.data())
def test_moving_one_keeps_the_others_in_their_order(order: list[int], data: st.DataObject) -> None:
    pk, to = data.draw(st.sampled_from(order)), data.draw(st.integers(-3, 20))
    found = moved(order, pk, to)
    assert [key for key in found if key != pk] == [key for key in order if key != pk]
    assert found.index(pk) == min(max(to, 1), len(order)) - 1


def test_the_balance_counts_what_the_examples_say() -> None:
    after = Transcript.of([[1, "Hi"], [1, "there!"], [2, "Hello."], [2, "How are you?"], [1, "Fine."]])
    pair = Content(TALK, after, topic="food", traits_1=("a", "b"))
    found = balance_of([pair, Content(TALK, after)], [10, 30])
    assert found is not None
    assert (found.rows[0].before.messages, found.rows[0].after and found.rows[0].after.messages) == (4, 5)
    assert found.rows[0].before.acmc == pytest.approx(4 / 3)
    assert found.rows[0].before.words_per_message == pytest.approx(7 / 4)
    assert (found.kept, found.longest) == (1, 30)
    assert [(bar.label, bar.count, bar.total) for bar in found.topics] == [("food", 1, 2), ("no topic", 1, 2)]
    assert [(bar.label, bar.count, bar.total) for bar in found.openers] == [("A", 2, 2), ("B", 0, 2)]
    assert [(bar.label, bar.count) for bar in found.speakers] == [("A", 6), ("B", 4)]
    assert [(bar.label, bar.count, bar.total) for bar in found.traits] == [("0", 3, 4), ("2", 1, 4)]
    assert balance_of([], []) is None


@given(transcripts())
def test_any_dialogue_can_be_weighed(transcript: Transcript) -> None:
    found = balance_of([Content(transcript)], [1])
    assert found is not None
    assert found.before.messages == len(transcript)
