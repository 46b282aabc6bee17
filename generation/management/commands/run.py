"""`manage.py run …`: plan, start, watch, pause and read runs without a browser."""

import sys
from argparse import ArgumentParser
from typing import Any

from core import commands
from core.commands import ExitCode
from generation.commandline import deciding, judge_commands, plan_commands, results, running
from generation.commandline.common import harmless

GROUPS = (plan_commands, judge_commands, running, deciding, results)


class Command(commands.Command):
    exit_codes = ExitCode
    help = (
        "Plan, start, watch, pause and read runs. `start` sends the calls itself until the run ends; with "
        "--background it leaves that to the workers."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        actions = parser.add_subparsers(dest="action", required=True, metavar="ACTION")
        for group in GROUPS:
            group.register(actions)

    def handle(self, *args: Any, **options: Any) -> None:
        self.stdout.style_func = harmless
        code = options["act"](self, options)
        if code:
            sys.exit(code)
