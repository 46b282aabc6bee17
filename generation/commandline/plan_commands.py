"""`run create`, `preview`, `estimate`, `budget`, `discard`: everything before money is spent."""

from argparse import ArgumentParser, ArgumentTypeError
from collections.abc import Callable, Mapping
from decimal import Decimal, InvalidOperation
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from dialogues.models import Dialogue
from generation.api.actions import BudgetPlan
from generation.api.common import Strict
from generation.api.plans import RunPlan
from generation.api.runs import EstimateSerializer, estimate_of
from generation.commandline import running
from generation.commandline.common import DONE, add_action, found_run, print_json, tell
from generation.engine import lifecycle
from generation.models import ExampleKind, Run
from generation.plans import estimating, plan_input
from generation.plans.run_plan import PlanError
from generation.stages import ORDER
from generation.watching.progress import money

# Names in a plan, where the command line has another name for the option.
OPTIONS = {
    "writers": "writer", "splitters": "splitter", "sets": "set", "prompts": "prompt", "sample": "dialogues",
    "use_batch": "batch",
}  # fmt: skip
_SELECTION = {
    "dialogues": "sample", "search": "search", "fewest_messages": "fewest_messages",
    "most_messages": "most_messages", "without": "without", "without_writer": "without_writer",
    "with_examples": "with_examples",
}  # fmt: skip
_SAME = (
    "name", "corpus", "writers", "theme_endpoint", "splitters", "stages", "seed", "temperature", "max_tokens",
    "budget", "token_budget", "keep_share", "ambiguous_policy", "reuse_themes", "use_batch",
)  # fmt: skip


def register(actions: Any) -> None:
    create = add_action(actions, "create", "plan a run; nothing is sent", _create, of_run=False)
    _add_who(create)
    _add_which(create)
    _add_how(create)
    running.add_start(create)
    preview = add_action(actions, "preview", "the exact messages of every stage for one dialogue", _preview)
    preview.add_argument("--dialogue", metavar="KEY", help="one of the run's dialogues; default: the first")
    add_action(actions, "estimate", "calls, tokens and price, and what is there already", _estimate)
    budget = add_action(actions, "budget", "change what the run may cost; a limit that is left out is lifted", _budget)
    add_budgets(budget)
    add_action(actions, "discard", "throw a draft away; a run that has started stays", _discard)


def _add_who(parser: ArgumentParser) -> None:
    parser.add_argument("--corpus", required=True, metavar="NAME")
    parser.add_argument(
        "--writer", "--endpoint", dest="writers", action="append", required=True, metavar="ENDPOINT",
        help="who writes; repeat it to have several models write on the same backgrounds",
    )  # fmt: skip
    parser.add_argument("--theme-endpoint", metavar="ENDPOINT", help="who writes the themes; default: the first writer")
    parser.add_argument(
        "--splitter", dest="splitters", action="append", metavar="ENDPOINT",
        help="who splits further: once for all, or once a writer; default: each writer its own",
    )  # fmt: skip
    parser.add_argument("--name", metavar="NAME", help="default: the names of corpus and writers")


def _add_which(parser: ArgumentParser) -> None:
    which = parser.add_argument_group("which dialogues (default: all)")
    which.add_argument("--dialogues", type=int, metavar="N", help="how many, drawn by the seed from what fits")
    which.add_argument("--seed", type=int, metavar="S", help="default: 0")
    which.add_argument("--search", metavar="TEXT", help="only those that say this")
    which.add_argument("--fewest-messages", type=int, metavar="N")
    which.add_argument("--most-messages", type=int, metavar="N")
    which.add_argument("--without", metavar="VERSION", help="only those that lack this version, like stephanie")
    which.add_argument("--without-writer", metavar="MODEL", help="with --without: lack it from this model")
    which.add_argument(
        "--with-examples", action="store_true",
        help="also dialogues that are among the examples shown, which are otherwise left out",
    )  # fmt: skip


def _add_how(parser: ArgumentParser) -> None:
    how = parser.add_argument_group("how")
    how.add_argument("--stages", nargs="+", choices=list(ORDER))
    how.add_argument("--reuse-themes", action="store_true", help="take the themes that earlier runs wrote")
    how.add_argument(
        "--batch", dest="use_batch", action="store_true",
        help="through the Batch API of every endpoint that offers one: cheaper, within a day",
    )  # fmt: skip
    how.add_argument(
        "--set", dest="sets", action="append", type=_pair, default=[], metavar="KIND=N",
        help=f"an example set by its number; KIND is {', '.join(ExampleKind.values)}; default: "
        "the newest version that comes with the project",
    )  # fmt: skip
    how.add_argument(
        "--prompt", dest="prompts", action="append", type=_pair, default=[], metavar="STAGE=N",
        help="a prompt by its number; default: the newest",
    )  # fmt: skip
    how.add_argument("--temperature", type=float, metavar="T", help="default: the model's own")
    how.add_argument("--max-tokens", type=int, metavar="N", help="longest reply; default: 4096")
    how.add_argument("--keep-share", type=float, metavar="P", help="of γ's words that a further-split must keep; 0.8")
    how.add_argument(
        "--ambiguous", dest="ambiguous_policy", choices=Run.AmbiguousPolicy.values,
        help="calls sent but not answered; default: resend where all are free, else hold",
    )  # fmt: skip
    add_budgets(how)


def add_budgets(parser: Any) -> None:
    parser.add_argument("--budget", type=dollars, metavar="USD", help="the run pauses before it could cost more")
    parser.add_argument("--token-budget", type=int, metavar="N", help="the same in tokens read and written")


def _pair(text: str) -> tuple[str, str]:
    name, sign, number = text.partition("=")
    if not sign or not number:
        raise ArgumentTypeError(f"{text!r} is not of the form NAME=NUMBER")
    return name, number


def dollars(text: str) -> Decimal:
    try:
        return Decimal(text)
    except InvalidOperation:
        raise ArgumentTypeError(f"{text!r} is no amount of money") from None


def _create(command: BaseCommand, options: dict[str, Any]) -> int:
    run = planned(RunPlan(data=_plan(options)), plan_input.create, OPTIONS)
    return running.started_or_told(command, run, options)


def planned(plan: Strict, create: Callable[[Any], Run], names: Mapping[str, str]) -> Run:
    """The draft; CommandError says under the options' names (`names`, where they differ) what to change."""
    if not plan.is_valid():
        raise CommandError(_reasons(plan.errors, names))
    try:
        return create(plan.validated_data)
    except PlanError as error:
        raise CommandError(str(error)) from error


def _plan(options: dict[str, Any]) -> dict[str, Any]:
    """The options as the API would be sent them."""
    plan = {name: options[name] for name in _SAME}
    plan["selection"] = {name: options[option] for option, name in _SELECTION.items() if options[option] is not None}
    plan["sets"], plan["prompts"] = dict(options["sets"]), dict(options["prompts"])
    return {name: value for name, value in plan.items() if value is not None}


def _reasons(errors: Any, names: Mapping[str, str]) -> str:
    """Every complaint under the name of its option."""
    parts = []
    for field, problems in errors.items():
        if isinstance(problems, dict):
            parts.append(_reasons(problems, names))
        else:
            parts.append(f"--{names.get(field, field).replace('_', '-')}: {' '.join(map(str, problems))}")
    return " ".join(parts)


def _preview(command: BaseCommand, options: dict[str, Any]) -> int:
    run, key = found_run(options["run"]), options["dialogue"]
    dialogue = Dialogue.objects.filter(chosen_by__run=run, key=key).first() if key else None
    if key and dialogue is None:
        raise CommandError(f"Run {run.pk} has no dialogue {key!r}. Leave --dialogue out to see the first.")
    rows = estimating.preview(run, dialogue)
    if options["json"]:
        shown = [
            {"stage": row.stage, "branch": row.branch, "endpoint": str(row.endpoint), "examples": row.set_names,
             "messages": sent.messages, "parameters": sent.parameters, "prompt_tokens": sent.prompt_tokens}
            for row, sent in rows
        ]  # fmt: skip
        print_json(command, {"run": run.pk, "requests": shown})
        return DONE
    for row, sent in rows:
        examples = f" shows {'; '.join(row.set_names)}," if row.set_names else ""
        command.stdout.write(f"=== {row},{examples} about {sent.prompt_tokens:,} tokens")
        for message in sent.messages:
            command.stdout.write(f"--- {message['role']}\n{message['content']}\n")
    return DONE


def _estimate(command: BaseCommand, options: dict[str, Any]) -> int:
    run = found_run(options["run"])
    found = estimate_of(run)
    if options["json"]:
        print_json(command, {"run": run.pk, **EstimateSerializer(found).data})
        return DONE
    for row in found["rows"]:
        source = f"from {row.measured:,} answers" if row.measured else "from usual replies"
        tokens = row.prompt_tokens + row.completion_tokens
        command.stdout.write(f"{row.row}: {row.calls:,} calls, {tokens:,} tokens, {money(row.cost)} ({source})")
    for line in running.examples_shown(run):
        command.stdout.write(line)
    command.stdout.write(f"In total {found['calls']:,} calls, {found['tokens']:,} tokens, {money(found['cost'])}.")
    if found["judgements_reused"]:
        command.stdout.write(f"Not paid again: {found['judgements_reused']:,} judgements by the same judge.")
    if found["themes_reused"] or found["answered"]:
        command.stdout.write(
            f"Not paid again: {found['themes_reused']:,} themes of earlier runs, {found['answered']:,} calls answered."
        )
    return DONE


def _budget(command: BaseCommand, options: dict[str, Any]) -> int:
    run = found_run(options["run"])
    limits = BudgetPlan(data={name: options[name] for name in ("budget", "token_budget")})
    if not limits.is_valid():
        raise CommandError(_reasons(limits.errors, {}))
    lifecycle.set_budget(run, **limits.validated_data)
    tell(command, run.pk, options)
    return DONE


def _discard(command: BaseCommand, options: dict[str, Any]) -> int:
    run = found_run(options["run"])
    if not lifecycle.discard(run):
        raise CommandError("This run has started, so it stays.")
    if options["json"]:
        print_json(command, {"run": options["run"], "discarded": True})
    else:
        command.stdout.write(f"The draft {run} is gone. Nothing had been sent.")
    return DONE
