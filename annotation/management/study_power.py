"""Print how often studies of several sizes find a difference, and how precise they are."""

import json
from argparse import ArgumentParser
from collections.abc import Iterator
from dataclasses import asdict, replace
from typing import Any

from django.core.management.base import CommandError

from annotation.design.plan import CLAIMS_ABOUT
from annotation.design.plan_values import MOST_POINTS
from annotation.management.arguments import named_study
from annotation.reports.models.power import STUDIES, Cell, Components
from annotation.reports.power import (
    ASSUMED,
    DEVIATIONS,
    PowerError,
    PowerQuestion,
    background_sizes,
    components_of,
    power_tables,
    rater_sizes,
)
from core import commands
from core.commands import ExitCode
from core.tables import to_text

MOST_STUDIES = 1_000_000


class Command(commands.Command):
    help = "Print power and precision for numbers of raters and backgrounds, by simulation."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--raters", default="3,5,10", help="each scores everything (default 3,5,10)")
        parser.add_argument("--backgrounds", default="12,24,50,100", help="default 12,24,50,100")
        parser.add_argument("--difference", type=float, default=0.3, help="to find, in points (default .3)")
        parser.add_argument(
            "--population",
            choices=list(CLAIMS_ABOUT),
            default="like",
            help="raters like these (default), or these raters",
        )
        parser.add_argument("--from", dest="of", metavar="STUDY", help="take standard deviations from its ratings")
        parser.add_argument("--metric", help="of that study, by key (default: its first)")
        for name, what in DEVIATIONS.items():
            option = f"--sd-{name.replace('_', '-')}"
            parser.add_argument(
                option, type=float, dest=name, help=f"of {what} (default: fitted, or {getattr(ASSUMED, name):g})"
            )
        parser.add_argument("--studies", type=int, default=STUDIES, help=f"simulated a cell (default {STUDIES:,})")
        parser.add_argument("--seed", type=int, default=1, help="of the simulation (default 1)")
        parser.add_argument("--json", action="store_true", help="one JSON object on stdout")

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            question = asked(options)
            cells = list(self._told(question))
        except (PowerError, ValueError) as error:
            raise CommandError(str(error), returncode=ExitCode.WRONG_INPUT) from error
        if options["json"]:
            found = {**asdict(question), "cells": [cell._asdict() for cell in cells]}
            self.stdout.write(json.dumps(found, allow_nan=False))
            return
        for table in power_tables(question, cells):
            self.stdout.write(to_text(table))

    def _told(self, question: PowerQuestion) -> Iterator[Cell]:
        """The cells, counted on stderr while somebody waits for them."""
        count = len(question.raters) * len(question.backgrounds)
        for number, cell in enumerate(question.cells(), 1):
            if self.stderr.isatty():
                self.stderr.write(f"\r{number} of {count} cells", ending="\n" if number == count else "")
            yield cell


def asked(options: dict[str, Any]) -> PowerQuestion:
    """Raises PowerError for sizes, studies or a study that do not fit."""
    if not 1 <= options["studies"] <= MOST_STUDIES:
        raise PowerError(f"Simulate 1 to {MOST_STUDIES:,} studies for each cell.")
    if options["seed"] < 0:
        raise PowerError("A seed is 0 or more.")
    points = (options[name] for name in ("difference", *DEVIATIONS) if options[name] is not None)
    if not all(abs(value) <= MOST_POINTS for value in points):
        raise PowerError(f"Differences and standard deviations are numbers up to {MOST_POINTS:,.0f}.")
    return PowerQuestion(
        rater_sizes(options["raters"]),
        background_sizes(options["backgrounds"]),
        options["difference"],
        _components(options),
        options["population"],
        options["studies"],
        options["seed"],
    )


def _components(options: dict[str, Any]) -> Components:
    """What a study shows, or what is assumed; replaced by what was given."""
    found = ASSUMED
    if options["of"]:
        study = named_study(options["of"])
        metric = options["metric"] or next((one.key for one in study.rubric.metric_list()), "")
        found = components_of(study, metric)
    return replace(found, **{name: options[name] for name in DEVIATIONS if options[name] is not None})
