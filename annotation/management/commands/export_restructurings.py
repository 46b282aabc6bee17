"""Write restructurings with every operation to a JSONL file."""

import sys
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from tqdm import tqdm

from annotation.restructuring.exporting import restructuring_lines
from core import commands
from dialogues.management.arguments import corpus_named


class Command(commands.Command):
    help = "Write every restructuring to JSONL, one per line with all its operations, people by pseudonym."

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
        lines = tqdm(restructuring_lines(corpus), unit=" lines", disable=None, file=sys.stderr)
        count = commands.write_whole(path, lines, replace=options["force"], private=True)
        self.stdout.write(f"{count:,} restructurings in {path}")
