"""`training runs`, `upload`, `card`, `register`: training runs, and what becomes of them."""

from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from core.commands import ExitCode, print_json, write_whole
from generation.commandline.training.common import add_action, add_run, found_training_run
from generation.models import TrainingRun
from generation.training import registering
from generation.training.describing import card_of
from generation.training.events import EventError, read_events
from generation.training.registering import CannotRegisterError, tuned_of
from generation.training.reporting import record
from generation.training.run_progress import progress_of
from generation.training.serving import servers


def register(actions: Any) -> None:
    add_action(actions, "runs", "list the training runs", _list)
    upload = add_action(actions, "upload", "store the log of a trainer that worked on another machine", _upload)
    add_run(upload)
    upload.add_argument("file", type=Path, metavar="EVENTS.JSONL", help="the log in the trainer's folder")
    card = add_action(actions, "card", "write the model card of a training run", _card)
    add_run(card)
    card.add_argument("--output", type=Path, metavar="FILE", help="default: standard output")
    card.add_argument("--force", action="store_true", help="replace the file if it exists")
    endpoint = add_action(actions, "register", "make the tuned model, once it is served, an endpoint", _register)
    add_run(endpoint)
    endpoint.add_argument("--base-url", required=True, metavar="URL", help="where it answers, like http://…/v1")
    endpoint.add_argument(
        "--model", metavar="NAME", help="the model's name there; default: as the run page's commands name it"
    )
    endpoint.add_argument("--name", default="", help="what the endpoint is called here; default: the run's name")


def _list(command: BaseCommand, options: dict[str, Any]) -> int:
    found = [progress_of(run) for run in TrainingRun.objects.select_related("training_set")]
    if options["json"]:
        print_json(command, {"runs": [progress.as_json() for progress in found]})
        return ExitCode.DONE
    for progress in found:
        run = progress.run
        command.stdout.write(f"{run.pk:>5}  {run.state:<9} {run}: {progress.sentence}")
    return ExitCode.DONE


def _upload(command: BaseCommand, options: dict[str, Any]) -> int:
    run = found_training_run(options["run"])
    try:
        with options["file"].open(encoding="utf-8", newline="\n") as file:
            stored = record(run, read_events(file))
    except OSError as error:
        raise CommandError(f"{options['file']} cannot be read: {error.strerror}.", returncode=2) from error
    except (EventError, UnicodeDecodeError) as error:
        raise CommandError(f"{options['file']} is no log of a trainer: {error}.", returncode=2) from error
    progress = progress_of(found_training_run(run.pk))
    if options["json"]:
        print_json(command, {**progress.as_json(), "stored": stored})
    else:
        command.stdout.write(f"{stored:,} events stored. {progress.sentence}.")
    return ExitCode.DONE


def _card(command: BaseCommand, options: dict[str, Any]) -> int:
    text, path = card_of(found_training_run(options["run"])), options["output"]
    if path:
        write_whole(path, [text], replace=options["force"])
    if options["json"]:
        print_json(command, {"card": str(path) if path else text})
    else:
        command.stdout.write(f"{path} is written." if path else text)
    return ExitCode.DONE


def _register(command: BaseCommand, options: dict[str, Any]) -> int:
    run = found_training_run(options["run"])
    model = options["model"] or servers(tuned_of(run))[0].model
    try:
        endpoint, is_new = registering.register(run, address=options["base_url"], model=model, name=options["name"])
    except CannotRegisterError as error:
        raise CommandError(str(error)) from error
    if options["json"]:
        print_json(command, {"endpoint": endpoint.pk, "name": endpoint.name, "new": is_new})
        return ExitCode.DONE
    said = "is registered" if is_new else "was registered before"
    command.stdout.write(f"{endpoint.name} {said}. Check it: python manage.py endpoint check {endpoint.name!r}")
    return ExitCode.DONE
