"""`manage.py trial …`: try a draft set or wording on a few backgrounds without a browser."""

import sys
from argparse import ArgumentParser
from typing import Any

from core import commands
from core.commands import ExitCode
from generation.commandline import trial_commands
from generation.commandline.common import harmless


class Command(commands.Command):
    exit_codes = ExitCode
    help = (
        "Try a draft example set or a wording on one to five dialogues, beside what runs use now. It writes on copies. "
        "`start` sends the calls itself until it ends; with --background it leaves that to the workers."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        trial_commands.register(parser.add_subparsers(dest="action", required=True, metavar="ACTION"))

    def handle(self, *args: Any, **options: Any) -> None:
        self.stdout.style_func = harmless
        code = options["act"](self, options)
        if code:
            sys.exit(code)
