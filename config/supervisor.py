"""Start child processes together, and stop them together whichever ends first."""

import contextlib
import os
import signal
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from types import FrameType, TracebackType
from typing import Self

GRACE_SECONDS = 8.0


class StopRequest(KeyboardInterrupt):
    """Ctrl-C or a signal to end. A KeyboardInterrupt, so that no event loop or `except Exception` swallows it."""


class Supervisor:
    """A group of named processes, each the leader of its own process group so that its children stop with it."""

    def __init__(self, log_folder: Path) -> None:
        self._log_folder = log_folder
        self._processes: dict[str, subprocess.Popen[bytes]] = {}

    def __enter__(self) -> Self:
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            signal.signal(number, _raise_request)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def start(self, name: str, command: list[str]) -> None:
        """Start one process; its output goes to `<name>.log`."""
        with (self._log_folder / f"{name}.log").open("ab") as log:
            self._processes[name] = subprocess.Popen(  # noqa: S603 our own fixed command lines
                command, stdin=subprocess.DEVNULL, stdout=log, stderr=subprocess.STDOUT, start_new_session=True
            )

    def ended(self) -> str | None:
        """The name of a process that has ended by itself, or None."""
        return next((name for name, process in self._processes.items() if process.poll() is not None), None)

    def wait(self) -> str:
        """Block until a process ends by itself; returns its name."""
        while (name := self.ended()) is None:
            time.sleep(0.5)
        return name

    def stop(self) -> None:
        """End every process group: politely, then after `GRACE_SECONDS` by force."""
        with _signals_ignored():
            for process in self._processes.values():
                _signal_group(process, signal.SIGTERM)
            deadline = time.monotonic() + GRACE_SECONDS
            for process in self._processes.values():
                with contextlib.suppress(subprocess.TimeoutExpired):
                    process.wait(max(0.0, deadline - time.monotonic()))
            for process in self._processes.values():
                _signal_group(process, signal.SIGKILL)
                process.wait()
            self._processes.clear()


def _raise_request(number: int, frame: FrameType | None) -> None:
    raise StopRequest


@contextlib.contextmanager
def _signals_ignored() -> Iterator[None]:
    """Keep a second Ctrl-C from leaving half of the processes running."""
    kept = {number: signal.signal(number, signal.SIG_IGN) for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)}
    try:
        yield
    finally:
        for number, handler in kept.items():
            signal.signal(number, handler)


def _signal_group(process: subprocess.Popen[bytes], number: int) -> None:
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(process.pid, number)
