"""The demo rules write what each stage asks for, the same for the same seed, near the paper's shape."""

import json
import re
from collections.abc import Sequence
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from demo.model.faults import CONTENT_FAULTS, DemoStage, applies, chosen_fault, read_faults, spoil
from demo.model.rules import answer, stage_of
from demo.model.writing import cut, further_split, topic_of
from dialogues.display import DEMO_LABEL
from dialogues.fidelity import fidelity
from dialogues.rubric import PAPER_SIX
from dialogues.transcript import Transcript
from generation.default_prompts import DEFAULT_PROMPTS
from generation.judge_stage import judge_messages, parse_judgement
from generation.parsing import ParseError, parse_further_split, parse_pair, parse_theme
from generation.prompts import (
    Background,
    ChatMessage,
    PromptText,
    Shown,
    further_split_messages,
    pair_messages,
    repair_messages,
    theme_messages,
)
from tests.generation.transcripts import step_by_step, transcripts

ALPHA = Transcript.of(
    [
        [1, "hi ! i just got back from a long bike ride ."],
        [2, "nice , i have two dogs so i walk a lot ."],
        [1, "my mother teaches piano , do you play ?"],
        [2, "no , i work in a bakery all night ."],
    ]
)
TRAITS = (["i ride my bike to work .", "my mother teaches piano ."], ["I have two dogs.", "I work in a bakery."])
EXAMPLE = Shown("Two friends talk about bread.", ["I bake."], ["I eat."], ALPHA, ALPHA)


def theme_request(traits: Sequence[Sequence[str]] = TRAITS, alpha: Transcript = ALPHA) -> list[ChatMessage]:
    return theme_messages(DEFAULT_PROMPTS["theme"], alpha, *traits)


def pair_request(traits: Sequence[Sequence[str]] = TRAITS) -> list[ChatMessage]:
    background = Background("They talk about bread and bikes.", *traits)
    return pair_messages(DEFAULT_PROMPTS["pair"], background, [EXAMPLE], [EXAMPLE])


def split_request(gamma: Transcript) -> list[ChatMessage]:
    return further_split_messages(DEFAULT_PROMPTS["further_split"], None, gamma, [EXAMPLE])


def judge_request() -> list[ChatMessage]:
    background = Background("They talk about bread and bikes.", *TRAITS)
    return judge_messages(DEFAULT_PROMPTS["judge"], PAPER_SIX, background, ALPHA, tidy=True)


def test_a_theme_speaks_of_the_dialogue_and_leaves_known_traits_alone() -> None:
    reply = parse_theme(answer(theme_request(), Random(1)))
    assert (reply.traits_1, reply.traits_2) == ((), ())
    assert any(word in reply.theme for word in ("bike", "piano", "bakery", "dogs"))


def test_traits_are_drawn_from_what_each_person_says_where_none_are_known() -> None:
    reply = parse_theme(answer(theme_request(([], TRAITS[1])), Random(1)), traits_wanted=(1,))
    assert len(reply.traits_1) == 4
    assert not reply.traits_2
    both = parse_theme(answer(theme_request(([], [])), Random(1)), traits_wanted=(1, 2))
    assert "I work in a bakery all night." not in both.traits_1


@settings(max_examples=60)
@given(alpha=transcripts())
def test_every_dialogue_gets_a_theme_of_the_right_length(alpha: Transcript) -> None:
    found = parse_theme(answer(theme_request(([], []), alpha), Random(0)), traits_wanted=(1, 2))
    assert 50 <= len(found.theme.split()) <= 100


@pytest.mark.parametrize("traits", [TRAITS, ([], []), (["x" * 400], ["{day} {who}"]), (["?"], ["i"])])
def test_a_pair_is_what_was_asked_for_whatever_the_background(traits: Sequence[Sequence[str]]) -> None:
    for seed in range(30):
        beta, gamma = parse_pair(answer(pair_request(traits), Random(seed)))
        assert 8 <= len(beta) <= 16
        assert len(gamma.turns()) == len(beta)
        assert "{who}" not in " ".join(message.text for message in beta).replace("{day} {who}", "")


def test_a_pair_speaks_of_both_characters() -> None:
    beta, gamma = parse_pair(answer(pair_request((["I ride my bike to work."], ["I own a small bakery."])), Random(3)))
    for transcript in (beta, gamma):
        said = {s: " ".join(m.text for m in transcript if m.speaker == s) for s in (1, 2)}
        assert "I ride my bike to work." in said[1]
        assert "I own a small bakery." in said[2]


@pytest.mark.parametrize(
    ("trait", "topic"),
    [
        ("i work in a bank .", "work"), ("my mom is tall .", "family"), ("I have two cats.", "pets"),
        ("I workout daily.", "sport"), ("I sing country songs.", "music"), ("i like blue .", "everyday life"),
        ("i caught a cold in september .", "everyday life"), ("", "everyday life"),
    ],
)  # fmt: skip
def test_a_trait_belongs_to_the_topic_of_its_words(trait: str, topic: str) -> None:
    assert topic_of(trait).name == topic


def test_no_sentence_comes_twice_in_a_single_step_dialogue() -> None:
    for seed in range(40):
        beta = parse_pair(answer(pair_request(), Random(seed))).beta
        said = [sentence for message in beta for sentence in re.split(r"(?<=[.!?…]) ", message.text)]
        assert len(said) == len(set(said)), said


@settings(max_examples=80)
@given(gamma=step_by_step)
def test_a_further_split_keeps_every_word_in_order_and_never_merges(gamma: Transcript) -> None:
    rewrite = parse_further_split(answer(split_request(gamma), Random(5)), gamma, 1.0).stephanie
    assert fidelity(gamma, rewrite) == (1.0, 0.0)
    assert len(rewrite) >= len(gamma)
    assert len(rewrite.turns()) == len(gamma.turns())


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("I love it. Do you too?", ("I love it.", "Do you too?")),
        ("I love the sea, but I hate sand", ("I love the sea", "but I hate sand")),
        ("Really! I never knew that", ("Really!", "I never knew that")),
        ("hello there", ("hello there",)),
        ("and so on", ("and so on",)),
    ],
)
def test_a_text_is_cut_where_one_would_pause(text: str, parts: tuple[str, ...]) -> None:
    assert cut(text) == parts


def figures(dialogues: list[Transcript]) -> tuple[float, float]:
    """(words a message, ACMC) of many dialogues."""
    messages = sum(map(len, dialogues))
    words = sum(len(message.text.split()) for dialogue in dialogues for message in dialogue)
    return words / messages, messages / sum(len(dialogue.turns()) for dialogue in dialogues)


def test_the_versions_have_about_the_shape_of_table_four() -> None:
    pairs = [parse_pair(answer(pair_request(), Random(seed))) for seed in range(150)]
    stephanie = [further_split(pair.gamma, Random(seed)) for seed, pair in enumerate(pairs)]
    assert figures([pair.beta for pair in pairs]) == pytest.approx((13.7, 1.0), rel=0.1)
    assert figures([pair.gamma for pair in pairs]) == pytest.approx((8.1, 2.0), rel=0.1)
    assert figures(stephanie) == pytest.approx((5.9, 2.5), rel=0.1)


@pytest.mark.parametrize(
    "messages", [theme_request(), pair_request(), split_request(ALPHA)], ids=["theme", "pair", "split"]
)
def test_a_reply_depends_on_the_request_and_the_seed_only(messages: list[ChatMessage]) -> None:
    replies = {seed: answer(messages, Random(seed)) for seed in range(5)}
    assert replies == {seed: answer(list(messages), Random(seed)) for seed in range(5)}
    assert len(set(replies.values())) > 1


@pytest.mark.parametrize(
    ("messages", "stage"),
    [(theme_request(), "theme"), (pair_request(), "pair"), (split_request(ALPHA), "further_split")],
)
def test_a_stage_is_known_by_its_task_line_and_without_it_by_what_is_shown(
    messages: list[ChatMessage], stage: str
) -> None:
    assert stage_of(messages) == stage
    assert stage_of(messages[1:]) == stage
    assert stage_of(repair_messages(messages, "{}", "it is empty.")) == stage


def test_a_rewritten_prompt_is_still_answered() -> None:
    messages = pair_messages(
        PromptText("  task: PAIR  \nOther words.", "{background} {step_by_step_examples} {single_step_examples}"),
        Background("x", *TRAITS),
        [EXAMPLE],
        [EXAMPLE],
    )
    beta, gamma = parse_pair(answer(messages, Random(0)))
    assert len(beta) == len(gamma.turns())


def test_anything_else_gets_a_short_labelled_answer() -> None:
    reply = answer([{"role": "user", "content": "Are you there?"}], Random(0))
    assert DEMO_LABEL in reply


@pytest.mark.parametrize(
    "content", ["Task: theme", "Task: pair\n<background>\n[1", "Task: further-split\n<dialogue>\n7"]
)
def test_a_request_without_content_is_answered_all_the_same(content: str) -> None:
    assert json.loads(answer([{"role": "system", "content": content}], Random(0)))


def outcome_of(stage: DemoStage, text: str, gamma: Transcript) -> str:
    try:
        if stage == "theme":
            parse_theme(text, traits_wanted=(1, 2))
        elif stage == "pair":
            parse_pair(text)
        elif stage == "judge":
            parse_judgement(text, PAPER_SIX)
        else:
            parse_further_split(text, gamma, 0.8)
    except ParseError as error:
        return str(error.outcome)
    return "ok"


@pytest.mark.parametrize(
    ("fault", "stage"), [(str(fault), stage) for fault, (stages, _) in CONTENT_FAULTS.items() for stage in stages]
)
def test_every_content_fault_is_read_as_the_outcome_of_its_name(fault: str, stage: DemoStage) -> None:
    gamma = parse_pair(answer(pair_request(), Random(2))).gamma
    requests = {
        "theme": theme_request(([], [])),
        "pair": pair_request(),
        "further_split": split_request(gamma),
        "judge": judge_request(),
    }
    text = answer(requests[stage], Random(2))
    assert outcome_of(stage, text, gamma) == "ok"
    assert outcome_of(stage, spoil(text, fault), gamma) == fault


def test_a_fault_is_drawn_with_its_share_among_those_that_fit_the_stage() -> None:
    faults = {"theme_length": 0.5, "unparsable": 0.25, "server_error": 0.25}
    drawn = [chosen_fault(faults, "pair", Random(seed)) for seed in range(2000)]
    assert drawn.count("theme_length") == 0
    assert 400 < drawn.count("unparsable") < 600
    assert 400 < drawn.count("server_error") < 600
    assert not applies("unparsable", "chat")


@pytest.mark.parametrize(
    ("pairs", "problem"),
    [
        (["nonsense=1"], "unknown fault 'nonsense'"),
        (["cut"], "write cut=PROBABILITY"),
        (["cut=x"], "write cut=PROBABILITY"),
        (["cut=1.5"], "between 0 and 1"),
        (["cut=0.6", "stall=0.6"], "at most 1"),
        (["cut=nan"], "between 0 and 1"),
    ],
)
def test_a_wrong_fault_setting_is_refused_with_the_form_it_should_have(pairs: list[str], problem: str) -> None:
    with pytest.raises(ValueError, match=r"fault|write") as caught:
        read_faults(pairs)
    assert problem in str(caught.value)


def test_fault_settings_are_read_from_name_and_share() -> None:
    assert read_faults(["cut=0.1", "unparsable=0.02"]) == {"cut": 0.1, "unparsable": 0.02}


@given(st.integers(0, 2**32 - 1), st.booleans())
def test_a_chat_says_whole_sentences_in_steps(seed: int, is_first: bool) -> None:
    told: list[ChatMessage] = [{"role": "system", "content": "Write <|msg|> between two messages."}]
    if not is_first:
        told += [{"role": "user", "content": "hi"}, {"role": "assistant", "content": "Hey."}]
    reply = answer([*told, {"role": "user", "content": "how are you"}], Random(seed))
    assert "<|msg|>" in reply
    assert "{" not in reply
