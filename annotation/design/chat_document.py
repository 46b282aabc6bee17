"""The parts of a design document that only a study of chats has: its systems and how its chats go. Pure."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from annotation.chats.plan import LONGEST_NAME, ChatPlan
from dialogues.transcript import text_problem
from generation.training import delimiter as delimiters

MODES = ("trained", "prompted", "plain")
MOST_SYSTEMS = 6
SHORTEST_REPLY, LONGEST_REPLY = 16, 8192
HOTTEST = 2
SWITCHES = ("practice", "asks_preference")
TEXTS = ("pace", "interruption")
COUNTS = ("least_turns", "most_turns", "minutes")


@dataclass(frozen=True, slots=True)
class System:
    """A system with its endpoint by name; `delimiter` "" stands for the endpoint's own, or the usual one."""

    name: str
    endpoint: str
    mode: str = MODES[0]
    delimiter: str = ""
    temperature: float = 0.8
    longest_reply: int = 400

    def to_json(self) -> dict[str, Any]:
        return asdict(self)


def read_systems(given: Any, problems: list[str]) -> tuple[System, ...]:
    """The systems; adds to `problems` what is wrong with them."""
    if not isinstance(given, list) or not 1 <= len(given) <= MOST_SYSTEMS:
        problems.append(f"systems must be a list of 1 to {MOST_SYSTEMS} systems.")
        return ()
    found = []
    for number, row in enumerate(given, 1):
        try:
            system = System(**row)
        except TypeError:
            problems.append(f"systems, number {number}: it needs a name and an endpoint, and nothing that none has.")
            continue
        problems += [f"systems, number {number}: {flaw}" for flaw in _flaws(system)]
        found.append(system)
    names = [system.name.casefold() for system in found if isinstance(system.name, str)]
    if len(set(names)) < len(names):
        problems.append("Two systems of one study need different names.")
    return tuple(found)


def _flaws(system: System) -> list[str]:
    wrong = {
        f"name must be text of 1 to {LONGEST_NAME} characters.": not _is_name(system.name, LONGEST_NAME),
        "endpoint must be the name of one.": not _is_name(system.endpoint, 120),
        f"mode must be one of {', '.join(MODES)}.": system.mode not in MODES,
        f"temperature must be a number from 0 to {HOTTEST}.": (
            not _is_number(system.temperature) or not 0 <= system.temperature <= HOTTEST
        ),
        f"longest_reply must be a whole number from {SHORTEST_REPLY} to {LONGEST_REPLY:,}.": (
            not _is_whole(system.longest_reply) or not SHORTEST_REPLY <= system.longest_reply <= LONGEST_REPLY
        ),
        "delimiter must be text.": not isinstance(system.delimiter, str),
    }
    found = [sentence for sentence, is_wrong in wrong.items() if is_wrong]
    if isinstance(system.delimiter, str) and system.delimiter and (flaw := delimiters.problem(system.delimiter)):
        found.append(flaw)
    return found


def read_plan(given: Any, problems: list[str]) -> ChatPlan:
    """How the chats go; adds to `problems` what is wrong with it."""
    usual = ChatPlan()
    if not isinstance(given, Mapping):
        problems.append("conversation must be an object.")
        return usual
    known = usual.as_json()
    found = [f"conversation: there is no part called {str(name)[:40]!r}." for name in given if name not in known]
    found += [f"conversation: {name} does not fit." for name in given if name in known and not _fits(name, given[name])]
    if found:
        problems += found
        return usual
    plan = ChatPlan.of(given)
    problems += [f"conversation: {sentence}" for sentence in plan.problems()]
    return plan


def _fits(name: str, value: Any) -> bool:
    """Whether the value is of the kind that this part has; whether it is allowed is for the plan to say."""
    if name in SWITCHES:
        return isinstance(value, bool)
    if name in TEXTS:
        return isinstance(value, str)
    if name in COUNTS:
        return _is_whole(value)
    if name == "silence":
        return _is_number(value)
    return value is None or (_is_whole(value) if name == "chats_each" else _is_number(value))


def _is_name(value: Any, most: int) -> bool:
    return isinstance(value, str) and 0 < len(value) <= most and bool(value.strip()) and not text_problem(value)


def _is_whole(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


def _is_number(value: Any) -> bool:
    return isinstance(value, float) or _is_whole(value)
