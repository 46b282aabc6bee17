"""`trial create`, `start`, `stop`, `show`, `list`: a draft set or wording on a few backgrounds."""

from argparse import ArgumentParser
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from core.commands import print_json
from dialogues.models import Corpus, Dialogue
from generation import example_sets
from generation.commandline import running
from generation.commandline.common import DONE, add_action, exit_code, found_run
from generation.models import Endpoint, ExampleKind, ExampleSet, Run, Stage, Trial
from generation.plans import estimating, schema
from generation.plans.choosing import shown_in
from generation.plans.plan_input import named
from generation.plans.run_plan import PlanError
from generation.prompts import PromptText
from generation.trials import trial_plan
from generation.trials.forms import candidates, first_backgrounds, shown_by
from generation.trials.results import Results, as_json, results_of
from generation.watching.progress import money, progress_of

FIRST_LOOKED_AT = 100  # dialogues among which the default backgrounds are looked for


def register(actions: Any) -> None:
    create = add_action(actions, "create", "plan a trial; nothing is sent", _create, of_run=False)
    _add_what(create)
    running.add_start(create)
    start = _of_trial(add_action(actions, "start", "start a trial, or continue a stopped one", _start, of_run=False))
    start.add_argument("--watch", action="store_true", help="show progress on stderr")
    start.add_argument("--background", action="store_true", help="let the workers send; return at once")
    _of_trial(
        add_action(actions, "stop", "send nothing more; replies on their way are still kept", _stop, of_run=False)
    )
    _of_trial(add_action(actions, "show", "its results, or what it will take", _show, of_run=False))
    add_action(actions, "list", "all trials, the newest first", _list, of_run=False)


def _of_trial(parser: ArgumentParser) -> ArgumentParser:
    parser.add_argument("trial", type=int, metavar="TRIAL", help="the trial's number")
    return parser


def _add_what(parser: ArgumentParser) -> None:
    what = parser.add_argument_group("what (a set, a wording or both)")
    what.add_argument("--set", type=int, metavar="N", help="an example set by its number; `run sets` lists them")
    what.add_argument(
        "--stage", choices=[str(stage) for stage in trial_plan.STAGES], help="of the wording, without --set"
    )
    what.add_argument("--user", type=Path, metavar="FILE", help="a user message with its placeholders, in UTF-8")
    what.add_argument(
        "--system", type=Path, metavar="FILE", help="a system message; default: that of the prompt in use"
    )
    which = parser.add_argument_group("on which dialogues")
    which.add_argument("--corpus", required=True, metavar="NAME")
    which.add_argument(
        "--dialogue", dest="dialogues", action="append", default=[], metavar="KEY",
        help="γ for further-split, else an original; up to five times; default: the first five "
        "that are not shown as examples",
    )  # fmt: skip
    how = parser.add_argument_group("how")
    how.add_argument("--endpoint", required=True, metavar="ENDPOINT")
    for field in (schema.SEED, *schema.ASKED_FIELDS):
        field.add_option(how)
    schema.AGAIN.add_option(how, help="ask again even if an earlier trial has the answer")


def _create(command: BaseCommand, options: dict[str, Any]) -> int:
    try:
        trial = trial_plan.create_trial(_choice(options))
    except PlanError as error:
        raise CommandError(str(error)) from error
    if options["start"]:
        return _start(command, {**options, "trial": trial.pk, "background": False})
    return _show(command, {**options, "trial": trial.pk})


def _choice(options: dict[str, Any]) -> trial_plan.TrialChoice:
    """Raises PlanError and CommandError."""
    example_set = _set(options["set"])
    if example_set is None and not options["stage"]:
        raise CommandError("Name a --set, or the --stage whose wording --user holds.")
    stage = trial_plan.STAGE_OF[ExampleKind(example_set.kind)] if example_set else Stage(options["stage"])
    corpus = named(Corpus, options["corpus"], "corpus")
    plain = schema.names((schema.SEED, schema.AGAIN, *schema.ASKED_FIELDS))
    return trial_plan.TrialChoice(
        **{name: options[name] for name in plain},
        stage=stage,
        endpoint=named(Endpoint, options["endpoint"], "endpoint"),
        dialogues=_dialogues(corpus, stage, options["dialogues"], example_set),
        example_set=example_set,
        prompt=_wording(stage, options),
    )


def _set(number: int | None) -> ExampleSet | None:
    if number is None:
        return None
    found = ExampleSet.objects.listed().filter(pk=number).first()
    if found is None:
        raise CommandError(f"There is no example set {number}; `manage.py run sets` lists them.")
    return found


def _wording(stage: Stage, options: dict[str, Any]) -> PromptText | None:
    if options["user"] is None and options["system"] is None:
        return None
    newest = next(iter(example_sets.newest_prompts([stage])), None)
    if newest is None:
        raise CommandError(
            "The prompts are not loaded; load them on the Examples page or by `manage.py example_set load`."
        )
    texts = {name: _read(options[name]) if options[name] else getattr(newest, name) for name in ("system", "user")}
    return PromptText(**texts)


def _read(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise CommandError(f"{path} cannot be read as UTF-8 text: {error}.") from error


def _dialogues(corpus: Corpus, stage: Stage, keys: Sequence[str], example_set: ExampleSet | None) -> list[Dialogue]:
    rows = candidates(corpus, stage).select_related("corpus", "origin__corpus")
    if not keys:
        shown = shown_by(stage, example_set, corpus)
        fresh = rows.exclude(pk__in=shown).exclude(origin__in=shown)
        return first_backgrounds(fresh[:FIRST_LOOKED_AT])
    found = {row.key: row for row in rows.filter(key__in=keys)}
    missing = [key for key in keys if key not in found]
    if missing:
        what = "γ" if stage == Stage.FURTHER_SPLIT else "original"
        raise CommandError(f"{corpus} has no {what} named {missing[0]!r}.")
    return list(found.values())


def _start(command: BaseCommand, options: dict[str, Any]) -> int:
    """Without --background send from here until it pauses or ends; exits like `run start`."""
    run = _found(options["trial"]).own_run
    if run is not None:
        running.begin(run, background=options["background"], watch=options["watch"])
    _show(command, options)
    return DONE if run is None or options["background"] else exit_code(progress_of(found_run(run.pk)))


def _stop(command: BaseCommand, options: dict[str, Any]) -> int:
    trial = _found(options["trial"])
    if not trial_plan.stop_trial(trial):
        raise CommandError(f"Trial {trial.pk} is not running; it is {trial.state_label.lower()}.")
    return _show(command, options)


def _show(command: BaseCommand, options: dict[str, Any]) -> int:
    trial = _found(options["trial"])
    found = results_of(trial)
    if options["json"]:
        print_json(command, as_json(found))
        return DONE
    for line in _lines(found):
        command.stdout.write(line)
    return DONE


def _lines(found: Results) -> Iterator[str]:
    trial = found.trial
    yield f"{trial} ({trial.state_label.lower()}): {found.sentence}"
    for arm in trial.arms.all():
        shown = ", ".join(map(str, arm.run_stage.example_sets.all()))
        before = ", answered before" if arm.reused else ""
        yield f"{arm.get_name_display()}: {shown} with {arm.run_stage.prompt}{before}"
    if trial.why_alone:
        yield trial.why_alone
    if trial.own_run is not None:
        yield from _of_run(trial.own_run)
    for mean in found.means:
        arms = ", ".join(f"{value} (n {n})" for value, n in mean.means)
        difference = f"difference {mean.difference} (n {mean.pairs})"
        yield f"{mean.version} {mean.label}: {mean.before} before; {arms}; {difference}"
    for row in found.rows:
        for one in (one for answer in row.answers for one in answer.written if one.failed):
            yield f"{row.subject.key}, {one.arm.get_name_display()}: {one.why} Call {one.call.pk if one.call else '–'}."


def _of_run(run: Run) -> Iterator[str]:
    """The dialogues that the run also shows as examples, and for a draft the estimate."""
    if shown := shown_in(run):
        yield f"Shown as examples, too: {', '.join(row.key for row in shown)}. A model is tested here on what it saw."
    for stage in estimating.estimate(run) if run.state == Run.State.DRAFT else ():
        tokens = stage.prompt_tokens + stage.completion_tokens
        yield f"{stage.row}: {stage.calls:,} calls, {tokens:,} tokens, {money(stage.cost)}"


def _list(command: BaseCommand, options: dict[str, Any]) -> int:
    rows = Trial.objects.with_arms()
    if options["json"]:
        told = [{"trial": row.pk, "what": row.what, "stage": row.stage, "state": row.state} for row in rows]
        print_json(command, {"trials": told})
        return DONE
    for row in rows:
        command.stdout.write(f"{row.pk:>5}  {row.state:<9} {row.what}, {row.get_stage_display()} at {row.endpoint}")
    return DONE


def _found(pk: int) -> Trial:
    trial = Trial.objects.with_arms().filter(pk=pk).first()
    if trial is None:
        raise CommandError(f"There is no trial {pk}; `manage.py trial list` shows them all.")
    return trial
