"""Dialogues as training examples: what is kept, what is cut and counted, and what is refused."""

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from dialogues.transcript import Message, Transcript
from generation.training import delimiter
from generation.training.rendering import Example, Form, NotRenderedError, Source, example, preferences, system_message
from generation.training.splits import SPLITS, EmptySplitError, split_of

TEXTS = st.text(st.characters(codec="utf-8", exclude_characters="\0"), min_size=1, max_size=12).filter(str.strip)
# Pieces of delimiters and of templates' marks, which a careless writer would take for whole ones.
TRAPS = st.sampled_from(
    ["<|", "|>", "<|msg", "msg|>", "<|msg|>", "<|eot_id|>", "|", "||", "a|", "\n", "x\ny", "{theme}"]
)
TRANSCRIPTS = st.lists(
    st.tuples(st.sampled_from([1, 2]), TEXTS | TRAPS.filter(str.strip)), min_size=1, max_size=12
).map(lambda pairs: Transcript(tuple(Message(*pair) for pair in pairs)))
DELIMITERS = st.sampled_from(["<|msg|>", "\n", "||", "|", "¶", "<msg>"])


def source(*pairs: tuple[int, str], **fields: object) -> Source:
    return Source("d1/stephanie", "d1", "stephanie", Transcript.of(pairs), **fields)  # type: ignore[arg-type]


@given(TRANSCRIPTS, DELIMITERS, st.sampled_from([1, 2]), st.sampled_from(["", "(You begin.)"]))
def test_an_example_alternates_and_every_message_is_there_or_counted_as_cut(
    transcript: Transcript, mark: str, side: int, opener: str
) -> None:
    assume(mark not in opener)
    made = Source("d", "d", "alpha", transcript)
    try:
        shown = example(made, side, Form(mark, "", opener))  # type: ignore[arg-type]
    except NotRenderedError as error:
        assert_rightly_refused(error, transcript, mark, side, opener)
        return
    assert [turn.role for turn in shown.turns] == ["user", "assistant"] * (len(shown.turns) // 2)
    said = [(turn.role, text) for turn in shown.turns for text in turn.content.split(mark)]
    if opener and transcript.messages[0].speaker == side:
        assert said.pop(0) == ("user", opener)
    assert said == kept(transcript, side, shown)


def kept(transcript: Transcript, side: int, shown: Example) -> list[tuple[str, str]]:
    """What must be in the example: all messages but those of the turns that it counts as cut."""
    turns = list(transcript.turns())
    turns = turns[shown.cut.get("opening_turns", 0) : len(turns) - shown.cut.get("closing_turns", 0)]
    return [
        ("assistant" if turn.speaker == side else "user", message.text.strip())
        for turn in turns
        for message in turn.messages
    ]


def assert_rightly_refused(error: NotRenderedError, transcript: Transcript, mark: str, side: int, opener: str) -> None:
    texts = [message.text.strip() for message in transcript]
    if error.kind == "delimiter_in_text":
        # Also where the text only touches it: "a|" and "||" give "a|||", which would be cut one sign too early.
        assert any(mark[:1] in text for text in texts)
    elif error.kind == "control_mark_in_text":
        assert any(delimiter.control_mark(text) for text in texts) or delimiter.control_mark(mark.join(texts))
    else:
        speakers = [turn.speaker for turn in transcript.turns()]
        assert error.kind == "no_exchange"
        assert speakers in ([side], [3 - side], [side, 3 - side]) or (speakers == [side] and not opener)


def test_a_reply_joined_by_the_delimiter_is_split_into_its_messages_again() -> None:
    assert delimiter.joined(["hi ", "you there?"], "<|msg|>") == "hi<|msg|>you there?"
    assert delimiter.split("hi<|msg|>you there?", "<|msg|>") == ["hi", "you there?"]
    with pytest.raises(delimiter.DelimiterInTextError):
        delimiter.joined(["a|", "b"], "||")


@pytest.mark.parametrize("wrong", ["", " | ", "a ", "<|eot_id|>", "x" * 41, "a\tb", "\ud800", "   "])
def test_a_delimiter_that_could_not_be_read_back_is_refused_with_advice(wrong: str) -> None:
    assert delimiter.problem(wrong).endswith(".")


@pytest.mark.parametrize("right", ["<|msg|>", "\n", "\n\n", "¶", "|||", "<msg>"])
def test_a_delimiter_of_plain_text_is_taken(right: str) -> None:
    assert delimiter.problem(right) == ""


def test_the_system_message_leaves_out_lines_of_which_nothing_is_known_and_fills_no_value_again() -> None:
    form = Form(system="Be kind.\nYou: {traits}\nThey: {other_traits}\nTopic: {theme}")
    told = source((1, "hi"), theme="tea {traits}", traits_2=("I bake.", "I run."))
    assert system_message(told, 2, form) == "Be kind.\nYou: I bake. I run.\nTopic: tea {traits}"
    assert system_message(told, 1, form) == "Be kind.\nThey: I bake. I run.\nTopic: tea {traits}"


def test_preferences_set_the_reply_at_the_same_place_below_the_better_one() -> None:
    better = source((1, "hi"), (1, "you?"), (2, "fine"), (2, "and you?"), (1, "tired"), (2, "oh no"))
    worse = source((1, "hi you?"), (2, "Fine, and you?"), (1, "very tired"), (2, "That is a pity."))
    form = Form(system="")
    every = list(preferences(better, worse, 2, form, shared_words_only=False))
    assert [(one.chosen, one.rejected) for one in every] == [
        ("fine<|msg|>and you?", "Fine, and you?"),
        ("oh no", "That is a pity."),
    ]
    assert [turn.content for turn in every[1].prompt] == ["hi<|msg|>you?", "fine<|msg|>and you?", "tired"]
    shared = list(preferences(better, worse, 2, form, shared_words_only=True))
    assert [one.turn for one in shared] == [1]


@given(st.sets(TEXTS, min_size=1, max_size=60), st.integers(0, 9), st.floats(0, 0.4), st.floats(0, 0.4))
def test_a_background_is_in_one_split_whatever_the_order(
    names: set[str], seed: int, validation: float, test: float
) -> None:
    try:
        found = split_of(sorted(names), validation=validation, test=test, seed=seed)
    except EmptySplitError:
        assert len(names) < 3 or validation + test > 0.5
        return
    assert set(found) == names
    assert set(found.values()) <= set(SPLITS)
    assert "train" in found.values()
    assert found == split_of(sorted(names, reverse=True), validation=validation, test=test, seed=seed)
