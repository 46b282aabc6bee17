"""What the verbs of `manage.py training` share."""

from argparse import ArgumentParser, Namespace
from collections.abc import Iterable, Sequence
from typing import Any

from django.core.management.base import CommandError, CommandParser

from core import commands
from core.commands import USUAL_CODES, ExitCode
from generation.commandline.common import Act
from generation.models import TrainingRun, TrainingSet


class VerbParser(CommandParser):
    """Options behind `--` are another program's; a verb that hands them on gets them as `others`."""

    hands_on = False

    def parse_known_args(  # type: ignore[override]
        self, args: Sequence[str] | None = None, namespace: Namespace | None = None
    ) -> tuple[Namespace, list[str]]:
        own = list(args or ())
        place = own.index("--") if "--" in own else len(own)
        found, unknown = super().parse_known_args(own[:place], namespace)
        if self.hands_on:
            found.others = own[place + 1 :]
            return found, unknown
        return found, [*unknown, *own[place:]]


def add_action(
    actions: Any, name: str, words: str, act: Act, *, codes: Iterable[ExitCode] = USUAL_CODES
) -> ArgumentParser:
    """A parser for one verb, with --json."""
    parser = commands.add_action(actions, name, words, codes=codes)
    parser.set_defaults(act=act)
    return parser


def add_set(parser: ArgumentParser) -> None:
    parser.add_argument("set", metavar="SET", help="the set's number, or its name for its newest version")


def found_set(given: str) -> TrainingSet:
    """The built set that is meant; raises CommandError."""
    rows = TrainingSet.objects.built().select_related("corpus")
    found = rows.filter(pk=int(given)).first() if given.isascii() and given.isdigit() else None
    found = found or rows.filter(name=given).order_by("-version").first()
    if found is None:
        raise CommandError(f"There is no built training set {given!r}; `manage.py training list` shows them all.")
    return found


def add_run(parser: ArgumentParser) -> None:
    parser.add_argument("run", type=int, metavar="RUN", help="the training run's number")


def found_training_run(pk: int) -> TrainingRun:
    """Raises CommandError."""
    run = TrainingRun.objects.select_related("training_set__corpus", "endpoint").filter(pk=pk).first()
    if run is None:
        raise CommandError(f"There is no training run {pk}; `manage.py training runs` shows them all.")
    return run
