"""A study's chats as rows of a page, in a fixed number of queries."""

from collections import defaultdict
from dataclasses import dataclass
from enum import StrEnum

from annotation.chats.plan import ChatPlan
from annotation.models import Membership, Score, Study
from annotation.monitoring.chat_quality import ChatQuality, Flag, chat_quality, flags
from annotation.reports.study_chats import StudyChat, study_chats
from dialogues.models import Version


class Stage(StrEnum):
    """How far a chat is, in words; in this order a page sorts it."""

    CHATTING = "in progress"
    ENDED = "ended, not scored"
    SCORED = "scored"
    LOST = "place given to another tester"


@dataclass(frozen=True, slots=True)
class ChatRow:
    """One chat; `member` is None where its person is no longer in the study."""

    chat: StudyChat
    member: Membership | None
    version: Version
    is_demo: bool
    stage: Stage
    flags: tuple[Flag, ...]

    @property
    def name(self) -> str:
        return self.member.rater.get_username() if self.member else ""


def chat_rows(study: Study) -> list[ChatRow]:
    """Every chat but practice in the order in which they began, also of testers who do not count."""
    members = {row.pk: row for row in study.memberships.select_related("rater__profile", "study")}
    systems = {system.version_id: system for system in study.systems.select_related("version", "endpoint")}
    scores, least = _scores(study), ChatPlan.of(study.chat_plan).least_turns
    rows = []
    for chat in study_chats(study):
        given = scores.get(chat.assignment, []) if chat.is_held else []
        rows.append(
            ChatRow(
                chat=chat,
                member=members.get(chat.member or 0),
                version=systems[chat.version].version,
                is_demo=systems[chat.version].endpoint.is_demo,
                stage=_stage(chat, is_scored=bool(given)),
                flags=flags(chat.facts, given, least),
            )
        )
    return rows


def _stage(chat: StudyChat, *, is_scored: bool) -> Stage:
    if not chat.is_held:
        return Stage.LOST
    if is_scored:
        return Stage.SCORED
    return Stage.CHATTING if chat.is_open else Stage.ENDED


def _scores(study: Study) -> dict[int, list[int]]:
    """By assignment, the scores of the current rating."""
    found: dict[int, list[int]] = defaultdict(list)
    rows = Score.objects.filter(rating__assignment__study=study, rating__is_current=True).order_by("pk")
    for assignment, value in rows.values_list("rating__assignment_id", "value"):
        found[assignment].append(value)
    return found


def quality_of_testers(study: Study) -> dict[int, ChatQuality]:
    """By membership, over the chats whose place is still the tester's."""
    of_member = defaultdict(list)
    for chat in study_chats(study):
        if chat.member is not None and chat.is_held:
            of_member[chat.member].append(chat.facts)
    return {member: chat_quality(facts) for member, facts in of_member.items()}
