"""One measured process of the engine benchmark: a runner on the ledger, or a bare loop over the same client.

Started by `tests.benchmarks.engine`; prints one JSON object.
"""

import argparse
import asyncio
import json
import os
import pickle
import resource
import sys
from collections.abc import Callable
from pathlib import Path
from time import monotonic
from typing import Any

import django

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
django.setup()

from generation.endpoints.client import Client, Target
from generation.engine import loops
from generation.engine.runner import CallRunner, Plan


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("kind", choices=("engine", "bare", "memory"))
    parser.add_argument("--run", type=int)
    parser.add_argument("--base-url")
    parser.add_argument("--requests", type=Path)
    parser.add_argument("--in-flight", type=int)
    parser.add_argument("--start", type=float, help="CLOCK_MONOTONIC")
    parser.add_argument("--end", type=float)
    options = parser.parse_args()
    act = {"engine": engine, "bare": bare, "memory": memory}[options.kind]
    print(json.dumps(loops.run(act(options))))


async def engine(options: argparse.Namespace) -> dict[str, Any]:
    """A runner on one run, stopped when the window closes; what is in flight then still comes home."""
    runner = CallRunner(Plan(runs=(options.run,)))
    working = asyncio.create_task(runner.run())
    used = await processor_time(options, runner.stop)
    await working
    return used


async def bare(options: argparse.Namespace) -> dict[str, Any]:
    """As many loops as there may be calls in flight, each sending the next request when its reply is there."""
    prepared = pickle.loads(options.requests.read_bytes())
    client = Client(Target(options.base_url, "", 120, options.in_flight + 1, ("127.0.0.1",)))

    async def one_after_another(start: int) -> None:
        place = start
        while True:
            messages, parameters = prepared[place % len(prepared)]
            place += 1
            reply = await client.chat(messages, parameters)
            assert reply.text

    tasks = [asyncio.create_task(one_after_another(number)) for number in range(options.in_flight)]
    used = await processor_time(options, lambda: [task.cancel() for task in tasks])
    await asyncio.gather(*tasks, return_exceptions=True)
    await client.close()
    return used


async def processor_time(options: argparse.Namespace, stop: Callable[[], object]) -> dict[str, Any]:
    # What is measured is a stretch of the clock, the same for all processes.
    await asyncio.sleep(max(0.0, options.start - monotonic()))
    before = cpu_seconds()
    await asyncio.sleep(max(0.0, options.end - monotonic()))
    used = cpu_seconds() - before
    stop()
    return {"cpu": used, "rss_mb": rss_mb()}


async def memory(options: argparse.Namespace) -> dict[str, Any]:
    """A whole run; memory in use at chosen numbers of answered calls."""
    runner = CallRunner(Plan(runs=(options.run,)))
    working = asyncio.create_task(runner.run())
    began = monotonic()
    for mark in (250, 1000, 2000, 5000, 10_000, 15_000, 20_000):
        while runner.totals.answered < mark and not working.done():
            await asyncio.sleep(0.1)  # looks from the loop itself: a thread more would count as the runner's memory
        if working.done():
            break
        line = {"answered": runner.totals.answered, "rss_mb": rss_mb(), "seconds": monotonic() - began}
        print(json.dumps(line), file=sys.stderr, flush=True)
    await working
    return {"answered": runner.totals.answered, "rss_mb": rss_mb()}


def cpu_seconds() -> float:
    usage = resource.getrusage(resource.RUSAGE_SELF)
    return usage.ru_utime + usage.ru_stime


def rss_mb() -> float:
    """Now, not the peak."""
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * resource.getpagesize() / 2**20


if __name__ == "__main__":
    main()
