"""Real worker processes and the timer, each in a process group of its own, so that a kill takes what it should."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

from config import processes
from tests.faults.site import ROOT, Site

PATIENCE = 30


class Group:
    """One process with all its children."""

    def __init__(self, site: Site, command: Sequence[str], **environment: str) -> None:
        with site.log.open("ab") as log:
            self._process = subprocess.Popen(
                list(command), cwd=ROOT, env=site.environment(**environment), stdout=log, stderr=log,
                start_new_session=True,
            )  # fmt: skip

    @property
    def pid(self) -> int:
        return self._process.pid

    @property
    def children(self) -> list[int]:
        with suppress(OSError):
            return [int(pid) for pid in Path(f"/proc/{self.pid}/task/{self.pid}/children").read_text().split()]
        return []

    @property
    def pids(self) -> set[int]:
        return {self.pid, *self.children}

    def kill(self) -> None:
        """SIGKILL to every process of the group at once."""
        orphans = self.children
        with suppress(ProcessLookupError):
            os.killpg(self.pid, signal.SIGKILL)
        for pid in orphans:
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        self._process.wait(PATIENCE)

    def kill_child(self) -> int:
        """SIGKILL to the youngest child; returns which one it was."""
        youngest = max(self.children)
        os.kill(youngest, signal.SIGKILL)
        return youngest

    def stop(self) -> int:
        """Ask politely; returns the exit status."""
        self._process.terminate()
        return self._process.wait(PATIENCE)


class Crew:
    """Worker groups that are replaced when they are killed, as a supervisor would."""

    def __init__(self, site: Site, size: int, *, app: str = "config", **environment: str) -> None:
        self._site, self._app, self._environment = site, app, environment
        self.groups = [self._new() for _ in range(size)]

    def _new(self) -> Group:
        command = [part.replace("--app=config", f"--app={self._app}") for part in processes.worker(2)]
        return Group(self._site, command, **self._environment)

    def kill_group(self, busy: int) -> set[int]:
        """Kill the group that this process belongs to, and start another in its place; returns who died."""
        index = next((i for i, group in enumerate(self.groups) if busy in group.pids), 0)
        dead = self.groups[index].pids
        self.groups[index].kill()
        self.groups[index] = self._new()
        return dead

    def kill_child(self, busy: int) -> set[int]:
        """Kill one pool process; its parent makes a new one."""
        if any(busy in group.children for group in self.groups):
            with suppress(ProcessLookupError):
                os.kill(busy, signal.SIGKILL)
            return {busy}
        return set()

    def kill_all(self) -> None:
        for group in self.groups:
            group.kill()


@contextmanager
def working_crew(site: Site, size: int = 1, *, app: str = "config", **environment: str) -> Iterator[Crew]:
    """Workers and the timer that sweeps for them."""
    beat = Group(site, [part.replace("--app=config", f"--app={app}") for part in processes.beat()], **environment)
    crew = Crew(site, size, app=app, **environment)
    try:
        yield crew
    finally:
        crew.kill_all()
        beat.kill()


def python(site: Site, *arguments: str, **more: str) -> subprocess.CompletedProcess[str]:
    """A Python command on the site, to its end."""
    return subprocess.run(
        [sys.executable, *arguments], cwd=ROOT, env=site.environment(**more), check=False, text=True,
        capture_output=True, timeout=120,
    )  # fmt: skip
