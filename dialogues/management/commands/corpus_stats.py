"""`manage.py corpus_stats NAME`: words a message, ACMC, consecutive messages and Distinct-N of each version."""

import json
import sys
from argparse import ArgumentParser
from collections.abc import Iterable
from difflib import get_close_matches
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from tqdm import tqdm

from dialogues.corpus_figures import Messages, corpus_figures
from dialogues.models import Corpus
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


def corpus_named(name: str) -> Corpus:
    """The corpus of that name or number; CommandError names the nearest."""
    found = Corpus.objects.filter(name=name).first()
    if found is None and name.isdecimal():
        found = Corpus.objects.filter(pk=name).first()
    if found is not None:
        return found
    names = {known.casefold(): known for known in Corpus.objects.values_list("name", flat=True)}
    if not names:
        raise CommandError("There is no corpus yet. Import one with `manage.py import_dialogues FILE --corpus NAME`.")
    near = get_close_matches(name.casefold(), names, n=3, cutoff=0.5)
    near += [known for known in names if name.casefold() in known and known not in near]
    meant = near[:3] or sorted(names)[:5]
    listed = ", ".join(f"“{names[known]}”" for known in meant)
    hint = f"Did you mean {listed}?" if near else f"There are {listed}."
    raise CommandError(f"There is no corpus “{name}”. {hint}")


def bar(rows: Iterable[Messages], total: int, label: str) -> Iterable[Messages]:
    return tqdm(rows, total=total, desc=label, unit=" dialogues", file=sys.stderr)
