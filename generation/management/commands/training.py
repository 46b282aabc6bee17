"""`manage.py training …`: training sets, fine-tuning, and what comes of it."""

import sys
from argparse import ArgumentParser
from typing import Any

from core import commands
from generation.commandline.common import harmless
from generation.commandline.training import files, run, runs, sets
from generation.commandline.training.common import VerbParser

GROUPS = (sets, files, run, runs)


class Command(commands.Command):
    help = "Build training sets, write them for other programs, fine-tune models and describe them."

    def add_arguments(self, parser: ArgumentParser) -> None:
        actions = parser.add_subparsers(dest="action", required=True, metavar="ACTION", parser_class=VerbParser)
        for group in GROUPS:
            group.register(actions)

    def handle(self, *args: Any, **options: Any) -> None:
        self.stdout.style_func = harmless
        code = options["act"](self, options)
        if code:
            sys.exit(code)
