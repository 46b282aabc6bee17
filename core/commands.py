"""The one grammar of commands, `manage.py NOUN VERB …`, and the one table of their exit codes."""

import json
import os
import select
import signal
import sys
from argparse import ArgumentParser
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from enum import IntEnum
from pathlib import Path
from secrets import token_hex
from typing import Any, ClassVar

from django.core.management.base import BaseCommand, CommandError, CommandParser
from tqdm import tqdm

from core.steps import Steps


class ExitCode(IntEnum):
    """How a command ended; an error also says why, in a sentence on stderr."""

    DONE = 0, "done"
    REFUSED = 1, "refused, or it failed"
    WRONG_INPUT = 2, "an option or the given file is wrong"
    STOPPED = 3, "the run paused, or the study is not ready to launch"
    WITH_FAILURES = 4, "the run finished with failures"
    STILL_RUNNING = 5, "the run is still running: interrupted here, or others are at it"

    meaning: str

    def __new__(cls, code: int, meaning: str) -> "ExitCode":
        made = int.__new__(cls, code)
        made._value_ = code
        made.meaning = meaning
        return made


USUAL_CODES = (ExitCode.DONE, ExitCode.REFUSED, ExitCode.WRONG_INPUT)


def exit_codes(codes: Iterable[ExitCode]) -> str:
    """The sentence that `--help` ends with."""
    return f"Exit codes: {'; '.join(f'{code.value} {code.meaning}' for code in codes)}."


@contextmanager
def output_may_be_cut() -> Iterator[None]:
    """Where whoever reads the output leaves before its end (`| head`), end in silence, as other programs do."""
    try:
        yield
        sys.stdout.flush()
    except BrokenPipeError:
        if not _reader_left():
            raise
        # Python writes what is left when it ends.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(128 + signal.SIGPIPE)


def _reader_left() -> bool:
    output = select.poll()
    output.register(sys.stdout, 0)
    return any(event & select.POLLERR for _, event in output.poll(0))


class Command(BaseCommand):
    """A command whose `--help` ends with its exit codes."""

    exit_codes: ClassVar[Iterable[ExitCode]] = USUAL_CODES

    def create_parser(self, prog_name: str, subcommand: str, **kwargs: Any) -> CommandParser:
        return super().create_parser(prog_name, subcommand, **{"epilog": exit_codes(self.exit_codes), **kwargs})


class Group(Command):
    """`manage.py NOUN`, with the commands that are its verbs; each also has a name of its own."""

    verbs: ClassVar[Mapping[str, type[BaseCommand]]]

    def add_arguments(self, parser: CommandParser) -> None:
        actions = parser.add_subparsers(dest="action", required=True, metavar="ACTION")
        for name, command in self.verbs.items():
            codes = exit_codes(getattr(command, "exit_codes", USUAL_CODES))
            words = command.help.replace("%", "%%")
            action = actions.add_parser(name, help=words, description=command.help, epilog=codes)
            command().add_arguments(action)

    def handle(self, *args: Any, **options: Any) -> str | None:
        command = self.verbs[options["action"]]()
        command.stdout, command.stderr, command.style = self.stdout, self.stderr, self.style
        return command.handle(*args, **options)


def add_action(actions: Any, name: str, words: str, *, codes: Iterable[ExitCode] = USUAL_CODES) -> ArgumentParser:
    """A parser for one verb of a command, with --json."""
    about = f"{words[:1].upper()}{words[1:]}."
    parser: ArgumentParser = actions.add_parser(name, help=words, description=about, epilog=exit_codes(codes))
    parser.add_argument("--json", action="store_true", help="print one JSON object on stdout")
    return parser


@contextmanager
def steps_shown() -> Iterator[Steps]:
    """Steps that a bar on stderr shows; without a terminal nothing is shown."""
    # `disable=None`: not where stderr is no terminal.
    with tqdm(file=sys.stderr, disable=None, leave=False, unit=" steps") as bar:

        def tell(done: int, total: int, doing: str) -> None:
            bar.total = total
            bar.set_description(doing, refresh=False)
            bar.update(done - bar.n)

        yield Steps(tell=tell)


def print_json(command: BaseCommand, value: Any) -> None:
    command.stdout.write(json.dumps(value, ensure_ascii=False, default=str))


def refuse_to_replace(path: Path, *, replace: bool) -> None:
    """Raise CommandError if the file exists and must not be replaced."""
    if path.exists() and not replace:
        raise CommandError(f"{path} exists. Name another file, or add --force to replace it.")


def write_whole(path: Path, pieces: Iterable[str] | Iterable[bytes], *, replace: bool, private: bool = False) -> int:
    """Write a file under another name, then move it into place, so that no half file is left; returns the pieces.

    Only the owner may read a `private` file. Raises CommandError if the file exists and must not be replaced, or cannot
    be written.
    """
    refuse_to_replace(path, replace=replace)
    try:
        return _write_beside(path, pieces, mode=0o600 if private else 0o666)
    except OSError as error:
        why = f"{path} cannot be written: {error.strerror}. Name a folder that you may write to."
        raise CommandError(why) from error


def _write_beside(path: Path, pieces: Iterable[str] | Iterable[bytes], *, mode: int) -> int:
    part = path.with_name(f".{token_hex(8)}")
    try:
        part.touch(mode=mode, exist_ok=False)
        with part.open("wb") as file:
            count = sum(1 for piece in pieces if file.write(piece.encode() if isinstance(piece, str) else piece))
        part.replace(path)
    finally:
        part.unlink(missing_ok=True)
    return count
