"""Figures by system, lengths by side, and how much the scores rest on, from a study's chats and their ratings."""

from collections import Counter
from collections.abc import Mapping

import numpy as np

from annotation.models import Study
from annotation.reports.chat_figures import system_figures
from annotation.reports.chat_findings import SIDES, Basis, ChatFindings
from annotation.reports.lengths import Lengths, lengths
from annotation.reports.scores import chat_dialogues, counted_members, counted_ratings
from annotation.reports.study_chats import study_chats
from annotation.reports.system_preference_tables import answers_of
from annotation.reports.system_preferences import preference_findings
from dialogues.models import COUNT_FIELDS, stored_counts
from dialogues.transcript import Speaker, Transcript


def chat_findings(study: Study, slugs: list[str]) -> ChatFindings:
    members = counted_members(study)
    rows = counted_ratings(study, members).values_list(
        "assignment_id",
        "assignment__membership_id",
        "assignment__item__background_id",
        "assignment__item__dialogue__version_id",
    )
    rated = list(rows)
    scored = {assignment for assignment, *_ in rated}
    chats = [chat for chat in study_chats(study) if chat.member in members]
    by_slug = {slug: [chat for chat in chats if chat.version == slug] for slug in slugs}
    return ChatFindings(
        basis={slug: _basis([row[1:3] for row in rated if row[3] == slug]) for slug in slugs},
        systems={
            slug: system_figures(
                [chat.facts for chat in of_system],
                sum(chat.is_held and chat.assignment in scored for chat in of_system),
            )
            for slug, of_system in by_slug.items()
        },
        sides=_sides(study, members, slugs),
        preference=preference_findings(answers_of(members), slugs),
    )


def _basis(rated: list[tuple[int, int]]) -> Basis:
    """Of (member, background) of each rating."""
    return Basis(len(rated), len({member for member, _ in rated}), len({background for _, background in rated}))


def _sides(study: Study, members: Mapping[int, str], slugs: list[str]) -> dict[tuple[str, str], Lengths]:
    counts: dict[tuple[str, str], list[list[int]]] = {(slug, side): [] for slug in slugs for side in SIDES}
    texts = (
        chat_dialogues(study, members)
        .order_by("pk")
        .values_list("chat__assignment__item__dialogue__version_id", "messages")
    )
    for slug, messages in texts.iterator(500):
        for side, speaker in SIDES.items():
            counts[slug, side].append(side_counts(Transcript.of(messages), speaker))
    shape = (-1, len(COUNT_FIELDS))
    return {key: lengths(np.array(rows, dtype=np.int64).reshape(shape)) for key, rows in counts.items()}


def side_counts(transcript: Transcript, speaker: Speaker) -> list[int]:
    """COUNT_FIELDS of one side's messages, in the turns of the whole dialogue."""
    turns = [turn.messages for turn in transcript.turns() if turn.speaker == speaker]
    counts = stored_counts([message.text for turn in turns for message in turn], Counter(map(len, turns)))
    return [counts[name] for name in COUNT_FIELDS]
