"""Print a study's analysis plan for a registry, or check that it is still the one of its launch."""

import json
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import CommandError

from annotation.design.plan_record import NoPlanError, form_of, hash_of_plan, is_as_launched, plan_document
from annotation.design.plan_text import FORMS, texts
from annotation.management.arguments import named_study
from annotation.models import Study
from annotation.reports.plan_departures import departures
from core import commands
from core.commands import ExitCode


class Command(commands.Command):
    help = "Print a study's analysis plan as text for OSF or AsPredicted, or check it against its hash."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("study", help="name or number of the study")
        parser.add_argument(
            "--form", choices=list(FORMS), default="osf", help="whose questions it answers (default osf)"
        )
        parser.add_argument("--json", action="store_true", help="the JSON that is hashed, on stdout")
        parser.add_argument(
            "--verify",
            nargs="?",
            const="",
            metavar="FILE",
            help="check the stored plan against the hash of the launch; or that FILE is one of the plan's texts",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        study = named_study(options["study"])
        try:
            if options["verify"] is not None:
                self._verify(study, options["verify"], as_json=options["json"])
            else:
                form = "json" if options["json"] else options["form"]
                self.stdout.write(texts(plan_document(study))[form], ending="")
                if study.is_draft:
                    self.stderr.write("This is a draft's plan. The launch freezes it and records its hash.")
        except NoPlanError as error:
            raise CommandError(str(error)) from error

    def _verify(self, study: Study, file: str, *, as_json: bool) -> None:
        """Say what holds; raises CommandError where something does not."""
        plan_document(study)
        if file:
            form = self._form_of(study, file)
        elif study.is_draft:
            raise CommandError("A draft has no recorded hash. Launch the study, or name a file to compare.")
        if not study.is_draft and not is_as_launched(study):
            raise CommandError(
                f"The stored plan gives {hash_of_plan(study)}, but the launch recorded {study.plan_sha256 or 'none'}."
            )
        if as_json:
            found = {"study": study.name, "sha256": hash_of_plan(study), "departures": departures(study)}
            self.stdout.write(json.dumps(found, ensure_ascii=False))
            return
        what = f"{file} is the plan's text in the form {form}." if file else "The plan is the one of the launch."
        self.stdout.write(f"{what} SHA-256 {hash_of_plan(study)}")
        for sentence in departures(study):
            self.stdout.write(f"Departure: {sentence}")

    def _form_of(self, study: Study, file: str) -> str:
        try:
            text = Path(file).read_bytes().decode()
        except OSError as error:
            raise CommandError(f"{file} cannot be read: {error.strerror}.", returncode=ExitCode.WRONG_INPUT) from error
        except UnicodeDecodeError as error:
            raise CommandError(f"{file} is not UTF-8 text.", returncode=ExitCode.WRONG_INPUT) from error
        form = form_of(study, text)
        if form is None:
            raise CommandError(f"{file} is none of the texts of this plan: not letter by letter.")
        return form
