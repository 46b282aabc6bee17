"""What the demo model writes: themes, traits and pairs made of `phrases`, and γ split further. Pure."""

import re
from bisect import bisect_left
from collections import Counter
from collections.abc import Callable, Sequence
from functools import cache
from random import Random
from typing import NamedTuple, TypeVar

from demo.model import phrases
from demo.model.phrases import Talk, Topic
from dialogues.transcript import Message, Speaker, Transcript
from generation.prompts import Background

TRAITS_DRAWN = 4
THEME_TARGET = 58
THEME_MOST = 100
QUOTED_WORDS = 8
SUBJECTS = 5
# How often the last farewell is answered.
GOODBYE_SHARE = 0.6
# Messages a γ turn has, weighted as Table 5 prints them.
RUNS = (1, 2, 3, 4)
RUN_WEIGHTS = (20, 60, 18, 2)
P = TypeVar("P", str, Talk)
_SLOT = re.compile(r"\{([a-z]+)\}")
_WORD = re.compile(r"[a-z]{4,}")
_SELF = re.compile(r"\s*(?:i|i'm|i've|i'll|my)\b", re.IGNORECASE)
_SENTENCE_END = re.compile(r"(?<=[.!?])\s+")
# Short topic words must stand alone but for a common ending; longer ones may open any word.
_SHORT = 4
_ENDINGS = r"(?:s|es|ing|ed|er|ers)?\b"
# How many messages a turn gains, with weights that bring ACMC near Table 4's 2.5.
GAINS = (0, 1, 2, 3)
GAIN_WEIGHTS = (41, 45, 12, 2)
LEAST_WORDS = 2
LONG_WORDS = 14
_TOKEN = re.compile(r"\S+")
_SENTENCE_BOUNDARY = re.compile(r"(?<=[.!?…])\s+")
_CLAUSE_END = re.compile(r",\s+|(?<!\s)\s+(?=(?:and|but|so|because|although|which|when|until|then)\b)", re.IGNORECASE)


class Picker:
    """Random phrases, none twice in one dialogue while there are others."""

    def __init__(self, rng: Random) -> None:
        self.rng = rng
        self._used: set[str | Talk] = set()

    def phrase(self, options: Sequence[str]) -> str:
        return self.filled(self._fresh(options))

    def talk(self, topic: Topic) -> Talk:
        fresh = [talk for talk in topic.talks if talk not in self._used]
        question, answer, more = self._fresh(fresh or phrases.ANYTHING.talks)
        return Talk(self.filled(question), self.filled(answer), self.filled(more))

    def filled(self, text: str) -> str:
        """Put a random word into every {slot}; the sentence still opens with a capital."""
        text = _SLOT.sub(lambda match: self.rng.choice(phrases.SLOTS[match[1]]), text)
        return text[:1].upper() + text[1:]

    def _fresh(self, options: Sequence[P]) -> P:
        chosen = self.rng.choice([option for option in options if option not in self._used] or options)
        self._used.add(chosen)
        return chosen


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
    subjects = [word for word, _ in counted.most_common() if word not in phrases.STOP_WORDS][:SUBJECTS] or ["their day"]
    topic = topic_of(" ".join([*traits_1, *traits_2, *subjects]))
    parts = [
        rng.choice(phrases.THEME_OPENINGS).replace("{topic}", topic.name),
        rng.choice(phrases.THEME_SUBJECTS).replace("{subjects}", _listed(subjects)),
    ]
    for number, traits in ((1, traits_1), (2, traits_2)):
        known = [words for words in (_quotable(trait) for trait in traits) if words]
        if known:
            parts.append(f"Person {number} says: “{rng.choice(known)}”")
    fillers = iter(rng.sample(phrases.THEME_FILLERS, len(phrases.THEME_FILLERS)))
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
    """The topic whose words fill most of a text; everyday life if there is none."""
    filled = [sum(map(len, pattern.findall(text.lower()))) for pattern in _TOPIC_WORDS]
    return phrases.TOPICS[filled.index(max(filled))] if max(filled) else phrases.ANYTHING


def _topic_words(topic: Topic) -> re.Pattern[str]:
    words = sorted(topic.words, key=len, reverse=True)
    forms = (re.escape(word) + (_ENDINGS if len(word) <= _SHORT else "") for word in words)
    return re.compile(rf"\b(?:{'|'.join(forms)})")


_TOPIC_WORDS = tuple(map(_topic_words, phrases.TOPICS))


def sentence_case(text: str) -> str:
    """A tokenised, lower-case sentence as one would type it: spacing, capitals, a full stop."""
    text = re.sub(r"\s+([.,!?;:])", r"\1", " ".join(text.split()))
    text = re.sub(r"\bi\b", "I", text.rstrip(" ,;:"))
    text = text[:1].upper() + text[1:]
    return text if text.endswith((".", "!", "?", "…")) else f"{text}."


def _moves(background: Background, rng: Random) -> list[Move]:
    """Opening, then a trait, a question on it and its answer from each side in turn, then the farewell."""
    pick = Picker(rng)
    opener = Move((), (pick.phrase(phrases.OPENERS),), (pick.phrase(phrases.OPENER_EXTRAS),))
    greeting = (pick.phrase(phrases.GREETINGS), pick.phrase(phrases.OPENER_EXTRAS))
    moves = [opener, Move((), greeting, (pick.phrase(phrases.BOUNCES),))]
    for trait in _shares(background, rng):
        topic = topic_of(trait)
        talk = pick.talk(topic)
        question = (pick.phrase(phrases.SYMPATHIES), talk.question)
        moves.append(Move((pick.phrase(phrases.LEADS),), (trait, pick.phrase(topic.follow)), ()))
        moves.append(Move((pick.phrase(phrases.REACTIONS),), question, ()))
        moves.append(Move((pick.phrase(phrases.ACKNOWLEDGEMENTS),), (talk.answer, talk.more), ()))
    farewell = (pick.phrase(phrases.FAREWELLS),)
    moves.append(Move((pick.phrase(phrases.PARTING_LEADS),), farewell, (pick.phrase(phrases.THANKS),)))
    if rng.random() < GOODBYE_SHARE:
        moves.append(Move((), (pick.phrase(phrases.THANKS),), (pick.phrase(phrases.GOODBYES),)))
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


def _single_step(move: Move, rng: Random) -> list[str]:
    """The core, with one of the small sentences around it half of the time."""
    before = [text for text in move.before if rng.random() < 0.4]
    return [*before, *move.core, *(text for text in move.after if rng.random() < 0.5)]


def _step_by_step(move: Move, rng: Random) -> list[str]:
    """The move's sentences in as many messages as a drawn run length, joined if there are more."""
    texts = [*(text for text in move.before if rng.random() < 0.9), *move.core, *move.after]
    run = min(rng.choices(RUNS, RUN_WEIGHTS)[0], len(texts))
    cuts = sorted(rng.sample(range(1, len(texts)), run - 1))
    return [" ".join(texts[start:end]) for start, end in zip([0, *cuts], [*cuts, len(texts)], strict=True)]


def _quotable(trait: str) -> str:
    """A trait short enough to quote in a theme, else ""."""
    said = sentence_case(trait)
    return said if len(said.split()) <= QUOTED_WORDS else ""


def _listed(words: Sequence[str]) -> str:
    return " and ".join([", ".join(words[:-1]), words[-1]]) if len(words) > 1 else words[0]


def further_split(transcript: Transcript, rng: Random) -> Transcript:
    """Each turn gains a few messages if its text allows; a very long message is always cut."""
    messages: list[Message] = []
    # A text is cut again and again: each piece is looked through once.
    cut_once = cache(cut)
    for turn in transcript.turns():
        gain = rng.choices(GAINS, GAIN_WEIGHTS)[0]
        texts = [message.text for message in turn.messages]
        while True:
            longest = _longest_cuttable(texts, cut_once)
            if longest is None or (gain <= 0 and len(texts[longest].split()) <= LONG_WORDS):
                break
            texts[longest : longest + 1] = cut_once(texts[longest])
            gain -= 1
        messages += [Message(turn.speaker, text) for text in texts]
    return Transcript(tuple(messages))


def cut(text: str) -> tuple[str, ...]:
    """A text cut in two at the sentence end, or else the clause end, nearest its middle; whole if it has neither."""
    starts = [word.start() for word in _TOKEN.finditer(text)]
    for boundary in (_SENTENCE_BOUNDARY, _CLAUSE_END):
        places = [match for match in boundary.finditer(text) if _leaves_words(text, starts, match)]
        if places:
            place = min(places, key=lambda match: abs(match.start() - len(text) / 2))
            return text[: place.start()], text[place.end() :]
    return (text,)


def _leaves_words(text: str, starts: Sequence[int], boundary: re.Match[str]) -> bool:
    """Whether both sides have words enough; `starts` are those of the text's words, in order."""
    head, tail = bisect_left(starts, boundary.start()), len(starts) - bisect_left(starts, boundary.end())
    return tail >= LEAST_WORDS and (head >= LEAST_WORDS or text[boundary.start() - 1 : boundary.start()] in "!?.")


def _longest_cuttable(texts: list[str], cut_once: Callable[[str], tuple[str, ...]]) -> int | None:
    places = [place for place, text in enumerate(texts) if len(cut_once(text)) > 1]
    return max(places, key=lambda place: len(texts[place]), default=None)
