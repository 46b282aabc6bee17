"""`training run`: fine-tune a model on this machine, or print how to do it on another."""

import signal
import sys
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError
from django.urls import reverse

from core.commands import ExitCode, print_json
from generation.commandline.training.common import VerbParser, add_action, found_set, found_training_run
from generation.commandline.training.trainer_screen import TrainerScreen
from generation.commandline.training.trying import base_of, tried
from generation.models import TrainingRun, TrainingSet
from generation.training import directory
from generation.training.attending import Trainer
from generation.training.directory import DirectoryError
from generation.training.environment import NoEnvironmentError, finetune_python
from generation.training.events import EventError
from generation.training.launching import CannotTrainError, create_run
from generation.training.run_progress import TrainingProgress, progress_of
from generation.training.trainer_command import Training, elsewhere

LOOK_EVERY = 1.0  # seconds
STATES = TrainingRun.State


def register(actions: Any) -> None:
    words = "fine-tune a model on a training set; options behind -- are the trainer's own"
    parser = add_action(actions, "run", words, _run, codes=ExitCode)
    assert isinstance(parser, VerbParser)
    parser.hands_on = True
    parser.set_defaults(others=[])
    parser.add_argument("set", nargs="?", metavar="SET", help="the set's number, or its name for its newest version")
    _add_what(parser)
    parser.add_argument("--out", type=Path, metavar="DIR", help="the folder for set, model and checkpoints")
    parser.add_argument(
        "--resume", type=int, metavar="RUN", help="start a waiting run, or continue one that ended early"
    )
    parser.add_argument("--check-only", type=int, metavar="RUN", help="check the model of a finished run again")
    parser.add_argument(
        "--dry-run", action="store_true", help="let the trainer decide and prove everything, and make no run"
    )
    parser.add_argument("--print-command", action="store_true", help="only print the commands for another machine")
    parser.add_argument(
        "--report-to",
        default="https://stephanie.example.org",
        metavar="URL",
        help="this server's address as that machine reaches it",
    )


def _add_what(parser: ArgumentParser) -> None:
    base = parser.add_mutually_exclusive_group()
    base.add_argument("--base", metavar="MODEL_OR_FOLDER", help="the model to tune: its name on a hub, or its folder")
    base.add_argument(
        "--from-config", metavar="tiny|1b|FILE", help="a model with random weights, made of a configuration"
    )
    parser.add_argument("--method", choices=TrainingRun.Method.values, default=TrainingRun.Method.LORA)
    parser.add_argument("--name", default="", help="default: made of base and set")
    parser.add_argument(
        "--base-licence", default="", metavar="TEXT", help="the licence of the base model, for the card"
    )


def _run(command: BaseCommand, options: dict[str, Any]) -> int:
    if not options["print_command"]:
        python = _python()
    if options["dry_run"] or "--dry-run" in options["others"]:
        return tried(command, python, _named_set(options), options)
    run = _wanted(options)
    if options["print_command"]:
        return _print_commands(command, run, options)
    out = _folder(run, options)
    data = _data(run, out)
    training = Training(
        str(data),
        str(out),
        run.base,
        run.method,
        resume=_was_begun(run, out),
        check_only=options["check_only"] is not None,
        others=options["others"],
    )
    trainer = Trainer(run, training.command(python), out)
    _look_after(trainer, TrainerScreen(sys.stderr))
    return _told(command, trainer, options)


def _python() -> str:
    try:
        return finetune_python("Training")
    except NoEnvironmentError as error:
        raise CommandError(str(error)) from error


def _wanted(options: dict[str, Any]) -> TrainingRun:
    """The run to continue, or a new one; raises CommandError."""
    if options["check_only"] is not None:
        return _finished(options["check_only"])
    if options["resume"] is not None:
        return _resumed(options["resume"])
    try:
        run, _ = create_run(
            training_set=_named_set(options),
            base=base_of(options),
            method=options["method"],
            name=options["name"],
            base_licence=options["base_licence"],
            by=None,
        )
    except CannotTrainError as error:
        raise CommandError(str(error), returncode=2) from error
    return run


def _named_set(options: dict[str, Any]) -> TrainingSet:
    """The set to train a model on, which must be named, too; raises CommandError."""
    if not options["set"] or not base_of(options):
        raise CommandError("Name a training set and --base MODEL_OR_FOLDER, or --resume RUN.", returncode=2)
    return found_set(options["set"])


def _finished(pk: int) -> TrainingRun:
    run = found_training_run(pk)
    if run.state != STATES.FINISHED:
        raise CommandError(f"Training run {pk} has not finished, so there is no model to check.")
    if not run.out:
        raise CommandError(f"Training run {pk} was trained on another machine. Check it there, with --check-only.")
    return run


def _resumed(pk: int) -> TrainingRun:
    run = found_training_run(pk)
    if run.state == STATES.FINISHED:
        why = f"Training run {pk} has finished. Start a new one, or check its model again with --check-only {pk}."
        raise CommandError(why)
    if run.told_at and not run.out:
        raise CommandError(f"Training run {pk} was trained on another machine. Continue it there, with --resume.")
    if run.is_attended and not progress_of(run).is_silent:
        raise CommandError(f"Another command looks after training run {pk}. Stop it first.")
    return run


def _folder(run: TrainingRun, options: dict[str, Any]) -> Path:
    given: Path | None = options["out"]
    if given is not None:
        return given.absolute()
    return Path(run.out) if run.out else settings.DATA_DIR / "training" / f"run-{run.pk}"


def _data(run: TrainingRun, out: Path) -> Path:
    """The folder of the exported set, written unless it is there; raises CommandError."""
    data = out / "data"
    if not data.exists():
        try:
            out.mkdir(parents=True, exist_ok=True)
            directory.write(run.training_set, data)
        except (DirectoryError, OSError) as error:
            raise CommandError(str(error)) from error
    return data


def _was_begun(run: TrainingRun, out: Path) -> bool:
    """Whether the trainer has written down what it was told, with which it can go on."""
    return run.state != STATES.WAITING and (out / "choices.json").exists()


def _look_after(trainer: Trainer, screen: TrainerScreen) -> None:
    """Until the trainer ends. Ctrl-C and the page's button stop it with a checkpoint; a second Ctrl-C kills it."""
    asked = 0

    def interrupted(*_: Any) -> None:
        nonlocal asked
        asked += 1
        if asked == 1:
            screen.say("Stopping with a checkpoint; once more to end at once.")
            trainer.stop()
        else:
            trainer.kill()

    before = {name: signal.signal(name, interrupted) for name in (signal.SIGINT, signal.SIGTERM)}
    try:
        while trainer.is_at_work:
            trainer.wait(LOOK_EVERY)
            _store(trainer, screen)
            if not asked and trainer.is_asked_to_stop():
                interrupted()
        # It may have ended before it was looked at.
        _store(trainer, screen)
    finally:
        for name, act in before.items():
            signal.signal(name, act)
        trainer.end()


def _store(trainer: Trainer, screen: TrainerScreen) -> None:
    try:
        trainer.store_news()
    except EventError as error:
        trainer.stop()
        raise CommandError(f"The trainer reports what cannot be stored: {error}.") from error
    trainer.run.refresh_from_db()
    screen.show(progress_of(trainer.run))


def _told(command: BaseCommand, trainer: Trainer, options: dict[str, Any]) -> int:
    """Say how it ended; raises CommandError where it failed."""
    run = trainer.run
    progress = progress_of(run)
    if options["json"]:
        print_json(command, progress.as_json())
    if run.state == STATES.FAILED or trainer.has_failed:
        raise CommandError(run.problem or trainer.last_words())
    if options["check_only"] is not None:
        return _told_of_check(command, trainer)
    if not options["json"]:
        command.stdout.write(_ending(progress))
    return ExitCode.DONE if run.state == STATES.FINISHED else ExitCode.STOPPED


def _told_of_check(command: BaseCommand, trainer: Trainer) -> int:
    where = f"The check is on the page of training run {trainer.run.pk}."
    command.stderr.write("The check was stopped." if trainer.was_stopped else where)
    return ExitCode.STOPPED if trainer.was_stopped else ExitCode.DONE


def _ending(progress: TrainingProgress) -> str:
    run = progress.run
    if run.state == STATES.FINISHED:
        return f"Training run {run.pk} has finished. {progress.sentence}. The model is in {run.folder}."
    return f"Training run {run.pk} is stopped. Go on with: python manage.py training run --resume {run.pk}"


def _print_commands(command: BaseCommand, run: TrainingRun, options: dict[str, Any]) -> int:
    report = options["report_to"].rstrip("/") + reverse("api:training_run_events", args=[run.pk])
    set_name = str(run.training_set_id)
    steps = elsewhere(
        Training(f"set-{set_name}", f"run-{run.pk}", run.base, run.method, others=options["others"]),
        set_name=set_name,
        report_url=report,
    )
    if options["json"]:
        print_json(command, {"run": run.pk, "steps": [{"words": one.words, "command": one.command} for one in steps]})
        return ExitCode.DONE
    for one in steps:
        command.stdout.write(f"# {one.words}\n{one.command}\n")
    command.stdout.write(
        f"# Afterwards, if it could not report:\npython manage.py training upload {run.pk} events.jsonl"
    )
    return ExitCode.DONE
