"""The demo model's judge: scores from what can be counted in a dialogue, so that tables have something to show. Pure.

No opinion of anything: more messages a turn count as more natural and engaging, more different words as more
informative, words of theme and traits as on topic and in character. Every reason says so.
"""

import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from random import Random
from typing import Any

LOW, HIGH = 0, 100
NOISE = 2.5
_WORD = re.compile(r"[a-z']+")
# Shorter words say nothing about a subject.
_TELLING = 4


@dataclass(frozen=True, slots=True)
class Features:
    """What is counted: messages a turn, words a message, and three shares from 0 to 1."""

    messages_a_turn: float
    words_a_message: float
    different_words: float
    of_theme: float
    of_traits: float


def judged(keys: Iterable[str], background: Mapping[str, Any], dialogue: Any, rng: Random) -> dict[str, Any]:
    """A reason and a score under every key; a key without a rule of its own gets the mean of the others."""
    found = features(background, _messages(dialogue))
    return {key: _answer(key, found, rng) for key in keys}


def features(background: Mapping[str, Any], messages: Sequence[tuple[str, str]]) -> Features:
    words = [word for _, text in messages for word in _WORD.findall(text.lower())]
    turns = [list(run) for _, run in groupby(messages, key=lambda message: message[0])]
    theme = _telling(str(background.get("theme", "")))
    traits = _telling(" ".join(str(value) for key, value in background.items() if key != "theme"))
    said = _telling(" ".join(words))
    return Features(
        messages_a_turn=len(messages) / max(1, len(turns)),
        words_a_message=len(words) / max(1, len(messages)),
        different_words=len(set(words)) / max(1, len(words)),
        of_theme=_share(said, theme),
        of_traits=_share(said, traits),
    )


def _answer(key: str, found: Features, rng: Random) -> dict[str, Any]:
    chatty = min(3.0, found.messages_a_turn) - 1
    short = max(0.0, 12 - abs(found.words_a_message - 8)) / 12
    scores = {
        "interesting": 66 + 7 * chatty + 12 * found.different_words,
        "informative": 62 + 3 * chatty + 24 * found.different_words,
        "natural": 68 + 8 * chatty + 8 * short,
        "engaging": 67 + 9 * chatty + 5 * short,
        "on_topic": 72 + 6 * chatty + 40 * found.of_theme,
        "on_persona": 74 + 6 * chatty + 40 * found.of_traits,
    }
    score = scores.get(key, sum(scores.values()) / len(scores)) + rng.gauss(0, NOISE)
    counted = (
        f"Counted by the demo's rules, not judged: {found.messages_a_turn:.2f} messages a turn, "
        f"{found.words_a_message:.1f} words a message."
    )
    return {"reason": counted, "score": min(HIGH, max(LOW, round(score)))}


def _messages(dialogue: Any) -> list[tuple[str, str]]:
    entries = dialogue if isinstance(dialogue, list) else []
    return [(str(entry.get("speaker")), str(entry.get("text"))) for entry in entries if isinstance(entry, dict)]


def _telling(text: str) -> Collection[str]:
    return {word for word in _WORD.findall(text.lower()) if len(word) >= _TELLING}


def _share(said: Collection[str], given: Collection[str]) -> float:
    return sum(word in said for word in given) / max(1, len(given))
