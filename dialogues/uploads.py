"""Files that wait on disk between upload and import, named by a token that only their owner's session knows."""

import re
import secrets
import time
from contextlib import suppress
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.files.uploadedfile import UploadedFile

KEPT_SECONDS = 24 * 3600
_TOKEN = re.compile(r"[A-Za-z0-9_-]{16,64}")


def folder() -> Path:
    path: Path = settings.DATA_DIR / "uploads"
    path.mkdir(mode=0o700, parents=True, exist_ok=True)
    return path


def keep(upload: "UploadedFile[Any]") -> str:
    """Store an uploaded file and return its token; files left for a day are removed on the way."""
    clean()
    token = secrets.token_urlsafe(24)
    path = path_of(token)
    part = path.with_suffix(".part")
    with part.open("xb") as stream:
        for chunk in upload.chunks():
            stream.write(chunk)
    part.replace(path)
    return token


def path_of(token: str) -> Path:
    """Where the file of a token is, or would be; raises ValueError for what is no token."""
    if not _TOKEN.fullmatch(token):
        raise ValueError("not a token")
    return folder() / f"{token}.upload"


def forget(token: str) -> None:
    path_of(token).unlink(missing_ok=True)


def clean() -> None:
    """Remove files that nobody imported within a day."""
    oldest = time.time() - KEPT_SECONDS
    for path in folder().iterdir():
        # Another upload may be removing the same files.
        with suppress(FileNotFoundError):
            if path.stat().st_mtime < oldest:
                path.unlink()
