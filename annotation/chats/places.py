"""A tester's chats in a study: one for each place they hold, with the system and the background of its item."""

from datetime import datetime
from decimal import Decimal

from django.contrib.auth.models import User
from django.db import IntegrityError, transaction

from annotation.allocation.block_state import LEASE
from annotation.allocation.williams import seeded
from annotation.chats import beginning, recording
from annotation.chats.log import Conversation
from annotation.chats.plan import ChatPlan, Limits
from annotation.models import Assignment, Chat

HIGHEST_SEED = 2**31
# A tester's place is held for longer once this much of its time has passed.
LEASE_STEP = LEASE / 60


def chat_of(place: Assignment) -> Chat | None:
    """The holder's chat, if it has begun."""
    rows = Chat.objects.select_related("endpoint", "budget", "dialogue")
    return rows.filter(assignment=place, person=_holder(place)).first()


def is_due(place: Assignment) -> bool:
    """Whether the holder has yet to end the chat that they are to score; never true outside studies of chats."""
    if not place.study.has_chats or place.state == Assignment.State.SUBMITTED:
        return False
    chat = chat_of(place)
    return chat is None or chat.is_open


def conversation_at(place: Assignment) -> Conversation:
    """What the holder and the system said; nothing before the chat."""
    chat = chat_of(place)
    return recording.conversation_of(chat) if chat else Conversation()


def begin(place: Assignment) -> Chat:
    """The holder's chat, begun now unless it has; raises beginning.NoExamplesError."""
    found = chat_of(place)
    if found is not None:
        return found
    try:
        with transaction.atomic():
            return _make(place)
    except IntegrityError:
        # Another tab of theirs was faster.
        found = chat_of(place)
        if found is None:
            raise
        return found


def _make(place: Assignment) -> Chat:
    study, item = place.study, place.item
    plan = ChatPlan.of(study.chat_plan)
    system = study.systems.select_related("endpoint").get(version=item.dialogue.version_id)
    chosen = beginning.NewChat(
        endpoint=system.endpoint,
        title=f"{study.name}, {item.pk}"[:120],
        mode=system.mode,  # type: ignore[arg-type]
        delimiter=system.delimiter,
        theme=item.theme,
        traits_of_person=tuple(item.traits_1),
        traits_of_model=tuple(item.traits_2),
        temperature=system.temperature,
        longest_reply=system.longest_reply,
        pace=plan.pace,
        silence=plan.silence,
        interruption=plan.interruption,
        cap=None if plan.chat_cap is None else Decimal(str(plan.chat_cap)),
        limits=Limits(plan.least_turns, plan.most_turns, plan.minutes),
    )
    # By place, whatever the system: the pace of all systems follows one law.
    seed = seeded(study.seed, "pace", place.pk).randrange(HIGHEST_SEED)
    return beginning.make(chosen, by=_holder(place), seed=seed, assignment=place, within=study.chat_budget)


def leave(place: Assignment) -> None:
    """End the holder's chat without scores."""
    chat = chat_of(place)
    if chat is not None:
        recording.end(chat.pk, "left")


def hold(place: Assignment, now: datetime) -> None:
    """Hold the place for longer, because its tester is chatting."""
    if place.slot is not None and place.lease_until is not None and place.lease_until < now + LEASE - LEASE_STEP:
        held = Assignment.objects.opened().filter(pk=place.pk, membership=place.membership_id)
        held.update(lease_until=now + LEASE)


def _holder(place: Assignment) -> User:
    if place.membership is None:
        raise ValueError("a place that nobody holds has no chat")
    return place.membership.rater
