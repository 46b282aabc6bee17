"""`manage.py run …`: create, start, watch, pause and inspect runs without a browser."""

import asyncio
import json
import signal
import sys
import time
from argparse import ArgumentParser
from decimal import Decimal
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.db import connections
from tqdm import tqdm

from dialogues.models import Corpus
from generation import lifecycle, planning, tasks
from generation.models import Endpoint, Run, Stage
from generation.progress import progress_of, progress_of_all
from generation.runner import CallRunner, Plan
from generation.stages import ORDER

PAUSED, WITH_FAILURES = 3, 4


class Command(BaseCommand):
    help = (
        "Create, start, watch, pause and inspect runs. `start` sends the calls itself until the run ends; with "
        "--background it leaves that to the workers. Exit codes: 0 finished, 1 refused, 3 paused, 4 finished with "
        "failures."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        actions = parser.add_subparsers(dest="action", required=True, metavar="ACTION")
        self._create_arguments(actions.add_parser("create", help="plan a run; nothing is sent"))
        for name, words in (("start", "start or resume a run"), ("resume", "the same as start")):
            start = self._run_parser(actions, name, words)
            start.add_argument("--watch", action="store_true", help="show a progress bar on stderr")
            start.add_argument("--background", action="store_true", help="let the workers send; return at once")
        self._run_parser(actions, "pause", "stop sending; what is on its way still comes home")
        status = self._run_parser(actions, "status", "how far a run is")
        status.add_argument("--watch", action="store_true", help="keep showing until it is paused or finished")
        listing = actions.add_parser("list", help="all runs")
        listing.add_argument("--json", action="store_true", help="print one JSON object on stdout")

    def _run_parser(self, actions: Any, name: str, words: str) -> ArgumentParser:
        parser: ArgumentParser = actions.add_parser(name, help=words)
        parser.add_argument("run", type=int, metavar="RUN", help="the run's number")
        parser.add_argument("--json", action="store_true", help="print one JSON object on stdout")
        return parser

    def _create_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--corpus", required=True, metavar="NAME")
        parser.add_argument("--endpoint", required=True, metavar="NAME")
        parser.add_argument("--name", metavar="NAME", help="default: the names of corpus and endpoint")
        parser.add_argument("--dialogues", type=int, metavar="N", help="how many, drawn by the seed; default: all")
        parser.add_argument("--seed", type=int, default=0, metavar="S")
        parser.add_argument("--stages", nargs="+", choices=Stage.values, default=list(Stage.values))
        parser.add_argument("--temperature", type=float, metavar="T", help="default: the model's own")
        parser.add_argument("--max-tokens", type=int, default=4096, metavar="N", help="longest reply")
        parser.add_argument("--budget", type=Decimal, metavar="USD", help="the run pauses before it could cost more")
        parser.add_argument("--start", action="store_true", help="start it and send until it ends")
        parser.add_argument("--watch", action="store_true", help="with --start: show a progress bar on stderr")
        parser.add_argument("--json", action="store_true", help="print one JSON object on stdout")

    def handle(self, *args: Any, **options: Any) -> None:
        getattr(self, f"_{options['action']}")(options)

    def _create(self, options: dict[str, Any]) -> None:
        corpus = _named(Corpus, options["corpus"], "corpus")
        endpoint = _named(Endpoint, options["endpoint"], "endpoint")
        choice = planning.Choice(
            name=options["name"] or f"{corpus} through {endpoint}"[:120],
            corpus=corpus,
            endpoint=endpoint,
            stages=[stage for stage in ORDER if stage in options["stages"]],
            sample=options["dialogues"],
            seed=options["seed"],
            temperature=options["temperature"],
            max_tokens=options["max_tokens"],
            budget=options["budget"],
        )
        try:
            run = planning.create_run(choice)
        except planning.PlanError as error:
            raise CommandError(str(error)) from error
        if options["start"]:
            self._start({**options, "run": run.pk, "background": False})
        else:
            self._tell(run, options)

    def _start(self, options: dict[str, Any]) -> None:
        run = _run(options["run"])
        try:
            lifecycle.start(run)
        except lifecycle.CannotStartError as error:
            raise CommandError(str(error)) from error
        if options["background"]:
            tasks.ring()
        else:
            asyncio.run(_send(run, watch=options["watch"]))
        self._end(run, options)

    _resume = _start

    def _pause(self, options: dict[str, Any]) -> None:
        run = _run(options["run"])
        if not lifecycle.pause(run):
            raise CommandError(f"Run {run.pk} is not running; it is {_run(run.pk).get_state_display().lower()}.")
        self._tell(run, options)

    def _status(self, options: dict[str, Any]) -> None:
        run = _run(options["run"])
        if options["watch"]:
            with _bar(run) as bar:
                while _show(run.pk, bar) == Run.State.RUNNING:
                    time.sleep(1)
        self._tell(run, options)

    def _list(self, options: dict[str, Any]) -> None:
        found = progress_of_all(list(Run.objects.select_related("endpoint")))
        if options["json"]:
            self.stdout.write(json.dumps({"runs": [progress.as_json() for progress in found]}, ensure_ascii=False))
        for progress in [] if options["json"] else found:
            self.stdout.write(f"{progress.run.pk:>5}  {progress.run.state:<9} {progress.run}: {progress.sentence}")

    def _end(self, run: Run, options: dict[str, Any]) -> None:
        progress = self._tell(run, options)
        if progress.run.state == Run.State.PAUSED:
            sys.exit(PAUSED)
        if progress.run.state == Run.State.FINISHED and progress.failed:
            sys.exit(WITH_FAILURES)

    def _tell(self, run: Run, options: dict[str, Any]) -> Any:
        progress = progress_of(_run(run.pk))
        if options["json"]:
            self.stdout.write(json.dumps(progress.as_json(), ensure_ascii=False))
        else:
            self.stdout.write(f"Run {run.pk} ({progress.run.get_state_display().lower()}): {progress.sentence}")
            if progress.advice:
                self.stdout.write(progress.advice)
        return progress


async def _send(run: Run, *, watch: bool) -> None:
    """Send until the run ends. The first Ctrl-C drains, the second stops at once; the ledger keeps everything."""
    runner = CallRunner(Plan(runs=(run.pk,)))
    work = asyncio.create_task(runner.run())
    loop = asyncio.get_running_loop()

    def interrupted() -> None:
        again = runner.stopping
        runner.stop()
        if again:
            work.cancel()
        else:
            tqdm.write("Waiting for the calls on their way; once more to stop at once.", file=sys.stderr)

    for name in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(name, interrupted)
    with _bar(run, hidden=not watch) as bar:
        while not work.done():
            await asyncio.to_thread(_show_apart, run.pk, bar)
            await asyncio.wait([work], timeout=1)
        await asyncio.to_thread(_show_apart, run.pk, bar)
    if not work.cancelled():
        work.result()


def _bar(run: Run, *, hidden: bool = False) -> "tqdm[Any]":
    return tqdm(total=run.dialogue_count * len(run.stages), unit="call", disable=hidden, file=sys.stderr)


def _show_apart(run_pk: int, bar: "tqdm[Any]") -> None:
    """For a thread that will not come again: leaves no connection behind."""
    try:
        _show(run_pk, bar)
    finally:
        connections.close_all()


def _show(run_pk: int, bar: "tqdm[Any]") -> str:
    progress = progress_of(_run(run_pk))
    bar.update(sum(stage.ok for stage in progress.stages) - bar.n)
    bar.set_postfix_str(progress.sentence)
    return str(progress.run.state)


def _run(pk: int) -> Run:
    run = Run.objects.select_related("endpoint").filter(pk=pk).first()
    if run is None:
        raise CommandError(f"There is no run {pk}; `manage.py run list` shows them all.")
    return run


def _named(model: Any, name: str, what: str) -> Any:
    row = model.objects.filter(name=name).first()
    if row is None:
        known = ", ".join(model.objects.values_list("name", flat=True)[:10]) or "none yet"
        raise CommandError(f"There is no {what} named {name!r}. There is: {known}.")
    return row
