"""Where settings come from: the environment, then the checkout's `.env`, then the secrets that `make start` made.

An earlier source wins. The demo has its own settings: see `demo.environment`.
"""

import os
import stat
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from importlib import import_module
from pathlib import Path

from django.core.exceptions import ImproperlyConfigured
from dotenv import dotenv_values
from environs import EnvError

from config.new_secrets import fresh

BASE_DIR = Path(__file__).resolve().parent.parent
SECRETS_FILE = "secrets.env"
# What a command exits with when a setting is missing or cannot be read.
BAD_SETTING = 2


def load() -> None:
    """Read the two files into this process's environment; raises ImproperlyConfigured if ENV_FILE names no file."""
    # With an empty ENV_FILE none is read: the demo and the tests must not depend on a .env in the checkout.
    named = os.environ.get("ENV_FILE")
    if named and not Path(named).is_file():
        raise ImproperlyConfigured(f"ENV_FILE names {named}, which is not a file. Name one, or unset it to read .env.")
    if named != "":
        _read(Path(named or BASE_DIR / ".env"))
    _read(data_dir() / SECRETS_FILE)


def data_dir() -> Path:
    return Path(os.environ.get("DATA_DIR") or BASE_DIR / "var").resolve()


def keep_private(data_dir: Path, default: Path) -> None:
    """Close DATA_DIR to other accounts of the machine: folders 0700, files 0600, new ones from their first moment.

    Makes the folder, and closes what an earlier version left open in it. A folder that holds no data of the product, or
    that several accounts share, is left as it is.
    """
    os.umask(0o077)
    if not data_dir.exists():
        data_dir.mkdir(mode=0o700, parents=True)
    databases = [*data_dir.glob("stephanie.sqlite3*")]
    if (databases or data_dir == default) and _is_ours_alone(data_dir):
        for path in (data_dir, *databases, *data_dir.glob("*.log")):
            path.chmod(path.stat().st_mode & 0o700)


def _is_ours_alone(folder: Path) -> bool:
    """Whether no other account is meant to write there: /tmp has the sticky bit, another's folder another owner."""
    found = folder.stat()
    return found.st_uid == os.geteuid() and not found.st_mode & stat.S_ISVTX


def keep_secrets() -> None:
    """Make the secrets that are set nowhere, and keep them in DATA_DIR for the next start and every command."""
    missing = {name: value for name, value in fresh().items() if not os.environ.get(name)}
    if not missing:
        return
    path = data_dir() / SECRETS_FILE
    kept = path.read_text(encoding="utf-8") if path.exists() else ""
    write_private(path, kept + "".join(f"{name}={value}\n" for name, value in missing.items()))
    os.environ.update(missing)


def write_private(path: Path, text: str) -> None:
    """Write a file that only its owner may read; if writing fails, the old file stays."""
    part = path.with_name(f"{path.name}.part")
    part.unlink(missing_ok=True)
    descriptor = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        file.write(text)
    part.replace(path)


def check_or_exit() -> None:
    """Load the settings, so that a fault in them is reported before anything else happens."""
    with settings_in_words():
        import_module("config.settings")


@contextmanager
def settings_in_words() -> Iterator[None]:
    """End the process with one sentence and exit code 2 if a setting is missing or cannot be read."""
    try:
        yield
    except (ImproperlyConfigured, EnvError) as error:
        sys.stderr.write(f"stephanie: {error}\n")
        sys.exit(BAD_SETTING)


def _read(path: Path) -> None:
    if not path.is_file():
        return
    for name, value in dotenv_values(path, interpolate=False).items():
        # An empty `SECRET_KEY=` in a copied .env must not hide the next source's value.
        if value and not os.environ.get(name):
            os.environ[name] = value
