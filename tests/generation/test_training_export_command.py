"""`training export` and `training push` on the command line."""

import json
import sys
import zipfile
from pathlib import Path
from typing import Any

import pytest
from django.core.management import call_command
from django.core.management.base import CommandError
from pytest_django import Settings

from core.commands import ExitCode
from dialogues.models import AuditEvent, Corpus
from generation.models import TrainingSet
from tests.dialogues.rows import add_dialogue
from tests.finetune_env import finetune_python
from tests.generation.stand_in_hub import stand_in_hub
from tests.generation.training_sets import built_set

pytestmark = pytest.mark.django_db
SAID = [[1, "hi"], [2, "yes"], [2, "always"], [1, "good"]]


@pytest.fixture
def made(corpus: Corpus) -> TrainingSet:
    return built_set(corpus, [add_dialogue(corpus, f"d{number}", SAID, is_demo=True) for number in range(6)])


def told(capsys: pytest.CaptureFixture[str], *words: object) -> Any:
    call_command("training", *map(str, words), "--json")
    return json.loads(capsys.readouterr().out)


def test_a_set_is_written_into_a_folder(made: TrainingSet, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    said = told(capsys, "export", "Set", "--output", tmp_path / "out", "--target", "openai", "--target", "parquet")
    assert said["sha256"] == made.sha256
    assert sum(said["examples"].values()) == 12
    assert said["labels"] == {"demo": True, "simulated": False}
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == [
        "README.md", "croissant.json", "data", "manifest.json", "openai",
    ]  # fmt: skip
    with pytest.raises(CommandError, match="--force"):
        call_command("training", "export", "Set", "--output", str(tmp_path / "out"))
    call_command("training", "export", "Set", "--output", str(tmp_path / "out"), "--force")
    assert "12 examples of Set v1" in capsys.readouterr().out


def test_a_zip_file_has_the_same_bytes_each_time(made: TrainingSet, tmp_path: Path) -> None:
    for name in ("a.zip", "b.zip"):
        call_command("training", "export", str(made.pk), "--zip", "--output", str(tmp_path / name))
    assert (tmp_path / "a.zip").read_bytes() == (tmp_path / "b.zip").read_bytes()
    assert zipfile.ZipFile(tmp_path / "a.zip").testzip() is None
    with pytest.raises(CommandError, match="--force"):
        call_command("training", "export", str(made.pk), "--zip", "--output", str(tmp_path / "a.zip"))
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a.zip", "b.zip"]


def test_a_form_that_the_set_does_not_have_is_wrong_input(made: TrainingSet, tmp_path: Path) -> None:
    with pytest.raises(CommandError, match="has no target") as refused:
        call_command("training", "export", "Set", "--output", str(tmp_path / "out"), "--target", "trl-preference")
    assert refused.value.returncode == ExitCode.WRONG_INPUT


@pytest.mark.parametrize("repo", ["set", "me/", "me/a/b", "../x", "me/a b"])
def test_a_name_that_is_none_of_a_hub_is_refused(made: TrainingSet, repo: str) -> None:
    with pytest.raises(CommandError, match="OWNER/NAME"):
        call_command("training", "push", "Set", "--repo", repo, "--yes")


def test_personal_data_without_consent_is_not_pushed(made: TrainingSet) -> None:
    Corpus.objects.update(personal_data="yes")
    with pytest.raises(CommandError, match="no consent is recorded"):
        call_command("training", "push", "Set", "--repo", "me/set", "--yes")


def test_nothing_is_pushed_unasked_or_without_a_token(
    made: TrainingSet, settings: Settings, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    settings.FINETUNE_PYTHON = "/nowhere/python"
    with pytest.raises(CommandError, match="make finetune-install"):
        call_command("training", "push", "Set", "--repo", "me/set", "--yes")
    settings.FINETUNE_PYTHON = sys.executable
    monkeypatch.delenv("HF_TOKEN", raising=False)
    with pytest.raises(CommandError, match="--yes"):
        call_command("training", "push", "Set", "--repo", "me/set")
    said = capsys.readouterr().err
    assert "12 examples of Set v1" in said
    assert "private, to me/set" in said
    assert "demo model's rules" in said
    with pytest.raises(CommandError, match="HF_TOKEN"):
        call_command("training", "push", "Set", "--repo", "me/set", "--yes")
    monkeypatch.setenv("HF_TOKEN", "hf_right")
    with pytest.raises(CommandError, match="huggingface_hub"):
        call_command("training", "push", "Set", "--repo", "me/set", "--yes")
    assert not AuditEvent.objects.exists()


def test_a_push_is_private_unless_told_otherwise_and_is_on_record(
    made: TrainingSet, settings: Settings, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    settings.FINETUNE_PYTHON = finetune_python()
    monkeypatch.setenv("HF_HUB_DISABLE_XET", "1")
    monkeypatch.setenv("HF_TOKEN", "hf_wrong")
    with stand_in_hub() as hub:
        monkeypatch.setenv("HF_ENDPOINT", hub.address)
        with pytest.raises(CommandError, match="The hub refused: Invalid credentials"):
            call_command("training", "push", "Set", "--repo", "me/set", "--yes")
        monkeypatch.setenv("HF_TOKEN", hub.token)
        said = told(capsys, "push", "Set", "--repo", "me/set", "--yes")
        assert said["address"] == f"{hub.address}/datasets/me/set"
        assert hub.private == {"me/set"}
        assert {"README.md", "manifest.json", "data/train.parquet", "openai/train.jsonl"} <= set(hub.files)
        hub.public.add("me/open")
        with pytest.raises(CommandError, match="public already"):
            call_command("training", "push", "Set", "--repo", "me/open", "--yes")
    assert AuditEvent.objects.get().detail == {"repo": "me/set", "public": False}
