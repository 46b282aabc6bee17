"""The demo model's themes, traits and pairs: sentences of `generation.demo_phrases` hung on the background. Pure."""

import re
from collections import Counter
from collections.abc import Sequence
from random import Random
from typing import NamedTuple

from dialogues.transcript import Message, Speaker, Transcript
from generation import demo_phrases as phrases
from generation.demo_phrases import Talk, Topic
from generation.prompts import Background

TRAITS_DRAWN = 4
THEME_TARGET = 58
THEME_MOST = 100
QUOTED_WORDS = 8
SUBJECTS = 5
# Messages a γ turn has, weighted as Table 5 prints them.
RUNS = (1, 2, 3, 4)
RUN_WEIGHTS = (20, 60, 18, 2)

_WORD = re.compile(r"[a-z]{4,}")
_SELF = re.compile(r"\s*(?:i|i'm|i've|i'll|my)\b", re.IGNORECASE)
_SENTENCE_END = re.compile(r"(?<=[.!?])\s+")
_STOP_WORDS = frozenset(phrases.STOP_WORDS.split())
_THEME_FILLERS = (
    "The mood is friendly and relaxed throughout.",
    "They ask each other questions and find a few things in common.",
    "Now and then one of them tells a short story from everyday life.",
    "In the end both seem glad to have met.",
)


class Move(NamedTuple):
    """One turn before it is worded: the sentences that carry it, and small ones that may go around them."""

    before: tuple[str, ...]
    core: tuple[str, ...]
    after: tuple[str, ...]


def traits_of(transcript: Transcript, speaker: int, rng: Random) -> list[str]:
    """Four things a speaker says about themselves ("I …", "My …"), filled up with general ones."""
    said = [
        sentence_case(sentence)
        for message in transcript
        if message.speaker == speaker
        for sentence in _SENTENCE_END.split(message.text)
        if _SELF.match(sentence) and 4 <= len(sentence.split()) <= 14 and "?" not in sentence
    ]
    general = rng.sample(phrases.GENERAL_TRAITS, TRAITS_DRAWN)
    return list(dict.fromkeys([*said[:TRAITS_DRAWN], *general]))[:TRAITS_DRAWN]


def theme_of(transcript: Transcript, traits_1: Sequence[str], traits_2: Sequence[str], rng: Random) -> str:
    """50–100 words on what the messages speak of most and who the two are."""
    counted = Counter(word for message in transcript for word in _WORD.findall(message.text.lower()))
    subjects = [word for word, _ in counted.most_common() if word not in _STOP_WORDS][:SUBJECTS] or ["their day"]
    topic = topic_of(" ".join([*traits_1, *traits_2, *subjects]))
    parts = [
        f"Two people get to know each other in a casual chat that circles around {topic.name}.",
        f"Along the way they touch on {_listed(subjects)}, and each one tells the other a little about daily life.",
    ]
    for number, traits in ((1, traits_1), (2, traits_2)):
        known = [words for words in (_quotable(trait) for trait in traits) if words]
        if known:
            parts.append(f"Person {number} says: “{rng.choice(known)}”")
    fillers = iter(rng.sample(_THEME_FILLERS, len(_THEME_FILLERS)))
    while len(" ".join(parts).split()) < THEME_TARGET:
        parts.append(next(fillers))
    return " ".join(" ".join(parts).split()[:THEME_MOST])


def write_pair(background: Background, rng: Random) -> tuple[Transcript, Transcript]:
    """β and γ on one background: the same moves, worded as one message a turn and as several."""
    moves = _moves(background, rng)
    single: list[Message] = []
    steps: list[Message] = []
    for number, move in enumerate(moves):
        speaker: Speaker = 1 if number % 2 == 0 else 2
        single.append(Message(speaker, " ".join(_single_step(move, rng))))
        steps += [Message(speaker, text) for text in _step_by_step(move, rng)]
    return Transcript(tuple(single)), Transcript(tuple(steps))


def topic_of(text: str) -> Topic:
    """The topic whose words a text holds most of; everyday life where it holds none."""
    words = re.findall(r"[a-z]+", text.lower())
    hits = [sum(word.startswith(topic.words) for word in words) for topic in phrases.TOPICS]
    return phrases.TOPICS[hits.index(max(hits))] if max(hits) else phrases.ANYTHING


def sentence_case(text: str) -> str:
    """A tokenised, lower-case sentence as one would type it: spacing, capitals, a full stop."""
    text = re.sub(r"\s+([.,!?;:])", r"\1", " ".join(text.split()))
    text = re.sub(r"\bi\b", "I", text.rstrip(" ,;:"))
    text = text[:1].upper() + text[1:]
    return text if text.endswith((".", "!", "?", "…")) else f"{text}."


def _moves(background: Background, rng: Random) -> list[Move]:
    """Opening, then a trait, a question on it and its answer from each side in turn, then the farewell."""
    shares = _shares(background, rng)
    moves = [
        Move((), (pick(phrases.OPENERS, rng),), (pick(phrases.OPENER_EXTRAS, rng),)),
        Move((), (pick(phrases.GREETINGS, rng), pick(phrases.OPENER_EXTRAS, rng)), (pick(phrases.BOUNCES, rng),)),
    ]
    talked: set[Talk] = set()
    for trait in shares:
        topic = topic_of(trait)
        talk = _unused(topic, talked, rng)
        talked.add(talk)
        moves.append(Move((pick(phrases.LEADS, rng),), (trait, pick(topic.follow, rng)), ()))
        question = (pick(phrases.SYMPATHIES, rng), fill(talk.question, rng))
        moves.append(Move((pick(phrases.REACTIONS, rng),), question, ()))
        moves.append(Move((pick(phrases.ACKNOWLEDGEMENTS, rng),), (fill(talk.answer, rng), fill(talk.more, rng)), ()))
    moves.append(Move((pick(phrases.REACTIONS, rng),), (pick(phrases.FAREWELLS, rng),), (pick(phrases.THANKS, rng),)))
    if rng.random() < 0.6:
        moves.append(Move((), (pick(phrases.THANKS, rng),), (pick(phrases.GOODBYES, rng),)))
    return moves


def _shares(background: Background, rng: Random) -> list[str]:
    """Two to four traits to talk about, person 1 and person 2 in turn, as they would say them."""
    count = rng.randint(2, 4)
    chosen = []
    for number in range(count):
        traits = (background.traits_1, background.traits_2)[number % 2]
        pool = [sentence_case(trait) for trait in traits] or list(phrases.GENERAL_TRAITS)
        fresh = [trait for trait in pool if trait not in chosen]
        chosen.append(rng.choice(fresh or pool))
    return chosen


def _unused(topic: Topic, talked: set[Talk], rng: Random) -> Talk:
    fresh = [talk for talk in topic.talks if talk not in talked] or list(phrases.ANYTHING.talks)
    return rng.choice(fresh)


def _single_step(move: Move, rng: Random) -> list[str]:
    """The core, with one of the small sentences around it half of the time."""
    before = [text for text in move.before if rng.random() < 0.4]
    return [*before, *move.core, *(text for text in move.after if rng.random() < 0.5)]


def _step_by_step(move: Move, rng: Random) -> list[str]:
    """The move's sentences in as many messages as a drawn run length, joined where they are more."""
    texts = [*(text for text in move.before if rng.random() < 0.9), *move.core, *move.after]
    run = min(rng.choices(RUNS, RUN_WEIGHTS)[0], len(texts))
    cuts = sorted(rng.sample(range(1, len(texts)), run - 1))
    return [" ".join(texts[start:end]) for start, end in zip([0, *cuts], [*cuts, len(texts)], strict=True)]


def pick(options: Sequence[str], rng: Random) -> str:
    return fill(rng.choice(options), rng)


def fill(text: str, rng: Random) -> str:
    """Put a random word into every {slot}; the sentence still opens with a capital."""
    for slot, words in phrases.SLOTS.items():
        while f"{{{slot}}}" in text:
            text = text.replace(f"{{{slot}}}", rng.choice(words), 1)
    return text[:1].upper() + text[1:]


def _quotable(trait: str) -> str:
    """A trait short enough to stand in a theme; empty where it is not."""
    said = sentence_case(trait)
    return said if len(said.split()) <= QUOTED_WORDS else ""


def _listed(words: Sequence[str]) -> str:
    return " and ".join([", ".join(words[:-1]), words[-1]]) if len(words) > 1 else words[0]
