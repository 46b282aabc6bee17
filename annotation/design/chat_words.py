"""A chat study's plan in words: for the pages of its design, and for the methods section."""

from collections.abc import Iterator
from typing import Any

from annotation.chats.pace import PACES
from annotation.chats.plan import INTERRUPTIONS, ChatPlan
from annotation.models import Study
from annotation.models.studies import ChatSystem
from core.numbers import count_in_words
from generation.endpoints import shutdowns
from generation.endpoints.addresses import base_of


def plan_in_words(study: Study) -> dict[str, Any]:
    """The plan's values, those that a page cannot print as they are in words; empty where there are no chats."""
    if not study.has_chats:
        return {}
    plan = ChatPlan.of(study.chat_plan)
    return {**plan.as_json(), "pace": PACES[plan.pace], "interruption": INTERRUPTIONS[plan.interruption]}


def methods_of_systems(study: Study) -> Iterator[str]:
    """What testers chatted with, a sentence a system."""
    days = shutdowns.announced()
    for system in study.systems.select_related("version", "endpoint"):
        address, model = base_of(system.endpoint.base_url), system.endpoint.model
        longest = count_in_words(system.longest_reply, "token")
        yield (
            f"{system} was the model {model}, {_asked(system)}, at temperature {system.temperature:g} "
            f"with replies of at most {longest}."
        )
        yield from shutdowns.in_words(days, str(system), address, model)


def _asked(system: ChatSystem) -> str:
    words: dict[str, str] = {
        "trained": "asked with the system message of its training",
        "prompted": "told to send several messages and shown examples of that",
        "plain": "asked as any model is, a reply being one message",
    }
    asked = words[system.mode]
    return f"{asked}, with {system.delimiter} between messages" if system.delimiter else asked


def methods_of_chats(study: Study) -> Iterator[str]:
    """How the chats went."""
    plan = ChatPlan.of(study.chat_plan)
    yield "Testers played one of the background's two characters and saw its theme; the system played the other."
    yield "Both sides could send several messages in a row."
    yield f"A system answered after {plan.silence:g} seconds of silence; bubbles appeared {_pace(plan)}."
    yield f"A message between two bubbles {INTERRUPTIONS[plan.interruption]}."
    yield length_in_words(plan)
    if plan.chats_each is not None:
        beside = " beside practice" if plan.practice else ""
        yield f"No tester has more than {count_in_words(plan.chats_each, 'chat')}{beside}."
    if plan.practice:
        yield "A tester's first chat is for practice and counts in no result."
    if plan.asks_preference:
        yield (
            "After their last chat testers are asked which of the two systems they preferred, if either; the systems "
            "are called A and B, in the order in which each tester met them."
        )


def _pace(plan: ChatPlan) -> str:
    if plan.pace == "none":
        return "at once"
    paces = {
        "random": "after 0.8 to 2.5 seconds, whatever their length",
        "typing": "after 0.8 seconds and 50 milliseconds a character, a quarter more or less",
        "words": "at 120 words a minute",
    }
    return f"{paces[plan.pace]}, and after 6 seconds at the latest, by the same rule for all systems"


def length_in_words(plan: ChatPlan) -> str:
    """When a chat may end, and when it must."""
    ends = [
        *([f"{count_in_words(plan.most_turns, 'turn')}"] if plan.most_turns else []),
        *([f"{count_in_words(plan.minutes, 'minute')}"] if plan.minutes else []),
    ]
    least = f"Testers could end and score a chat after {count_in_words(plan.least_turns, 'turn')} of theirs"
    return f"{least}; it was over after {' or '.join(ends)}." if ends else f"{least}; nothing else ended it."
