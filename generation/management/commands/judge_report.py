"""`manage.py judgement report CORPUS`: the judges' scores as the paper's Tables 1 and 2."""

import json
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import CommandError

from core import commands
from core.latex import to_latex
from core.tables import to_csv, to_text
from dialogues.management.arguments import corpus_named
from generation.commandline.common import harmless
from generation.judgements.loading import findings_of
from generation.judgements.tables import as_json, judge_tables, marked
from generation.models import Run, Stage


class Command(commands.Command):
    help = (
        "Print what judges said about a corpus: mean scores with intervals beside the published ones, differences from "
        "β, spread over repeats, and what failed."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("corpus", help="name of the corpus, or its number")
        parser.add_argument("--run", action="append", type=int, default=[], metavar="RUN", help="only this judge run")
        parser.add_argument("--table", metavar="NAME", help="only this table")
        parser.add_argument("--no-dashes", action="store_true", help="show scores that the rubric prints as a dash")
        form = parser.add_mutually_exclusive_group()
        form.add_argument("--json", action="store_true", help="one JSON object on stdout")
        form.add_argument("--csv", action="store_true", help="every digit, for a spreadsheet")
        form.add_argument("--latex", action="store_true", help="for a paper; needs the package booktabs")

    def handle(self, *args: Any, **options: Any) -> None:
        self.stdout.style_func = harmless
        corpus = corpus_named(options["corpus"])
        runs = list(Run.objects.with_stages().filter(pk__in=options["run"], corpus=corpus, stages=[Stage.JUDGE]))
        missing = sorted(set(options["run"]) - {run.pk for run in runs})
        if missing:
            raise CommandError(f"Run {missing[0]} is not a judge run of {corpus}; `manage.py run list` shows all runs.")
        found = findings_of(corpus, runs)
        if options["json"]:
            self.stdout.write(json.dumps(as_json(found), ensure_ascii=False, allow_nan=False))
            return
        tables = judge_tables(found, dashes=not options["no_dashes"])
        if options["table"] and options["table"] not in tables:
            raise CommandError(f"There is no table {options['table']!r}. Available: {', '.join(tables)}.")
        shown = [tables[options["table"]]] if options["table"] else list(tables.values())
        if options["csv"]:
            self.stdout.write("\n".join(to_csv(marked(table, has_demo=found.has_demo)) for table in shown))
        else:
            self.stdout.write("\n".join((to_latex if options["latex"] else to_text)(table) for table in shown))
