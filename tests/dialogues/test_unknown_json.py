"""JSON that no form reads, and JSON with faults: what it is taken for, and what is said of it."""

import json
from contextlib import suppress
from io import BytesIO

import pyarrow
import pytest
from pyarrow import parquet

from dialogues.formats.column_choices import column_choices
from dialogues.formats.reading import HEAD, FileLines, UnreadableFileError
from dialogues.formats.registry import recognised
from tests.dialogues.files import line
from tests.dialogues.reading import in_memory

REFUSED = {
    "JSON objects, one a line, with the keys name, turns.": '{"name": "a", "turns": []}\n{"name": "b", "turns": []}\n',
    "one JSON list, with the keys name, points.": '[{"name": "a", "points": [1]}]',
    "one JSON list, with the keys dialog (text).": '[{"dialog": [{"text": "x"}]}]',
    "one JSON list. None": '["a", "b"]',
    "one JSON object over many lines, with the keys name, turns.": '{\n"name": "a",\n"turns": []\n}',
    "lists in one JSON object, with the keys name.": '{"data": [{"name": "a"}]}',
}

NOTHING = {
    "[]": "its list is empty",
    " [\n]\n": "its list is empty",
    "{}": "its object has no keys",
    "{\n}\n": "its object has no keys",
    "[{}, {}]": "its objects have no keys",
    "{}\n{}\n": "its objects have no keys",
    '{"train": []}': "train is empty",
    '{"train": [], "test": []}': "train, test are empty",
}


def refusal(content: str) -> str:
    with pytest.raises(UnreadableFileError) as refused:
        recognised(in_memory(content))
    return str(refused.value)


@pytest.mark.parametrize("words", REFUSED)
def test_json_that_no_form_reads_is_described_with_what_can_be_done(words: str) -> None:
    said = refusal(REFUSED[words])
    assert said.startswith(f"This file holds {words}")
    assert "--columns messages=…,speaker=…,text=…" in said


@pytest.mark.parametrize("content", NOTHING)
def test_a_file_without_any_dialogue_says_so_and_asks_for_no_keys(content: str) -> None:
    why = NOTHING[content]
    assert refusal(content) == f"The file holds no dialogues: {why}. Choose another file, or export this one again."
    assert column_choices(in_memory(content)) is None


def test_a_parquet_file_without_rows_says_so() -> None:
    stream = BytesIO()
    parquet.write_table(pyarrow.table({"ref": pyarrow.array([], pyarrow.string()), "said": []}), stream)
    file = FileLines(stream)
    with pytest.raises(UnreadableFileError, match="holds no dialogues: its table has no rows"):
        recognised(file)
    assert column_choices(file) is None


@pytest.mark.parametrize(
    "content",
    [
        line("a") + "{\n",
        "{\n" * 250,
        line("a")[:-9] + "\n" + line("b"),
        line("a")[:-9] + "\n" + line("b") + line("c"),
        '{"id": "a",\n' + line("b"),
        '{"kind": "header"}\n' + line("a"),
        '{"id": "a", "messages": [[1, "x' + "y" * HEAD + '"]]}\n',
    ],
)
def test_a_bad_line_does_not_make_a_file_of_ours_another_form(content: str) -> None:
    assert recognised(in_memory(content)).form.name == "jsonl"


def test_names_out_of_a_file_can_be_shown_and_are_short() -> None:
    said = refusal(json.dumps({f"\ud800\x00\n{number}" + "k" * 90: 1 for number in range(50)}))
    assert "and 38 more" in said
    assert said.isprintable()
    assert len(said) < 1200


@pytest.mark.parametrize("opener", ["[", "{", '{"a":', "[{", '[{"a":'])
def test_deep_nesting_is_no_fault(opener: str) -> None:
    with suppress(UnreadableFileError):
        assert recognised(in_memory(opener * 100_000)).form.name == "jsonl"
