"""How far a long computation is. Pure."""

from collections.abc import Callable

# Steps done, steps in all, and what the next one does.
Tell = Callable[[int, int, str], None]


def silent(done: int, total: int, doing: str) -> None:
    """Tell nobody."""


class Steps:
    """Called before each step with what it does; `tell` may raise to stop the computation."""

    def __init__(self, total: int = 0, tell: Tell = silent) -> None:
        self.total, self.tell = total, tell
        self.done = 0

    def __call__(self, doing: str) -> None:
        self.tell(self.done, self.total, doing)
        self.done += 1
