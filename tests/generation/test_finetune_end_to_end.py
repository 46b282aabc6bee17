"""From a training set to a model that answers in steps over HTTP, on a processor, with a model of random weights."""

import json
import signal
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from annotation.chats import recording
from annotation.people import api_tokens
from annotation.roles import Role
from dialogues.models import Corpus, Dialogue
from dialogues.transcript import Transcript
from generation.models import Endpoint, LiveCall, Prompt, TrainingRun
from generation.training.registering import register
from tests.annotation.chatting import chat_with, said, settled
from tests.browser.server import running_server
from tests.finetune_env import ROOT, finetune_environment
from tests.generation import runs
from tests.generation.finetuned import events, exported, sample_dialogues, served, small_set, train, trainer_command
from tests.generation.training_runs import tell, training_run
from tests.people import make_user
from tests.waiting import until

pytestmark = [pytest.mark.slow, pytest.mark.any_database, pytest.mark.django_db, pytest.mark.timeout(1500)]

CONFIG = {
    "vocab_size": 600, "hidden_size": 128, "intermediate_size": 256, "num_hidden_layers": 2, "num_attention_heads": 4,
    "num_key_value_heads": 2, "max_position_embeddings": 2048,
}  # fmt: skip
FAST = ("--batch", 4, "--learning-rate", 0.005, "--eval-every", 1000, "--check-prompts", 2)


@pytest.fixture
def config(tmp_path: Path) -> Path:
    path = tmp_path / "config.json"
    path.write_text(json.dumps(CONFIG))
    return path


def losses(out: Path) -> list[float]:
    return [event["loss"] for event in events(out, "step")]


# Server, runner and chat commit.
@pytest.mark.django_db(transaction=True)
def test_a_model_learns_to_write_in_steps_by_all_weights_and_by_lora_and_is_used_like_any_other(
    tmp_path: Path, config: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """LoRA learns other dialogues than its base did. The first trainer reports over HTTP, of the second comes a log."""
    corpus, _, cut = sample_dialogues(20)
    whole, made = tmp_path / "whole", small_set(corpus, cut[:10])
    run = training_run(made, name="Whole", method="full")
    _, token = api_tokens.issue(user=make_user(Role.RESEARCHER), name="trainer", by=None)
    monkeypatch.setenv("STEPHANIE_TOKEN", token)
    with running_server() as server:
        report = ("--report", f"{server.url}/api/training-runs/{run.pk}/events/")
        every = ("--from-config", config, "--method", "full", "--epochs", 25, *report)
        train(exported(made, tmp_path / "first"), whole, *every, *FAST)
    assert losses(whole)[-1] < losses(whole)[0] / 2
    assert run.events.count() == len(events(whole))
    with served(whole / "model", tmp_path / "whole.log") as address:
        assert_a_run_is_answered_in_steps(registered(run, address, whole / "model"), corpus)

    tuned, made = tmp_path / "tuned", small_set(corpus, cut[10:])
    run = training_run(made, name="Tuned", method="lora")
    lora = ("--base", whole / "model", "--method", "lora", "--rank", 64, "--epochs", 20, "--merge")
    train(exported(made, tmp_path / "second"), tuned, *lora, *FAST)
    assert losses(tuned)[-1] < losses(tuned)[0] / 2
    (checked,) = events(tuned, "checked")
    assert [row["who"] for row in checked["rows"]] == ["tuned", "base", "data"]
    (finished,) = events(tuned, "finished")
    assert finished["is_adapter"]
    assert (Path(finished["folder"]) / "adapter_config.json").exists()
    tell(run, events(tuned))
    with served(tuned / "merged", tmp_path / "tuned.log") as address:
        assert_a_chat_is_answered_in_bubbles(registered(run, address, tuned / "merged"), cut[10:15])


def registered(run: TrainingRun, address: str, model: Path) -> Endpoint:
    """The endpoint made of a training that was reported to its end."""
    run.refresh_from_db()
    assert (run.state, [row["who"] for row in run.checked]) == ("finished", ["tuned", "base", "data"])
    endpoint, _ = register(run, address=address, model=str(model))
    assert (endpoint.delimiter, endpoint.reply_mode) == ("<|msg|>", "as_trained")
    return endpoint


def assert_a_run_is_answered_in_steps(endpoint: Endpoint, corpus: Corpus) -> None:
    """What it answers is no JSON, so the run keeps its replies as failed; some are in steps and end."""
    prompt = Prompt.objects.create(stage="theme", is_trial=True, system="Chat.", user="{dialogue}{traits}")
    choice = {"stages": ["theme"], "prompts": {"theme": prompt}, "max_tokens": 80, "temperature": 0.0}
    run = runs.started(corpus, endpoint, sample=4, **choice)
    runs.work(run)
    assert_in_steps(list(run.calls.values_list("raw_reply", "finish_reason")))


def assert_a_chat_is_answered_in_bubbles(endpoint: Endpoint, rows: list[Dialogue]) -> None:
    """People's first turns are those of the dialogues."""
    parameters = {"model": endpoint.model, "temperature": 0, "max_tokens": 80}
    person, told = make_user(Role.RESEARCHER, "chatting"), []
    for row in rows:
        chat = chat_with(endpoint, person, system="Chat.", parameters=parameters)
        for number, message in enumerate(Transcript.of(row.messages).turns()[0].messages):
            recording.send(chat.pk, message.text, f"message {number}")
        assert settled(chat)[-1] == "replied"
        told.append([text for speaker, text in said(chat) if speaker == "model"])
    replies = list(LiveCall.objects.values_list("raw_reply", "finish_reason"))
    assert_in_steps(replies)
    assert sum(map(len, told)) > len(rows)
    assert not any(endpoint.delimiter in text for bubbles in told for text in bubbles)


def assert_in_steps(replies: list[tuple[str, str]]) -> None:
    assert any("<|msg|>" in text and reason == "stop" for text, reason in replies), replies


def test_a_killed_trainer_goes_on_at_its_last_checkpoint_and_a_stopped_one_leaves_one(
    tmp_path: Path, config: Path
) -> None:
    corpus, _, cut = sample_dialogues(10)
    data = exported(small_set(corpus, cut), tmp_path / "set")
    out = tmp_path / "out"
    options = ("--from-config", config, "--method", "full", "--epochs", 40, "--batch", 4, "--eval-every", 5)

    with started(data, out, *options) as killed:
        until(lambda: events(out, "sample") and len(events(out, "step")) > 6, "it saved and went on", 600, 0.1)
        killed.kill()

    with started(data, out, "--resume") as stopped:
        until(lambda: len(events(out, "started")) == 2 and events(out)[-1]["kind"] == "step", "it goes on", 600, 0.1)
        stopped.send_signal(signal.SIGTERM)
        assert stopped.wait(300) == 3
    begun = [event["resumed_at"] for event in events(out, "started")]
    assert begun[0] == 0
    assert begun[1] % 5 == 0
    assert begun[1] >= 5
    last = events(out)[-1]
    assert last["kind"] == "stopped"
    assert (out / "checkpoints" / f"checkpoint-{last['step']}" / "trainer_state.json").exists()

    numbers = [event["number"] for event in events(out)]
    assert numbers == list(range(1, len(numbers) + 1))
    assert "began with --method full" in train(data, out, "--resume", "--method", "lora", code=2).stderr


def test_preferences_are_trained_on_by_dpo_in_two_processes_that_share_every_step(tmp_path: Path, config: Path) -> None:
    corpus, whole, cut = sample_dialogues(6)
    data = exported(small_set(corpus, cut, whole), tmp_path / "set")
    out = tmp_path / "out"
    choices = ("--from-config", config, "--method", "dpo", "--epochs", 1, "--batch", 2)
    train(data, out, *choices, "--eval-every", 1000, "--check-prompts", 2, processes=2)
    (started,) = events(out, "started")
    assert started["environment"]["processes"] == 2
    with (data / "manifest.json").open() as manifest:
        assert started["steps"] == -(-json.load(manifest)["examples"]["train"] // 2)
    assert started["parameters"]["beta"] == 0.1
    assert losses(out)[0] == pytest.approx(0.6931, abs=0.01)
    assert (out / "model" / "adapter_config.json").exists()


@contextmanager
def started(data: Path, out: Path, *options: object) -> Iterator[subprocess.Popen[bytes]]:
    """The trainer at work; it is gone when the block ends."""
    command = trainer_command(data, out, *options)
    quiet = subprocess.DEVNULL
    process = subprocess.Popen(command, cwd=ROOT, env=finetune_environment(), stdout=quiet, stderr=quiet)
    try:
        yield process
    finally:
        process.kill()
        process.wait()
