"""`manage.py corpus export NAME`: a corpus as JSONL, on stdout or in a file."""

import json
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import CommandError

from core import commands
from dialogues.exporting import jsonl_lines
from dialogues.management.arguments import add_source_arguments, corpus_named, sources_of
from dialogues.models import Corpus
from dialogues.sources import Sources


class Command(commands.Command):
    help = "Write a corpus, all its versions or what some wrote, as JSONL that `corpus import` reads back."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("corpus", metavar="NAME", help="name of the corpus, or its number")
        parser.add_argument("--output", type=Path, metavar="FILE", help="default: stdout")
        add_source_arguments(parser)
        parser.add_argument("--json", action="store_true", help="print one JSON object about the file (needs --output)")

    def handle(self, *args: Any, **options: Any) -> None:
        corpus = corpus_named(options["corpus"])
        sources = sources_of(options, corpus)
        if corpus.privacy_notice:
            self.stderr.write(corpus.privacy_notice)
        output: Path | None = options["output"]
        if output is None:
            if options["json"]:
                raise CommandError("--json needs --output: the dialogues themselves go to stdout.")
            for line in jsonl_lines(corpus, sources):
                self.stdout.write(line, ending="")
            return
        count = _write(corpus, sources, output)
        said = {"corpus": corpus.name, "dialogues": count, "file": str(output)}
        self.stdout.write(json.dumps(said) if options["json"] else f"{count:,} dialogues written to {output}.")


def _write(corpus: Corpus, sources: Sources, output: Path) -> int:
    """Write under another name first, so that a partial export never looks complete."""
    part = output.with_name(output.name + ".part")
    try:
        with part.open("w", encoding="utf-8", newline="\n") as stream:
            count = sum(1 for line in jsonl_lines(corpus, sources) if stream.write(line))
        part.replace(output)
    except OSError as error:
        raise CommandError(f"{output} cannot be written: {error.strerror}.") from error
    finally:
        part.unlink(missing_ok=True)
    return count
