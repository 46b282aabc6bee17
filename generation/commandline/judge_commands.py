"""`manage.py run judge`: plan a judge run from the command line."""

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand

from dialogues.management.arguments import add_source_arguments, corpus_named
from generation.commandline import running
from generation.commandline.common import add_action
from generation.commandline.plan_commands import planned
from generation.judgements import judge_input
from generation.judgements.judge_plan import MAX_TOKENS, versions_left_out
from generation.plans import schema

# The name in a plan: the option's name, if it differs.
OPTIONS = {
    **{plural: name for name, plural in judge_input.SOURCES.items()},
    "judges": "judge",
    "tidy_display": "as-stored",
}
_FIELDS = (schema.BACKGROUNDS, schema.INCOMPLETE, schema.REPEATS, schema.AGAIN, schema.SEED)
_HOW = tuple(field for field in schema.PLANNED_FIELDS if field is not schema.AMBIGUOUS_POLICY)
_SAME = ("name", "versions", "rubric", *schema.names((*_FIELDS, *_HOW)))


def register(actions: Any) -> None:
    parser = add_action(actions, "judge", "plan a judge run; nothing is sent", _judge, of_run=False)
    _add_arguments(parser)
    running.add_start(parser)


def _judge(command: BaseCommand, options: dict[str, Any]) -> int:
    run = planned(judge_input.JudgePlan(data=_plan(options)), judge_input.create, OPTIONS)
    if not options["json"] and (left_out := versions_left_out(run)):
        told = f"Left out, because few backgrounds have it: {'; '.join(left_out)}."
        command.stdout.write(f"{told} Name it by --versions to have it judged.")
    return running.started_or_told(command, run, options)


def _add_arguments(parser: ArgumentParser) -> None:
    parser.add_argument("--corpus", required=True, metavar="NAME")
    parser.add_argument(
        "--judge", required=True, action="append", metavar="ENDPOINT", help="who judges; repeat it for several judges"
    )
    schema.NAME.add_option(parser, help="default: “Judge” and the name of the corpus")
    parser.add_argument(
        "--versions", nargs="+", metavar="VERSION", help="their slugs; default: those that cover many backgrounds"
    )
    add_source_arguments(parser, run=("--run", "--of-run"))
    for field in _FIELDS:
        field.add_option(parser)
    parser.add_argument("--rubric", metavar="SLUG", help="the questions; default: the first")
    parser.add_argument("--as-stored", action="store_true", help="show the text as stored, not as raters see it")
    for how in _HOW:
        how.add_option(parser, usual=MAX_TOKENS if how is schema.MAX_TOKENS else None)


def _plan(options: dict[str, Any]) -> dict[str, Any]:
    """The options as a plan for the API."""
    plan = {name: options[name] for name in _SAME if options[name] is not None}
    lists = {plural: options[f"by_{name}"] for name, plural in judge_input.SOURCES.items() if options[f"by_{name}"]}
    corpus = corpus_named(options["corpus"]).name
    return {**plan, **lists, "judges": options["judge"], "corpus": corpus, "tidy_display": not options["as_stored"]}
