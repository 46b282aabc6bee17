"""What other programs read in an exported training set, in the environment for fine-tuning where there is one.

LLaMA-Factory and axolotl need packages that do not go beside those; `test_training_targets.py` holds their documented
rules instead.
"""

import json
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

from dialogues.models import Corpus
from generation.models import TrainingSet
from generation.training import directory
from tests.dialogues.rows import add_dialogue
from tests.finetune_env import ROOT, finetune_environment, finetune_python
from tests.generation.training_sets import built_set

pytestmark = [pytest.mark.django_db, pytest.mark.any_database]
SAID = [
    [1, "hi"],
    [1, "you there?"],
    [2, "yes"],
    [2, "al <|m ways"],
    [1, "good"],
    [2, "and\u2028you? é 😀"],
    [1, "ok\n\nbye"],
]
WORSE = [[1, "hi, you there?"], [2, "Yes, always."], [1, "Good."], [2, "And you?"], [1, "Ok, bye."]]
MESSAGES = {"feature": {"role": {"dtype": "string"}, "content": {"dtype": "string"}}}


def written(corpus: Corpus, folder: Path, *, preferences: bool = False) -> TrainingSet:
    better = [add_dialogue(corpus, f"d{number}", SAID, traits_1=["I bake."]) for number in range(6)]
    worse = [add_dialogue(corpus, f"{row.key}b", WORSE, "beta", origin=row) for row in better] if preferences else None
    made = built_set(corpus, better, worse, validation=0.2, test=0.2)
    directory.write(made, folder)
    return made


def consumed(verb: str, folder: Path, cache: Path) -> Any:
    """What `consume.py` says of a folder; it may look up nothing on a network."""
    command = [finetune_python(), "tests/generation/consume.py", verb, str(folder)]
    environment = {**finetune_environment(), "HF_HOME": str(cache)}
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=280)
    assert done.returncode == 0, done.stderr[-3000:]
    return json.loads(done.stdout.strip().splitlines()[-1])


def plain(features: Any) -> Any:
    """Without the names of classes."""
    if isinstance(features, dict):
        return {name: plain(value) for name, value in features.items() if name != "_type"}
    return features


@pytest.mark.parametrize("preferences", [False, True])
def test_datasets_opens_the_folder_offline_with_every_split_and_column(
    corpus: Corpus, tmp_path: Path, preferences: bool
) -> None:
    finetune_python()
    written(corpus, tmp_path / "set", preferences=preferences)
    found = consumed("load", tmp_path / "set", tmp_path / "cache")
    manifest = json.loads((tmp_path / "set" / "manifest.json").read_text(encoding="utf-8"))
    assert found["examples"] == manifest["examples"]
    assert set(found["examples"]) == {"train", "validation", "test"}
    assert found["from_card"] == found["features"]
    text = {name: {"dtype": "string"} for name in ("name", "background", "version")}
    lists = {"messages": MESSAGES}
    more = {"worse_version": {"dtype": "string"}, "turn": {"dtype": "int32"}}
    if preferences:
        text, lists = text | more, dict.fromkeys(("prompt", "chosen", "rejected"), MESSAGES)
    assert plain(found["features"]) == text | {"side": {"dtype": "int8"}} | lists


def test_trl_trains_the_words_of_the_assistant_with_their_delimiters_and_the_stop_token_and_nothing_else(
    corpus: Corpus, tmp_path: Path
) -> None:
    finetune_python()
    written(corpus, tmp_path / "set")
    found = consumed("mask", tmp_path / "set", tmp_path / "cache")
    lines = (tmp_path / "set" / "trl" / "messages" / "train.jsonl").read_text(encoding="utf-8").splitlines()
    replies = [
        [message["content"] for message in json.loads(line)["messages"] if message["role"] == "assistant"]
        for line in lines
    ]
    assert any("<|msg|>" in reply for said in replies for reply in said)
    for template, stop in (("qwen2_5_training", "<|im_end|>"), ("llama3_training", "<|eot_id|>")):
        # Of the template's own, TRL's for ChatML marks the line breaks around a reply, too.
        whole = [[text.strip("\n") for text in row] for row in found[f"{template} trl/messages"]]
        assert whole == [[reply + stop for reply in said] for said in replies]
        single = [[text.strip("\n") for text in row] for row in found[f"{template} trl/prompt_completion"]]
        assert single == [[reply + stop] for said in replies for reply in said]


@pytest.mark.parametrize("preferences", [False, True])
def test_mlcroissant_finds_no_error_in_the_description(corpus: Corpus, tmp_path: Path, preferences: bool) -> None:
    command = shutil.which("mlcroissant")
    if not command:
        pytest.skip("mlcroissant is not installed: pip install mlcroissant, in an environment of its own")
    written(corpus, tmp_path / "set", preferences=preferences)
    checked = [command, "validate", "--jsonld", str(tmp_path / "set" / "croissant.json")]
    done = subprocess.run(checked, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert "error" not in done.stderr.lower()
