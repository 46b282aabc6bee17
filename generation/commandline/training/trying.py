"""`training run --dry-run`: what the trainer decides and refuses, with nothing left behind."""

import subprocess
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from core.commands import ExitCode
from generation.models import TrainingSet
from generation.training import directory
from generation.training.launching import CannotTrainError, refuse_unfit
from generation.training.trainer_command import FROM_CONFIGURATION, Training


def base_of(options: dict[str, Any]) -> str:
    """As a run stores it: a folder by its whole path, because the trainer works in another one."""
    if options["from_config"]:
        return f"{FROM_CONFIGURATION}{options['from_config']}"
    given = options["base"] or ""
    return str(Path(given).absolute()) if given and Path(given).is_dir() else given


def tried(command: BaseCommand, python: str, training_set: TrainingSet, options: dict[str, Any]) -> int:
    """Print what the trainer says; raises CommandError with its sentence and exit code where it refuses."""
    try:
        refuse_unfit(training_set, options["method"])
    except CannotTrainError as error:
        raise CommandError(str(error), returncode=ExitCode.WRONG_INPUT) from error
    with TemporaryDirectory() as folder:
        data, out = Path(folder) / "data", Path(folder) / "out"
        directory.write(training_set, data, targets=["parquet"])
        others = [*options["others"], "--dry-run"]
        training = Training(str(data), str(out), base_of(options), options["method"], others=others)
        done = subprocess.run(  # noqa: S603 - the command is ours, and no shell reads it
            training.command(python), cwd=settings.BASE_DIR, capture_output=True, text=True, check=False
        )
    if done.returncode:
        raise CommandError(done.stderr.strip().rpartition("\n")[2], returncode=done.returncode)
    command.stdout.write(done.stdout, ending="")
    return ExitCode.DONE
