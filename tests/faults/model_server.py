"""A model behind HTTP that counts: every request by its hash, when it came, and every answer that would be billed.

The address says who asks and how to answer: `http://host:port/TAG/BEHAVIOUR/v1`, with a behaviour of
`tests.faults.misbehaviour`, or `good-SECONDS` for one that takes its time, or `sloppy-SECONDS` for one of whose replies
some are no use. What it writes comes from the demo model's rules. It is a process of its own, so that nothing that
happens to the harness or to the workers loses a count.
"""

import asyncio
import hashlib
import json
import subprocess
import sys
import time
import urllib.request
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from typing import Any

from aiohttp import web

from demo.model.completions import completion, read_body
from demo.model.server import serve
from tests.demo_process import free_port
from tests.faults.misbehaviour import ANSWERS, BURST_ENDS
from tests.waiting import until

ROOT = Path(__file__).resolve().parents[2]
ARRIVALS_KEPT = 1000
SLOPPY_SHARE = 0.1


@dataclass
class Count:
    """What one tag asked for and got."""

    requests: Counter[bytes] = field(default_factory=Counter)
    billed: Counter[bytes] = field(default_factory=Counter)
    arrivals: list[float] = field(default_factory=list)  # seconds since the epoch
    keys: set[str] = field(default_factory=set)  # Authorization headers
    in_flight: int = 0
    most_in_flight: int = 0
    prompt_tokens: int = 0
    completion_tokens: int = 0

    def summary(self) -> dict[str, Any]:
        """`requests` and `billed` count what came and what was answered with a completion; `repeated` and
        `billed_again` count those whose very body had come, or been answered, before."""
        return {
            "requests": self.requests.total(),
            "repeated": self.requests.total() - len(self.requests),
            "billed": self.billed.total(),
            "billed_again": self.billed.total() - len(self.billed),
            "arrivals": self.arrivals,
            "keys": sorted(self.keys),
            "in_flight": self.in_flight,
            "most_in_flight": self.most_in_flight,
            "prompt_tokens": self.prompt_tokens,
            "completion_tokens": self.completion_tokens,
        }


COUNTS = web.AppKey("counts", dict[str, Count])


def create_app() -> web.Application:
    app = web.Application(client_max_size=2**24)
    app[COUNTS], app[BURST_ENDS] = {}, []
    app.router.add_post("/{tag}/{behaviour}/v1/chat/completions", _chat)
    app.router.add_get("/{tag}/count", _count)
    return app


async def _count(request: web.Request) -> web.Response:
    return web.json_response(request.app[COUNTS].get(request.match_info["tag"], Count()).summary())


async def _chat(request: web.Request) -> web.StreamResponse:
    raw, now = await request.read(), time.time()
    behaviour = request.match_info["behaviour"]
    count = request.app[COUNTS].setdefault(request.match_info["tag"], Count())
    digest = hashlib.sha256(raw).digest()[:16]
    before = count.requests.total()
    count.requests[digest] += 1
    if len(count.arrivals) < ARRIVALS_KEPT:
        count.arrivals.append(now)
    count.keys.add(request.headers.get("Authorization", ""))
    count.in_flight += 1
    count.most_in_flight = max(count.most_in_flight, count.in_flight)
    try:
        chance = Random(digest.hex())
        spoiled = "unparsable" if behaviour.startswith("sloppy") and chance.random() < SLOPPY_SHARE else ""
        reply = completion(read_body(raw), digest.hex(), chance, spoiled)
        if behaviour in ANSWERS:
            return await ANSWERS[behaviour](request, reply, before)
        # A slow provider: `good-0.05` takes that many seconds.
        await asyncio.sleep(float(behaviour.partition("-")[2] or 0))
        # A provider bills what it has written, whether or not anybody still listens.
        count.billed[digest] += 1
        count.prompt_tokens += reply["usage"]["prompt_tokens"]
        count.completion_tokens += reply["usage"]["completion_tokens"]
        return web.json_response(reply)
    finally:
        count.in_flight -= 1


class ModelServer:
    """The running server, seen from the harness."""

    def __init__(self, port: int) -> None:
        self.port = port

    def base_url(self, tag: str, behaviour: str = "good") -> str:
        return f"http://127.0.0.1:{self.port}/{tag}/{behaviour}/v1"

    def count(self, tag: str) -> dict[str, Any]:
        with urllib.request.urlopen(f"http://127.0.0.1:{self.port}/{tag}/count", timeout=10) as reply:
            found: dict[str, Any] = json.load(reply)
        return found

    def answers(self) -> bool:
        try:
            return bool(self.count("nobody"))
        except OSError:
            return False


@contextmanager
def running_model() -> Iterator[ModelServer]:
    server = ModelServer(free_port())
    command = [sys.executable, "-m", "tests.faults.model_server", str(server.port)]
    process = subprocess.Popen(command, cwd=ROOT)
    try:
        until(server.answers, "the model server comes up")
        yield server
    finally:
        process.kill()
        process.wait(10)


async def _serve_forever(port: int) -> None:
    runner, _ = await serve(create_app(), "127.0.0.1", port)
    try:
        await asyncio.Event().wait()
    finally:
        await runner.cleanup()


if __name__ == "__main__":
    asyncio.run(_serve_forever(int(sys.argv[1])))
