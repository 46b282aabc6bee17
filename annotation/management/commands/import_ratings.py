"""Import ratings that were collected elsewhere as a closed study, marked as imported."""

import json
from argparse import ArgumentParser
from dataclasses import asdict
from pathlib import Path
from typing import Any

from django.core.management.base import CommandError

from annotation.imported.gathering import RatingsRefusedError, Report, first_bad
from annotation.imported.imported_study import ImportedRatings, RatingSource, import_ratings
from annotation.imported.rating_rows import RatingChoices
from annotation.management.arguments import add_rating_file
from core import commands
from core.numbers import count_in_words


class Command(commands.Command):
    help = "Import ratings that were collected elsewhere: all of a file, or nothing if a row is bad."

    def add_arguments(self, parser: ArgumentParser) -> None:
        add_rating_file(parser)
        parser.add_argument("--name", required=True, help="name of the study to make")
        parser.add_argument("--corpus", default="", metavar="NAME", help="the corpus whose dialogues were rated")
        parser.add_argument("--json", action="store_true", help="print one JSON object on stdout")

    def handle(self, *args: Any, **options: Any) -> None:
        path: Path = options["file"]
        if not path.is_file():
            raise CommandError(f"There is no file {path}.")
        source = RatingSource(path, path.name, RatingChoices(options["columns"], options["choices"]))
        try:
            imported = import_ratings(
                name=options["name"], file=source, by=None, corpus=options["corpus"], skip_bad=options["skip_bad"]
            )
        except RatingsRefusedError as refused:
            self._explain(refused, as_json=options["json"])
            raise CommandError(str(refused)) from refused
        except OSError as error:
            raise CommandError(f"{path} cannot be read: {error.strerror}.") from error
        if options["json"]:
            self.stdout.write(json.dumps(_as_json(imported), ensure_ascii=False))
        else:
            self._say(imported)

    def _explain(self, refused: RatingsRefusedError, *, as_json: bool) -> None:
        if as_json:
            answer = {"error": str(refused), "study": None, **_bad(refused.report)}
            self.stdout.write(json.dumps(answer, ensure_ascii=False))
        for line in first_bad(refused.report):
            self.stderr.write(line)

    def _say(self, imported: ImportedRatings) -> None:
        found, study = imported.found, imported.study
        for line in first_bad(found.report):
            self.stderr.write(line)
        self.stdout.write(
            f"Study {study.pk}, “{study.name}”, of imported ratings: {count_in_words(found.report.scores, 'score')} of "
            f"{count_in_words(len(found.items), 'item')} by {count_in_words(found.raters, 'rater')}; "
            f"skipped as bad: {found.report.refused:,}."
        )
        self.stdout.write(f"  read as {found.report.form}; metrics: {', '.join(found.metrics)}")
        for kind, count in found.report.tally.items():
            self.stdout.write(f"  {kind.replace('_', ' ')}: {count:,}")


def _as_json(imported: ImportedRatings) -> dict[str, Any]:
    study = imported.study
    counts = {**imported.found.counts(), **_bad(imported.found.report)}
    return {"study": study.name, "id": study.pk, "corpus": study.corpus.name, "imported": True, **counts}


def _bad(report: Report) -> dict[str, Any]:
    return {"refused": report.refused, "bad": [asdict(bad) for bad in report.bad]}
