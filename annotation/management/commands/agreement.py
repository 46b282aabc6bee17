"""Agreement in anybody's file of ratings; nothing is stored."""

from argparse import ArgumentParser
from dataclasses import asdict
from pathlib import Path
from typing import Any

from django.core.management.base import CommandError

from annotation.agreement_files.measuring import Effort, Measured
from annotation.agreement_files.reading import ONLY_METRIC, agreement_in
from annotation.agreement_files.tables import agreement_tables, as_json
from annotation.imported.gathering import Gathered, RatingsRefusedError, first_bad
from annotation.imported.rating_rows import RatingChoices
from annotation.management.arguments import add_rating_file
from annotation.reports.bootstrap import DRAWS
from core import commands
from core.numbers import count_in_words
from core.tables import to_text

MOST_ROWS = 1000


class Command(commands.Command):
    help = "Measure agreement between raters in a file, by metric, version and pair of raters; nothing is stored."

    def add_arguments(self, parser: ArgumentParser) -> None:
        add_rating_file(parser)
        parser.add_argument("--json", action="store_true", help="print one JSON object on stdout")

    def handle(self, *args: Any, **options: Any) -> None:
        path: Path = options["file"]
        choices = RatingChoices(options["columns"], options["choices"], ONLY_METRIC)
        try:
            with path.open("rb") as stream:
                found, measured = agreement_in(stream, choices, Effort(DRAWS, MOST_ROWS), skip_bad=options["skip_bad"])
        except RatingsRefusedError as refused:
            self._explain(refused, as_json=options["json"])
            raise CommandError(str(refused), returncode=commands.ExitCode.WRONG_INPUT) from refused
        except OSError as error:
            why = f"{path} cannot be read: {error.strerror}."
            raise CommandError(why, returncode=commands.ExitCode.WRONG_INPUT) from error
        if options["json"]:
            commands.print_json(self, {"file": path.name, **found.counts(), **_bad(found), **as_json(measured)})
        else:
            self._say(found, measured)

    def _explain(self, refused: RatingsRefusedError, *, as_json: bool) -> None:
        if as_json:
            bad = [asdict(one) for one in refused.report.bad]
            commands.print_json(self, {"error": str(refused), "refused": refused.report.refused, "bad": bad})
        for line in first_bad(refused.report):
            self.stderr.write(line)

    def _say(self, found: Gathered, measured: Measured) -> None:
        for line in first_bad(found.report):
            self.stderr.write(line)
        self.stdout.write(
            f"{count_in_words(measured.scores, 'score')} of {count_in_words(measured.items, 'item')} by "
            f"{count_in_words(measured.raters, 'rater')}, read as {found.report.form}; "
            f"skipped as bad: {found.report.refused:,}.\n"
        )
        for table in agreement_tables(measured):
            self.stdout.write(to_text(table))
        if measured.left_out:
            self.stdout.write(f"{count_in_words(measured.left_out, 'row')} more left out.")


def _bad(found: Gathered) -> dict[str, Any]:
    return {"bad": [asdict(one) for one in found.report.bad]}
