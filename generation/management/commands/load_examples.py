"""`manage.py load_examples`: the example sets and prompts that come with the project."""

import json
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand

from generation.example_sets import load_all


class Command(BaseCommand):
    help = "Load the project's own example sets and prompts; safe to run again."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--json", action="store_true", help="print one JSON object on stdout")

    def handle(self, *args: Any, **options: Any) -> None:
        added = load_all()
        if options["json"]:
            self.stdout.write(json.dumps({"added": added}, ensure_ascii=False))
        else:
            self.stdout.write(f"Added {', '.join(added)}." if added else "Everything is there already.")
