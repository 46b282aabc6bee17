"""The demo's own settings, kept in its own folder: nothing of it is a default for anything else."""

import json
import os
import secrets
from dataclasses import dataclass
from pathlib import Path

from config.new_secrets import fresh

ROLES = ("rater", "researcher", "admin")


@dataclass(frozen=True)
class Demo:
    """Where the demo lives, and what it made up for itself at its first start."""

    folder: Path
    environment: dict[str, str]
    passwords: dict[str, str]


def prepare(folder: Path) -> Demo:
    """Read the demo's secrets, or make them at the first start; the file is readable by its owner alone."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / "secrets.json"
    if not path.exists():
        made = {"environment": fresh(), "passwords": {role: secrets.token_urlsafe(9) for role in ROLES}}
        part = path.with_suffix(".part")
        part.unlink(missing_ok=True)
        descriptor = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            json.dump(made, file, indent=1)
        part.replace(path)
    kept = json.loads(path.read_text(encoding="utf-8"))
    return Demo(folder, kept["environment"], kept["passwords"])


def apply(demo: Demo) -> None:
    """Put the demo's settings into this process, for itself and for the processes it starts."""
    for name in ("DATABASE_URL", "REDIS_URL", "DEBUG"):
        os.environ.pop(name, None)  # the demo is embedded, whatever the shell points at
    os.environ.update(
        demo.environment,
        DEMO="1",
        HTTPS="0",
        DATA_DIR=str(demo.folder),
        ALLOWED_HOSTS="localhost,127.0.0.1",
        ENDPOINT_ALLOWED_HOSTS="127.0.0.1",
        DJANGO_SETTINGS_MODULE="config.settings",
        PYTHONUNBUFFERED="1",
    )
