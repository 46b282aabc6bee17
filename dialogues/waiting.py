"""Files that wait to be imported, and how their owner wants each to be read: kept in the owner's session."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields
from typing import Any, Self

from django.contrib.sessions.backends.base import SessionBase

from dialogues import uploads
from dialogues.formats.records import Choices
from dialogues.formats.registry import AUTO
from dialogues.importing import Options, Source

_SESSION = "uploads"


@dataclass(frozen=True, slots=True)
class Waiting:
    """An upload and its reading. `is_guess` says that nobody has confirmed the columns.

    `mask` of None leaves it to the form of the file what is masked.
    """

    token: str
    sha256: str
    file_name: str
    file_format: str = AUTO
    columns: Mapping[str, str] = field(default_factory=dict)
    is_guess: bool = False
    people: tuple[str, ...] = ()
    silence_hours: float | None = None
    date_order: str = ""
    deduplicate: bool = False
    mask: tuple[str, ...] | None = None

    @classmethod
    def of_session(cls, session: SessionBase, token: str) -> Self | None:
        kept = uploads.remembered(session, _SESSION, token)
        if kept is None:
            return None
        known = {name: kept[name] for name in _NAMES if name in kept}
        lists = {name: tuple(known[name]) for name in ("people", "mask") if known.get(name) is not None}
        return cls(token=token, **(known | lists))

    def keep(self, session: SessionBase) -> None:
        facts = asdict(self)
        uploads.remember(session, _SESSION, self.token, {name: facts[name] for name in _NAMES})

    def source(self) -> Source:
        choices = Choices(dict(self.columns), self.people, self.silence_hours, self.date_order)
        return Source(uploads.path_of(self.token), self.file_name, self.file_format, choices, self.sha256)

    def options(self, **others: Any) -> Options:
        return Options(deduplicate=self.deduplicate, **others)


_NAMES = tuple(one.name for one in fields(Waiting) if one.name != "token")
