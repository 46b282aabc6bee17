"""`run quality` and `run compare`: how good what models wrote is, in figures."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError

from core.tables import to_text
from generation.commandline.common import DONE, add_action, found_run, print_json
from generation.results.run_quality import quality_of
from generation.results.run_quality_json import quality_json
from generation.results.run_quality_tables import comparison_tables, quality_tables


def register(actions: Any) -> None:
    add_action(actions, "quality", "outcomes, lengths, turns and content kept, beside the paper's figures", _quality)
    compare = add_action(actions, "compare", "the writers of one or several runs side by side", _compare, of_run=False)
    compare.add_argument("runs", type=int, nargs="+", metavar="RUN", help="the runs' numbers")
    compare.add_argument("--shared-only", action="store_true", help="only backgrounds that every writer has written on")


def _quality(command: BaseCommand, options: dict[str, Any]) -> int:
    quality = quality_of([found_run(options["run"])])
    if options["json"]:
        print_json(command, {"run": options["run"], **quality_json(quality)})
        return DONE
    for table in quality_tables(quality).values():
        command.stdout.write(to_text(table))
    return DONE


def _compare(command: BaseCommand, options: dict[str, Any]) -> int:
    runs = [found_run(pk) for pk in dict.fromkeys(options["runs"])]
    if len({run.corpus_id for run in runs}) > 1:
        raise CommandError("These runs are of different corpora. Choose runs of one.")
    quality = quality_of(runs, shared_only=options["shared_only"])
    if options["json"]:
        print_json(command, {"runs": [run.pk for run in runs], **quality_json(quality)})
        return DONE
    for table in comparison_tables(quality).values():
        command.stdout.write(to_text(table))
    return DONE
