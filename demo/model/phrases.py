"""What the demo model can say: short sentences by topic, with {slots} that are filled at random.

The sentences are in `phrases.json`, which is read once, at import. The text for a seed depends on their order.
"""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple


class Talk(NamedTuple):
    """A question, an answer that fits it, and something the one who answers may add."""

    question: str
    answer: str
    more: str


class Topic(NamedTuple):
    """`words` are beginnings of words that point to the topic; `follow` may come after a trait that does."""

    name: str
    words: tuple[str, ...]
    follow: tuple[str, ...]
    talks: tuple[Talk, ...]


def _topic(given: Mapping[str, Any]) -> Topic:
    talks = tuple(Talk(**talk) for talk in given["talks"])
    return Topic(given["name"], tuple(given["words"]), tuple(given["follow"]), talks)


_GIVEN: Mapping[str, Any] = json.loads(Path(__file__).with_suffix(".json").read_text(encoding="utf-8"))

SLOTS: Mapping[str, tuple[str, ...]] = {name: tuple(words) for name, words in _GIVEN["slots"].items()}
TOPICS = tuple(map(_topic, _GIVEN["topics"]))
ANYTHING = _topic(_GIVEN["anything"])
OPENERS: tuple[str, ...] = tuple(_GIVEN["openers"])
OPENER_EXTRAS: tuple[str, ...] = tuple(_GIVEN["opener_extras"])
GREETINGS: tuple[str, ...] = tuple(_GIVEN["greetings"])
BOUNCES: tuple[str, ...] = tuple(_GIVEN["bounces"])
REACTIONS: tuple[str, ...] = tuple(_GIVEN["reactions"])
ACKNOWLEDGEMENTS: tuple[str, ...] = tuple(_GIVEN["acknowledgements"])
LEADS: tuple[str, ...] = tuple(_GIVEN["leads"])
SYMPATHIES: tuple[str, ...] = tuple(_GIVEN["sympathies"])
PARTING_LEADS: tuple[str, ...] = tuple(_GIVEN["parting_leads"])
FAREWELLS: tuple[str, ...] = tuple(_GIVEN["farewells"])
THANKS: tuple[str, ...] = tuple(_GIVEN["thanks"])
GOODBYES: tuple[str, ...] = tuple(_GIVEN["goodbyes"])
GENERAL_TRAITS: tuple[str, ...] = tuple(_GIVEN["general_traits"])
THEME_OPENINGS: tuple[str, ...] = tuple(_GIVEN["theme_openings"])
THEME_SUBJECTS: tuple[str, ...] = tuple(_GIVEN["theme_subjects"])
THEME_FILLERS: tuple[str, ...] = tuple(_GIVEN["theme_fillers"])
# Too common to say what a dialogue is about.
STOP_WORDS: frozenset[str] = frozenset(_GIVEN["stop_words"])
