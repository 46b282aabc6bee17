"""What `make demo` and `make start` share: choosing a port, migrating, starting the processes and waiting for them."""

import argparse
import socket
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from pathlib import Path

from django.db import OperationalError

from config import processes
from config.supervisor import StopRequest, Supervisor

START_SECONDS = 60.0


def port(text: str) -> int:
    """A port that an ordinary user may open, low enough for the demo model's port above it."""
    if not text.isdecimal() or not 1024 <= int(text) <= 65000:
        raise argparse.ArgumentTypeError(f"{text} is not a port from 1024 to 65000; try PORT=8000")
    return int(text)


def run(command: str, port: int, folder: Path, serve: Callable[[Supervisor], int]) -> int:
    """Run `serve` with a supervisor that stops its processes at the end; returns the exit code."""
    if not is_free_port(port):
        free = free_port_from(port + 1)
        return fail(f"port {port} is taken; choose another: {command} PORT={free}")
    try:
        with Supervisor(folder) as supervisor:
            return serve(supervisor)
    except StopRequest:
        print("\nStopped. Everything is kept in", folder)
        return 0
    except OperationalError as error:
        return fail(f"the database cannot be used ({str(error).strip()}). DATABASE_URL says which one it is.")


def prepare_database() -> None:
    """Set Django up in this process, bring the database up to date and collect the static files."""
    import django

    django.setup()
    from django.core.management import call_command

    call_command("migrate", verbosity=0, interactive=False)
    call_command("collectstatic", verbosity=0, interactive=False)


def start_product(supervisor: Supervisor, port: int) -> str | None:
    """Start web, worker and timer; the address once it answers, or None if a process ended or did not answer."""
    address = f"http://127.0.0.1:{port}/"
    supervisor.start("web", processes.web("127.0.0.1", port))
    supervisor.start("worker", processes.worker())
    supervisor.start("beat", processes.beat())
    return address if is_up(supervisor, f"{address}healthz") else None


def is_up(supervisor: Supervisor, url: str) -> bool:
    return wait_until_up(url, seconds=START_SECONDS, given_up=lambda: supervisor.ended() is not None)


def wait(supervisor: Supervisor, folder: Path) -> int:
    """Block until a process ends by itself, and report which."""
    name = supervisor.wait()
    return fail(f"{name} ended by itself; see {folder / name}.log")


def fail(sentence: str) -> int:
    sys.stderr.write(f"stephanie: {sentence}\n")
    return 1


def is_free_port(port: int) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True


def free_port_from(port: int) -> int:
    """The first free port at or above `port`."""
    return next(candidate for candidate in range(port, 65536) if is_free_port(candidate))


def wait_until_up(url: str, *, seconds: float, given_up: Callable[[], bool]) -> bool:
    """Whether `url` answered 200 in time; stops early once `given_up()` is true."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline and not given_up():
        try:
            with urllib.request.urlopen(url, timeout=2) as answer:  # noqa: S310 our own loopback address
                if answer.status == 200:
                    return True
        except (urllib.error.URLError, OSError):
            time.sleep(0.1)
    return False
