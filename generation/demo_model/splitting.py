"""The demo model's further-split: γ cut at its sentence and clause ends, every word kept in order. Pure."""

import re
from random import Random

from dialogues.transcript import Message, Transcript

# How many messages a turn gains, with weights that bring ACMC near Table 4's 2.5.
GAINS = (0, 1, 2, 3)
GAIN_WEIGHTS = (41, 45, 12, 2)
LEAST_WORDS = 2
LONG_WORDS = 14

_SENTENCE_END = re.compile(r"(?<=[.!?…])\s+")
_CLAUSE_END = re.compile(r",\s+|\s+(?=(?:and|but|so|because|although|which|when|until|then)\b)", re.IGNORECASE)


def further_split(transcript: Transcript, rng: Random) -> Transcript:
    """Each turn gains a few messages where its text allows; a very long message is always cut."""
    messages: list[Message] = []
    for turn in transcript.turns():
        gain = rng.choices(GAINS, GAIN_WEIGHTS)[0]
        texts = [message.text for message in turn.messages]
        while True:
            longest = _longest_cuttable(texts)
            if longest is None or (gain <= 0 and len(texts[longest].split()) <= LONG_WORDS):
                break
            texts[longest : longest + 1] = cut(texts[longest])
            gain -= 1
        messages += [Message(turn.speaker, text) for text in texts]
    return Transcript(tuple(messages))


def cut(text: str) -> tuple[str, ...]:
    """A text in two at the sentence end, or else the clause end, nearest its middle; whole where it has neither."""
    for boundary in (_SENTENCE_END, _CLAUSE_END):
        places = [match for match in boundary.finditer(text) if _leaves_words(text, match)]
        if places:
            place = min(places, key=lambda match: abs(match.start() - len(text) / 2))
            return text[: place.start()], text[place.end() :]
    return (text,)


def _leaves_words(text: str, boundary: re.Match[str]) -> bool:
    head, tail = text[: boundary.start()].split(), text[boundary.end() :].split()
    return len(tail) >= LEAST_WORDS and (
        len(head) >= LEAST_WORDS or text[boundary.start() - 1 : boundary.start()] in "!?."
    )


def _longest_cuttable(texts: list[str]) -> int | None:
    places = [place for place, text in enumerate(texts) if len(cut(text)) > 1]
    return max(places, key=lambda place: len(texts[place]), default=None)
