"""Results that are kept under a digest of what they were computed from, so that no outdated one is taken for current.

All processes share them: see `CACHES["results"]` in `config/settings.py`.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any, Generic, NamedTuple, TypeVar

from django.conf import settings
from django.core.cache import caches

from core.steps import Steps

DAY = 24 * 3600

Found = TypeVar("Found")


def kept(key: str) -> Any:
    """What is kept under the key, or None."""
    return caches["results"].get(key)


def is_kept(key: str) -> bool:
    return key in caches["results"]


def keep(key: str, found: object) -> None:
    """Keep it for a day. The oldest results may have to go earlier."""
    caches["results"].set(key, found, DAY)


def remove_old(now: datetime) -> None:
    """Remove the files of results that are older than a day, which Django leaves until somebody asks for them."""
    kept_at = settings.CACHES["results"]
    if "filebased" in kept_at["BACKEND"]:
        for path in Path(str(kept_at["LOCATION"])).glob("*.djcache"):
            if path.stat().st_mtime < now.timestamp() - DAY:
                path.unlink(missing_ok=True)


def once(key: Callable[[], str], compute: Callable[[], Found]) -> Found:
    """The kept result, or a new one; `key` gives the digest of what `compute` reads, as it is now."""
    before = key()
    found: Found | None = kept(before)
    return fresh(key, before, compute) if found is None else found


def fresh(key: Callable[[], str], before: str, compute: Callable[[], Found]) -> Found:
    """A new result, which is kept if the key is still what it was before."""
    found = compute()
    # What changed meanwhile may be in it or not.
    if key() == before:
        keep(before, found)
    return found


class Size(NamedTuple):
    """How long a computation takes, as estimated, and in how many steps."""

    seconds: float
    steps: int


@dataclass(frozen=True, slots=True)
class Result(Generic[Found]):
    """A result that may take longer than a page may.

    `key` gives the digest of what `compute` reads, as it is now, behind a name and the number of its form. `size`
    estimates how long `compute` takes. `task` is the name of a Celery task that computes the same, for these
    `arguments`.
    """

    key: Callable[[], str]
    compute: Callable[[Steps], Found]
    size: Callable[[], Size]
    task: str
    arguments: dict[str, Any] = field(default_factory=dict)

    def here(self, steps: Steps | None = None) -> Found:
        """The result, however long that takes."""
        return once(self.key, lambda: self._computed(steps or Steps()))

    def _computed(self, steps: Steps) -> Found:
        steps.total = self.size().steps
        return self.compute(steps)
