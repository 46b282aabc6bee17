"""The demo's own settings, kept in its own folder; they are defaults for nothing else."""

import json
import os
import secrets
import sys
from dataclasses import dataclass
from pathlib import Path

from config.environment import BAD_SETTING, BASE_DIR, write_private
from config.new_secrets import fresh

FOLDER = BASE_DIR / "var" / "demo"
SECRETS_FILE = "secrets.json"
ROLES = ("rater", "researcher", "admin")


@dataclass(frozen=True)
class Demo:
    """The demo's folder, and the secrets that it made at its first start."""

    folder: Path
    environment: dict[str, str]
    passwords: dict[str, str]


def prepare(folder: Path) -> Demo:
    """Read the demo's secrets, or make them at the first start; the file is readable by its owner alone."""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    path = folder / SECRETS_FILE
    if not path.exists():
        made = {"environment": fresh(), "passwords": {role: secrets.token_urlsafe(9) for role in ROLES}}
        write_private(path, json.dumps(made, indent=1))
    kept = json.loads(path.read_text(encoding="utf-8"))
    return Demo(folder, kept["environment"], kept["passwords"])


def apply(demo: Demo) -> None:
    """Put the demo's settings into this process, for itself and for the processes it starts."""
    for name in ("DATABASE_URL", "REDIS_URL", "DEBUG"):
        os.environ.pop(name, None)  # the demo is embedded, whatever the shell points at
    os.environ.update(
        demo.environment,
        DEMO="1",
        ENV_FILE="",
        HTTPS="0",
        DATA_DIR=str(demo.folder),
        ALLOWED_HOSTS="localhost,127.0.0.1",
        ENDPOINT_ALLOWED_HOSTS="127.0.0.1",
        DJANGO_SETTINGS_MODULE="config.settings",
        PYTHONUNBUFFERED="1",
    )


def apply_or_exit(folder: Path = FOLDER) -> None:
    """Put the settings of an existing demo into this process; without one, say so and exit with code 2."""
    if not (folder / SECRETS_FILE).exists():
        sys.stderr.write("stephanie: there is no demo here yet; `make demo` makes one.\n")
        sys.exit(BAD_SETTING)
    apply(prepare(folder))
