"""`manage.py corpus stats NAME`: words a message, ACMC, consecutive messages and Distinct-N of each version."""

import json
import sys
from argparse import ArgumentParser
from collections.abc import Iterable
from typing import Any

from tqdm import tqdm

from core import commands
from core.tables import to_text
from dialogues.corpus_figures import Counted, Messages, corpus_figures
from dialogues.management.arguments import add_source_arguments, corpus_named, sources_of, versions_of
from dialogues.statistics.words_and_turns import TOKENIZERS
from dialogues.statistics_tables import statistics_tables


class Command(commands.Command):
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
            "--shared",
            action="store_true",
            help="count only backgrounds that every version has, without versions that few have",
        )
        parser.add_argument("--versions", nargs="+", default=[], metavar="VERSION", help="only these, by their slugs")
        parser.add_argument(
            "--every", action="store_true",
            help="count every dialogue where a version was written more than once for a background; default: latest",
        )  # fmt: skip
        add_source_arguments(parser)
        parser.add_argument("--json", action="store_true", help="print one JSON object on stdout")

    def handle(self, *args: Any, **options: Any) -> None:
        corpus = corpus_named(options["name"])
        counted = Counted(
            versions_of(options, corpus), sources_of(options, corpus), options["shared"], options["every"]
        )
        figures = corpus_figures(corpus, options["tokens"], counted, progress=bar)
        if options["json"]:
            self.stdout.write(json.dumps(figures.to_json(), ensure_ascii=False))
            return
        self.stdout.write("\n".join(to_text(table) for table in statistics_tables(figures).values()))


def bar(rows: Iterable[Messages], total: int, label: str) -> Iterable[Messages]:
    return tqdm(rows, total=total, desc=label, unit=" dialogues", file=sys.stderr)
