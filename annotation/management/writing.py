"""How commands write a large file: line by line, with progress, and never half of it."""

import sys
from collections.abc import Iterable
from pathlib import Path
from tempfile import NamedTemporaryFile

from django.core.management.base import CommandError
from tqdm import tqdm


def write_lines(path: Path, lines: Iterable[str], *, unit: str, force: bool, head: str = "") -> int:
    """Write `head` and `lines` to a new file, replacing an old one only with `force`; returns the number of lines.

    The file is written beside `path` and moved into place when it is complete. Raises CommandError.
    """
    if path.exists() and not force:
        raise CommandError(f"{path} exists. Name another file, or add --force to replace it.")
    try:
        return _write(path, tqdm(lines, unit=f" {unit}", disable=None, file=sys.stderr), head)
    except OSError as error:
        why = f"{path} cannot be written: {error.strerror}. Name a folder that you may write to."
        raise CommandError(why) from error


def _write(path: Path, lines: Iterable[str], head: str) -> int:
    count = 0
    with NamedTemporaryFile("w", dir=path.parent, prefix=".", newline="", encoding="utf-8", delete=False) as file:
        try:
            file.write(head)
            for line in lines:
                count += 1
                file.write(line)
            file.close()
            Path(file.name).replace(path)
        finally:
            Path(file.name).unlink(missing_ok=True)
    return count
