"""Background and examples become chat messages."""

import json
from typing import get_args

import pytest
from hypothesis import given, settings

from dialogues.transcript import Transcript
from generation.default_prompts import DEFAULT_PROMPTS, TASK_LINES
from generation.models import Stage
from generation.prompts import (
    PLACEHOLDERS,
    Background,
    ChatMessage,
    PromptError,
    PromptText,
    Shown,
    StageName,
    check_prompt,
    dialogue_json,
    estimate_tokens,
    further_split_messages,
    pair_messages,
    prompt_sha256,
    repair_messages,
    reply_schema,
    request_sha256,
    theme_messages,
)
from tests.generation.transcripts import transcripts

STAGES: tuple[StageName, ...] = get_args(StageName)
ALPHA = Transcript.of([[1, "hi there"], [2, "hello"], [1, "i ski"], [2, "i bake"]])
GAMMA = Transcript.of([[1, "hi"], [1, "there"], [2, "hello"], [1, "i ski"], [2, "i bake"]])
SHOWN = Shown("Two skiers talk.", ["I ski."], ["I bake."], ALPHA)
PAIR = Shown("Two skiers talk.", ["I ski."], ["I bake."], ALPHA, GAMMA)
BACKGROUND = Background("They plan a trip.", ["I row."], ["I sing."])


def test_every_stage_of_the_ledger_has_a_default_prompt_that_fits_it() -> None:
    assert set(STAGES) == set(Stage.values) == set(DEFAULT_PROMPTS) == set(PLACEHOLDERS)
    for stage in STAGES:
        check_prompt(stage, DEFAULT_PROMPTS[stage])
        assert DEFAULT_PROMPTS[stage].system.startswith(TASK_LINES[stage] + "\n")


def test_a_theme_request_shows_the_dialogue_and_says_whose_traits_are_unknown() -> None:
    system, user = theme_messages(DEFAULT_PROMPTS["theme"], ALPHA, ["I ski."], [])
    assert (system["role"], user["role"]) == ("system", "user")
    assert f"<dialogue>\n{dialogue_json(ALPHA)}\n</dialogue>" in user["content"]
    assert '<traits>\n{"person_1": ["I ski."], "person_2": null}\n</traits>' in user["content"]


def test_a_pair_request_shows_every_example_under_the_key_that_replies_use() -> None:
    content = pair_messages(DEFAULT_PROMPTS["pair"], BACKGROUND, [SHOWN] * 5, [PAIR] * 5)[1]["content"]
    examples = [json.loads(part.split("\n</example>")[0]) for part in content.split("<example>\n")[1:]]
    assert [set(example) & {"single_step", "step_by_step"} for example in examples] == [{"single_step"}] * 5 + [
        {"step_by_step"}
    ] * 5
    assert '{"theme": "They plan a trip.", "person_1": ["I row."], "person_2": ["I sing."]}' in content


def test_a_further_split_request_shows_pairs_before_and_after_and_the_dialogue_last() -> None:
    content = further_split_messages(DEFAULT_PROMPTS["further_split"], BACKGROUND, GAMMA, [PAIR])[1]["content"]
    example = json.loads(content.split("<example>\n")[1].split("\n</example>")[0])
    assert [len(example["before"]), len(example["after"])] == [4, 5]
    assert content.index("</example>") < content.index("<dialogue>")


def test_a_further_split_example_without_its_after_is_refused() -> None:
    with pytest.raises(PromptError, match="before and after"):
        further_split_messages(DEFAULT_PROMPTS["further_split"], None, GAMMA, [SHOWN])


def test_a_prompt_without_system_text_sends_one_message() -> None:
    template = PromptText("", "{dialogue} {traits}")
    assert [message["role"] for message in theme_messages(template, ALPHA, [], [])] == ["user"]


@pytest.mark.parametrize(
    ("user", "problem"),
    [
        ("{dialogue}", "lacks {traits}"),
        ("{dialogue} {traits} {teme}", "unknown placeholder {teme}; this stage has {dialogue}, {traits}"),
    ],
)
def test_a_prompt_with_a_wrong_placeholder_is_refused_by_name(user: str, problem: str) -> None:
    with pytest.raises(PromptError) as caught:
        theme_messages(PromptText("", user), ALPHA, [], [])
    assert problem in str(caught.value)


def test_braces_that_are_no_placeholders_stay_as_they_are() -> None:
    template = PromptText('{"a": {}}', '{traits} {dialogue} {"theme": "…"} {0} { dialogue } {Dialogue} {{')
    system, user = theme_messages(template, ALPHA, [], [])
    assert system["content"] == '{"a": {}}'
    assert user["content"].endswith('{"theme": "…"} {0} { dialogue } {Dialogue} {{')


def test_placeholder_names_inside_a_dialogue_are_not_filled() -> None:
    sly = Transcript.of([[1, "{traits} {dialogue} \\1 \\g<0>"], [2, "{traits}"]])
    content = theme_messages(PromptText("", "{dialogue}|{traits}"), sly, ["I ski."], [])[0]["content"]
    assert content.count("I ski.") == 1
    assert "\\\\1" in content


@settings(max_examples=60)
@given(transcript=transcripts())
def test_no_text_can_close_its_block_or_change_on_the_way(transcript: Transcript) -> None:
    content = theme_messages(PromptText("", "{dialogue}\n{traits}"), transcript, [], [])[0]["content"]
    block = content.removeprefix("<dialogue>\n").partition("\n</dialogue>")[0]
    assert Transcript.of((entry["speaker"], entry["text"]) for entry in json.loads(block)) == transcript


def test_a_repair_quotes_the_reply_and_says_what_is_wrong() -> None:
    original = theme_messages(DEFAULT_PROMPTS["theme"], ALPHA, [], [])
    repaired = repair_messages(original, "a\x00b\ud800", "the theme has 3 words.")
    assert repaired[:2] == original
    assert [message["role"] for message in repaired[2:]] == ["assistant", "user"]
    assert repaired[2]["content"] == "ab?"
    assert "the theme has 3 words." in repaired[3]["content"]


def test_a_repair_of_an_empty_reply_puts_the_remark_into_the_request() -> None:
    original: list[ChatMessage] = [{"role": "user", "content": "Write."}]
    repaired = repair_messages(original, " \n", "it is empty.")
    assert [message["role"] for message in repaired] == ["user"]
    assert repaired[0]["content"].startswith("Write.\n\nThat reply cannot be used: it is empty.")
    assert original == [{"role": "user", "content": "Write."}]


def test_a_request_hash_depends_on_content_and_not_on_key_order() -> None:
    messages: list[ChatMessage] = [{"role": "user", "content": "Write."}]
    digest = request_sha256(messages, {"temperature": 1, "seed": 2})
    assert digest == request_sha256([{"content": "Write.", "role": "user"}], {"seed": 2, "temperature": 1})
    assert digest != request_sha256(messages, {"temperature": 1, "seed": 3})
    assert digest != request_sha256([{"role": "user", "content": "Write!"}], {"temperature": 1, "seed": 2})


def test_a_prompt_hash_tells_system_from_user_text() -> None:
    assert prompt_sha256(PromptText("a", "b")) != prompt_sha256(PromptText("b", "a"))


def test_the_token_estimate_counts_bytes_and_messages() -> None:
    assert estimate_tokens([{"role": "user", "content": "x" * 35}]) == 14
    assert estimate_tokens([{"role": "user", "content": "é" * 35}]) == 24
    assert estimate_tokens([]) == 0


def test_the_estimate_of_a_full_pair_request_is_of_the_right_size() -> None:
    messages = pair_messages(DEFAULT_PROMPTS["pair"], BACKGROUND, [SHOWN] * 5, [SHOWN] * 5)
    words = sum(len(message["content"].split()) for message in messages)
    assert words < estimate_tokens(messages) < 4 * words


@pytest.mark.parametrize("stage", [stage for stage in STAGES if stage != "judge"])
def test_a_reply_schema_demands_every_key_and_allows_no_other(stage: StageName) -> None:
    schema = reply_schema(stage)
    assert schema["required"] == list(schema["properties"])
    assert schema["additionalProperties"] is False
