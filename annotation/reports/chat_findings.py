"""What a report says of a study's chats, as values, and how they follow from chats and ratings. Pure."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np

from annotation.reports.chat_figures import ChatFacts, SystemFigures, system_figures
from annotation.reports.lengths import Lengths, lengths
from annotation.reports.system_preferences import Answer, PreferenceFindings, preference_findings
from dialogues.counts import COUNT_FIELDS, stored_counts
from dialogues.transcript import Speaker, Transcript

# As `annotation.chats.log.transcript` numbers them.
SIDES: Mapping[str, Speaker] = {"tester": 1, "system": 2}


@dataclass(frozen=True, slots=True)
class Basis:
    """How many counted ratings a system's means rest on, by how many testers, on how many backgrounds."""

    ratings: int
    testers: int
    backgrounds: int


@dataclass(frozen=True, slots=True)
class ChatFindings:
    """By version slug; `sides` by slug and side, of the chats that have scores. Only testers who count are in it."""

    basis: Mapping[str, Basis]
    systems: Mapping[str, SystemFigures]
    sides: Mapping[tuple[str, str], Lengths]
    # Where testers were asked which of two systems they preferred.
    preference: PreferenceFindings | None = None


class RatedChat(NamedTuple):
    """A counted rating: its system's slug, and any keys of its tester and background."""

    slug: str
    tester: int
    background: int


class HeldChat(NamedTuple):
    """A tester's chat with a system: what happened in it, and whether it has scores that count."""

    slug: str
    facts: ChatFacts
    is_scored: bool


def chat_findings(
    slugs: Sequence[str],
    rated: Sequence[RatedChat],
    chats: Sequence[HeldChat],
    messages: Iterable[tuple[str, Any]],
    answers: Sequence[Answer],
) -> ChatFindings:
    """Of the systems `slugs`; `messages` are (slug, [[speaker, text], …]) of each chat with scores."""
    by_slug = {slug: [chat for chat in chats if chat.slug == slug] for slug in slugs}
    return ChatFindings(
        basis={slug: _basis([row for row in rated if row.slug == slug]) for slug in slugs},
        systems={
            slug: system_figures([chat.facts for chat in of_system], sum(chat.is_scored for chat in of_system))
            for slug, of_system in by_slug.items()
        },
        sides=_sides(slugs, messages),
        preference=preference_findings(answers, slugs),
    )


def _basis(rated: Sequence[RatedChat]) -> Basis:
    return Basis(len(rated), len({row.tester for row in rated}), len({row.background for row in rated}))


def _sides(slugs: Sequence[str], messages: Iterable[tuple[str, Any]]) -> dict[tuple[str, str], Lengths]:
    counts: dict[tuple[str, str], list[list[int]]] = {(slug, side): [] for slug in slugs for side in SIDES}
    for slug, pairs in messages:
        for side, speaker in SIDES.items():
            counts[slug, side].append(side_counts(Transcript.of(pairs), speaker))
    shape = (-1, len(COUNT_FIELDS))
    return {key: lengths(np.array(rows, dtype=np.int64).reshape(shape)) for key, rows in counts.items()}


def side_counts(transcript: Transcript, speaker: Speaker) -> list[int]:
    """COUNT_FIELDS of one side's messages, in the turns of the whole dialogue."""
    turns = [turn.messages for turn in transcript.turns() if turn.speaker == speaker]
    counts = stored_counts([message.text for turn in turns for message in turn], Counter(map(len, turns)))
    return [counts[name] for name in COUNT_FIELDS]
