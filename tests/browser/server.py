"""The product as it is served: uvicorn in its own process, on the database of the tests."""

import fcntl
import os
import shutil
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from django.conf import settings
from django.db import connection

from tests.database import RUN
from tests.demo_process import free_port
from tests.waiting import until

ROOT = Path(__file__).resolve().parents[2]


@dataclass(frozen=True)
class Server:
    url: str
    log: Path
    pid: int


@contextmanager
def running_server(
    port: int | None = None,
    *,
    options: Sequence[str] = ("--no-access-log",),
    before: Sequence[str] = (),
    **settings_of_its_own: str,
) -> Iterator[Server]:
    """Serve with production's settings (DEBUG off, hashed static files) until the block ends; on a free port, or one
    that a server before this one had. `options` are uvicorn's; `before` is a command that becomes the server."""
    environment = os.environ | {"DEBUG": "0", "DATABASE_URL": database_url()}
    collect_static_files()
    port = port or free_port()
    log = Path(settings.DATA_DIR) / "server.log"
    command = [*before, sys.executable, "-m", "uvicorn", "config.asgi:application", "--port", str(port), *options]
    with log.open("ab") as sink:
        process = subprocess.Popen(command, cwd=ROOT, env=environment | settings_of_its_own, stdout=sink, stderr=sink)
    try:
        wait_until_up(f"http://127.0.0.1:{port}/login/", process, log)
        yield Server(f"http://127.0.0.1:{port}", log, process.pid)
    finally:
        process.terminate()
        try:
            process.wait(timeout=10)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


@cache
def collect_static_files() -> None:
    """Once a run, and copied into each process's own folder: no test changes one."""
    own, collected = Path(settings.STATIC_ROOT), RUN / "collected"
    with (RUN / "collecting").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not collected.exists():
            command = [sys.executable, "manage.py", "collectstatic", "--noinput", "-v0"]
            subprocess.run(command, cwd=ROOT, env=os.environ | {"DEBUG": "0"}, check=True)
            shutil.copytree(own, collected)
            return
    shutil.copytree(collected, own, dirs_exist_ok=True)


def database_url() -> str:
    """The test database's address, in the form that settings read."""
    database = connection.settings_dict
    if connection.vendor == "sqlite":
        return f"sqlite:///{database['NAME']}"
    credentials = f"{database['USER']}:{database['PASSWORD']}" if database["PASSWORD"] else database["USER"]
    return f"postgres://{credentials}@{database['HOST']}:{database['PORT'] or 5432}/{database['NAME']}"


def wait_until_up(url: str, process: subprocess.Popen[bytes], log: Path) -> None:
    try:
        until(lambda: _answers(url) or process.poll() is not None, "the server comes up", pause=0.1)
    except TimeoutError as error:
        error.add_note(log.read_text()[-4000:])
        raise
    if process.poll() is not None:
        raise RuntimeError(f"the server did not come up:\n{log.read_text()[-4000:]}")


def _answers(url: str) -> bool:
    try:
        with urllib.request.urlopen(url, timeout=5):
            return True
    except (urllib.error.URLError, ConnectionError, TimeoutError):
        return False
