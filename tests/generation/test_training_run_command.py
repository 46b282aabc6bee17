"""`training run` and its neighbours, with a program in the trainer's place."""

import json
import sys
import threading
import time
from collections.abc import Callable
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.db import connections

from generation.models import Endpoint, TrainingRun
from generation.training.launching import ask_to_stop
from tests.generation import stand_in_trainer
from tests.generation.training_runs import dialogue_set, story, tell, training_run

pytestmark = pytest.mark.django_db(transaction=True)
HOW = Callable[[str], None]


@pytest.fixture
def trainer(tmp_path: Path, settings: Any, monkeypatch: pytest.MonkeyPatch) -> HOW:
    """Says how the program in the trainer's place behaves."""
    program = tmp_path / "python"
    program.write_text(f'#!/bin/sh\nexec "{sys.executable}" "{stand_in_trainer.__file__}" "$@"\n')
    program.chmod(0o700)
    settings.FINETUNE_PYTHON, settings.DATA_DIR = str(program), tmp_path / "var"
    monkeypatch.setattr("generation.commandline.training.run.LOOK_EVERY", 0.05)
    return lambda how: monkeypatch.setenv("STAND_IN", how)


def training(*words: Any) -> tuple[int, str]:
    """The exit code and what was printed."""
    out = StringIO()
    try:
        call_command("training", *map(str, words), stdout=out)
    except SystemExit as ended:
        return int(str(ended.code)), out.getvalue()
    return 0, out.getvalue()


def test_a_run_is_trained_from_the_set_to_the_model(trainer: HOW, capsys: pytest.CaptureFixture[str]) -> None:
    trainer("finish")
    training_set = dialogue_set()
    code, said = training("run", training_set.pk, "--base", "tiny/llama", "--", "--epochs", "1", "--merge")
    run = TrainingRun.objects.get()
    assert (code, run.state, run.step, run.is_attended) == (0, "finished", 3, False)
    assert f"Training run {run.pk} has finished." in said
    assert "Step 3 of 3, loss 1.000" in capsys.readouterr().err
    out = Path(run.out)
    given = json.loads((out / "given.json").read_text())
    assert given == [
        str(out / "data"), "--out", str(out), "--base", "tiny/llama", "--method", "lora", "--epochs", "1", "--merge"
    ]  # fmt: skip
    assert run.folder == str(out / "model")


def test_without_the_environment_it_says_how_to_make_it(settings: Any) -> None:
    settings.FINETUNE_PYTHON = "/nowhere/python"
    with pytest.raises(CommandError, match=r"none at /nowhere/python\. Run make finetune-install"):
        training("run", dialogue_set().pk, "--base", "a")
    assert not TrainingRun.objects.exists()


def test_what_can_be_said_before_is_said_before(trainer: HOW) -> None:
    training_set = dialogue_set()
    for words, why in (
        (["run"], "Name a training set and --base"),
        (["run", training_set.pk, "--base", "a", "--method", "dpo"], "DPO needs a set of preferences"),
        (["run", "nothing", "--base", "a"], "There is no built training set 'nothing'"),
        (["run", "--resume", 987654321], "There is no training run 987654321"),
    ):
        with pytest.raises(CommandError, match=why):
            training(*words)
    assert not TrainingRun.objects.exists()


@pytest.mark.parametrize(("how", "why"), [("refuse", "There is no model nowhere/at-all"), ("crash", "loading")])
def test_a_trainer_that_refuses_or_dies_leaves_a_failed_run_that_says_why(trainer: HOW, how: str, why: str) -> None:
    trainer(how)
    with pytest.raises(CommandError, match=why):
        training("run", dialogue_set().pk, "--base", "a")
    run = TrainingRun.objects.get()
    assert (run.state, run.is_attended) == ("failed", False)
    assert why in run.problem


def test_the_button_stops_it_and_resume_goes_on(trainer: HOW) -> None:
    trainer("wait")

    def press() -> None:
        try:
            while not (TrainingRun.objects.filter(step=1).exists() and ask_to_stop(TrainingRun.objects.get(), by=None)):
                time.sleep(0.05)
        finally:
            connections.close_all()

    presser = threading.Thread(target=press)
    presser.start()
    code, said = training("run", dialogue_set().pk, "--base", "a")
    presser.join()
    run = TrainingRun.objects.get()
    assert (code, run.state, run.stop_asked_at) == (3, "stopped", None)
    assert f"--resume {run.pk}" in said
    trainer("finish")
    code, _ = training("run", "--resume", run.pk, "--", "--per-device", "1")
    run.refresh_from_db()
    assert (code, run.state, run.events.count()) == (0, "finished", 8)
    given = json.loads((Path(run.out) / "given.json").read_text())
    assert given[3:] == ["--resume", "--per-device", "1"]
    with pytest.raises(CommandError, match="has finished"):
        training("run", "--resume", run.pk)


def test_a_finished_model_is_checked_again_and_a_check_that_is_stopped_changes_nothing(trainer: HOW) -> None:
    trainer("finish")
    training("run", dialogue_set().pk, "--base", "a")
    run = TrainingRun.objects.get()
    trainer("check")
    assert training("run", "--check-only", run.pk, "--", "--check-prompts", "7")[0] == 0
    given = json.loads((Path(run.out) / "given.json").read_text())
    assert given[3:] == ["--check-only", "--check-prompts", "7"]
    trainer("stop")
    assert training("run", "--check-only", run.pk)[0] == 3
    trainer("refuse")
    with pytest.raises(CommandError, match="There is no model"):
        training("run", "--check-only", run.pk)
    run.refresh_from_db()
    assert (run.state, run.checked, run.is_attended) == ("finished", [{"who": "tuned", "n": 7}], False)
    with pytest.raises(CommandError, match="has not finished, so there is no model to check"):
        training("run", "--check-only", training_run(run.training_set).pk)


def test_a_dry_run_makes_no_run_and_refuses_with_the_trainer_s_sentence_and_code(trainer: HOW) -> None:
    trainer("check")
    training_set = dialogue_set()
    assert training("run", training_set.pk, "--base", "a", "--dry-run") == (0, "loading\n")
    trainer("refuse")
    for words in (["--dry-run"], ["--", "--dry-run"]):
        with pytest.raises(CommandError, match=r"^There is no model nowhere/at-all.*folder\.$") as refused:
            training("run", training_set.pk, "--base", "a", *words)
        assert refused.value.returncode == 2
    with pytest.raises(CommandError, match="DPO needs a set of preferences"):
        training("run", training_set.pk, "--base", "a", "--method", "dpo", "--dry-run")
    assert not TrainingRun.objects.exists()


def test_the_commands_for_another_machine_are_printed_and_nothing_is_started(settings: Any) -> None:
    settings.FINETUNE_PYTHON = "/nowhere/python"
    training_set = dialogue_set()
    words = [
        "run",
        training_set.pk,
        "--base",
        "org/base",
        "--print-command",
        "--report-to",
        "https://here.example.org/",
    ]
    code, said = training(*words, "--", "--rank", "8")
    run = TrainingRun.objects.get()
    assert (code, run.state) == (0, "waiting")
    assert f"training export {training_set.pk} --output set-{training_set.pk}" in said
    assert "make finetune-install" in said
    assert f"--rank 8 --report https://here.example.org/api/training-runs/{run.pk}/events/" in said
    assert "accelerate launch -m generation.training.finetune" in said
    assert f"training upload {run.pk} events.jsonl" in said


def test_a_model_of_a_configuration_has_no_base(trainer: HOW) -> None:
    trainer("finish")
    training("run", dialogue_set().pk, "--from-config", "tiny", "--method", "full", "--json")
    run = TrainingRun.objects.get()
    given = json.loads((Path(run.out) / "given.json").read_text())
    assert given[3:7] == ["--from-config", "tiny", "--method", "full"]


def test_a_log_is_uploaded_the_card_written_and_the_model_registered(tmp_path: Path) -> None:
    run, log = training_run(), tmp_path / "events.jsonl"
    log.write_text("".join(json.dumps(fields) + "\n" for fields in story()) + '{"number": 99, "at"')
    code, said = training("upload", run.pk, log, "--json")
    assert (code, json.loads(said)["stored"], json.loads(said)["state"]) == (0, len(story()), "finished")
    code, said = training("runs")
    assert f"{run.pk}  finished  Tiny on Small: Step 4 of 4" in said
    card = tmp_path / "card.md"
    training("card", run.pk, "--output", card)
    assert training("card", run.pk)[1].strip() == card.read_text().strip()
    code, said = training("register", run.pk, "--base-url", "http://gpu.example.org:8000/v1", "--name", "Tuned")
    assert (code, Endpoint.objects.get().model) == (0, "tiny-on-small")
    assert "endpoint check 'Tuned'" in said
    assert "was registered before" in training("register", run.pk, "--base-url", "http://gpu.example.org:8000/v1")[1]


def test_a_file_that_is_no_log_is_refused_and_changes_nothing(tmp_path: Path) -> None:
    run, log = training_run(), tmp_path / "events.jsonl"
    log.write_text('{"number": 1}\n')
    with pytest.raises(CommandError, match="is no log of a trainer: line 1: kind must be") as refused:
        training("upload", run.pk, log)
    assert refused.value.returncode == 2
    with pytest.raises(CommandError, match="cannot be read"):
        training("upload", run.pk, tmp_path / "none.jsonl")
    assert not run.events.exists()


def test_a_run_that_another_command_looks_after_is_left_to_it(trainer: HOW) -> None:
    run = tell(training_run(is_attended=True, out="/here"), story()[:4])
    with pytest.raises(CommandError, match="Another command looks after"):
        training("run", "--resume", run.pk)
    TrainingRun.objects.update(is_attended=False, out="")
    with pytest.raises(CommandError, match="was trained on another machine"):
        training("run", "--resume", run.pk)


def test_options_behind_two_dashes_are_refused_by_verbs_that_hand_nothing_on() -> None:
    with pytest.raises(CommandError, match="unrecognized arguments"):
        training("runs", "--", "--epochs", "1")
