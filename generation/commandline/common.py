"""What the actions share: finding a run, reporting its state, exit codes."""

from argparse import ArgumentParser
from collections.abc import Callable
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from core import commands
from core.commands import ExitCode, print_json
from generation.models import Run
from generation.watching.progress import Progress, progress_of

DONE, PAUSED = ExitCode.DONE, ExitCode.STOPPED
WITH_FAILURES, STILL_RUNNING = ExitCode.WITH_FAILURES, ExitCode.STILL_RUNNING
# Control characters: text from models and servers must not steer a terminal. Line breaks and tabs stay.
_OBEYED = dict.fromkeys((*range(9), *range(11, 32), *range(127, 160)), "\N{REPLACEMENT CHARACTER}")
# Takes the command (for its stdout) and the options; returns an exit code.
Act = Callable[[BaseCommand, dict[str, Any]], int]


def add_action(actions: Any, name: str, words: str, act: Act, *, of_run: bool = True) -> ArgumentParser:
    """A parser for `run NAME`, with the run's number and --json."""
    parser = commands.add_action(actions, name, words, codes=ExitCode)
    if of_run:
        parser.add_argument("run", type=int, metavar="RUN", help="the run's number")
    parser.set_defaults(act=act)
    return parser


def found_run(pk: int) -> Run:
    """The run with its stages; raises CommandError."""
    run = Run.objects.with_stages().select_related("corpus").filter(pk=pk).first()
    if run is None:
        raise CommandError(f"There is no run {pk}; `manage.py run list` shows them all.")
    return run


def tell(command: BaseCommand, run_pk: int, options: dict[str, Any], **more: Any) -> Progress:
    """Print the run's state as a sentence or as JSON; `more` is added to the JSON."""
    progress = progress_of(found_run(run_pk))
    if options["json"]:
        print_json(command, {**progress.as_json(), **more})
        return progress
    command.stdout.write(f"Run {run_pk} ({progress.run.get_state_display().lower()}): {progress.sentence}")
    if progress.advice:
        command.stdout.write(progress.advice)
    return progress


def harmless(text: str) -> str:
    """The text without control characters; Django calls this only if stdout is a terminal."""
    return text.translate(_OBEYED)


def exit_code(progress: Progress) -> int:
    """The exit code for a run that the command waited for."""
    if progress.run.state == Run.State.FINISHED:
        return WITH_FAILURES if progress.failed else DONE
    return PAUSED if progress.run.state == Run.State.PAUSED else STILL_RUNNING
