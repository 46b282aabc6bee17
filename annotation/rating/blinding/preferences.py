"""What a tester sees when they are asked which of two systems they preferred."""

from collections.abc import Sequence
from dataclasses import dataclass

from annotation.chats import recording
from annotation.chats.log import MODEL
from annotation.models import Chat, Membership, SystemPreference
from annotation.rating.blinding.items import BlindStudy, blind_study
from annotation.rating.system_preferences import MetSystem

# In the order in which a tester met the systems.
LETTERS = "AB"
LONGEST_QUOTE = 160


@dataclass(frozen=True, slots=True)
class MetChat:
    """One of the tester's chats, numbered in the order in which they had them; `token` is the place's."""

    token: str
    number: int
    theme: str
    quote: str


@dataclass(frozen=True, slots=True)
class Partner:
    """One system as its testers know it: a letter, and the chats that they had with it."""

    letter: str
    choice: str
    chats: tuple[MetChat, ...]


@dataclass(frozen=True, slots=True)
class BlindPreference:
    study: BlindStudy
    partners: tuple[Partner, ...]
    choice: str
    comment: str
    is_answered: bool


def blind_preference(
    membership: Membership, met: Sequence[MetSystem], answer: SystemPreference | None
) -> BlindPreference:
    """`met` are the two systems in the order in which the tester met them."""
    pks = sorted(chat.pk for system in met for chat in system.chats)
    numbers = {pk: number for number, pk in enumerate(pks, 1)}
    choices = (SystemPreference.Choice.FIRST, SystemPreference.Choice.SECOND)
    return BlindPreference(
        study=blind_study(membership),
        partners=tuple(
            Partner(letter, choice.value, tuple(_met(chat, numbers[chat.pk]) for chat in system.chats))
            for letter, choice, system in zip(LETTERS, choices, met, strict=True)
        ),
        choice=answer.choice if answer else "",
        comment=answer.comment if answer else "",
        is_answered=answer is not None,
    )


def _met(chat: Chat, number: int) -> MetChat:
    place = chat.assignment
    if place is None:
        raise ValueError("a chat outside a study has no partner to prefer")
    return MetChat(place.token, number, place.item.theme, _quote(chat))


def _quote(chat: Chat) -> str:
    """What the partner said first, by which a tester knows the chat again."""
    bubbles = recording.conversation_of(chat).bubbles
    text = next((bubble.text for bubble in bubbles if bubble.speaker == MODEL), "")
    return text if len(text) <= LONGEST_QUOTE else f"{text[: LONGEST_QUOTE - 1]}…"
