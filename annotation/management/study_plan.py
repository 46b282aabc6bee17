"""Print a study's analysis plan for a registry, or check that it is still the one of its launch."""

import json
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import CommandError

from annotation.design.plan_record import NoPlanError, bears_hash, form_of, hash_of_plan, is_as_launched, plan_document
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
        what, checked = "The plan is the one of the launch.", "launch"
        if file:
            what, checked = self._known(study, file)
        elif study.is_draft:
            raise CommandError("A draft has no recorded hash. Launch the study, or name a file to compare.")
        if not study.is_draft and not is_as_launched(study):
            raise CommandError(
                f"The stored plan gives {hash_of_plan(study)}, but the launch recorded {study.plan_sha256 or 'none'}."
            )
        if as_json:
            found: dict[str, Any] = {"study": study.name, "sha256": hash_of_plan(study), "checked": checked}
            found["departures"] = departures(study)
            self.stdout.write(json.dumps(found, ensure_ascii=False))
            return
        self.stdout.write(f"{what} SHA-256 {hash_of_plan(study)}")
        for sentence in departures(study):
            self.stdout.write(f"Departure: {sentence}")

    def _known(self, study: Study, file: str) -> tuple[str, str]:
        """What the file has to do with the plan, and what of it was checked; raises CommandError where it has nothing.

        The hash stands for the plan whatever the words are, so that a text registered with those of another release is
        known again; but somebody may have changed its words, and it is said that nobody checked them.
        """
        try:
            text = Path(file).read_bytes().decode()
        except OSError as error:
            raise CommandError(f"{file} cannot be read: {error.strerror}.", returncode=ExitCode.WRONG_INPUT) from error
        except UnicodeDecodeError as error:
            raise CommandError(f"{file} is not UTF-8 text.", returncode=ExitCode.WRONG_INPUT) from error
        if form := form_of(study, text):
            return f"{file} is the plan's text in the form {form}.", "words"
        if not bears_hash(study, text):
            raise CommandError(f"{file} is none of the texts of this plan: not letter by letter, and without its hash.")
        self.stderr.write(
            f"The words of {file} are not letter by letter those of this release: another one may have put them so, or "
            "somebody changed them. What the hash stands for is the plan as JSON."
        )
        return f"{file} bears the plan's hash; its words are not checked.", "hash"
