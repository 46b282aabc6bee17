"""Write restructurings with every operation to a JSONL file."""

from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand

from annotation.management.writing import write_lines
from annotation.restructuring.exporting import restructuring_lines
from dialogues.management.corpora import corpus_named


class Command(BaseCommand):
    help = "Write every restructuring to JSONL, one a line with all its operations, people by pseudonym."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--corpus", metavar="NAME", help="only those of this corpus (its name or number)")
        parser.add_argument("--out", type=Path, metavar="FILE", help="where to write (default: standard output)")
        parser.add_argument("--force", action="store_true", help="replace FILE if it exists")

    def handle(self, *args: Any, **options: Any) -> None:
        corpus = corpus_named(options["corpus"]) if options["corpus"] else None
        path = options["out"]
        if path is None:
            for line in restructuring_lines(corpus):
                self.stdout.write(line, ending="")
            return
        lines = write_lines(path, restructuring_lines(corpus), unit="lines", force=options["force"])
        self.stdout.write(f"{lines:,} restructurings in {path}")
