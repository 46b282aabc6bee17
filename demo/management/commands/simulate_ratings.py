"""Fill a simulated study with ratings by a seeded model."""

import json
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import CommandError

from annotation.design.drafting import DesignError
from annotation.management.arguments import named_study
from core import commands
from demo.chat_simulation import NoReplyError
from demo.drawn_scores import LEFT, PAIRS_SAID, TIE
from demo.simulation import simulate


class Command(commands.Command):
    help = (
        "Score a study that is marked as simulated, by invented raters. In a study of chats they chat first; in a "
        "study of pairs they prefer one dialogue or neither, with a slight bias towards the left. The ratings are "
        "marked wherever they appear."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("study", help="name or number of the study")
        parser.add_argument("--raters", type=int, default=3, help="how many invented raters (default 3)")
        parser.add_argument("--seed", type=int, default=1, help="the same seed gives the same scores (default 1)")
        parser.add_argument("--json", action="store_true", help="one JSON object on stdout")

    def handle(self, *args: Any, **options: Any) -> None:
        if options["raters"] < 1:
            raise CommandError("--raters: at least one rater is needed.")
        study = named_study(options["study"])
        try:
            made = simulate(study=study, raters=options["raters"], seed=options["seed"])
        except (DesignError, NoReplyError) as error:
            raise CommandError(str(error)) from error
        if options["json"]:
            drawn = {"left": LEFT, "tie": TIE} if study.compares else {}
            self.stdout.write(json.dumps({"study": study.name, "ratings": made, "simulated": True, **drawn}))
        else:
            about = f" {PAIRS_SAID}" if study.compares else ""
            self.stdout.write(f"{made:,} simulated ratings in {study.name!r}.{about}")
