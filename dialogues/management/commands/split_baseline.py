"""`manage.py corpus split-baseline NAME`: the punctuation split of every β, as a version of its own."""

import json
from argparse import ArgumentParser
from typing import Any

from core import commands
from dialogues.baseline import split_all
from dialogues.management.arguments import corpus_named


class Command(commands.Command):
    help = "Cut every single-step dialogue (β) of a corpus after its sentences; existing splits stay."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("corpus", metavar="NAME", help="name of the corpus, or its number")
        parser.add_argument("--json", action="store_true", help="print one JSON object")

    def handle(self, *args: Any, **options: Any) -> None:
        corpus = corpus_named(options["corpus"])
        made = split_all(corpus)
        said = {"corpus": corpus.name, "made": made}
        self.stdout.write(json.dumps(said) if options["json"] else f"{made:,} baseline dialogues made.")
