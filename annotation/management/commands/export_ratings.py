"""Write every score of a study to a CSV file, or its chats as JSON lines."""

from argparse import ArgumentParser
from itertools import chain
from pathlib import Path
from typing import Any

from django.core.management.base import CommandError
from tqdm import tqdm

from annotation.management.arguments import named_study
from annotation.models import Study
from annotation.reports import unblinding
from annotation.reports.chat_exports import chat_lines
from annotation.reports.exports import RATING_COLUMNS, rating_lines
from core import commands
from core.spreadsheets import EXCEL, PLAIN, csv_text


class Command(commands.Command):
    help = (
        "Write every current score of a study to a CSV file, one row per score, raters by pseudonym; with --chats, its "
        "chats as JSON lines."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("study", help="name or number of the study")
        parser.add_argument("--out", required=True, type=Path, metavar="FILE", help="where to write")
        parser.add_argument(
            "--excel", choices=EXCEL, help="for Excel, by its list separator; with semicolon, decimals have a comma"
        )
        parser.add_argument("--chats", action="store_true", help="a study's chats with their events, one a line")
        parser.add_argument("--force", action="store_true", help="replace FILE if it exists")

    def handle(self, *args: Any, **options: Any) -> None:
        study, path = named_study(options["study"]), options["out"]
        if options["chats"]:
            self._write_chats(study, path, replace=options["force"])
            return
        form = EXCEL.get(options["excel"], PLAIN)
        lines = chain([csv_text([RATING_COLUMNS], form)], tqdm(rating_lines(study, form), unit=" scores", disable=None))
        scores = commands.write_whole(path, lines, replace=options["force"], private=True) - 1
        unblinding.unblind(study=study, by=None, how="export_ratings")
        made = " ".join((*study.file_mark.split("-")[1:], "scores"))
        self.stdout.write(f"{scores:,} {made} of {study.name} in {path}")

    def _write_chats(self, study: Study, path: Path, *, replace: bool) -> None:
        if not study.has_chats:
            raise CommandError(f"Nobody chats in {study.name}: leave --chats out to write its scores.")
        lines = tqdm(chat_lines(study), unit=" chats", disable=None)
        chats = commands.write_whole(path, lines, replace=replace, private=True)
        unblinding.unblind(study=study, by=None, how="export_ratings")
        self.stdout.write(f"{chats:,} {' '.join((*study.file_mark.split('-')[1:], 'chats'))} of {study.name} in {path}")
