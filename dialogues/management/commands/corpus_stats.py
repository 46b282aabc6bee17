"""`manage.py corpus_stats NAME`: words a message, ACMC, consecutive messages and Distinct-N of each version."""

import json
import sys
from argparse import ArgumentParser
from collections.abc import Iterable
from typing import Any

from django.core.management.base import BaseCommand
from tqdm import tqdm

from dialogues.corpus_figures import Messages, corpus_figures
from dialogues.management.corpora import corpus_named
from dialogues.statistics import TOKENIZERS
from dialogues.statistics_tables import statistics_tables
from dialogues.tables import to_text


class Command(BaseCommand):
    help = (
        "Measure each version of a corpus. On stdout: tables, or with --json one object whose `consecutive` values are "
        "shares of turns from 0 to 1 (the tables show percent) and whose intervals are 95 %."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("name", metavar="NAME", help="name of the corpus, or its number")
        parser.add_argument(
            "--tokens",
            choices=list(TOKENIZERS),
            default="whitespace",
            help="; ".join(f"{name}: {meaning}" for name, meaning in TOKENIZERS.items()) + " (default: whitespace)",
        )
        parser.add_argument(
            "--shared", action="store_true", help="count only backgrounds that every version of the corpus has"
        )
        parser.add_argument("--json", action="store_true", help="print one JSON object on stdout")

    def handle(self, *args: Any, **options: Any) -> None:
        corpus = corpus_named(options["name"])
        figures = corpus_figures(corpus, options["tokens"], shared_only=options["shared"], progress=bar)
        if options["json"]:
            self.stdout.write(json.dumps(figures.to_json(), ensure_ascii=False))
            return
        self.stdout.write("\n".join(to_text(table) for table in statistics_tables(figures).values()))


def bar(rows: Iterable[Messages], total: int, label: str) -> Iterable[Messages]:
    return tqdm(rows, total=total, desc=label, unit=" dialogues", file=sys.stderr)
