"""The demo as `make demo` starts it, in a process of its own."""

import re
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
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
        return probe.getsockname()[1]


@contextmanager
def running_demo(folder: Path, port: int) -> Iterator[RunningDemo]:
    """Start it, wait until it says that it is ready, and stop it with Ctrl-C."""
    command = [sys.executable, "-m", "config.demo", "--port", str(port), "--folder", str(folder)]
    process = subprocess.Popen(
        command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, start_new_session=True
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
        yield RunningDemo(process, printed)
    finally:
        watchdog.cancel()
        if process.poll() is None:
            process.send_signal(signal.SIGINT)
            process.wait(30)
        process.stdout.close()
