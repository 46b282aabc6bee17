"""Write restructurings with every operation to a JSONL file."""

import sys
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from tqdm import tqdm

from annotation.models import Restructuring
from annotation.restructuring.exporting import restructuring_lines
from core import commands
from dialogues.management.arguments import corpus_named
from dialogues.models import Corpus


class Command(commands.Command):
    help = "Write every restructuring to JSONL, one per line with all its operations, people by pseudonym."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--corpus", metavar="NAME", help="only those of this corpus (its name or number)")
        parser.add_argument("--out", type=Path, metavar="FILE", help="where to write (default: standard output)")
        parser.add_argument("--force", action="store_true", help="replace FILE if it exists")

    def handle(self, *args: Any, **options: Any) -> None:
        corpus = corpus_named(options["corpus"]) if options["corpus"] else None
        path = options["out"]
        for notice in _notices(corpus):
            self.stderr.write(notice)
        if path is None:
            for line in restructuring_lines(corpus):
                self.stdout.write(line, ending="")
            return
        lines = tqdm(restructuring_lines(corpus), unit=" lines", disable=None, file=sys.stderr)
        count = commands.write_whole(path, lines, replace=options["force"], private=True)
        self.stdout.write(f"{count:,} restructurings in {path}")


def _notices(corpus: Corpus | None) -> list[str]:
    """What must be known of the corpora whose texts are written."""
    held = Corpus.objects.personal().holding(Restructuring.objects.values("original"))
    return [one.privacy_notice for one in (held.filter(pk=corpus.pk) if corpus else held)]
