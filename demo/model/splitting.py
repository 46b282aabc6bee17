"""The demo model's further-split: γ cut at its sentence and clause ends, every word kept in order. Pure."""

import re
from bisect import bisect_left
from collections.abc import Callable, Sequence
from functools import cache
from random import Random

from dialogues.transcript import Message, Transcript

# How many messages a turn gains, with weights that bring ACMC near Table 4's 2.5.
GAINS = (0, 1, 2, 3)
GAIN_WEIGHTS = (41, 45, 12, 2)
LEAST_WORDS = 2
LONG_WORDS = 14

_WORD = re.compile(r"\S+")
_SENTENCE_END = re.compile(r"(?<=[.!?…])\s+")
_CLAUSE_END = re.compile(r",\s+|(?<!\s)\s+(?=(?:and|but|so|because|although|which|when|until|then)\b)", re.IGNORECASE)


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
    starts = [word.start() for word in _WORD.finditer(text)]
    for boundary in (_SENTENCE_END, _CLAUSE_END):
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
