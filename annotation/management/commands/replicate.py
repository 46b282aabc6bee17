"""Compute a bundle's tables again, with the program in the bundle or with this installation's own."""

import os
import subprocess
import sys
from argparse import ArgumentParser
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any
from zipfile import BadZipFile, ZipFile

from django.core.management.base import CommandError

from annotation.bundles import check, replicate
from core import commands
from core.commands import ExitCode

# A bundle of the largest study is some hundred times smaller.
MOST_BYTES = 4 * 2**30
PASSED_ON = ("PATH", "LD_LIBRARY_PATH", "OMP_NUM_THREADS")


class Command(commands.Command):
    help = "Compute every cell of a bundle's tables again from its data, and name the cells that differ."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "bundle", type=Path, metavar="BUNDLE", help="the ZIP file, or the folder that holds its files"
        )
        parser.add_argument(
            "--own-program",
            action="store_true",
            help="compute with this installation's program; without it the program in BUNDLE runs, as you trust it to",
        )
        parser.add_argument("--json", action="store_true", help="print one JSON object")

    def handle(self, *args: Any, **options: Any) -> None:
        path: Path = options["bundle"]
        with TemporaryDirectory() as temporary:
            folder = path if path.is_dir() else _unpacked(path, Path(temporary))
            code = _run(folder, own=options["own_program"], as_json=options["json"])
        if code:
            sys.exit(code)


def _unpacked(path: Path, folder: Path) -> Path:
    try:
        with ZipFile(path) as archive:
            if sum(entry.file_size for entry in archive.infolist()) > MOST_BYTES:
                raise CommandError(f"{path} unpacks to more than 4 GB.", returncode=ExitCode.WRONG_INPUT)
            archive.extractall(folder)
    except (OSError, BadZipFile) as error:
        why = getattr(error, "strerror", None) or "it is no ZIP file"
        raise CommandError(f"{path} cannot be read: {why}.", returncode=ExitCode.WRONG_INPUT) from error
    return folder


def _run(folder: Path, *, own: bool, as_json: bool) -> int:
    """The exit code; what was found goes to stdout."""
    if own:
        return replicate.tell(folder, Path(check.__file__), as_json=as_json)
    program = folder / "replicate.py"
    if not program.is_file():
        raise CommandError(f"{folder} holds no replicate.py.", returncode=ExitCode.WRONG_INPUT)
    # Isolated, so that it imports nothing of this project, and without the secrets of its environment.
    command = [sys.executable, "-I", "-X", "utf8", str(program.resolve()), *(["--json"] if as_json else [])]
    environment = {name: os.environ[name] for name in PASSED_ON if name in os.environ}
    return subprocess.run(command, env=environment, check=False).returncode  # noqa: S603 - what the docs warn of
