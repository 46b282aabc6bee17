"""The trainer and what it trained, as programs in the environment for fine-tuning."""

import json
import socket
import subprocess
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from dialogues.models import Corpus, Dialogue
from dialogues.splitting import split_by_punctuation
from dialogues.transcript import Transcript
from generation.models import TrainingSet
from generation.training import directory
from tests.dialogues.rows import add_dialogue
from tests.finetune_env import ROOT, finetune_environment, finetune_python
from tests.generation.training_sets import built_set
from tests.waiting import until

SAMPLE = ROOT / "dialogues" / "samples" / "stephanie-sample.jsonl"
# So much of a dialogue is learned by heart in seconds.
MESSAGES = 6


def sample_dialogues(count: int = 24) -> tuple[Corpus, list[Dialogue], list[Dialogue]]:
    """The beginnings of the sample corpus, as they are and cut into a message a sentence."""
    corpus = Corpus.objects.create(name="Sample")
    lines = SAMPLE.read_text(encoding="utf-8").splitlines()[:count]
    whole, cut = [], []
    for line in map(json.loads, lines):
        said = line["messages"][:MESSAGES]
        row = add_dialogue(corpus, line["id"], said)
        pieces = split_by_punctuation(Transcript.of(said))
        whole.append(row)
        cut.append(add_dialogue(corpus, f"{row.key}.cut", pieces, "stephanie", origin=row))
    return corpus, whole, cut


def exported(made: TrainingSet, folder: Path) -> Path:
    directory.write(made, folder, targets=["parquet"])
    return folder


def small_set(corpus: Corpus, rows: list[Dialogue], worse: list[Dialogue] | None = None) -> TrainingSet:
    name = f"From {rows[0].key}"
    return built_set(corpus, rows, worse, name=name, validation=0.1, test=0.1, system="Chat.")


def trainer_command(data: Path, out: Path, *options: object, processes: int = 1) -> list[str]:
    """Several processes are started as on several cards, by accelerate's launcher."""
    starter = [finetune_python()]
    if processes > 1:
        launcher = str(Path(finetune_python()).with_name("accelerate"))
        starter = [launcher, "launch", "--multi_gpu", "--num_processes", str(processes), "--main_process_port", "0"]
    return [*starter, "-m", "generation.training.finetune", str(data), "--out", str(out), *map(str, options)]


def train(
    data: Path, out: Path, *options: object, code: int = 0, processes: int = 1
) -> subprocess.CompletedProcess[str]:
    """Run the trainer to its end, which must be this exit code."""
    command = trainer_command(data, out, *options, processes=processes)
    done = subprocess.run(command, cwd=ROOT, env=finetune_environment(), capture_output=True, text=True)
    assert done.returncode == code, f"{done.stdout}\n{done.stderr}"
    return done


def events(out: Path, kind: str = "") -> list[dict[str, Any]]:
    """What the trainer reported in its folder, all or one kind."""
    path = out / "events.jsonl"
    text = path.read_text(encoding="utf-8") if path.exists() else ""
    # The last line may be half written.
    found = [json.loads(line) for line in text.split("\n")[:-1]]
    return [event for event in found if event["kind"] == kind] if kind else found


@contextmanager
def served(folder: Path, log: Path) -> Iterator[str]:
    """`transformers serve` with a whole model, as it takes no adapter; yields its address, which ends in /v1."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    program = str(Path(finetune_python()).with_name("transformers"))
    command = [program, "serve", str(folder), "--device", "cpu", "--host", "127.0.0.1", "--port", str(port)]
    with log.open("w") as output:
        process = subprocess.Popen(command, env=finetune_environment(), stdout=output, stderr=output)
        try:
            until(lambda: process.poll() is not None or _answers(port), "transformers serve answers", 180, 0.3)
            assert process.poll() is None, log.read_text()
            yield f"http://127.0.0.1:{port}/v1"
        finally:
            process.terminate()
            process.wait(60)


def _answers(port: int) -> bool:
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/health", timeout=2) as answer:
            return bool(answer.status == 200)
    except OSError:
        return False
