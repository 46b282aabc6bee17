"""The chats of a study with what happened in them: one query for the chats, and one stream of their events."""

from collections.abc import Iterator
from dataclasses import dataclass

from annotation.models import Chat, ChatEvent, Rating, Study
from annotation.reports.caching import once
from annotation.reports.chat_figures import OF_NO_ACCOUNT, ChatFacts, LoggedEvent, chat_facts

EVENTS_AT_ONCE = 5000
NOTHING_YET = ChatFacts()


@dataclass(frozen=True, slots=True)
class StudyChat:
    """One chat. `member` is the membership of its person, None if they are not in the study any more; `is_held` says
    whether the place that it was held for is still theirs. `item`, `version` and `background` as in the item."""

    pk: int
    person: int
    member: int | None
    assignment: int
    is_held: bool
    item: int
    version: str
    background: str
    dialogue: int | None
    dialogue_key: str
    is_open: bool
    facts: ChatFacts


def study_chats(study: Study) -> list[StudyChat]:
    """All chats for items that count, in the order in which they began; practice is not among them."""
    rows = list(
        Chat.objects.in_study(study)
        .order_by("pk")
        .values_list(
            *("pk", "person_id", "assignment_id", "assignment__membership__rater_id", "assignment__item_id"),
            *("assignment__item__dialogue__version_id", "assignment__item__background__key"),
            *("dialogue_id", "dialogue__key", "state", "last_number"),
        )
    )
    members = dict(study.memberships.values_list("rater_id", "pk"))
    facts = facts_of(study, {row[0]: row[-1] for row in rows})
    return [
        StudyChat(
            pk=pk,
            person=person,
            member=members.get(person),
            assignment=assignment,
            is_held=holder == person,
            item=item,
            version=version,
            background=background,
            dialogue=dialogue,
            dialogue_key=key or "",
            is_open=state == Chat.State.OPEN,
            facts=facts.get(pk, NOTHING_YET),
        )
        for pk, person, assignment, holder, item, version, background, dialogue, key, state, _ in rows
    ]


def facts_of(study: Study, chats: dict[int, int]) -> dict[int, ChatFacts]:
    """By chat, cached per last number of each; `chats` are {chat: last number}. A chat without events has none."""

    def compute() -> dict[int, ChatFacts]:
        return dict(chat_facts(_events(study)))

    return once("chats", study, compute, ratings=Rating.objects.none(), also=sorted(chats.items()))


def _events(study: Study) -> Iterator[LoggedEvent]:
    rows = ChatEvent.objects.filter(chat__in=Chat.objects.in_study(study)).exclude(kind__in=OF_NO_ACCOUNT)
    columns = rows.order_by("chat_id", "number").values_list("chat_id", "number", "at", "kind", "text", "detail")
    for chat, number, at, kind, text, detail in columns.iterator(EVENTS_AT_ONCE):
        yield LoggedEvent(chat, number, at.timestamp(), kind, text, detail)
