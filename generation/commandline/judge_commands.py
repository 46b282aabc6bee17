"""`manage.py run judge`: plan a judge run from the command line."""

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand

from dialogues.management.arguments import add_source_arguments, corpus_named
from generation.api.judge_runs import JudgePlan
from generation.commandline import running
from generation.commandline.common import add_action
from generation.commandline.plan_commands import add_budgets, planned
from generation.judgements import judge_input
from generation.judgements.judge_plan import versions_left_out

# Names in a plan, where the command line has another name for the option.
OPTIONS = {
    **{plural: name for name, plural in judge_input.SOURCES.items()},
    "judges": "judge",
    "tidy_display": "as-stored",
    "use_batch": "batch",
}
_SAME = (
    "name", "versions", "backgrounds", "incomplete", "rubric", "repeats", "again", "seed", "temperature",
    "max_tokens", "budget", "token_budget", "use_batch",
)  # fmt: skip


def register(actions: Any) -> None:
    parser = add_action(actions, "judge", "plan a judge run; nothing is sent", _judge, of_run=False)
    _add_arguments(parser)
    running.add_start(parser)


def _judge(command: BaseCommand, options: dict[str, Any]) -> int:
    run = planned(JudgePlan(data=_plan(options)), judge_input.create, OPTIONS)
    if not options["json"] and (left_out := versions_left_out(run)):
        told = f"Left out, because few backgrounds have it: {'; '.join(left_out)}."
        command.stdout.write(f"{told} Name it by --versions to have it judged.")
    return running.started_or_told(command, run, options)


def _add_arguments(parser: ArgumentParser) -> None:
    parser.add_argument("--corpus", required=True, metavar="NAME")
    parser.add_argument(
        "--judge", required=True, action="append", metavar="ENDPOINT", help="who judges; repeat it for several judges"
    )
    parser.add_argument("--name", metavar="NAME", help="default: “Judge” and the name of the corpus")
    parser.add_argument(
        "--versions", nargs="+", metavar="VERSION", help="their slugs; default: those that cover many backgrounds"
    )
    add_source_arguments(parser, run=("--run", "--of-run"))
    parser.add_argument("--backgrounds", type=int, metavar="N", help="how many, drawn by the seed; default: all")
    parser.add_argument("--incomplete", action="store_true", help="also backgrounds that lack a version or writer")
    parser.add_argument("--rubric", metavar="SLUG", help="the questions; default: the first")
    parser.add_argument("--repeats", type=int, default=1, metavar="N", help="judgements of a dialogue by each judge")
    parser.add_argument("--again", action="store_true", help="ask again where the same judge has answered before")
    parser.add_argument("--as-stored", action="store_true", help="show the text as stored, not as raters see it")
    parser.add_argument("--seed", type=int, default=0, metavar="S")
    parser.add_argument("--temperature", type=float, metavar="T", help="default: the model's own")
    parser.add_argument("--max-tokens", type=int, default=2000, metavar="N", help="longest reply")
    parser.add_argument(
        "--batch", dest="use_batch", action="store_true",
        help="through the Batch API of every endpoint that offers one: cheaper, within a day",
    )  # fmt: skip
    add_budgets(parser)


def _plan(options: dict[str, Any]) -> dict[str, Any]:
    """The options as the API would be sent them."""
    plan = {name: options[name] for name in _SAME if options[name] is not None}
    lists = {plural: options[f"by_{name}"] for name, plural in judge_input.SOURCES.items() if options[f"by_{name}"]}
    corpus = corpus_named(options["corpus"]).name
    return {**plan, **lists, "judges": options["judge"], "corpus": corpus, "tidy_display": not options["as_stored"]}
