"""Make and launch a rating study, from a design file or from a corpus's versions."""

import json
from argparse import ArgumentParser
from dataclasses import replace
from pathlib import Path
from typing import Any

from django.core.management.base import CommandError
from django.db import transaction

from annotation.design import checks, document, drafting, files, launch
from annotation.models import Study
from core import commands, json_documents
from core.commands import ExitCode
from dialogues.management.arguments import add_source_arguments, sources_of
from dialogues.models import Corpus, Rubric, Version
from dialogues.sources import WRITER


class Command(commands.Command):
    help = "Make and launch a rating study from a design file or a corpus's versions; on failure nothing is kept."
    exit_codes = (*commands.USUAL_CODES, ExitCode.STOPPED)

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--design", type=Path, help="a design as JSON (docs/studies.md), in place of what follows")
        parser.add_argument("--corpus", help="name of the corpus")
        parser.add_argument("--versions", nargs="+", help="alpha beta gamma stephanie …")
        parser.add_argument("--name", help="name of the study, for researchers; replaces that of --design")
        parser.add_argument("--rubric", default="paper-six", help="questions: paper-six (default) or another's slug")
        parser.add_argument("--raters-per-item", type=int, help="default: everyone scores everything")
        parser.add_argument("--backgrounds", type=int, help="how many to sample; default: all")
        parser.add_argument("--seed", type=int, default=1, help="of the sample and the orders (default 1)")
        parser.add_argument(
            "--simulated", action="store_true", help="for the simulator, not for people; also with --design"
        )
        parser.add_argument("--draft", action="store_true", help="do not launch it")
        add_source_arguments(parser)
        parser.add_argument("--json", action="store_true", help="one JSON object on stdout")

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            study = make(options)
        except (json_documents.DocumentError, drafting.NameTakenError, checks.CheckError) as error:
            raise CommandError(str(error), returncode=ExitCode.WRONG_INPUT) from error
        except drafting.DesignError as error:
            raise CommandError(str(error), returncode=ExitCode.STOPPED) from error
        if options["json"]:
            made = {"study": study.name, "id": study.pk, "state": study.state, **study.selection}
            self.stdout.write(json.dumps(made, ensure_ascii=False))
        else:
            items = study.selection.get("items", 0)
            what = "systems × backgrounds" if study.has_chats else "pairs" if study.compares else "dialogues"
            self.stdout.write(f"Study {study.pk}, {study.name!r}: {study.get_state_display()}, {items:,} {what}.")


@transaction.atomic
def make(options: dict[str, Any]) -> Study:
    """Make the study, and launch it unless it is to stay a draft; all or nothing."""
    study = files.make_from(_given(options), by=None) if options["design"] else _from_options(options)
    return study if options["draft"] else launch.launch(study=study, by=None)


def _given(options: dict[str, Any]) -> document.Design:
    try:
        found = document.read(options["design"].read_bytes())
    except OSError as error:
        raise CommandError(f"{options['design']} cannot be read: {error.strerror}.") from error
    changes: dict[str, Any] = {"name": options["name"]} if options["name"] else {}
    if options["simulated"]:
        changes["is_simulated"] = True
    return replace(found, fields={**found.fields, **changes})


def _from_options(options: dict[str, Any]) -> Study:
    if missing := [f"--{name}" for name in ("corpus", "versions", "name") if not options[name]]:
        raise CommandError(f"Give --design, or {', '.join(missing)}.")
    versions = list(Version.objects.filter(pk__in=options["versions"]))
    if unknown := set(options["versions"]) - {version.pk for version in versions}:
        raise CommandError(f"No such version: {', '.join(sorted(unknown))}.", returncode=ExitCode.WRONG_INPUT)
    corpus = _named(Corpus, "name", options["corpus"])
    sources = sources_of(options, corpus).as_json()
    names = sources.pop(WRITER.name, [])
    if len(names) > 1:
        raise CommandError("A study takes what one writer wrote, or what all did. Give --writer once.")
    return drafting.create_study(
        by=None,
        versions=versions,
        name=options["name"],
        corpus=corpus,
        writer="".join(map(str, names)),
        sources=sources,
        rubric=_named(Rubric, "slug", options["rubric"]),
        raters_per_item=options["raters_per_item"],
        background_count=options["backgrounds"],
        seed=options["seed"],
        is_simulated=options["simulated"],
    )


def _named(model: Any, field: str, value: str) -> Any:
    found = model.objects.filter(**{field: value}).first()
    if found is None:
        known = ", ".join(model.objects.values_list(field, flat=True)[:10])
        message = f"There is no {model._meta.verbose_name} {value!r}. Available: {known or 'none yet'}."
        raise CommandError(message, returncode=ExitCode.WRONG_INPUT)
    return found
