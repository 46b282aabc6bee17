"""Waiting for what another process or thread does; no test sleeps for it."""

import time
from collections.abc import Callable


def until(condition: Callable[[], object], what: str, seconds: float = 60, pause: float = 0.02) -> None:
    """Look every `pause` seconds until it is so; TimeoutError names `what` didn't come about within `seconds`.

    In a coroutine: `await asyncio.to_thread(until, …)`.
    """
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            raise TimeoutError(f"{what}: not within {seconds:g} s")
        time.sleep(pause)
