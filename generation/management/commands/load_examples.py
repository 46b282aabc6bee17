"""`manage.py example_set load`: the example sets and prompts that come with the project."""

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand

from core import commands
from generation.example_sets import load_all


class Command(commands.Command):
    help = "Load the project's own example sets and prompts; safe to run again."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--json", action="store_true", help="print one JSON object on stdout")

    def handle(self, *args: Any, **options: Any) -> None:
        tell(self, load_all(), as_json=options["json"])


def tell(command: BaseCommand, added: list[str], *, as_json: bool) -> None:
    """Say which sets and prompts were missing and are there now."""
    if as_json:
        commands.print_json(command, {"added": added})
    else:
        command.stdout.write(f"Added {', '.join(added)}." if added else "Everything is there already.")
