"""What a template would train is proven before training, with a real tokenizer."""

import json
import subprocess
from typing import Any

import pytest

from tests.finetune_env import ROOT, finetune_environment, finetune_python

pytestmark = pytest.mark.slow
TRAINED = "Hello there.<|msg|>How are you?<|eot_id|>Fine, é 😀.<|eot_id|>"


@pytest.fixture(scope="module")
def said(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    command = [finetune_python(), "-m", "tests.generation.finetune_proofs", str(tmp_path_factory.mktemp("tiny"))]
    done = subprocess.run(command, cwd=ROOT, env=finetune_environment(), capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    found: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return found


def test_exactly_the_replies_with_their_delimiters_and_stop_tokens_are_trained(said: dict[str, Any]) -> None:
    assert (said["llama3"], said["exact"], said["delimiter"]) == (TRAINED, TRAINED, "<|msg|>")


@pytest.mark.parametrize("template", ["no stop", "more", "cut"])
def test_a_template_that_trains_less_or_more_is_refused(said: dict[str, Any], template: str) -> None:
    assert said[template].startswith("refused: Of example d1/1 the chat template trains")
    assert "--chat-template FILE" in said[template]


def test_a_template_that_marks_what_the_user_says_is_refused(said: dict[str, Any]) -> None:
    assert "marks 5 replies of example d1/1, which has 2" in said["everything"]


def test_a_template_without_marks_that_nobody_knows_is_refused(said: dict[str, Any]) -> None:
    assert "does not mark what the assistant says" in said["unknown"]


def test_a_template_writes_the_same_without_its_marks(said: dict[str, Any]) -> None:
    assert said["unmarked"] == [True, True]


def test_special_tokens_are_neither_delimiters_nor_texts(said: dict[str, Any]) -> None:
    assert "as a special token" in said["special delimiter"]
    assert "holds <|msg|>, a special token of this model" in said["special text"]
