"""Files kept on disk between upload and import, named by a token that only the owner's session knows."""

import hashlib
import re
import secrets
import time
from contextlib import suppress
from pathlib import Path
from typing import Any

from django.conf import settings
from django.contrib.sessions.backends.base import SessionBase
from django.core.files.uploadedfile import UploadedFile

from dialogues.models import ImportJob

KEPT_SECONDS = 24 * 3600
# Of one kind, in one session.
MOST_WAITING = 10
_TOKEN = re.compile(r"[A-Za-z0-9_-]{16,64}")


def folder() -> Path:
    path: Path = settings.DATA_DIR / "uploads"
    path.mkdir(mode=0o700, parents=True, exist_ok=True)
    return path


def keep(upload: "UploadedFile[Any]") -> tuple[str, str]:
    """Store an uploaded file and return its token and SHA-256. Also removes files older than a day."""
    clean()
    token = secrets.token_urlsafe(24)
    path = path_of(token)
    part = path.with_suffix(".part")
    digest = hashlib.sha256()
    with part.open("xb") as stream:
        for chunk in upload.chunks():
            stream.write(chunk)
            digest.update(chunk)
    part.replace(path)
    return token, digest.hexdigest()


def note(token: str, seen: str) -> None:
    """Store a preview (JSON) beside an upload."""
    _note_of(token).write_text(seen, encoding="utf-8")


def noted(token: str) -> str:
    """The preview of an upload; raises FileNotFoundError if either file was removed."""
    path_of(token).stat()
    return _note_of(token).read_text(encoding="utf-8")


def remember(session: SessionBase, kind: str, token: str, facts: dict[str, Any]) -> None:
    """Keep an upload's facts in its owner's session.

    Where it has too many of this kind, the oldest upload is removed, unless a worker imports it.
    """
    others = {one: kept for one, kept in session.get(kind, {}).items() if one != token}
    while len(others) >= MOST_WAITING:
        oldest = next(iter(others))
        if not ImportJob.objects.open().filter(token=oldest).exists():
            forget(oldest)
        del others[oldest]
    session[kind] = others | {token: facts}


def remembered(session: SessionBase, kind: str, token: str) -> dict[str, Any] | None:
    found: dict[str, Any] | None = session.get(kind, {}).get(token)
    return found


def path_of(token: str) -> Path:
    """The path of a token's file, whether or not it exists; raises ValueError for an invalid token."""
    if not _TOKEN.fullmatch(token):
        raise ValueError("not a token")
    return folder() / f"{token}.upload"


def forget(token: str) -> None:
    path_of(token).unlink(missing_ok=True)
    _note_of(token).unlink(missing_ok=True)


def _note_of(token: str) -> Path:
    return path_of(token).with_suffix(".json")


def clean() -> None:
    """Remove files that nobody imported within a day; those that a worker is to import stay."""
    oldest = time.time() - KEPT_SECONDS
    needed = set(ImportJob.objects.open().values_list("token", flat=True))
    for path in folder().iterdir():
        if path.stem in needed:
            continue
        # Another upload may remove the same files at the same time.
        with suppress(FileNotFoundError):
            if path.stat().st_mtime < oldest:
                path.unlink()
