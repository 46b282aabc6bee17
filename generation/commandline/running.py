"""`run start`, `resume`, `pause`, `status`, `list`: running a run and watching it."""

import asyncio
import signal
import sys
import time
from argparse import ArgumentParser
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.db import connections

from core.commands import print_json
from generation import tasks
from generation.commandline.common import DONE, add_action, exit_code, found_run, tell
from generation.commandline.screen import Screen
from generation.engine import lifecycle, loops
from generation.engine.runner import CallRunner, Plan
from generation.models import Run
from generation.plans.choosing import shown_in
from generation.watching.progress import Progress, progress_of, progress_of_all

LOOK_EVERY = 1.0  # seconds
EXAMPLES_NAMED = 10


def register(actions: Any) -> None:
    for name, words in (("start", "start or resume a run"), ("resume", "the same as start")):
        parser = add_action(actions, name, words, start)
        parser.add_argument("--watch", action="store_true", help="show progress on stderr")
        parser.add_argument("--background", action="store_true", help="let the workers send; return at once")
    add_action(actions, "pause", "stop sending; replies on their way are still kept", _pause)
    status = add_action(actions, "status", "the progress of a run", _status)
    status.add_argument("--watch", action="store_true", help="show it until it pauses or ends; exits like start")
    add_action(actions, "list", "all runs", _list, of_run=False)


def start(command: BaseCommand, options: dict[str, Any]) -> int:
    """Start or resume; without --background send from here until the run pauses or ends."""
    run = found_run(options["run"])
    begin(run, background=options["background"], watch=options["watch"])
    progress = tell(command, run.pk, options)
    return DONE if options["background"] else exit_code(progress)


def begin(run: Run, *, background: bool, watch: bool) -> None:
    """Start or resume; then leave it to the workers, or send from here until it pauses or ends."""
    try:
        lifecycle.start(run)
    except lifecycle.CannotStartError as error:
        raise CommandError(str(error)) from error
    if background:
        tasks.wake_workers()
    else:
        loops.run(_send(run.pk, Screen(sys.stderr, hidden=not watch)))


def started_or_told(command: BaseCommand, run: Run, options: dict[str, Any]) -> int:
    """After planning: with --start go on, else print the plan."""
    if options["start"]:
        return start(command, {**options, "run": run.pk, "background": False})
    tell(command, run.pk, options)
    if not options["json"]:
        for line in examples_shown(found_run(run.pk)):
            command.stdout.write(line)
    return DONE


def examples_shown(run: Run) -> Iterator[str]:
    """Which sets a run shows, and which of its dialogues are among them."""
    if run.sets_used:
        yield f"Examples: {', '.join(f'{used.kind} {used} (no. {used.pk})' for used in run.sets_used)}."
    if run.examples_left_out:
        yield f"Left out, because they are among these examples: {run.examples_left_out:,} dialogues."
    if shown := shown_in(run):
        keys = ", ".join(row.key for row in shown[:EXAMPLES_NAMED])
        yield f"Warning: {len(shown):,} of the dialogues are among these examples ({keys}), so models have seen them."


def add_start(parser: ArgumentParser) -> None:
    parser.add_argument("--start", action="store_true", help="start it and send until it ends")
    parser.add_argument("--watch", action="store_true", help="with --start: show progress on stderr")


def wake(run_pk: int) -> None:
    """Wake the workers if the run is running."""
    if Run.objects.running().filter(pk=run_pk).exists():
        tasks.wake_workers()


def _pause(command: BaseCommand, options: dict[str, Any]) -> int:
    run = found_run(options["run"])
    if not lifecycle.pause(run):
        raise CommandError(f"Run {run.pk} is not running; it is {found_run(run.pk).get_state_display().lower()}.")
    tell(command, run.pk, options)
    return DONE


def _status(command: BaseCommand, options: dict[str, Any]) -> int:
    run = found_run(options["run"])
    if not options["watch"]:
        tell(command, run.pk, options)
        return DONE
    screen = Screen(sys.stderr)
    while _look(run.pk, screen).run.state == Run.State.RUNNING:
        time.sleep(LOOK_EVERY)
    return exit_code(tell(command, run.pk, options))


def _list(command: BaseCommand, options: dict[str, Any]) -> int:
    found = progress_of_all(list(Run.objects.listed().with_stages()))
    if options["json"]:
        print_json(command, {"runs": [progress.as_json() for progress in found]})
        return DONE
    for progress in found:
        command.stdout.write(f"{progress.run.pk:>5}  {progress.run.state:<9} {progress.run}: {progress.sentence}")
    return DONE


async def _send(run_pk: int, screen: Screen) -> None:
    """Send until the run ends. The first Ctrl-C waits for replies, the second stops at once; no reply is lost."""
    runner = CallRunner(Plan(runs=(run_pk,)))
    work = asyncio.create_task(runner.run())

    def interrupted() -> None:
        again = runner.stopping
        runner.stop()
        if again:
            work.cancel()
        else:
            screen.say("Waiting for the calls on their way; once more to stop at once.")

    with _called_at_signals(interrupted):
        while not work.done():
            await asyncio.to_thread(_look_apart, run_pk, screen)
            await asyncio.wait([work], timeout=LOOK_EVERY)
    await asyncio.to_thread(_look_apart, run_pk, screen)
    if not work.cancelled():
        work.result()


@contextmanager
def _called_at_signals(act: Callable[[], None]) -> Iterator[None]:
    """Call `act` at Ctrl-C and SIGTERM, and restore what they did before."""
    loop, names = asyncio.get_running_loop(), (signal.SIGINT, signal.SIGTERM)
    for name in names:
        loop.add_signal_handler(name, act)
    try:
        yield
    finally:
        for name in names:
            loop.remove_signal_handler(name)


def _look_apart(run_pk: int, screen: Screen) -> None:
    """For a thread that is used once: closes its database connection."""
    try:
        _look(run_pk, screen)
    finally:
        connections.close_all()


def _look(run_pk: int, screen: Screen) -> Progress:
    progress = progress_of(found_run(run_pk))
    screen.show(progress)
    return progress
