"""The example sets that come with the project have the shapes that the prompts promise a model (paper §3.1, §3.2)."""

import json
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from dialogues.fidelity import fidelity
from dialogues.statistics.words_and_turns import count_words
from dialogues.transcript import Transcript
from generation.models import ExampleKind

FOLDER = Path(__file__).resolve().parents[2] / "generation" / "examples"
KINDS = [kind.value for kind in ExampleKind]

Example = dict[str, Any]


def document(kind: str) -> dict[str, Any]:
    loaded: dict[str, Any] = json.loads((FOLDER / f"{kind}.json").read_text(encoding="utf-8"))
    return loaded


def examples(kind: str) -> list[Example]:
    found: list[Example] = document(kind)["examples"]
    return found


def transcripts(kind: str, name: str = "messages") -> list[Transcript]:
    return [Transcript.of(example[name]) for example in examples(kind)]


def everyone() -> Iterator[Example]:
    for kind in KINDS:
        yield from examples(kind)


def words_per_message(dialogues: list[Transcript]) -> float:
    texts = [message.text for dialogue in dialogues for message in dialogue]
    return count_words(texts, "whitespace") / len(texts)


def messages_per_turn(dialogues: list[Transcript]) -> float:
    return sum(map(len, dialogues)) / sum(len(dialogue.turns()) for dialogue in dialogues)


@pytest.mark.parametrize("kind", KINDS)
def test_every_set_holds_five_examples_under_one_name(kind: str) -> None:
    loaded = document(kind)
    assert loaded["name"] == "Stephanie examples"
    assert loaded["kind"] == kind
    assert loaded["note"]
    assert len(loaded["examples"]) == 5


def test_the_folder_holds_these_sets_and_no_other() -> None:
    assert sorted(path.stem for path in FOLDER.glob("*.json")) == sorted(KINDS)


@pytest.mark.parametrize("kind", KINDS)
def test_dialogues_have_eight_to_sixteen_turns_by_two_speakers(kind: str) -> None:
    for dialogue in transcripts(kind):
        assert 8 <= len(dialogue.turns()) <= 16
        assert {message.speaker for message in dialogue} == {1, 2}


def test_every_example_says_what_it_is_about_and_why_it_is_there() -> None:
    for example in everyone():
        assert example["topic"]
        assert 50 <= len(example["theme"].split()) <= 100, example["topic"]
        assert len(example["note"].split()) >= 8, example["topic"]


def test_two_characters_have_about_four_traits_each() -> None:
    for example in everyone():
        first, second = example["traits_1"], example["traits_2"]
        assert 3 <= len(first) <= 5
        assert 3 <= len(second) <= 5
        assert set(first).isdisjoint(second)


def test_topics_spread_over_ordinary_life() -> None:
    topics = Counter(example["topic"] for example in everyone())
    assert topics.keys() >= {"family", "work", "leisure", "study", "health", "travel"}
    for kind in KINDS:
        assert len({example["topic"] for example in examples(kind)}) == 5


def test_single_step_dialogues_have_one_dense_message_a_turn() -> None:
    dialogues = transcripts("single_step")
    assert {length for dialogue in dialogues for length in dialogue.run_lengths()} == {1}
    assert 10 <= words_per_message(dialogues) <= 16


def test_step_by_step_turns_run_from_one_to_four_short_messages() -> None:
    dialogues = transcripts("step_by_step")
    assert {length for dialogue in dialogues for length in dialogue.run_lengths()} == {1, 2, 3, 4}
    assert all(max(dialogue.run_lengths()) >= 2 for dialogue in dialogues)
    assert 1.7 <= messages_per_turn(dialogues) <= 2.2
    assert 6 <= words_per_message(dialogues) <= 10


def test_further_split_pairs_go_from_two_messages_a_turn_to_more_and_shorter_ones() -> None:
    before, after = transcripts("further_split"), transcripts("further_split", "messages_after")
    assert {length for dialogue in before for length in dialogue.run_lengths()} <= {1, 2, 3, 4}
    assert {length for dialogue in after for length in dialogue.run_lengths()} == {1, 2, 3, 4, 5}
    assert 1.7 <= messages_per_turn(before) <= 2.2
    assert 2.3 <= messages_per_turn(after) <= 2.8
    assert words_per_message(after) < 7 < words_per_message(before) <= 10


def test_further_split_keeps_turns_and_nearly_all_words_yet_is_no_mere_cutting() -> None:
    before, after = transcripts("further_split"), transcripts("further_split", "messages_after")
    for original, rewrite in zip(before, after, strict=True):
        assert [turn.speaker for turn in original.turns()] == [turn.speaker for turn in rewrite.turns()]
        kept = fidelity(original, rewrite)
        assert 0.85 <= kept.kept < 1
        assert 0 < kept.invented <= 0.1


def test_only_further_split_examples_have_an_after() -> None:
    for kind in KINDS:
        assert all(("messages_after" in example) == (kind == "further_split") for example in examples(kind))


def test_no_sentence_is_shared_by_two_examples() -> None:
    texts = Counter(text for example in everyone() for text in {text.casefold() for _, text in example["messages"]})
    assert [text for text, times in texts.items() if times > 1 and len(text.split()) > 2] == []


def test_texts_are_tidy() -> None:
    for example in everyone():
        pairs = [*example["messages"], *example.get("messages_after", ())]
        for text in (*example["traits_1"], *example["traits_2"], *(text for _, text in pairs)):
            assert text == " ".join(text.split())
