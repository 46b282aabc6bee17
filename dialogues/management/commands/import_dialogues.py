"""`manage.py corpus import FILE --corpus NAME`: a file becomes a corpus, or nothing changes."""

import json
import sys
from argparse import ArgumentParser, ArgumentTypeError
from argparse import _ArgumentGroup as ArgumentGroup
from argparse import _MutuallyExclusiveGroup as MutuallyExclusiveGroup
from contextlib import suppress
from dataclasses import asdict, fields
from math import inf
from pathlib import Path
from typing import Any

from django.core.management.base import CommandError
from tqdm import tqdm

from core import commands
from core.numbers import count_in_words
from dialogues.formats.columns import columns_from
from dialogues.formats.reading import quoted
from dialogues.formats.records import DATE_ORDERS, Choices
from dialogues.formats.registry import AUTO, FORMATS
from dialogues.import_report import LONGEST_RUN, Report, tally_words
from dialogues.importing import Imported, ImportRefusedError, Options, Source, import_file
from dialogues.models import ColumnMap, PersonalData
from dialogues.privacy import KINDS


class Command(commands.Command):
    help = "Import a file of dialogues as a new corpus: all of it, or nothing if a record is bad."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("file", type=Path, metavar="FILE", help="a file in one of the forms of docs/formats.md")
        parser.add_argument("--corpus", required=True, metavar="NAME", help="name of the corpus to make")
        parser.add_argument("--format", choices=[AUTO, *FORMATS], default=AUTO, help="default: detected from the file")
        _add_column_arguments(parser.add_mutually_exclusive_group())
        parser.add_argument("--skip-bad", action="store_true", help="skip bad records and import the rest")
        parser.add_argument(
            "--deduplicate", action="store_true", help="leave out dialogues repeated from the other side (ConvAI2)"
        )
        _add_chat_arguments(parser.add_argument_group("chat exports"))
        _add_facts(parser.add_argument_group("what the corpus says about itself"))
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
        columns = _saved_columns(options["mapping"]) if options["mapping"] else options["columns"]
        choices = Choices(columns, _people(options["people"]), options["silence"], options["date_order"])
        source = Source(path, path.name, options["format"], choices)
        chosen = Options(**{one.name: options[one.name] for one in fields(Options)})
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
        counts = (report.dialogues, "dialogue"), (report.messages, "message"), (report.turns, "turn")
        said = ", ".join(count_in_words(count, what) for count, what in counts)
        left_out = [(report.refused, "skipped as bad"), (report.duplicates, "left out as repeated")]
        said += "".join(f"; {what}: {count:,}" for count, what in left_out if count)
        self.stdout.write(f"Corpus “{imported.corpus.name}”: {said}.")
        self.stdout.write(f"  read as {FORMATS[report.file_format].label}: {report.seen}")
        self.stdout.write(f"  ACMC {report.acmc:.2f}; turns of 1, 2, … messages: {_runs(report)}")
        for side, name in imported.corpus.roles.items():
            self.stdout.write(f"  speaker {side}: {quoted(name)}")
        for fact in report.facts:
            self.stdout.write(f"  {fact}")
        for name, count in report.tally.items():
            self.stdout.write(f"  {tally_words(name)}: {count:,}")
        if notice := imported.corpus.privacy_notice:
            self.stderr.write(notice)


def _add_column_arguments(group: MutuallyExclusiveGroup) -> None:
    group.add_argument(
        "--columns",
        type=_columns,
        default={},
        metavar="dialogue_id=NAME,speaker=NAME,text=NAME",
        help="names of these columns or keys in a file that names them differently",
    )
    group.add_argument("--mapping", default="", metavar="NAME", help="a choice of columns saved on the import page")


def _add_chat_arguments(group: ArgumentGroup) -> None:
    group.add_argument(
        "--people",
        action="append",
        default=[],
        metavar="NAME,NAME",
        help="keep these two of a group; give it twice if a name has a comma",
    )
    group.add_argument("--silence", type=_hours, metavar="HOURS", help="a silence of so long begins a new dialogue")
    group.add_argument(
        "--date-order", choices=DATE_ORDERS, default="", help="how the file writes dates, where it does not show"
    )
    group.add_argument(
        "--keep-names", action="store_true", help="let the corpus say who speakers 1 and 2 are (default: A and B)"
    )


def _add_facts(group: ArgumentGroup) -> None:
    group.add_argument("--licence", default="", help="the licence of the dialogues")
    group.add_argument("--source", default="", help="where they come from: an address, a citation, who collected them")
    group.add_argument("--description", default="", help="a sentence about the corpus")
    group.add_argument(
        "--personal-data",
        choices=PersonalData.values,
        default="",
        help="whether people can be recognised in it (default: yes for chat exports, else not said)",
    )
    group.add_argument("--consent", default="", help="what those people agreed to, and how")
    group.add_argument(
        "--mask",
        type=_kinds,
        default=(),
        metavar="KIND,KIND",
        help=f"personal data to mask in every text: {', '.join(KINDS)} (default: none)",
    )


def _columns(text: str) -> dict[str, str]:
    try:
        return columns_from(text)
    except ValueError as error:
        raise ArgumentTypeError(str(error)) from error


def _saved_columns(name: str) -> dict[str, str]:
    saved = ColumnMap.objects.filter(name=name).first()
    if saved is None:
        known = ", ".join(f"“{one}”" for one in ColumnMap.objects.values_list("name", flat=True)) or "none"
        raise CommandError(f"There is no saved choice of columns “{name}”. Saved are: {known}.")
    return dict(saved.columns)


def _people(named: list[str]) -> tuple[str, ...]:
    people = tuple(name.strip() for name in (named[0].split(",") if len(named) == 1 else named))
    if people and (len(people) != 2 or len(set(people)) != 2 or not all(people)):
        raise CommandError("--people takes two different names, as the file writes them: --people NAME,NAME")
    return people


def _hours(text: str) -> float:
    with suppress(ValueError):
        if 0 < (hours := float(text)) < inf:
            return hours
    raise ArgumentTypeError(f"“{text}” is no number of hours above 0, such as 8 or 0.5")


def _kinds(text: str) -> tuple[str, ...]:
    kinds = tuple(filter(None, map(str.strip, text.split(","))))
    unknown = [kind for kind in kinds if kind not in KINDS]
    if unknown:
        raise ArgumentTypeError(f"“{unknown[0]}” cannot be masked. Choose of {', '.join(KINDS)}.")
    return kinds


def _runs(report: Report) -> str:
    lengths = range(1, max(report.runs, default=1) + 1)
    counts = [f"{report.runs[length]:,}" for length in lengths]
    return ", ".join(counts) + (" (the last: 6 and more)" if len(counts) == LONGEST_RUN else "")


def _as_json(imported: Imported) -> dict[str, Any]:
    corpus = imported.corpus
    return {
        "corpus": corpus.name,
        "id": corpus.pk,
        "sha256": corpus.sha256,
        "roles": corpus.roles,
        "personal_data": corpus.personal_data,
        "consent": corpus.consent,
        **_report(imported.report),
    }


def _report(report: Report) -> dict[str, Any]:
    return {
        "format": report.file_format,
        "seen": report.seen,
        **report.counts(),
        "bad": [asdict(bad) for bad in report.bad],
    }
