"""Replies become themes and dialogues, or an outcome with a name."""

import json
from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dialogues.transcript import Transcript
from generation import replies
from generation.parsing import (
    Outcome,
    ParseError,
    finish_reason_problem,
    parse_further_split,
    parse_pair,
    parse_theme,
)
from generation.prompts import dialogue_json
from generation.replies import REPLY_LIMIT, speaker_of
from tests.generation.transcripts import any_text, single_step, step_by_step

BETA = Transcript.of([[1, "hi, I ski"], [2, "I bake"], [1, "bread?"], [2, "cake"]])
GAMMA = Transcript.of([[1, "hi"], [1, "I ski"], [2, "I bake"], [1, "bread?"], [2, "cake"], [2, "mostly"]])
THEME = " ".join(["word"] * 60)


def pair_reply(beta: Transcript = BETA, gamma: Transcript = GAMMA) -> str:
    return f'{{"single_step": {dialogue_json(beta)}, "step_by_step": {dialogue_json(gamma)}}}'


def rendered(messages: list[Any]) -> str:
    """A pair reply whose step-by-step dialogue is given as raw JSON entries."""
    beta = [{"speaker": speaker, "text": text} for speaker, text in BETA]
    return json.dumps({"single_step": beta, "step_by_step": messages})


@settings(max_examples=100)
@given(beta=single_step, gamma=step_by_step)
def test_any_pair_reads_back_as_it_was_written(beta: Transcript, gamma: Transcript) -> None:
    assert parse_pair(pair_reply(beta, gamma)) == (beta, gamma)


@settings(max_examples=60)
@given(gamma=step_by_step)
def test_any_further_split_reads_back_as_it_was_written(gamma: Transcript) -> None:
    assert parse_further_split(f'{{"step_by_step": {dialogue_json(gamma)}}}', gamma, 1.0).stephanie == gamma


@settings(max_examples=60)
@given(
    words=st.lists(st.text("aé{}\"'“\\🫠", min_size=1), min_size=50, max_size=100),
    traits=st.lists(any_text, max_size=6),
)
def test_any_theme_reads_back_with_its_blanks_tidied(words: list[str], traits: list[str]) -> None:
    reply = json.dumps({"theme": "\n ".join(words), "traits_1": traits, "traits_2": []})
    parsed = parse_theme(reply)
    assert parsed.theme == " ".join(words)
    assert parsed.traits_1 == tuple(" ".join(trait.split()) for trait in traits)


@settings(max_examples=200)
@given(
    reply=st.one_of(
        st.text(max_size=80),
        st.lists(
            st.sampled_from(['{"theme":', '"single_step"', ":", "[", "]", "{", "}", ",", '"', "1", "\\", "NaN", "“"])
        ).map("".join),
        st.recursive(
            st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
            lambda inner: (
                st.lists(inner, max_size=4)
                | st.dictionaries(
                    st.sampled_from(["theme", "traits_1", "single_step", "step_by_step", "speaker", "text"]), inner
                )
            ),
            max_leaves=12,
        ).map(json.dumps),
    )
)
def test_no_reply_raises_anything_but_a_parse_error(reply: str) -> None:
    for read in (parse_theme, parse_pair, lambda text: parse_further_split(text, GAMMA, 0.8)):
        with pytest.raises(ParseError) as caught:
            read(reply)
        assert caught.value.outcome in Outcome
        assert caught.value.detail.endswith(".")
        caught.value.detail.encode()


@pytest.mark.parametrize(
    "reply",
    [
        "[" * 200_000,
        '{"step_by_step":' * 100_000,
        '"\\"' * 300_000,
        '{"single_step": ' + "[" * 900 + "]" * 900 + "}",
        '{"single_step": [{"speaker": ' + "9" * 5000 + ', "text": "x"}], "step_by_step": []}',
        '{"single_step": [{"speaker": NaN, "text": "x"}], "step_by_step": []}',
        '{"single_step": [{"speaker": 1e999, "text": "x"}], "step_by_step": []}',
        '["' + " " * 500_000 + '"]',
        '{"step_by_step": ["' + " " * 500_000 + 'x"]}',
        "x" * (REPLY_LIMIT + 1),
    ],
    ids=[
        "deep list",
        "deep object",
        "quotes",
        "deep value",
        "huge number",
        "NaN",
        "infinity",
        "blanks",
        "entry",
        "long",
    ],
)
def test_a_hostile_reply_is_refused_and_not_suffered(reply: str) -> None:
    with pytest.raises(ParseError):
        parse_pair(reply)
    with pytest.raises(ParseError):
        parse_further_split(reply, GAMMA, 0.8)


@pytest.mark.parametrize("text", ['"a\\u0000b"', '"\\ud83d"'], ids=["NUL", "half a surrogate pair"])
def test_a_text_that_no_database_can_hold_is_refused_with_a_reason(text: str) -> None:
    spoiled = pair_reply().replace('"bread?"', text)
    with pytest.raises(ParseError, match=r"NUL|surrogate") as caught:
        parse_pair(spoiled)
    assert caught.value.outcome is Outcome.UNPARSABLE
    with pytest.raises(ParseError, match=r"NUL|surrogate"):
        parse_theme(json.dumps({"theme": THEME}).replace('"word', text[:-1] + " word"))


@pytest.mark.parametrize(
    "dress",
    [
        "```json\n{}\n```",
        "Sure! Here are both dialogues {{as asked}} [1]:\n\n{}\n\nLet me know what you think :}}",
        '<think>First {{"single_step": []}} and then …</think>\n{}',
        "\ufeff{}",
        "[{}]",
    ],
    ids=["fenced", "prose", "thinking", "byte order mark", "in a list"],
)
def test_what_stands_around_the_object_does_not_matter(dress: str) -> None:
    assert parse_pair(dress.format(pair_reply())) == (BETA, GAMMA)


def test_a_draft_in_the_models_thinking_is_not_its_answer() -> None:
    draft = Transcript.of([[1, "a"], [1, "b"], [2, "c"], [1, "d"], [2, "e"]])
    reply = f"<think>Perhaps {pair_reply(gamma=draft)}? No.</think>\n{pair_reply()}"
    assert parse_pair(reply).gamma == GAMMA


def test_trailing_commas_are_forgiven_outside_of_texts() -> None:
    reply = pair_reply().replace('"mostly"}', '"a,] b,}",},').replace("}\n]}", "}\n],}")
    assert parse_pair(reply).gamma.messages[-1].text == "a,] b,}"


def test_curly_quotes_around_keys_and_texts_are_forgiven() -> None:
    assert parse_pair(pair_reply().replace('"', "“")) == (BETA, GAMMA)


def test_curly_quotes_inside_texts_stay() -> None:
    quoting = Transcript.of([[1, "she said “no”"], [1, "really"], [2, "wow"], [1, "yes"], [2, "ok"]])
    assert parse_pair(pair_reply(gamma=quoting)).gamma == quoting


@pytest.mark.parametrize(
    ("label", "speaker"),
    [
        (1, 1), ("2", 2), ("User 1", 1), ("Role 2", 2), ("Person A", 1), ("**speaker_b**", 2), ("person_2", 2),
        ("P1", 1), ("<role1>", 1), ("Person one", 1), (0, None), (3, None), (True, None), (1.5, None),
        ("Alice", None), (None, None), ("User 12", None), ("assistant", None), ("", None), ([1], None),
    ],
)  # fmt: skip
def test_speakers_are_known_by_their_usual_labels_only(label: object, speaker: int | None) -> None:
    assert speaker_of(label) == speaker


@pytest.mark.parametrize(
    "entries",
    [
        [{"role": "User 1", "content": t} if s == 1 else {"role": "User 2", "content": t} for s, t in GAMMA],
        [[s, t] for s, t in GAMMA],
        [f"Person {s}: {t}" for s, t in GAMMA],
        [{f"Person {s}": t} for s, t in GAMMA],
        [{"speaker": turn.speaker, "messages": [m.text for m in turn.messages]} for turn in GAMMA.turns()],
    ],
    ids=["roles", "pairs", "labelled texts", "speaker as key", "one entry a turn"],
)
def test_messages_are_read_in_the_forms_models_use(entries: list[Any]) -> None:
    assert parse_pair(rendered(entries)).gamma == GAMMA


def test_keys_may_be_worded_differently_and_the_lists_wrapped() -> None:
    reply = f'{{"Single-step dialogue": {{"messages": {dialogue_json(BETA)}}}, "stepByStep": {dialogue_json(GAMMA)}}}'
    assert parse_pair(reply) == (BETA, GAMMA)


@pytest.mark.parametrize("form", ["{}", '{{"rewritten_dialogue": {}}}', '{{"note": "split", "dialogue": {}}}'])
def test_a_rewrite_may_come_bare_or_under_any_single_key(form: str) -> None:
    assert parse_further_split(form.format(dialogue_json(GAMMA)), GAMMA, 1.0).stephanie == GAMMA


def refused(beta: list[Any] | None = None, gamma: list[Any] | None = None) -> ParseError:
    entries = {"single_step": beta or BETA.to_json(), "step_by_step": gamma or GAMMA.to_json()}
    with pytest.raises(ParseError) as caught:
        parse_pair(json.dumps(entries))
    return caught.value


@pytest.mark.parametrize(
    ("beta", "gamma", "outcome", "detail"),
    [
        ([[1, "a"], [1, "b"], [2, "c"], [1, "d"], [2, "e"]], None, "single_step_has_runs", "messages 1 and 2"),
        (None, BETA.to_json(), "step_by_step_has_no_runs", "nobody sends two"),
        ([[1, "a"], [2, "b"], [1, "c"]], None, "too_few_messages", "3 turns"),
        (None, [[1, "a"], [1, "b"], [2, "c"]], "too_few_messages", "2 turns"),
        (None, [[1, "a"]] * 6, "wrong_speakers", "only one person"),
        (None, [["Alice", "a"], ["Bob", "b"]], "wrong_speakers", "by 'Alice'"),
        (None, [[1, "a"], [3, "b"]], "wrong_speakers", "entry 2"),
        (None, [[1, "a"], [2, " "]], "unparsable", "message 2: text is empty"),
        (None, [[1, "a"], [2, 7]], "unparsable", "text must be a string"),
        (None, [[1, "a"], "b"], "unparsable", "entry 2"),
        (None, [[number % 2 + 1, "a"] for number in range(2001)], "unparsable", "more than 2000"),
    ],
)
def test_a_pair_that_breaks_a_rule_has_a_name_and_a_sentence(
    beta: list[Any] | None, gamma: list[Any] | None, outcome: str, detail: str
) -> None:
    error = refused(beta, gamma)
    assert (error.outcome, detail in error.detail) == (Outcome(outcome), True), error.detail


def test_a_pair_without_one_of_its_dialogues_says_which() -> None:
    with pytest.raises(ParseError, match="the step-by-step dialogue is missing"):
        parse_pair(f'{{"single_step": {dialogue_json(BETA)}}}')


def test_an_empty_list_has_too_few_messages() -> None:
    with pytest.raises(ParseError) as caught:
        parse_pair('{"single_step": [], "step_by_step": []}')
    assert caught.value.outcome is Outcome.TOO_FEW_MESSAGES


@pytest.mark.parametrize("reply", ["", "  \n"])
def test_a_blank_reply_is_empty_and_not_unparsable(reply: str) -> None:
    with pytest.raises(ParseError) as caught:
        parse_pair(reply)
    assert caught.value.outcome is Outcome.EMPTY


def split_outcome(messages: list[Any], keep_share: float) -> Outcome:
    try:
        parse_further_split(json.dumps({"step_by_step": messages}), GAMMA, keep_share)
    except ParseError as error:
        return error.outcome
    return Outcome.OK


def test_a_rewrite_may_lose_and_add_only_as_much_as_the_share_allows() -> None:
    # γ has seven words, said by 1: hi I ski bread; by 2: I bake cake mostly.
    lost = [[1, "hi"], [1, "I ski"], [2, "I bake"], [1, "bread?"], [2, "cake"]]
    assert split_outcome(lost, 0.9) is Outcome.LOST_CONTENT
    assert split_outcome(lost, 0.8) is Outcome.OK
    invented = [*GAMMA.to_json(), [2, "with far too many almonds"]]
    assert split_outcome(invented, 0.8) is Outcome.INVENTED_CONTENT
    assert split_outcome(invented, 0.6) is Outcome.OK


def test_a_rewrite_that_swaps_the_speakers_has_lost_everything() -> None:
    swapped = [[3 - int(speaker), text] for speaker, text in GAMMA.to_json()]
    assert split_outcome(swapped, 0.5) is Outcome.LOST_CONTENT


def test_a_rewrite_into_single_steps_is_named() -> None:
    assert split_outcome(BETA.to_json(), 0.0) is Outcome.GAMMA_HAS_NONE


@pytest.mark.parametrize(("words", "outcome"), [(49, "theme_length"), (50, "ok"), (100, "ok"), (101, "theme_length")])
def test_a_theme_has_fifty_to_a_hundred_words(words: int, outcome: str) -> None:
    reply = json.dumps({"theme": " ".join(["word"] * words)})
    if outcome == "ok":
        assert len(parse_theme(reply).theme.split()) == words
    else:
        with pytest.raises(ParseError, match=f"has {words} words") as caught:
            parse_theme(reply)
        assert caught.value.outcome is Outcome.THEME_LENGTH


def test_traits_that_were_asked_for_must_come() -> None:
    reply = json.dumps({"theme": THEME, "traits_1": ["I ski."], "traits_2": [" "]})
    assert parse_theme(reply, traits_wanted=(1,)) == (THEME, ("I ski.",), ())
    with pytest.raises(ParseError, match="traits_2") as caught:
        parse_theme(reply, traits_wanted=(1, 2))
    assert caught.value.outcome is Outcome.TRAITS_MISSING


def test_at_most_six_traits_are_kept() -> None:
    reply = json.dumps({"theme": THEME, "traits_1": [f"I know {number} songs." for number in range(9)]})
    assert len(parse_theme(reply).traits_1) == 6


@pytest.mark.parametrize(
    "reply",
    ['{"theme": 3}', '{"topic": "x"}', json.dumps({"theme": THEME, "traits_1": "I ski."}), json.dumps([THEME]), THEME],
)
def test_a_theme_in_another_form_is_unparsable(reply: str) -> None:
    with pytest.raises(ParseError) as caught:
        parse_theme(reply)
    assert caught.value.outcome is Outcome.UNPARSABLE


@pytest.mark.parametrize(
    ("reason", "outcome"),
    [
        ("length", Outcome.TRUNCATED), ("max_tokens", Outcome.TRUNCATED), ("content_filter", Outcome.FILTERED),
        ("SAFETY", Outcome.FILTERED), ("refusal", Outcome.REFUSED), ("stop", None), (None, None), ("", None),
        ("eos", None),
    ],
)  # fmt: skip
def test_a_finish_reason_speaks_for_itself(reason: str | None, outcome: Outcome | None) -> None:
    assert finish_reason_problem(reason) is outcome


def theme_reply(first: str, words: int = 60) -> str:
    return json.dumps({"theme": " ".join([first, *["word"] * (words - 1)])})


@pytest.mark.parametrize(
    "mark",
    ["</think>", "</THINKING>", "[/THINK]", "</thought>", "</thoughts>", "</Reasoning>", "</seed:think>", "◁/think▷",
     "<|end_of_thought|>", "<|END_THINKING|>", "</analysis>", "</think >"],
)  # fmt: skip
def test_what_stands_before_the_end_of_reasoning_is_no_answer_opened_or_not(mark: str) -> None:
    draft, final = theme_reply("Draft"), theme_reply("Final")
    opening = mark.replace("/", "").replace("end_of", "begin_of").replace("END", "START")
    assert parse_theme(f"{draft}\n{mark}\n{final}").theme.startswith("Final")
    assert parse_theme(f"Sure.\n{opening}{draft}{mark}{final}").theme.startswith("Final")
    for alone in (f"{opening}{draft}", f"{draft}{mark}", f"{opening}{draft}{mark}", f"{draft}{mark}{opening}{draft}"):
        with pytest.raises(ParseError) as caught:
            parse_theme(alone)
        assert caught.value.outcome is Outcome.UNPARSABLE, alone


@pytest.mark.parametrize(
    "head", ["final<|message|>", " final <|constrain|>json<|message|>", "final to=user<|constrain|> json<|message|>"]
)
@pytest.mark.parametrize("end", ["", "<|return|>", "<|end|><|start|>assistant<|channel|>analysis<|message|>Done."])
def test_of_channels_the_final_one_is_the_answer(head: str, end: str) -> None:
    draft, final = theme_reply("Draft"), theme_reply("Final")
    said = f"<|channel|>analysis<|message|>{draft}<|end|><|start|>assistant<|channel|>{head}{final}{end}"
    assert parse_theme(said).theme.startswith("Final")


def test_analysis_without_a_final_channel_is_no_answer() -> None:
    with pytest.raises(ParseError) as caught:
        parse_theme(f"<|channel|>analysis<|message|>{theme_reply('Draft')}<|end|>")
    assert caught.value.outcome is Outcome.UNPARSABLE


def test_marks_inside_the_texts_of_an_answer_cut_nothing() -> None:
    theme = " ".join(["word"] * 49 + ["</think>", "<think>", "<|channel|>final<|message|>"])
    for reply in (json.dumps({"theme": theme}), f"```json\n{json.dumps({'theme': theme})}\n```"):
        assert parse_theme(reply).theme == theme


def test_the_last_answer_that_fits_is_taken_and_told() -> None:
    notes: list[str] = []
    draft, final = theme_reply("Draft"), theme_reply("Final")
    assert parse_theme(f"{draft}\nor rather\n{final}", notes=notes).theme.startswith("Final")
    assert notes == ["The reply holds 2 answers of the form asked for; the last one is taken."]
    notes.clear()
    assert parse_theme(f"{draft}\nlonger:\n{theme_reply('Final', 130)}", notes=notes).theme.startswith("Draft")
    assert notes == [
        "The reply holds a later answer that does not fit: the theme has 130 words; it must have 50 to 100. "
        "The one before it is taken."
    ]
    notes.clear()
    assert parse_theme(f"As you said [1], in {{braces}}: {final} [2]", notes=notes).theme.startswith("Final")
    assert notes == []


@pytest.mark.parametrize(
    ("answer", "outcome"),
    [
        ("I'm sorry, but I can't help with that.", Outcome.REFUSED),
        ("Unfortunately I cannot write this dialogue.", Outcome.REFUSED),
        ("<think>They want a theme.</think>I won’t do this.", Outcome.REFUSED),
        # A dialogue in another form, or a remark, is no refusal: it may be mended.
        ("User 1: I can't wait for the weekend!\nUser 2: Me too.", Outcome.UNPARSABLE),
        ("Here is a theme, although I can't know all details [sic]", Outcome.UNPARSABLE),
        ("The two speak about a trip for a long while, and about how they get there, and I can't wait.",
         Outcome.UNPARSABLE),
    ],
)  # fmt: skip
def test_a_refusal_in_prose_is_told_from_other_prose(answer: str, outcome: Outcome) -> None:
    for read in (parse_theme, parse_pair, lambda text: parse_further_split(text, GAMMA, 0.8)):
        with pytest.raises(ParseError) as caught:
            read(answer)
        assert caught.value.outcome is outcome


@pytest.mark.parametrize(
    "piece", ["<think>", "</think>", "<think ", "[THINK", "<|channel|>", "<|channel|>final", "<|channel|>a<|message|>",
              "[1]", "{}", "```", "I can't ", ",", " ", "{", "<", "◁", '"', "data: {}\n"],
)  # fmt: skip
def test_long_replies_of_one_piece_are_read_in_a_bounded_number_of_steps(
    piece: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The work grows with the reply, whatever it is made of: values are decoded a bounded number of times."""
    decoded: list[int] = []
    really = replies._DECODER.raw_decode

    def decode(text: str, at: int = 0) -> tuple[Any, int]:
        decoded.append(at)
        return really(text, at)

    monkeypatch.setattr(replies, "_DECODER", SimpleNamespace(raw_decode=decode))
    reply = piece * (REPLY_LIMIT // len(piece) // 4)
    with pytest.raises(ParseError):
        parse_theme(reply)
    assert len(decoded) <= 3 * (replies.STARTS_TRIED + replies.VALUES_TRIED) + 1
