"""A tester's chat, as its page shows it."""

from dataclasses import dataclass

from annotation.chats import recording
from annotation.chats.log import Bubble
from annotation.chats.plan import turns_of_person
from annotation.chats.setup import Setup
from annotation.models import Assignment, Chat, Item, Membership
from annotation.rating.blinding.items import BlindStudy, blind_study


@dataclass(frozen=True, slots=True)
class BlindChat:
    """Everything on a chat's page; `token` is the place's and `chat_token` the chat's, both unguessable.

    `asked` is the number of the event that asked for the reply that is being shown, 0 for none.
    """

    token: str
    chat_token: str
    bubbles: tuple[Bubble, ...]
    asked: int
    last_number: int
    is_open: bool
    is_on_hold: bool
    is_paused: bool
    theme: str
    traits: tuple[str, ...]
    turns: int
    least_turns: int
    most_turns: int
    minutes: int
    may_finish: bool
    is_practice: bool
    study: BlindStudy


def blind_chat(place: Assignment, chat: Chat, membership: Membership) -> BlindChat:
    setup, said = Setup.of(chat.setup), recording.conversation_of(chat)
    return BlindChat(
        token=place.token,
        chat_token=chat.token,
        bubbles=tuple(said.bubbles),
        asked=said.asked,
        last_number=chat.last_number,
        is_open=chat.is_open,
        is_on_hold=said.is_on_hold,
        is_paused=said.is_paused,
        theme=place.item.theme,
        traits=tuple(place.item.traits_1),
        turns=turns_of_person(said),
        least_turns=setup.least_turns,
        most_turns=setup.most_turns,
        minutes=setup.minutes,
        may_finish=setup.limits.may_finish(said),
        is_practice=place.item.purpose == Item.Purpose.TRAINING,
        study=blind_study(membership, done=place.items_scored),
    )
