"""`manage.py corpus import FILE --corpus NAME`: a file becomes a corpus, or nothing changes."""

import json
import sys
from argparse import ArgumentParser, ArgumentTypeError
from dataclasses import asdict
from pathlib import Path
from typing import Any

from django.core.management.base import CommandError
from tqdm import tqdm

from core import commands
from dialogues.formats.csv_plain import columns_from
from dialogues.formats.registry import AUTO, FORMATS
from dialogues.importing import Imported, ImportRefusedError, Options, Report, Source, import_file


class Command(commands.Command):
    help = "Import a file of dialogues as a new corpus: all of it, or nothing if a record is bad."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("file", type=Path, metavar="FILE", help="ParlAI text, SPC CSV, JSONL or plain CSV, UTF-8")
        parser.add_argument("--corpus", required=True, metavar="NAME", help="name of the corpus to make")
        parser.add_argument("--format", choices=[AUTO, *FORMATS], default=AUTO, help="default: detected from the file")
        parser.add_argument(
            "--columns",
            type=_columns,
            default={},
            metavar="dialogue_id=NAME,speaker=NAME,text=NAME",
            help="names of these columns in a CSV that names them differently",
        )
        parser.add_argument("--skip-bad", action="store_true", help="skip bad records and import the rest")
        parser.add_argument(
            "--deduplicate", action="store_true", help="leave out dialogues repeated from the other side (ConvAI2)"
        )
        parser.add_argument("--licence", default="", help="the licence of the dialogues")
        parser.add_argument("--description", default="", help="a sentence about the corpus")
        parser.add_argument("--json", action="store_true", help="print one JSON object on stdout")

    def handle(self, *args: Any, **options: Any) -> None:
        path: Path = options["file"]
        if not path.is_file():
            raise CommandError(f"There is no file {path}.")
        try:
            imported = self._import(path, options)
        except ImportRefusedError as refused:
            self._explain(refused, options)
            raise CommandError(str(refused)) from refused
        except OSError as error:
            raise CommandError(f"{path} cannot be read: {error.strerror}.") from error
        if options["json"]:
            self.stdout.write(json.dumps(_as_json(imported), ensure_ascii=False))
        else:
            self._say(imported)

    def _import(self, path: Path, options: dict[str, Any]) -> Imported:
        source = Source(path, path.name, options["format"], options["columns"])
        chosen = Options(options["skip_bad"], options["deduplicate"], options["description"], options["licence"])
        bar = tqdm(total=path.stat().st_size, unit="B", unit_scale=True, file=sys.stderr, desc="Importing")
        with bar:
            return import_file(
                source, name=options["corpus"], by=None, options=chosen, progress=lambda at: bar.update(at - bar.n)
            )

    def _explain(self, refused: ImportRefusedError, options: dict[str, Any]) -> None:
        if options["json"]:
            known = {"id": refused.corpus.pk, "corpus": refused.corpus.name} if refused.corpus else None
            answer = {"error": str(refused), "existing": known, "corpus": None, **_report(refused.report)}
            self.stdout.write(json.dumps(answer, ensure_ascii=False))
        self._list_bad(refused.report)

    def _list_bad(self, report: Report) -> None:
        for bad in report.bad:
            self.stderr.write(f"row {bad.row}: {bad.reason}" + (f" (dialogue {bad.key})" if bad.key else ""))
        if report.refused > len(report.bad):
            self.stderr.write(f"… and {report.refused - len(report.bad):,} more")

    def _say(self, imported: Imported) -> None:
        report = imported.report
        self._list_bad(report)
        said = f"{report.dialogues:,} dialogues, {report.messages:,} messages, {report.turns:,} turns"
        left_out = [(report.refused, "skipped as bad"), (report.duplicates, "left out as repeated")]
        said += "".join(f"; {what}: {count:,}" for count, what in left_out if count)
        self.stdout.write(f"Corpus “{imported.corpus.name}”: {said}.")
        for name, count in report.tally.items():
            self.stdout.write(f"  {name.replace('_', ' ')}: {count:,}")


def _columns(text: str) -> dict[str, str]:
    try:
        return columns_from(text)
    except ValueError as error:
        raise ArgumentTypeError(str(error)) from error


def _as_json(imported: Imported) -> dict[str, Any]:
    corpus = imported.corpus
    return {"corpus": corpus.name, "id": corpus.pk, "sha256": corpus.sha256, **_report(imported.report)}


def _report(report: Report) -> dict[str, Any]:
    return {"format": report.file_format, **report.counts(), "bad": [asdict(bad) for bad in report.bad]}
