"""`training build`, `show`, `list` and `delete` on the command line."""

import json
from pathlib import Path
from typing import Any

import pytest
from django.core.management import call_command
from django.core.management.base import CommandError

from generation.models import TrainingRun, TrainingSet
from tests.generation.test_training_building import SHA256, families

pytestmark = pytest.mark.django_db
HELD_OUT = ("--validation", "0.1", "--test", "0.1")


def told(capsys: pytest.CaptureFixture[str], *words: str) -> Any:
    call_command("training", *words, "--json")
    return json.loads(capsys.readouterr().out)


def build(capsys: pytest.CaptureFixture[str], *words: str) -> Any:
    return told(capsys, "build", "--corpus", "Chats", "--name", "Set", *HELD_OUT, *words)


def test_the_command_builds_what_the_page_builds(capsys: pytest.CaptureFixture[str]) -> None:
    families()
    made = build(capsys, "--filter", "unrated=no", "--filter", "once=no")
    assert (made["name"], made["version"], made["sha256"]) == ("Set", 1, SHA256)
    assert told(capsys, "show", "Set")["counts"] == made["counts"]
    assert told(capsys, "list")["sets"] == [{"set": made["set"], "name": "Set", "version": 1, "state": "built"}]
    assert told(capsys, "delete", str(made["set"])) == {"deleted": made["set"]}
    assert not TrainingSet.objects.exists()


def test_a_dry_run_counts_and_writes_nothing(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    families()
    system = tmp_path / "system.txt"
    system.write_text("Be {traits}")
    words = ("--side", "2", "--delimiter", "¶", "--seed", "3", "--system", str(system), "--versions", "beta", "gamma")
    found = build(capsys, *words, "--filter", "most_turns=9", "--dry-run")
    assert found["set"] is None
    recipe = found["recipe"]
    assert (recipe["sides"], recipe["delimiter"], recipe["seed"], recipe["system"]) == ([2], "¶", 3, "Be {traits}")
    assert recipe["filters"] == {"most_turns": 9, "unrated": True, "once": True}
    assert found["counts"]["candidates"] == 24
    assert not TrainingSet.objects.exists()


def test_in_words_it_says_each_filter_and_that_lengths_are_estimated(capsys: pytest.CaptureFixture[str]) -> None:
    families()
    call_command("training", "build", "--corpus", "Chats", "--name", "Set", "--filter", "most_messages=9")
    said = capsys.readouterr().out
    assert "Most messages 9: drops 0, leaves 12" in said
    assert "an estimate: four characters a token" in said
    assert "Filters: Most messages 9; Leave out every background that a study rates; One dialogue of each" in said


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (("--corpus", "Nothing"), "There is no corpus named 'Nothing'"),
        (("--filter", "loud=3"), "There is no filter 'loud'"),
        (("--filter", "most_messages=few"), "--filter most_messages=few: write a whole number from 1"),
        (("--filter", "fewest_messages=99"), "No dialogue is left"),
        (("--system", "/no/such/file"), "cannot be read as text"),
        (("--delimiter", ""), "The delimiter is empty"),
        (("--validation", "0.6", "--test", "0.6"), "Hold out at most"),
        (("--name", " "), "Give the set a name"),
        (("--kind", "preferences", "--preferred-by", "judge"), "Choose the metric"),
    ],
)
def test_wrong_words_are_refused_with_a_sentence(
    capsys: pytest.CaptureFixture[str], words: tuple[str, ...], says: str
) -> None:
    families()
    with pytest.raises(CommandError, match=says):
        build(capsys, *words)
    assert not TrainingSet.objects.exists()


def test_a_set_that_a_run_uses_is_not_deleted(capsys: pytest.CaptureFixture[str]) -> None:
    families()
    made = build(capsys)
    TrainingRun.objects.create(training_set_id=made["set"], name="First try", base="llama", method="lora")
    with pytest.raises(CommandError, match="First try"):
        told(capsys, "delete", "Set")
