"""Which of a study's two systems a tester preferred: asked on a page of its own after their last chat was scored."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby
from operator import attrgetter

from django.db import transaction
from django.utils.translation import gettext as _

from annotation.chats.plan import ChatPlan
from annotation.models import Assignment, Chat, Item, Membership, SystemPreference
from annotation.rating.queue import QueueError
from dialogues.transcript import text_problem

LONGEST_COMMENT = 2_000
COMPARED = 2


@dataclass(frozen=True, slots=True)
class MetSystem:
    """A system (its version's slug) with the tester's scored chats with it, in the order in which they began."""

    version: str
    chats: Sequence[Chat]


def asks(membership: Membership) -> bool:
    """Whether testers of the study are asked."""
    study = membership.study
    return study.has_chats and ChatPlan.of(study.chat_plan).asks_preference


def met_systems(membership: Membership) -> list[MetSystem]:
    """The systems that the tester has scored a chat with, in the order in which they met them."""
    chats = list(
        Chat.objects.filter(
            person=membership.rater_id,
            assignment__membership=membership,
            assignment__state=Assignment.State.SUBMITTED,
            assignment__item__purpose=Item.Purpose.RATED,
        )
        .select_related("assignment__item__dialogue")
        .defer("assignment__item__dialogue__messages")
        .order_by("pk")
    )
    first: dict[str, int] = {}
    for chat in chats:
        first.setdefault(_version(chat), chat.pk)
    chats.sort(key=lambda chat: (first[_version(chat)], chat.pk))
    return [MetSystem(version, list(group)) for version, group in groupby(chats, key=_version)]


def latest(membership: Membership) -> SystemPreference | None:
    return membership.system_preferences.last()


def can_answer(membership: Membership) -> bool:
    """Whether they are asked, can still answer, and have scored chats with both systems."""
    is_open = asks(membership) and membership.study.is_open and membership.is_ongoing
    return is_open and len(met_systems(membership)) == COMPARED


def is_due(membership: Membership) -> bool:
    """Whether they have yet to answer; `membership` has scored all its chats."""
    return can_answer(membership) and latest(membership) is None


@transaction.atomic
def record(*, membership: Membership, choice: str, comment: str) -> SystemPreference:
    """The tester's answer, beside those that they gave before. Raises QueueError with what to do."""
    if choice not in SystemPreference.Choice.values:
        raise QueueError(_("Choose one of the answers."))
    if problem := _comment_problem(comment):
        raise QueueError(problem)
    # Locked as by a withdrawal, which removes answers.
    rows = Membership.objects.select_for_update(no_key=True, of=("self",)).select_related("study")
    member = rows.get(pk=membership.pk)
    met = met_systems(member)
    if not can_answer(member):
        raise QueueError(
            _("Your answer cannot be kept any more: the study is paused or closed, or your part has ended.")
        )
    return SystemPreference.objects.create(
        membership=member, first_id=met[0].version, second_id=met[1].version, choice=choice, comment=comment.strip()
    )


def _comment_problem(comment: str) -> str:
    if len(comment) > LONGEST_COMMENT:
        return _("A comment has at most {most} characters; this one has {length}.").format(
            most=f"{LONGEST_COMMENT:,}", length=f"{len(comment):,}"
        )
    return text_problem(comment) or ""


def _version(chat: Chat) -> str:
    version: str = attrgetter("assignment.item.dialogue.version_id")(chat)
    return version
