"""Finding out whether a port is free, and waiting until a server answers."""

import socket
import time
import urllib.error
import urllib.request
from collections.abc import Callable


def is_free(port: int) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True


def near(port: int) -> int:
    """The first free port at or above `port`."""
    return next(candidate for candidate in range(port, 65536) if is_free(candidate))


def wait_until_up(url: str, *, seconds: float, given_up: Callable[[], bool]) -> bool:
    """Whether `url` answered 200 in time; stops early where `given_up()` says that its server has ended."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline and not given_up():
        try:
            with urllib.request.urlopen(url, timeout=2) as answer:  # noqa: S310 our own loopback address
                if answer.status == 200:
                    return True
        except (urllib.error.URLError, OSError):
            time.sleep(0.1)
    return False
