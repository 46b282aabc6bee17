"""Write restructurings with every operation to a JSONL file."""

import sys
from argparse import ArgumentParser
from pathlib import Path
from tempfile import NamedTemporaryFile
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from tqdm import tqdm

from annotation.restructuring.exporting import restructuring_lines
from dialogues.management.corpora import corpus_named
from dialogues.models import Corpus


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
        if path.exists() and not options["force"]:
            raise CommandError(f"{path} exists. Name another file, or add --force to replace it.")
        try:
            lines = write_restructurings(corpus, path)
        except OSError as error:
            why = f"{path} cannot be written: {error.strerror}. Name a folder that you may write to."
            raise CommandError(why) from error
        self.stdout.write(f"{lines:,} restructurings in {path}")


def write_restructurings(corpus: Corpus | None, path: Path) -> int:
    """Write beside `path`, then move into place, so that no half file is left; returns the lines written."""
    lines = 0
    with NamedTemporaryFile("w", dir=path.parent, prefix=".", newline="", encoding="utf-8", delete=False) as file:
        try:
            for line in tqdm(restructuring_lines(corpus), unit=" lines", disable=None, file=sys.stderr):
                lines += 1
                file.write(line)
            file.close()
            Path(file.name).replace(path)
        finally:
            Path(file.name).unlink(missing_ok=True)
    return lines
