"""Print a study's checklists: HEDS 3.0 and the ACL's Responsible NLP section D, prefilled from its record."""

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import CommandError

from annotation.checklists.documents import as_heds_form, as_json, as_markdown
from annotation.management.arguments import named_study
from core import commands


class Command(commands.Command):
    help = "Print HEDS 3.0 and the ACL's Responsible NLP section D for a study, filled from its record, gaps marked."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("study", help="name or number of the study")
        form = parser.add_mutually_exclusive_group()
        form.add_argument("--json", action="store_true", help="one JSON object on stdout, instead of Markdown")
        form.add_argument("--heds-form", action="store_true", help="the file that the form of HEDS 3.0 uploads")

    def handle(self, *args: Any, **options: Any) -> None:
        study = named_study(options["study"])
        if study.is_draft:
            raise CommandError(f"“{study.name}” is a draft. Launch it first: checklists describe a frozen design.")
        write = as_json if options["json"] else as_heds_form if options["heds_form"] else as_markdown
        self.stdout.write(write(study), ending="")
