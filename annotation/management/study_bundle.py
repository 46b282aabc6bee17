"""Write the bundle of a study: its data, its report, and a program that computes the report again."""

from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import CommandError
from tqdm import tqdm

from annotation.bundles.contents import make_bundle
from annotation.bundles.loading import NoBundleError, material_of
from annotation.management.arguments import named_study
from annotation.reports.views import file_name
from core import commands
from core.archives import zipped


class Command(commands.Command):
    help = "Write one ZIP file of a study: all data by pseudonym, the report, and a program that computes it again."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("study", help="name or number of the study")
        parser.add_argument("--out", type=Path, metavar="FILE", help="where to write (default: STUDY-bundle.zip here)")
        parser.add_argument("--force", action="store_true", help="replace FILE if it exists")

    def handle(self, *args: Any, **options: Any) -> None:
        study = named_study(options["study"])
        path = options["out"] or Path(f"{file_name(study, 'bundle')}.zip")
        commands.refuse_to_replace(path, replace=options["force"])
        try:
            with commands.steps_shown() as steps:
                material = material_of(study, steps)
        except NoBundleError as error:
            raise CommandError(str(error)) from error
        files = make_bundle(study=study, material=material, by=None, how="study bundle")
        pieces = zipped(tqdm(files, unit=" files", disable=None, leave=False))
        commands.write_whole(path, pieces, replace=options["force"], private=True)
        self.stdout.write(f"Bundle of {study.name} in {path}. To compute it again: manage.py replicate {path}")
