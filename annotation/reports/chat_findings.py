"""What a report says of a study's chats, as values."""

from collections.abc import Mapping
from dataclasses import dataclass

from annotation.reports.chat_figures import SystemFigures
from annotation.reports.lengths import Lengths
from annotation.reports.system_preferences import PreferenceFindings
from dialogues.transcript import Speaker

# As `annotation.chats.log.transcript` numbers them.
SIDES: Mapping[str, Speaker] = {"tester": 1, "system": 2}


@dataclass(frozen=True, slots=True)
class Basis:
    """How many counted ratings a system's means rest on, by how many testers, on how many backgrounds."""

    ratings: int
    testers: int
    backgrounds: int


@dataclass(frozen=True, slots=True)
class ChatFindings:
    """By version slug; `sides` by slug and side, of the chats that have scores. Only testers who count are in it."""

    basis: Mapping[str, Basis]
    systems: Mapping[str, SystemFigures]
    sides: Mapping[tuple[str, str], Lengths]
    # Where testers were asked which of two systems they preferred.
    preference: PreferenceFindings | None = None
