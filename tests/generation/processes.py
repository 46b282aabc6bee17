"""Worker processes beside a test, on its database."""

import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from django.conf import settings

from generation.models import Run
from tests.browser.server import database_url

HERE = Path(settings.BASE_DIR)
PYTHON = sys.executable


def environment(data_dir: Path) -> dict[str, str]:
    """For a process that shares the test's database and has a broker folder of its own."""
    return {**os.environ, "DATABASE_URL": database_url(), "DATA_DIR": str(data_dir)}


@contextmanager
def process(arguments: list[str], data_dir: Path) -> Iterator[subprocess.Popen[bytes]]:
    """A process in a group of its own, killed with all its children at the end."""
    log = data_dir / "process.log"
    with log.open("ab") as output:
        started_process = subprocess.Popen(
            [PYTHON, *arguments], cwd=HERE, env=environment(data_dir), stdout=output, stderr=output,
            start_new_session=True,
        )  # fmt: skip
    try:
        yield started_process
    except TimeoutError as error:
        error.add_note(log.read_text()[-3000:])
        raise
    finally:
        with suppress(ProcessLookupError):
            os.killpg(started_process.pid, signal.SIGKILL)
        started_process.wait(10)


def finished(run: Run) -> Callable[[], bool]:
    return lambda: Run.objects.get(pk=run.pk).state == Run.State.FINISHED
