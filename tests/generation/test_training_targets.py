"""Every target has every example with the same words, and keeps to the rules that its reader documents."""

import json
from collections.abc import Mapping
from typing import Any

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from dialogues.transcript import Transcript
from generation.training.rendering import Example, Form, NotRenderedError, Preference, Source, example, preferences
from generation.training.targets.registry import TARGETS, UnknownTargetError, chosen, names_of
from generation.training.targets.target import Made, Target
from tests.generation.test_training_rendering import DELIMITERS, TRANSCRIPTS

Message = Mapping[str, str]
DIALOGUES = {target.name: target for target in TARGETS["dialogues"]}
PREFERENCES = {target.name: target for target in TARGETS["preferences"]}
SYSTEM = "You are {traits}"


def rows_of(target: Target, made: Made) -> list[dict[str, Any]]:
    """What a reader of lines finds: a line ends nowhere but at its end, for every reader."""
    lines = list(target.lines(made))
    assert [line.splitlines() for line in lines] == [[line[:-1]] for line in lines]
    assert len(lines) == target.expected(made)
    return [json.loads(line) for line in lines]


def messages_of(made: Example) -> list[Message]:
    return [{"role": turn.role, "content": turn.content} for turn in made.turns]


def with_system(row: Mapping[str, Any]) -> list[Message]:
    """A row of LLaMA-Factory as its loader reads it."""
    head = [{"role": "system", "content": row["system"]}] if row["system"] else []
    return [*head, *row["messages"]]


def assert_chat(messages: list[Message], *, ends_with: str) -> None:
    """What OpenAI, axolotl and chat templates ask of a list of messages."""
    roles = [message["role"] for message in messages]
    roles = roles[1:] if roles[0] == "system" else roles
    assert roles == [("user", "assistant")[place % 2] for place in range(len(roles))]
    assert roles[-1] == ends_with
    assert all(message["content"].strip() for message in messages)


def assert_llama_factory_keeps(row: Mapping[str, Any], *, ranking: bool) -> None:
    """Its converter blanks a row unless odd places are the user's, even ones the assistant's, and their number fits."""
    roles = [message["role"] for message in row["messages"]]
    assert all(role == ("user", "assistant")[place % 2] for place, role in enumerate(roles))
    assert len(roles) % 2 == (1 if ranking else 0)
    if ranking:
        assert {row["chosen"]["role"], row["rejected"]["role"]} == {"assistant"}


@given(TRANSCRIPTS, DELIMITERS, st.sampled_from([1, 2]), st.sampled_from(["", "(You begin.)"]), st.booleans())
def test_every_example_is_in_every_target_with_the_same_words(
    transcript: Transcript, mark: str, side: Any, opener: str, has_traits: bool
) -> None:
    source = Source("d", "d", "alpha", transcript, traits_1=("I bake.",) * has_traits, traits_2=("I run.",))
    assume(mark not in opener)
    try:
        made = example(source, side, Form(mark, SYSTEM, opener))
    except NotRenderedError:
        assume(False)
    said = messages_of(made)
    assert_chat(said, ends_with="assistant")
    for name in ("openai", "trl-messages", "axolotl"):
        assert rows_of(DIALOGUES[name], made) == [{"messages": said}]
    (row,) = rows_of(DIALOGUES["llamafactory"], made)
    assert with_system(row) == said
    assert_llama_factory_keeps(row, ranking=False)
    prompted = rows_of(DIALOGUES["trl-prompt-completion"], made)
    assert [row["completion"] for row in prompted] == [[one] for one in said if one["role"] == "assistant"]
    assert prompted[-1]["prompt"] + prompted[-1]["completion"] == said
    for row in prompted:
        assert row["prompt"] == said[: len(row["prompt"])]
        assert_chat(row["prompt"], ends_with="user")


@given(TRANSCRIPTS, TRANSCRIPTS, DELIMITERS, st.sampled_from([1, 2]))
def test_every_preference_is_in_every_target_with_the_same_words(
    better: Transcript, worse: Transcript, mark: str, side: Any
) -> None:
    sources = [Source("d", "d", version, one, traits_1=("I bake.",)) for version, one in (("a", better), ("b", worse))]
    try:
        found = list(preferences(*sources, side, Form(mark, SYSTEM, "(You begin.)"), shared_words_only=False))
    except NotRenderedError:
        assume(False)
    for made in found:
        assert_everywhere(made)


def assert_everywhere(made: Preference) -> None:
    prompt = [{"role": turn.role, "content": turn.content} for turn in made.prompt]
    good, bad = ({"role": "assistant", "content": content} for content in (made.chosen, made.rejected))
    assert_chat(prompt, ends_with="user")
    assert rows_of(PREFERENCES["openai"], made) == [
        {"input": {"messages": prompt}, "preferred_output": [good], "non_preferred_output": [bad]}
    ]
    assert rows_of(PREFERENCES["trl-preference"], made) == [{"prompt": prompt, "chosen": [good], "rejected": [bad]}]
    assert rows_of(PREFERENCES["axolotl"], made) == [{"messages": prompt, "chosen": good, "rejected": bad}]
    (row,) = rows_of(PREFERENCES["llamafactory"], made)
    assert (with_system(row), row["chosen"], row["rejected"]) == (prompt, good, bad)
    assert_llama_factory_keeps(row, ranking=True)


def test_readers_files_name_only_the_splits_that_are_there() -> None:
    info = json.loads(DIALOGUES["llamafactory"].files(["train", "test"])["dataset_info.json"])
    assert {name: one["file_name"] for name, one in info.items()} == {
        "stephanie_train": "train.jsonl",
        "stephanie_test": "test.jsonl",
    }
    config = DIALOGUES["axolotl"].files(["train", "test"])["config.yaml"]
    assert "train.jsonl" in config
    assert "validation.jsonl" not in config
    assert "test_datasets" not in config
    assert "validation.jsonl" in PREFERENCES["axolotl"].files(["train", "validation"])["config.yaml"]


def test_a_target_that_a_set_does_not_have_is_refused_with_those_it_has() -> None:
    assert [target.name for target in chosen("dialogues", ["axolotl", "openai"])] == ["openai", "axolotl"]
    assert chosen("preferences", ["parquet"]) == ()
    with pytest.raises(UnknownTargetError, match=", ".join(names_of("preferences"))):
        chosen("preferences", ["trl-messages"])
