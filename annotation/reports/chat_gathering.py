"""What a study's report says of its chats, from those that are stored and their ratings."""

from annotation.models import Study
from annotation.reports.chat_findings import ChatFindings, HeldChat, RatedChat, chat_findings
from annotation.reports.scores import chat_dialogues, counted_members, counted_ratings
from annotation.reports.study_chats import study_chats
from annotation.reports.system_answers import answers_of


def chats_found(study: Study, slugs: list[str]) -> ChatFindings:
    members = counted_members(study)
    rows = counted_ratings(study, members).values_list(
        "assignment_id",
        "assignment__item__dialogue__version_id",
        "assignment__membership_id",
        "assignment__item__background_id",
    )
    rated = list(rows)
    scored = {assignment for assignment, *_ in rated}
    texts = (
        chat_dialogues(study, members)
        .order_by("pk")
        .values_list("chat__assignment__item__dialogue__version_id", "messages")
    )
    return chat_findings(
        slugs,
        [RatedChat(*row[1:]) for row in rated],
        [
            HeldChat(chat.version, chat.facts, chat.is_held and chat.assignment in scored)
            for chat in study_chats(study)
            if chat.member in members
        ],
        texts.iterator(500),
        answers_of(members),
    )
