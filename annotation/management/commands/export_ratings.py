"""Write every score of a study to a CSV file."""

from argparse import ArgumentParser
from itertools import chain
from pathlib import Path
from typing import Any

from tqdm import tqdm

from annotation.management.arguments import named_study
from annotation.reports import unblinding
from annotation.reports.exports import RATING_COLUMNS, rating_lines
from core import commands
from core.spreadsheets import EXCEL, PLAIN, csv_text


class Command(commands.Command):
    help = "Write every current score of a study to a CSV file, one row per score, raters by pseudonym."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("study", help="name or number of the study")
        parser.add_argument("--out", required=True, type=Path, metavar="FILE", help="where to write")
        parser.add_argument(
            "--excel", choices=EXCEL, help="for Excel, by its list separator; with semicolon, decimals have a comma"
        )
        parser.add_argument("--force", action="store_true", help="replace FILE if it exists")

    def handle(self, *args: Any, **options: Any) -> None:
        study, path = named_study(options["study"]), options["out"]
        form = EXCEL.get(options["excel"], PLAIN)
        lines = chain([csv_text([RATING_COLUMNS], form)], tqdm(rating_lines(study, form), unit=" scores", disable=None))
        scores = commands.write_whole(path, lines, replace=options["force"], private=True) - 1
        unblinding.unblind(study=study, by=None, how="export_ratings")
        made = "simulated scores" if study.is_simulated else "scores"
        self.stdout.write(f"{scores:,} {made} of {study.name} in {path}")
