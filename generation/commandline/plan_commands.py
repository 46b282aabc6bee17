"""`run create`, `preview`, `estimate`, `budget`, `discard`: everything before money is spent."""

from argparse import ArgumentParser, ArgumentTypeError
from collections.abc import Callable, Mapping
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from core.commands import print_json
from dialogues.models import Dialogue
from generation.commandline import running
from generation.commandline.common import DONE, add_action, found_run, tell
from generation.engine import lifecycle
from generation.models import ExampleKind, Run
from generation.plans import estimating, plan_input, schema
from generation.plans.run_plan import PlanError
from generation.plans.schema import Strict
from generation.serializers import EstimateSerializer, estimate_of, previewed
from generation.stages import ORDER
from generation.watching.progress import money

# The name in a plan: the option's name, if it differs.
OPTIONS = {"writers": "writer", "splitters": "splitter", "sets": "set", "prompts": "prompt"}
_SAME = ("name", "corpus", "writers", "theme_endpoint", "splitters", "stages", *plan_input.PLAIN)


def register(actions: Any) -> None:
    create = add_action(actions, "create", "plan a run; nothing is sent", _create, of_run=False)
    _add_who(create)
    _add_which(create)
    _add_how(create)
    running.add_start(create)
    preview = add_action(actions, "preview", "the exact messages of every stage for one dialogue", _preview)
    preview.add_argument("--dialogue", metavar="KEY", help="one of the run's dialogues; default: the first")
    add_action(actions, "estimate", "calls, tokens and price, and what is reused", _estimate)
    budget = add_action(actions, "budget", "change what the run may cost; an omitted limit is lifted", _budget)
    schema.BUDGET.add_option(budget)
    schema.TOKEN_BUDGET.add_option(budget)
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
    schema.NAME.add_option(parser, help="default: the names of corpus and writers")


def _add_which(parser: ArgumentParser) -> None:
    which = parser.add_argument_group("which dialogues (default: all)")
    schema.SEED.add_option(which)
    for field in schema.SELECTION_FIELDS:
        field.add_option(which)


def _add_how(parser: ArgumentParser) -> None:
    how = parser.add_argument_group("how")
    how.add_argument("--stages", nargs="+", choices=list(ORDER))
    how.add_argument(
        "--set", dest="sets", action="append", type=_pair, default=[], metavar="KIND=N",
        help=f"an example set by its number; KIND is {', '.join(ExampleKind.values)}; default: "
        "the newest version that comes with the project",
    )  # fmt: skip
    how.add_argument(
        "--prompt", dest="prompts", action="append", type=_pair, default=[], metavar="STAGE=N",
        help="a prompt by its number; default: the newest",
    )  # fmt: skip
    for field in (schema.REUSE_THEMES, schema.KEEP_SHARE, *schema.PLANNED_FIELDS):
        field.add_option(how)


def _pair(text: str) -> tuple[str, str]:
    name, sign, number = text.partition("=")
    if not sign or not number:
        raise ArgumentTypeError(f"{text!r} is not of the form NAME=NUMBER")
    return name, number


def _create(command: BaseCommand, options: dict[str, Any]) -> int:
    run = planned(plan_input.RunPlan(data=_plan(options)), plan_input.create, OPTIONS)
    return running.started_or_told(command, run, options)


def planned(plan: Strict, create: Callable[[Any], Run], names: Mapping[str, str]) -> Run:
    """Make the draft; raises CommandError, which names the options to change (`names`: where they differ)."""
    if not plan.is_valid():
        raise CommandError(_reasons(plan.errors, names))
    try:
        return create(plan.validated_data)
    except PlanError as error:
        raise CommandError(str(error)) from error


def _plan(options: dict[str, Any]) -> dict[str, Any]:
    """The options as a plan for the API."""
    plan = {name: options[name] for name in _SAME}
    selection = schema.names(schema.SELECTION_FIELDS)
    plan["selection"] = {name: options[name] for name in selection if options[name] is not None}
    plan["sets"], plan["prompts"] = dict(options["sets"]), dict(options["prompts"])
    return {name: value for name, value in plan.items() if value is not None}


def _reasons(errors: Any, names: Mapping[str, str]) -> str:
    """Every problem under the name of its option."""
    names = {**schema.OPTION_NAMES, **names}
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
    if options["json"]:
        print_json(command, {"run": run.pk, "requests": previewed(run, dialogue)})
        return DONE
    for row, sent in estimating.preview(run, dialogue):
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
    limits = plan_input.BudgetPlan(data={name: options[name] for name in ("budget", "token_budget")})
    if not limits.is_valid():
        raise CommandError(_reasons(limits.errors, {}))
    lifecycle.set_budget(run, **limits.validated_data)
    tell(command, run.pk, options)
    return DONE


def _discard(command: BaseCommand, options: dict[str, Any]) -> int:
    run = found_run(options["run"])
    if not lifecycle.discard(run):
        raise CommandError("This run has started, so it cannot be discarded.")
    if options["json"]:
        print_json(command, {"run": options["run"], "discarded": True})
    else:
        command.stdout.write(f"The draft {run} is gone. Nothing had been sent.")
    return DONE
