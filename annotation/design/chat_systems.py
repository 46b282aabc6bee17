"""The systems of a chat study while it is a draft: what they are chosen by, and the versions that name them."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from annotation.chats.versions import version_of
from annotation.models import Study
from annotation.models.studies import ChatSystem
from dialogues.models import Version
from generation.models import Endpoint
from generation.training import delimiter as delimiters


@dataclass(frozen=True, slots=True)
class SystemChoice:
    """One system as a researcher chose it; `name` is for researchers and tables."""

    name: str
    endpoint: Endpoint
    mode: str = "trained"
    delimiter: str = ""
    temperature: float = 0.8
    longest_reply: int = 400

    def stored(self) -> list[Any]:
        """Its values as JSON, to compare and to fingerprint."""
        return [self.name, self.endpoint.pk, self.mode, self.delimiter, self.temperature, self.longest_reply]


def delimiter_of(mode: str, given: str, endpoint: Endpoint) -> str:
    """The delimiter that a system uses: what was given, else what its model was trained with, else the usual one."""
    return "" if mode == "plain" else given or endpoint.delimiter or delimiters.DEFAULT


def systems_of(study: Study) -> list[SystemChoice]:
    rows = study.systems.select_related("version", "endpoint")
    return [
        SystemChoice(row.version.name, row.endpoint, row.mode, row.delimiter, row.temperature, row.longest_reply)
        for row in rows
    ]


def stored_systems(systems: Iterable[SystemChoice]) -> list[list[Any]]:
    return [system.stored() for system in systems]


def set_systems(study: Study, systems: Sequence[SystemChoice]) -> None:
    """Replace a draft's systems, and with them its versions. The caller holds the draft's lock."""
    study.systems.all().delete()
    ChatSystem.objects.bulk_create(
        ChatSystem(
            study=study,
            version=version_of(system.name),
            endpoint=system.endpoint,
            mode=system.mode,
            delimiter=system.delimiter,
            temperature=system.temperature,
            longest_reply=system.longest_reply,
            position=place,
        )
        for place, system in enumerate(systems)
    )
    study.versions.set(Version.objects.filter(chat_systems__study=study))
