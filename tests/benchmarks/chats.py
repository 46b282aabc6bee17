"""Many chats at once beside raters and a run, and what idle open chats cost. Run by hand from the checkout:

    DATABASE_URL=postgres://… python -m tests.benchmarks.chats [--chats 50] [--minutes 10] [--idle 200]

The product as it is served (one web process a core), a worker and a Redis of its own; the demo model writes a token in
20 ms. People write bursts and think for 1 to 4 seconds, so each chat is busier than any real one; raters submit six
scores every few seconds; a run sends calls to the same endpoint all the time. The database is one made for this
(`test_` and the name in DATABASE_URL) and dropped at the end.

A bubble is due when its last letter has come from the model and its pace is over. Its *added delay* is the time from
then until it is in the log as shown, and until its line is in the browser. All processes share this machine's cores.
"""

import argparse
import json
import os
import secrets
import statistics
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import django

if not os.environ.get("DATABASE_URL", "").startswith("postgres"):
    sys.exit("Set DATABASE_URL to a PostgreSQL server, for example postgres://postgres@127.0.0.1:5432/benchmark")
os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
os.environ.setdefault("SECRET_KEY", secrets.token_urlsafe(48))
os.environ |= {"ENDPOINT_ALLOWED_HOSTS": "127.0.0.1", "HTTPS": "0"}
django.setup()

from django.contrib.auth.models import User

from annotation.chats import watching
from annotation.models import Chat, ChatEvent
from annotation.roles import Role
from config import processes
from generation.models import Call, Endpoint, LiveCall, Run
from tests.annotation.chatting import chat_with
from tests.annotation.setting import KEYS, member
from tests.annotation.setting import corpus as rated_corpus
from tests.annotation.setting import study as rated_study
from tests.benchmarks.engine import database
from tests.benchmarks.load import Load
from tests.browser.server import database_url, wait_until_up
from tests.demo_process import free_port
from tests.faults.servers import private_redis
from tests.generation.runs import endpoint_at, small_corpus, started
from tests.people import make_user, session_of
from tests.waiting import until

ROOT = Path(__file__).resolve().parents[2]
RATED = 400  # backgrounds, more than the raters get through
CALLS_A_MINUTE = 400  # of the run at most, so that it lasts
IDLE_SECONDS = 40.0
CHATTED = {"pace": "typing", "silence": 2.5, "longest_silence": 30.0}


@dataclass(frozen=True)
class Site:
    """The processes under load."""

    url: str
    web: subprocess.Popen[bytes]
    endpoint: Endpoint
    person: User


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--chats", type=int, default=50)
    parser.add_argument("--minutes", type=float, default=10)
    parser.add_argument("--raters", type=int, default=32)
    parser.add_argument("--think", type=float, default=5, help="seconds a rater looks at an item, on average")
    parser.add_argument("--idle", type=int, default=200, help="open chats in which nothing happens; 0 for none")
    options = parser.parse_args()
    with database(), TemporaryDirectory() as folder, site(Path(folder)) as served:
        measure_idle(served, options.idle)
        measure_load(served, options)


@contextmanager
def site(folder: Path) -> Iterator[Site]:
    with ExitStack() as stack:
        redis = stack.enter_context(private_redis())
        environment = os.environ | {
            "DATABASE_URL": database_url(), "REDIS_URL": redis.url, "DEBUG": "0", "DATA_DIR": str(folder),
        }  # fmt: skip
        environment.pop("DJANGO_SETTINGS_MODULE")
        collect = [*processes.manage(), "collectstatic", "--noinput", "-v0"]
        subprocess.run(collect, cwd=ROOT, env=environment, check=True)
        port, model_port = free_port(), free_port()
        model = [*processes.manage(), "demo_model", "--port", str(model_port), "--token-seconds", "0.02"]
        stack.enter_context(running(model, environment, folder / "model.log"))
        for command in (processes.worker(1), processes.beat()):
            stack.enter_context(running(command, environment, folder / "worker.log"))
        web = stack.enter_context(running(processes.web("127.0.0.1", port), environment, folder / "web.log"))
        wait_until_up(f"http://127.0.0.1:{port}/login/", web, folder / "web.log")
        endpoint = endpoint_at(f"http://127.0.0.1:{model_port}/v1", max_in_flight=64, timeout_seconds=60)
        yield Site(f"http://127.0.0.1:{port}", web, endpoint, make_user(Role.RESEARCHER, "benchmark"))
        told = Counter(line for line in (folder / "web.log").read_text().splitlines() if "Error" in line)
        print("\n".join(f"{count} × in the server's log: {line[:150]}" for line, count in told.most_common(5)))


@contextmanager
def running(command: list[str], environment: dict[str, str], log: Path) -> Iterator[subprocess.Popen[bytes]]:
    with log.open("ab") as sink:
        process = subprocess.Popen(command, cwd=ROOT, env=environment, stdout=sink, stderr=sink)
    try:
        yield process
    finally:
        process.terminate()
        try:
            process.wait(20)
        except subprocess.TimeoutExpired:
            process.kill()


def measure_idle(served: Site, count: int) -> None:
    """The same processes without and with open pages, for as long each."""
    print(f"{'idle open chats':>16}{'CPU % of a core':>17}{'MB':>7}{'connections':>13}{'queries/s':>11}", flush=True)
    for number in (0, count) if count else ():
        chats = [chat_with(served.endpoint, served.person, **CHATTED) for _ in range(number)]
        seconds = IDLE_SECONDS + 10 if number else 0
        clients = chat_clients(served, chats, seconds=seconds, talk=False)
        with Load(served.web.pid) as settling:
            settling.last(5 + number * 0.03)
        with Load(served.web.pid) as load:
            load.last(IDLE_SECONDS)
        finish(clients)
        print(
            f"{number:>16}{load.cpu_share:>17.1f}{load.end_mb:>7.0f}{load.connections:>13}{load.queries:>11.1f}",
            flush=True,
        )


def measure_load(served: Site, options: argparse.Namespace) -> None:
    seconds = options.minutes * 60
    chats = [chat_with(served.endpoint, served.person, **CHATTED) for _ in range(options.chats)]
    run = started(small_corpus(int(CALLS_A_MINUTE * options.minutes) + 100, "Written"), served.endpoint)
    until(lambda: Call.objects.filter(run=run, state=Call.State.DONE).exists(), "the run goes on", 120)
    rating = raters(served, options, seconds)
    with Load(served.web.pid) as load:
        clients = chat_clients(served, chats, seconds=seconds, talk=True)
        found = finish(clients)
    rated = json.loads(rating.communicate()[0]) if rating else {"submit": [], "next": []}
    calls = Call.objects.filter(run=run, state=Call.State.DONE).count()
    Run.objects.filter(pk=run.pk).update(state=Run.State.PAUSED)
    print(f"{options.chats} chats, {options.raters} raters and a run for {options.minutes:g} minutes", end="; ")
    print(f"{len(os.sched_getaffinity(0))} cores, load {os.getloadavg()[0]:.1f} at the end")
    show_delays(found)
    show_losses(found)
    show_quantiles("a rater's next item, ms", rated["next"])
    show_quantiles("a rater's submit, ms", rated["submit"])
    print(f"ratings submitted {len(rated['submit'])}, calls of the run answered {calls}")
    print(f"web: {load.begin_mb:.0f} MB at the start, {load.end_mb:.0f} at the end, {load.cpu_share:.0f} % of a core")
    print(f"PostgreSQL: {load.connections} connections at most, {load.queries:.0f} queries a second")


def chat_clients(served: Site, chats: list[Chat], *, seconds: float, talk: bool) -> subprocess.Popen[str]:
    session = session_of(served.person)
    job = {"base_url": served.url, "seconds": seconds, "talk": talk, "chats": [(one.token, session) for one in chats]}
    return with_job("tests.benchmarks.chat_clients", job)


def raters(served: Site, options: argparse.Namespace, seconds: float) -> subprocess.Popen[str] | None:
    if not options.raters:
        return None
    of = rated_study(None, of=rated_corpus(RATED, name="Rated"))
    members = [member(of, f"rater-{number}") for number in range(options.raters)]
    starts = [(session_of(one), f"/rate/{one.token}/") for one in members]
    port = int(served.url.rsplit(":", 1)[1])
    job = {"port": port, "raters": starts, "seconds": seconds, "scores": dict.fromkeys(KEYS, 4), "think": options.think}
    return with_job("tests.benchmarks.raters", job)


def with_job(module: str, job: dict[str, Any]) -> subprocess.Popen[str]:
    command = [sys.executable, "-m", module]
    process = subprocess.Popen(command, cwd=ROOT, text=True, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    assert process.stdin is not None
    process.stdin.write(json.dumps(job))
    process.stdin.close()
    process.stdin = None
    return process


def finish(clients: subprocess.Popen[str]) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads(clients.communicate()[0])
    return found


def show_delays(found: list[dict[str, Any]]) -> None:
    """Of every bubble, from when it was due."""
    logged, received = [], []
    for page in found:
        there = {event["number"]: event["there"] for event in page["told"]}
        for number, shown, due in bubbles(page["token"]):
            logged.append((shown - due) * 1000)
            if number in there:
                received.append((there[number] - due) * 1000)
    print(f"bubbles shown: {len(logged)}")
    show_quantiles("added delay until shown, ms", logged)
    show_quantiles("added delay until in the browser, ms", received)


def bubbles(token: str) -> Iterator[tuple[int, float, float]]:
    """(number, when it was shown, when it was due) of each bubble of a chat."""
    ready: list[float] = []
    last = 0.0
    for event in ChatEvent.objects.filter(chat__token=token).order_by("number"):
        at = event.at.timestamp()
        if event.kind == "asked":
            ready, last = [], at
        elif event.kind == "bubble_ready":
            ready.append(datetime.fromisoformat(event.detail["received"]).timestamp())
        elif event.kind == "bubble_shown" and ready:
            yield event.number, at, max(ready.pop(0), last + event.detail["planned"])
            last = at


def show_losses(found: list[dict[str, Any]]) -> None:
    """What each page was told against the log, and what was acknowledged against what is there."""
    counts = Counter[str]()
    for number, page in enumerate(found):
        events = list(ChatEvent.objects.filter(chat__token=page["token"]).order_by("number"))
        sent = Counter(event.client_id for event in events if event.kind == "sent")
        counts["acknowledged messages"] += len(page["acknowledged"])
        counts["events told"] += len(page["told"])
        counts["lost"] += sum(one not in sent for one in page["acknowledged"])
        counts["doubled"] += sum(times - 1 for times in sent.values())
        counts["mixed"] += sum(not event.text.startswith(f"chat {number} ") for event in events if event.kind == "sent")
        numbers = [told["number"] for told in page["told"]]
        visible = {event.number: told for event in events if (told := watching.shown(event))}
        last = numbers[-1] if numbers else 0
        counts["lost"] += len({one for one in visible if one <= last} - set(numbers))
        counts["doubled"] += len(numbers) - len(set(numbers))
        counts["mixed"] += sum(
            {**visible.get(told["number"], {}), "there": told["there"]} != told for told in page["told"]
        )
        counts["errors"] += page["errors"]
        counts["failed replies"] += sum(event.kind == "failed" for event in events)
        counts["unanswered at the end"] += events[-1].kind == "sent" if events else 0
    counts["lines that broke"] = found[0]["broken"] if found else 0
    counts["live calls not done"] = LiveCall.objects.exclude(state__in=("done", "aborted")).count()
    wanted = ("lost", "doubled", "mixed", "errors", "failed replies", "unanswered at the end", "lines that broke")
    print(", ".join(f"{name} {counts[name]}" for name in ("acknowledged messages", "events told", *wanted)))
    print(f"live calls neither done nor broken off: {counts['live calls not done']}")


def show_quantiles(what: str, times: list[float]) -> None:
    if len(times) > 20:
        cuts = statistics.quantiles(times, n=100)
        print(f"{what:<40} p50 {cuts[49]:7.1f}  p95 {cuts[94]:7.1f}  p99 {cuts[98]:7.1f}  longest {max(times):7.1f}")


if __name__ == "__main__":
    main()
