"""Write every score of a study to a CSV file."""

from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand

from annotation.management.named_study import named_study
from annotation.management.writing import write_lines
from annotation.reports import unblinding
from annotation.reports.exports import RATING_COLUMNS, rating_lines
from core.spreadsheets import EXCEL, PLAIN, csv_text


class Command(BaseCommand):
    help = "Write every current score of a study to a CSV file, one row a score, raters by pseudonym."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("study", help="name or number of the study")
        parser.add_argument("--out", required=True, type=Path, metavar="FILE", help="where to write")
        parser.add_argument(
            "--excel", choices=EXCEL, help="for Excel, by its list separator; with semicolon, decimals have a comma"
        )
        parser.add_argument("--force", action="store_true", help="replace FILE if it exists")

    def handle(self, *args: Any, **options: Any) -> None:
        study, path, form = named_study(options["study"]), options["out"], EXCEL.get(options["excel"], PLAIN)
        head, lines = csv_text([RATING_COLUMNS], form), rating_lines(study, form)
        scores = write_lines(path, lines, unit="scores", force=options["force"], head=head)
        unblinding.unblind(study=study, by=None, how="export_ratings")
        made = "simulated scores" if study.is_simulated else "scores"
        self.stdout.write(f"{scores:,} {made} of {study.name} in {path}")
