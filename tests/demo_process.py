"""The demo as `make demo` starts it, and the product as `make start` does, in a process of their own."""

import os
import re
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
PATIENCE = 240  # seconds until a demo that hangs is ended


@dataclass(frozen=True)
class RunningDemo:
    process: subprocess.Popen[str]
    printed: str

    @property
    def url(self) -> str:
        return re.search(r"http://127\.0\.0\.1:\d+", self.printed)[0]

    @property
    def passwords(self) -> dict[str, str]:
        return dict(re.findall(r"(\w+)\s+password (\S+)", self.printed))


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


@contextmanager
def running_demo(folder: Path, port: int) -> Iterator[RunningDemo]:
    """Start it, wait until it says that it is ready, and stop it with Ctrl-C."""
    command = [sys.executable, "-m", "demo", "--port", str(port), "--folder", str(folder)]
    with running(command, ROOT, dict(os.environ)) as (process, printed):
        yield RunningDemo(process, printed)


@contextmanager
def running(
    command: list[str], folder: Path, environment: Mapping[str, str]
) -> Iterator[tuple["subprocess.Popen[str]", str]]:
    """Run a command in `folder` until it says that Ctrl-C stops it; gives what it printed. Then press Ctrl-C."""
    process = subprocess.Popen(
        command,
        cwd=folder,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    )
    watchdog = threading.Timer(PATIENCE, process.kill)
    watchdog.start()
    printed = ""
    try:
        for line in process.stdout:
            printed += line
            if "Ctrl-C stops" in line:
                break
        assert "Ctrl-C stops" in printed, printed
        yield process, printed
    finally:
        watchdog.cancel()
        if process.poll() is None:
            # As a terminal does: every process of the group gets it, `make` included.
            os.killpg(process.pid, signal.SIGINT)
            process.wait(30)
        process.stdout.close()
