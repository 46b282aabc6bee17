"""`run retry`, `decide`, `reread`, `cancel-batch`: what to do about calls that failed or were not answered."""

import json
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from core.commands import print_json
from core.numbers import count_in_words
from generation.batching.rounds import CannotCancelError, cancel_batch
from generation.commandline.common import DONE, add_action, found_run, tell
from generation.commandline.running import wake
from generation.engine import rereading, retrying
from generation.models import BatchJob, Run, Stage
from generation.plans import plan_input
from generation.plans.plan_input import EditsPlan
from generation.plans.run_plan import PlanError
from generation.watching.causes import said


def register(actions: Any) -> None:
    retry = add_action(actions, "retry", "try failed calls again; old replies stay", _retry)
    retry.add_argument("--cause", default="", metavar="CAUSE", help="only those, like provider or truncated")
    retry.add_argument(
        "--edit", type=Path, metavar="FILE",
        help='JSON with what stages show from now on, like {"pair": {"prompt": {"system": "…", "user": "…"}, '
        '"sets": {"single_step": 3}}}; `run prompts` has the current texts',
    )  # fmt: skip
    _add_calls(retry)
    decide = add_action(actions, "decide", "what to do with calls that were sent but not answered", _decide)
    what = decide.add_mutually_exclusive_group(required=True)
    what.add_argument("--resend", action="store_true", help="send them again; they may be paid for twice")
    what.add_argument("--give-up", action="store_true", help="let them count as failed")
    _add_calls(decide)
    words = "read stored replies again at no cost; says what changes"
    reread = add_action(actions, "reread", words, _reread, of_run=False)
    reread.add_argument("run", type=int, nargs="?", metavar="RUN", help="the run's number")
    reread.add_argument("--all", action="store_true", help="every run that has started, to find those read wrongly")
    reread.add_argument("--keep-share", type=float, metavar="P", help="of γ's words to keep (0 to 1), from now on")
    reread.add_argument("--dry-run", action="store_true", help="only say what would change")
    _add_calls(reread)
    cancel = add_action(actions, "cancel-batch", "ask the provider to end a batch of a paused run", _cancel_batch)
    cancel.add_argument("batch", type=int, metavar="BATCH", help="its number, as `run status --json` has it")


def _add_calls(parser: ArgumentParser) -> None:
    parser.add_argument(
        "--call", dest="calls", type=int, action="append", metavar="N", help="only this call; repeat it for more"
    )


def _retry(command: BaseCommand, options: dict[str, Any]) -> int:
    run = found_run(options["run"])
    try:
        count = retrying.retry(run, cause=options["cause"], calls=options["calls"], edits=_edits(options["edit"]))
    except (PlanError, retrying.EditError) as error:
        raise CommandError(str(error)) from error
    return _told(command, run.pk, options, count, "sent again")


def _edits(file: Path | None) -> dict[Stage, retrying.Edit]:
    """What the file says about each stage; raises CommandError, PlanError."""
    if file is None:
        return {}
    try:
        plan = EditsPlan(data=json.loads(file.read_text(encoding="utf-8")))
    except OSError as error:
        raise CommandError(f"{file} cannot be read: {error.strerror}.") from error
    except ValueError as error:
        raise CommandError(f"{file} is not JSON: {error}.") from error
    if not plan.is_valid():
        raise CommandError(f"{file}: {json.dumps(plan.errors, ensure_ascii=False)}")
    return plan_input.edits_of(plan.validated_data)


def _reread(command: BaseCommand, options: dict[str, Any]) -> int:
    if options["all"] == (options["run"] is not None):
        raise CommandError("Name one run, or pass --all.")
    if options["all"]:
        return _reread_all(command, options)
    run = found_run(options["run"])
    count, found = _read_again(command, run, options)
    changes = {"changes": found.as_json(), "dry_run": options["dry_run"]}
    if not options["dry_run"]:
        return _told(command, run.pk, options, count, "read again", **changes)
    if not options["json"]:
        command.stdout.write(f"{in_words(count)} would change. Nothing was changed.")
    tell(command, run.pk, options, calls=count, **changes)
    return DONE


def _reread_all(command: BaseCommand, options: dict[str, Any]) -> int:
    """Every run that has started; runs without a change are not listed."""
    if options["calls"]:
        raise CommandError("--call names calls of one run; leave --all out.")
    rows: list[dict[str, Any]] = []
    for run in Run.objects.with_stages().exclude(state=Run.State.DRAFT).order_by("pk"):
        count, found = _read_again(command, run, options)
        if found.changes:
            rows.append({"run": run.pk, "name": run.name, "calls": count, "changes": found.as_json()})
            if not options["dry_run"]:
                wake(run.pk)
    if options["json"]:
        print_json(command, {"runs": rows, "dry_run": options["dry_run"]})
    else:
        total = in_words(sum(row["calls"] for row in rows))
        ending = "would change. Nothing was changed." if options["dry_run"] else "read again."
        command.stdout.write(f"{total} {ending}")
    return DONE


def _read_again(command: BaseCommand, run: Run, options: dict[str, Any]) -> tuple[int, rereading.Review]:
    """How many calls of a run change, and how; prints a line for each kind of change."""
    asked = {"keep_share": options["keep_share"], "calls": options["calls"]}
    try:
        found = rereading.review(run, **asked)
        count = len(found.made) if options["dry_run"] else rereading.reread(run, **asked)
    except ValueError as error:
        raise CommandError(f"--keep-share: {error}") from error
    for stage, before, after, held, n in () if options["json"] else found.counts:
        kept = " (kept: in use since)" if held else ""
        words = f"Run {run.pk}, {stage.label}: {said(before)} → {said(after, before)}: {n:,}{kept}"
        command.stdout.write(words)
    return count, found


def _decide(command: BaseCommand, options: dict[str, Any]) -> int:
    run = found_run(options["run"])
    count = retrying.decide(run, resend=options["resend"], calls=options["calls"])
    return _told(command, run.pk, options, count, "sent again" if options["resend"] else "given up")


def _cancel_batch(command: BaseCommand, options: dict[str, Any]) -> int:
    run, pk = found_run(options["run"]), options["batch"]
    job = BatchJob.objects.select_related("run_stage__endpoint").filter(pk=pk, run_stage__run=run).first()
    if job is None:
        raise CommandError(f"Run {run.pk} has no batch {pk}; `manage.py run status {run.pk} --json` lists them.")
    try:
        cancel_batch(run, job)
    except CannotCancelError as error:
        raise CommandError(str(error)) from error
    tell(command, run.pk, options)
    return DONE


def _told(command: BaseCommand, run_pk: int, options: dict[str, Any], count: int, what: str, **more: Any) -> int:
    wake(run_pk)
    if not options["json"]:
        command.stdout.write(f"{in_words(count)} {what}.")
    tell(command, run_pk, options, calls=count, **more)
    return DONE


def in_words(count: int) -> str:
    return count_in_words(count, "call")
