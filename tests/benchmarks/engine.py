"""Calls a second of the generation engine beside a bare asyncio loop. Run by hand from the checkout:

    DATABASE_URL=postgres://… python -m tests.benchmarks.engine [--cells 64x1 128x1 256x1 400x2] [--seconds 15]
    DATABASE_URL=postgres://… python -m tests.benchmarks.engine --memory

The engine sends real pipeline calls: theme, pair and further-split in equal parts, prompts with five examples a kind
(about 2, 8 and 15 kB), replies parsed, dialogues stored, the next stage planned. The bare loop sends the same
requests through the same `generation.endpoints.client.Client` to the same server and throws the replies away. The
server is a process of its own and answers 2 kB after one second; the ledger is a PostgreSQL database made for the
benchmark (`test_` and the name in DATABASE_URL) and dropped at the end.

Only replies inside a window are counted: it opens some seconds after the start and closes well before the end.
`ideal` is calls in flight / latency. CPU is user and system time of the sending processes, a call.
"""

import argparse
import json
import os
import pickle
import secrets
import subprocess
import sys
import tempfile
import urllib.request
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from time import monotonic
from typing import Any

import django

if not os.environ.get("DATABASE_URL", "").startswith("postgres"):
    sys.exit("Set DATABASE_URL to a PostgreSQL server, for example postgres://postgres@127.0.0.1:5432/benchmark")
os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
os.environ.setdefault("SECRET_KEY", secrets.token_urlsafe(48))
os.environ["ENDPOINT_ALLOWED_HOSTS"] = "127.0.0.1"
django.setup()

from django.db import connection

from dialogues.models import Corpus, Dialogue
from dialogues.transcript import Transcript
from generation.models import Run
from generation.plans import estimating
from tests.benchmarks.model_server import words
from tests.browser.server import database_url
from tests.generation.runs import endpoint_at, started

STARTING = 9.0  # seconds from the start of a process to its window
SAMPLED = 60  # requests that the bare loop sends over and over, a stage


@dataclass(frozen=True)
class Cell:
    """One line of the table."""

    in_flight: int
    workers: int


CELLS = [Cell(64, 1), Cell(128, 1), Cell(256, 1), Cell(400, 2)]


@dataclass(frozen=True)
class Measured:
    per_second: float
    cpu_ms: float
    rss_mb: float


class ModelServer:
    def __init__(self, port: int) -> None:
        self.address = f"http://127.0.0.1:{port}"

    def get(self, path: str) -> Any:
        with urllib.request.urlopen(self.address + path, timeout=30) as response:
            return json.load(response)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--cells", nargs="+", type=cell, default=CELLS, metavar="IN_FLIGHTxWORKERS")
    parser.add_argument("--seconds", type=float, default=15, help="length of the window (15)")
    parser.add_argument("--latency", type=float, default=1.0)
    parser.add_argument("--jitter", type=float, default=0.0, help="seconds added to the latency at most")
    parser.add_argument("--repeat", type=int, default=1, help="lines a cell")
    parser.add_argument("--memory", action="store_true", help="memory of one worker from 1,000 to 20,000 calls instead")
    parser.add_argument("--price", type=float, default=0.0, help="US dollars a million tokens: money is booked too")
    options = parser.parse_args()
    with database(), model_server(options) as server:
        measure_memory(server) if options.memory else compare(server, options)


def cell(text: str) -> Cell:
    in_flight, _, workers = text.partition("x")
    return Cell(int(in_flight), int(workers or 1))


def compare(server: ModelServer, options: argparse.Namespace) -> None:
    latency = options.latency + options.jitter / 2
    print(f"latency {latency:g} s, window {options.seconds:g} s, load {os.getloadavg()[0]:.1f}, {cores()} cores")
    print(f"{'in flight':>9}{'workers':>8}{'ideal/s':>9}{'engine/s':>10}{'bare/s':>8}{'engine/ideal':>14}"
          f"{'engine/bare':>13}{'CPU ms a call':>15}{'bare':>6}{'MB':>6}")  # fmt: skip
    for chosen in [chosen for chosen in options.cells for _ in range(options.repeat)]:
        with tempfile.TemporaryDirectory() as folder:
            run = new_run(server, chosen, options)
            requests = sampled_requests(run, Path(folder))
            share = str(chosen.in_flight // chosen.workers)
            sent = ["--base-url", f"{server.address}/v1", "--requests", str(requests), "--in-flight", share]
            bare = measure(server, options, chosen, ["bare", *sent])
            engine = measure(server, options, chosen, ["engine", "--run", str(run.pk)])
            Run.objects.filter(pk=run.pk).update(state=Run.State.PAUSED)
        ideal = chosen.in_flight / latency
        print(f"{chosen.in_flight:>9}{chosen.workers:>8}{ideal:>9.0f}{engine.per_second:>10.1f}{bare.per_second:>8.1f}"
              f"{engine.per_second / ideal:>14.2f}{engine.per_second / bare.per_second:>13.2f}"
              f"{engine.cpu_ms:>15.2f}{bare.cpu_ms:>6.2f}{engine.rss_mb:>6.0f}", flush=True)  # fmt: skip


def measure(server: ModelServer, options: argparse.Namespace, chosen: Cell, arguments: Sequence[str]) -> Measured:
    """Run the workers; count the server's replies inside the window."""
    start = monotonic() + STARTING
    end = start + options.seconds
    server.get("/replies")
    command = [*process(), *arguments, "--start", str(start), "--end", str(end)]
    workers = [subprocess.Popen(command, env=environment(), stdout=subprocess.PIPE) for _ in range(chosen.workers)]
    reports = [json.loads(worker.communicate()[0]) for worker in workers]
    inside = sum(start <= moment < end for moment in server.get("/replies"))
    cpu = sum(report["cpu"] for report in reports)
    return Measured(inside / options.seconds, 1000 * cpu / inside, max(report["rss_mb"] for report in reports))


def measure_memory(server: ModelServer) -> None:
    run = started(corpus(6_700, "memory"), endpoint(server, "memory", 128))
    print(f"{'answered':>9}{'MB in use':>11}{'seconds':>9}", flush=True)
    command = [*process(), "memory", "--run", str(run.pk)]
    with subprocess.Popen(command, env=environment(), stderr=subprocess.PIPE, stdout=subprocess.DEVNULL) as worker:
        assert worker.stderr is not None
        for line in worker.stderr:
            if not line.startswith(b"{"):
                sys.exit(line.decode() + worker.stderr.read().decode())
            found = json.loads(line)
            print(f"{found['answered']:>9,}{found['rss_mb']:>11.1f}{found['seconds']:>9.0f}", flush=True)


def new_run(server: ModelServer, chosen: Cell, options: argparse.Namespace) -> Run:
    """A run with more dialogues than can be done in the time."""
    seconds = options.seconds + STARTING
    name = f"{chosen.in_flight} in flight {monotonic()}"
    dialogues = int(chosen.in_flight / options.latency * seconds / 3) + chosen.in_flight
    price = {"price_in": options.price, "price_out": options.price}
    return started(corpus(dialogues, name), endpoint(server, name, chosen.in_flight, **price))


def endpoint(server: ModelServer, name: str, in_flight: int, **fields: Any) -> Any:
    return endpoint_at(f"{server.address}/v1", name=name, max_in_flight=in_flight, timeout_seconds=120, **fields)


def corpus(dialogues: int, name: str) -> Corpus:
    made = Corpus.objects.create(name=f"Benchmark {name}")
    traits = {"traits_1": ["i have a dog .", "i like hills ."], "traits_2": ["i work at night .", "i bake ."]}
    fields = {"corpus": made, "version_id": "alpha", **traits}
    rows = [
        Dialogue.from_transcript(
            Transcript.of([[1 + turn % 2, words(number + turn, 13)] for turn in range(14)]), key=f"d{number}", **fields
        )
        for number in range(dialogues)
    ]
    Dialogue.objects.bulk_create(rows, batch_size=500)
    return made


def sampled_requests(run: Run, folder: Path) -> Path:
    """Requests of the run, of all stages in turn, in a file."""
    alphas = Dialogue.objects.filter(chosen_by__run=run).order_by("pk")[:SAMPLED]
    found = [
        (request.messages, request.parameters) for alpha in alphas for _, request in estimating.preview(run, alpha)
    ]
    path = folder / "requests"
    path.write_bytes(pickle.dumps(found))
    return path


@contextmanager
def database() -> Iterator[None]:
    """A fresh one, dropped afterwards."""
    before = connection.settings_dict["NAME"]
    connection.creation.create_test_db(verbosity=0, autoclobber=True)
    try:
        yield
    finally:
        connection.creation.destroy_test_db(before, verbosity=0)


@contextmanager
def model_server(options: argparse.Namespace) -> Iterator[ModelServer]:
    latency = 0.3 if options.memory else options.latency
    command = [sys.executable, "-m", "tests.benchmarks.model_server", "--latency", str(latency)]
    with subprocess.Popen([*command, "--jitter", str(options.jitter)], stdout=subprocess.PIPE) as serving:
        assert serving.stdout is not None
        try:
            yield ModelServer(int(serving.stdout.readline()))
        finally:
            serving.terminate()


def process() -> list[str]:
    return [sys.executable, "-m", "tests.benchmarks.engine_process"]


def environment() -> dict[str, str]:
    return os.environ | {"DATABASE_URL": database_url(), "REDIS_URL": ""}


def cores() -> int:
    return len(os.sched_getaffinity(0))


if __name__ == "__main__":
    main()
