"""Make and launch a rating study from a corpus's versions."""

import json
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.db import transaction

from annotation.models import Study
from annotation.studies import design
from dialogues.models import Corpus, Rubric, Version


class Command(BaseCommand):
    help = "Make a rating study from a corpus's versions and launch it."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--corpus", required=True, help="name of the corpus")
        parser.add_argument("--versions", nargs="+", required=True, help="alpha beta gamma stephanie …")
        parser.add_argument("--name", required=True, help="name of the study, for researchers")
        parser.add_argument("--rubric", default="paper-six", help="questions: paper-six (default) or chat-four")
        parser.add_argument("--raters-per-item", type=int, help="left out: everyone scores everything")
        parser.add_argument("--backgrounds", type=int, help="sample so many; left out: all")
        parser.add_argument("--seed", type=int, default=1, help="of the sample and the orders (default 1)")
        parser.add_argument("--simulated", action="store_true", help="for the simulator, not for people")
        parser.add_argument("--draft", action="store_true", help="do not launch it")
        parser.add_argument("--json", action="store_true", help="one JSON object on stdout")

    def handle(self, *args: Any, **options: Any) -> None:
        if Study.objects.filter(name=options["name"]).exists():
            raise CommandError(f"There is a study named {options['name']!r} already. Choose another --name.")
        try:
            study = make(options)
        except design.DesignError as error:
            raise CommandError(str(error)) from error
        if options["json"]:
            made = {"study": study.name, "id": study.pk, "state": study.state, **study.selection}
            self.stdout.write(json.dumps(made, ensure_ascii=False))
        else:
            items = study.selection.get("items", 0)
            self.stdout.write(f"Study {study.pk}, {study.name!r}: {study.get_state_display()}, {items:,} dialogues.")


@transaction.atomic
def make(options: dict[str, Any]) -> Study:
    versions = list(Version.objects.filter(pk__in=options["versions"]))
    if unknown := set(options["versions"]) - {version.pk for version in versions}:
        raise CommandError(f"No such version: {', '.join(sorted(unknown))}.")
    study = design.create_study(
        by=None,
        versions=versions,
        name=options["name"],
        corpus=_named(Corpus, "name", options["corpus"]),
        rubric=_named(Rubric, "slug", options["rubric"]),
        raters_per_item=options["raters_per_item"],
        background_count=options["backgrounds"],
        seed=options["seed"],
        is_simulated=options["simulated"],
    )
    return study if options["draft"] else design.launch(study=study, by=None)


def _named(model: Any, field: str, value: str) -> Any:
    found = model.objects.filter(**{field: value}).first()
    if found is None:
        known = ", ".join(model.objects.values_list(field, flat=True)[:10])
        raise CommandError(f"There is no {model._meta.verbose_name} {value!r}. There is: {known or 'none yet'}.")
    return found
