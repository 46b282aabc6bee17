"""Write every score of a study to a CSV file."""

from argparse import ArgumentParser
from pathlib import Path
from tempfile import NamedTemporaryFile
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from tqdm import tqdm

from annotation.management.named_study import named_study
from annotation.models import Study
from annotation.reports import unblinding
from annotation.reports.exports import RATING_COLUMNS, rating_lines
from core.spreadsheets import EXCEL, PLAIN, CsvForm, csv_text


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
        study, path = named_study(options["study"]), options["out"]
        if path.exists() and not options["force"]:
            raise CommandError(f"{path} exists. Name another file, or add --force to replace it.")
        try:
            scores = write_ratings(study, path, EXCEL.get(options["excel"], PLAIN))
            unblinding.unblind(study=study, by=None, how="export_ratings")
        except OSError as error:
            why = f"{path} cannot be written: {error.strerror}. Name a folder that you may write to."
            raise CommandError(why) from error
        made = "simulated scores" if study.is_simulated else "scores"
        self.stdout.write(f"{scores:,} {made} of {study.name} in {path}")


def write_ratings(study: Study, path: Path, form: CsvForm) -> int:
    """Write beside `path`, then move into place, so that no half file is left; returns how many scores it has."""
    scores = 0
    with NamedTemporaryFile("w", dir=path.parent, prefix=".", newline="", encoding="utf-8", delete=False) as file:
        try:
            file.write(csv_text([RATING_COLUMNS], form))
            for line in tqdm(rating_lines(study, form), unit=" scores", disable=None):
                scores += 1
                file.write(line)
            file.close()
            Path(file.name).replace(path)
        finally:
            Path(file.name).unlink(missing_ok=True)
    return scores
