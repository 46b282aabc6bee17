"""`training export` and `training push`: a set as a folder, as a ZIP file, or on a hub."""

import getpass
import os
import sys
import tempfile
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.template.defaultfilters import filesizeformat

from core.commands import ExitCode, print_json
from dialogues.audit import AuditVerb
from dialogues.models import AuditEvent
from generation.commandline.training.common import add_action, add_set, found_set
from generation.models import TrainingSet
from generation.training import directory, hub
from generation.training.directory import DirectoryError
from generation.training.export_jobs import stem_of
from generation.training.hub import HubError
from generation.training.manifest import Manifest
from generation.training.targets.registry import NAMES, UnknownTargetError
from generation.training.zipped import zip_folder


def register(actions: Any) -> None:
    export = add_action(actions, "export", "write a set for other programs", _export)
    add_set(export)
    export.add_argument("--output", type=Path, required=True, metavar="DIR", help="a new folder; with --zip a file")
    export.add_argument("--target", action="append", choices=NAMES, help="only this form; repeatable; default: all")
    export.add_argument("--zip", action="store_true", help="one ZIP file instead of a folder")
    export.add_argument("--force", action="store_true", help="replace an earlier export there")
    push = add_action(actions, "push", "upload a set to a hub with your own token (HF_TOKEN)", _push)
    add_set(push)
    push.add_argument("--repo", required=True, metavar="OWNER/NAME", help="the data set's name on the hub")
    push.add_argument("--public", action="store_true", help="let everybody see it; default: private")
    push.add_argument("--yes", action="store_true", help="do not ask")


def _export(command: BaseCommand, options: dict[str, Any]) -> int:
    training_set = found_set(options["set"])
    path: Path = options["output"].absolute()
    if notice := training_set.corpus.privacy_notice:
        command.stderr.write(notice)
    try:
        made = _zipped(training_set, path, options) if options["zip"] else _folder(training_set, path, options)
    except UnknownTargetError as error:
        raise CommandError(str(error), returncode=ExitCode.WRONG_INPUT) from error
    except DirectoryError as error:
        raise CommandError(str(error)) from error
    if options["json"]:
        print_json(command, {"set": training_set.pk, "output": str(path), **_facts(made)})
    else:
        command.stdout.write(f"{_words(made)} written to {path}.")
    return ExitCode.DONE


def _folder(training_set: TrainingSet, path: Path, options: dict[str, Any]) -> Manifest:
    return directory.write(training_set, path, targets=options["target"] or (), replace=options["force"])


def _zipped(training_set: TrainingSet, path: Path, options: dict[str, Any]) -> Manifest:
    if path.is_dir() or (path.exists() and not options["force"]):
        raise CommandError(f"{path} exists. Name another file, or add --force to replace it.")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=path.parent, prefix=".") as place:
            whole = Path(place) / "set"
            made = directory.write(training_set, whole, targets=options["target"] or ())
            zip_folder(whole, path, name=stem_of(training_set))
    except OSError as error:
        why = f"{path} cannot be written: {error.strerror}. Name a folder that you may write to."
        raise CommandError(why) from error
    return made


def _push(command: BaseCommand, options: dict[str, Any]) -> int:
    training_set, repo, public = found_set(options["set"]), options["repo"], options["public"]
    try:
        hub.check_repo(repo)
        hub.refuse_without_consent(training_set.corpus)
        hub.hub_python()
        with tempfile.TemporaryDirectory() as place:
            made = directory.write(training_set, Path(place) / "set")
            for notice in made.notices:
                command.stderr.write(notice)
            _ask(command, f"{_words(made)}, {'for everybody to see' if public else 'private'}, to {repo}", options)
            address = hub.push(Path(place) / "set", repo, token=_token(), public=public)
    except (DirectoryError, HubError) as error:
        raise CommandError(str(error)) from error
    AuditEvent.record(None, AuditVerb.TRAINING_SET_PUSHED, training_set, repo=repo, public=public)
    if options["json"]:
        print_json(command, {"set": training_set.pk, "address": address, **_facts(made)})
    else:
        command.stdout.write(f"Uploaded to {address}.")
    return ExitCode.DONE


def _ask(command: BaseCommand, what: str, options: dict[str, Any]) -> None:
    """Show what goes out; raises CommandError unless somebody says yes."""
    command.stderr.write(f"This uploads {what}.")
    if options["yes"]:
        return
    if not sys.stdin.isatty():
        raise CommandError("Nothing was uploaded: nobody is here to ask. Add --yes to upload it.")
    if input("Upload it? [y/N] ").strip().lower() not in ("y", "yes"):
        raise CommandError("Nothing was uploaded.")


def _token() -> str:
    """The person's own; raises CommandError."""
    token = os.environ.get("HF_TOKEN", "").strip()
    if not token and sys.stdin.isatty():
        token = getpass.getpass("Token of the hub, with the right to write: ").strip()
    if not token:
        raise CommandError("The hub wants a token. Make one in its settings, with the right to write, as HF_TOKEN.")
    return token


def _words(made: Manifest) -> str:
    size = filesizeformat(sum(file.bytes for file in made.files.values())).replace("\xa0", " ")
    return f"{sum(made.examples.values()):,} examples of {made.title} in {len(made.files) + 1} files ({size})"


def _facts(made: Manifest) -> dict[str, Any]:
    files = {path: file.sha256 for path, file in made.files.items()}
    return {"sha256": made.sha256, "examples": dict(made.examples), "labels": dict(made.labels), "files": files}
