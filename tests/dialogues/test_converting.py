"""Forms that are known and not read: refused in words, and read once converted as docs/formats.md says."""

import json
import re
import shutil
import subprocess
import sys
from contextlib import suppress
from pathlib import Path

import pytest

from dialogues.formats.reading import HEAD, FileLines, UnreadableFileError, head_of
from dialogues.formats.records import Record
from dialogues.formats.registry import form_of
from tests.dialogues.files import line, write

GUIDE = Path(__file__).resolve().parents[2] / "docs" / "formats.md"
OPENAI = (
    '{"messages": [{"role": "system", "content": "Be kind."}, {"role": "user", "content": "Hi"},'
    ' {"role": "assistant", "content": [{"type": "text", "text": "Hello"}]},'
    ' {"role": "assistant", "content": "You?"}]}\n'
)
SHAREGPT = '[{"id": "a", "conversations": [{"from": "human", "value": "Hi"}, {"from": "gpt", "value": "Hello"}]}]'
CONVAI2 = json.dumps(
    [{"dialog_id": "7", "bot_profile": [], "dialog": [{"sender": "p2", "text": "Hi"}, {"sender": "p1", "text": "Ho"}]}],
    indent=1,
)
CONVOKIT = (
    '{"id": "1", "conversation_id": "c", "speaker": "ann", "text": "Hi"}\n'
    '{"id": "2", "conversation_id": "d", "speaker": "bob", "text": "Oh"}\n'
    '{"id": "3", "conversation_id": "c", "speaker": "bob", "text": "Hello, \\"you\\""}\n'
)
FIELDS = (
    "text:hi there\tlabels:hello|hey\tepisode_done:False\ntext:bye\tlabels:see you\tepisode_done:True\n"
    "text:x\teval_labels:y\n"
)
IPHONE = (
    "[15.01.20, 2:22:56\u202fPM] Mary: \u200eMessages are encrypted.\n"
    "[15.01.20, 2:23:01\u202fPM] Mary: hi\nyou there?\n\u200e[15.01.20, 2:24:00\u202fPM] Tom: yes: here\n"
)
ANDROID = (
    "15/01/2020, 14:20 - Messages and calls are encrypted.\n"
    "15/01/2020, 14:22 - Mary: hi\n15/01/2020, 14:24 - Tom: yes\n"
)
OWN_LIST = "[" + line("a").strip() + ", " + line("b").strip() + "]"
OWN_PRETTY = "".join(json.dumps(json.loads(line(key)), indent=2) + "\n" for key in "ab")
REFUSED = {
    "OpenAI chat messages in JSON objects, one a line, with the keys messages (role, content).": OPENAI,
    "ShareGPT conversations in one JSON list, with the keys id, conversations (from, value).": SHAREGPT,
    "ConvAI2 dialogues in one JSON list, with the keys dialog_id, bot_profile, dialog (sender, text).": CONVAI2,
    "ConvoKit utterances in JSON objects, one a line, with the keys id, conversation_id, speaker, text.": CONVOKIT,
    "ParlAI's text of named fields, with the fields text, labels, episode_done.": FIELDS,
    "a WhatsApp export, ": IPHONE,
    "a WhatsApp export, with": ANDROID,
    "one JSON list, with the keys id, messages.": OWN_LIST,
    "one JSON object over many lines, with the keys id, messages.": OWN_PRETTY,
    "one JSON object over many lines, with the keys t1.": json.dumps({"t1": {"content": [1]}}, indent=1),
    "OpenAI chat messages in one JSON list": f"[{OPENAI}]",
    "JSON objects, one a line, with the keys name, turns.": '{"name": "a", "turns": []}\n{"name": "b", "turns": []}\n',
    "one JSON list. Turn": "[]",
}


def refusal(folder: Path, content: str, name: str = "auto") -> str:
    with write(folder, content).open("rb") as stream, pytest.raises(UnreadableFileError) as refused:
        form_of(head_of(stream), name)
    return str(refused.value)


def read(path: Path) -> list[list[list[int | str]]]:
    with path.open("rb") as stream:
        records = list(form_of(head_of(stream)).parse(FileLines(stream)))
    assert all(isinstance(record, Record) for record in records), records
    return [record.transcript.to_json() for record in records if isinstance(record, Record)]


def guide() -> tuple[list[str], list[str]]:
    """The shell commands and the scripts of the section."""
    section = GUIDE.read_text().split("\n## Forms that are not read\n")[1].split("\n## ")[0]
    blocks = re.findall(r"```(sh|python)\n(.*?)```", section, re.DOTALL)
    commands = [command for kind, text in blocks if kind == "sh" for command in re.split(r"^(?=jq )", text, flags=re.M)]
    return list(filter(None, commands)), [text for kind, text in blocks if kind == "python"]


@pytest.mark.parametrize("words", REFUSED)
def test_a_form_that_is_not_read_is_called_by_its_name_with_the_keys_found_and_wanted(
    tmp_path: Path, words: str
) -> None:
    said = refusal(tmp_path, REFUSED[words])
    assert said.startswith(f"This file holds {words}")
    assert "the keys id and messages" in said


@pytest.mark.parametrize("name", ["jsonl", "csv", "parlai"])
def test_naming_another_form_does_not_change_what_the_file_is(tmp_path: Path, name: str) -> None:
    assert "ShareGPT" in refusal(tmp_path, SHAREGPT, name)


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
def test_a_bad_line_does_not_make_a_file_of_ours_another_form(tmp_path: Path, content: str) -> None:
    with write(tmp_path, content).open("rb") as stream:
        assert form_of(head_of(stream)).name == "jsonl"


def test_a_list_on_one_line_is_a_list_however_long_and_no_more_than_its_beginning_is_read(tmp_path: Path) -> None:
    path = write(tmp_path, "[" + ",".join(line(key).strip() for key in range(140_000)) + "]")
    assert path.stat().st_size > 8 * HEAD
    with path.open("rb") as stream:
        with pytest.raises(UnreadableFileError, match=r"one JSON list, .*jq -c '\.\[\]'"):
            form_of(head_of(stream))
        assert stream.tell() <= HEAD


def test_an_object_that_goes_on_beyond_what_is_looked_at_is_still_one_object(tmp_path: Path) -> None:
    content = json.dumps({"t1": {"content": ["x" * 60] * 30_000}}, indent=1)
    assert len(content) > HEAD
    assert "one JSON object over many lines, with the keys t1." in refusal(tmp_path, content)


def test_names_out_of_a_file_can_be_shown_and_are_short(tmp_path: Path) -> None:
    said = refusal(tmp_path, json.dumps({f"\ud800\x00\n{number}" + "k" * 90: 1 for number in range(50)}))
    assert "and 38 more" in said
    assert said.isprintable()
    assert len(said) < 1000


@pytest.mark.parametrize("opener", ["[", "{", '{"a":', "[{", '[{"a":'])
def test_deep_nesting_is_no_fault(tmp_path: Path, opener: str) -> None:
    with write(tmp_path, opener * 100_000).open("rb") as stream, suppress(UnreadableFileError):
        assert form_of(head_of(stream)).name == "jsonl"


MADE = {
    "own list": (0, OWN_LIST, [[[1, "Hello"], [2, "Hi!"], [2, "You?"]]] * 2),
    "own pretty": (1, OWN_PRETTY, [[[1, "Hello"], [2, "Hi!"], [2, "You?"]]] * 2),
    "openai": (2, OPENAI, [[[1, "Hi"], [2, "Hello"], [2, "You?"]]]),
    "sharegpt": (3, SHAREGPT, [[[1, "Hi"], [2, "Hello"]]]),
    "convai2": (4, CONVAI2, [[[1, "Hi"], [2, "Ho"]]]),
    "convokit": (5, CONVOKIT, [[[1, "Hi"], [2, 'Hello, "you"']], [[2, "Oh"]]]),
}


@pytest.mark.parametrize("name", MADE)
def test_the_guides_command_makes_a_file_that_is_read(tmp_path: Path, name: str) -> None:
    if not shutil.which("jq"):
        pytest.skip("jq is not installed")
    number, content, expected = MADE[name]
    command = guide()[0][number].replace("FILE", str(write(tmp_path, content)))
    made = tmp_path / ("NEW.csv" if "NEW.csv" in command else "NEW.jsonl")
    subprocess.run(command, shell=True, check=True, cwd=tmp_path)
    assert read(made) == expected


@pytest.mark.parametrize(
    ("number", "content", "expected"),
    [
        (0, FIELDS, [[[1, "hi there"], [2, "hello"], [1, "bye"], [2, "see you"]], [[1, "x"], [2, "y"]]]),
        (1, ANDROID, [[[1, "hi"], [2, "yes"]]]),
        (1, IPHONE, [[[1, "\u200eMessages are encrypted."], [1, "hi\nyou there?"], [2, "yes: here"]]]),
    ],
)
def test_the_guides_script_makes_a_file_that_is_read(
    tmp_path: Path, number: int, content: str, expected: list[list[list[int | str]]]
) -> None:
    script = write(tmp_path, guide()[1][number], "convert.py")
    source = write(tmp_path, content)
    done = subprocess.run([sys.executable, script, source], capture_output=True, check=True, env={"PYTHONUTF8": "1"})
    made = tmp_path / "made"
    made.write_bytes(done.stdout)
    assert read(made) == expected
