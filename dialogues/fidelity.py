"""How much of a dialogue a rewrite keeps: the longest common subsequence of its words, speaker by speaker."""

from collections.abc import Hashable, Sequence
from typing import NamedTuple

from dialogues.subsequence import common_length
from dialogues.transcript import Speaker, Transcript

SpokenWord = tuple[Speaker, str]


class Fidelity(NamedTuple):
    """Shares in 0–1: of the original's words kept in order, and of the rewrite's words not from the original."""

    kept: float
    invented: float


def spoken_words(transcript: Transcript) -> list[SpokenWord]:
    """Every word with its speaker, case-folded, letters and digits only, so that changed punctuation does not count."""
    words = []
    for speaker, text in transcript:
        for piece in text.casefold().split():
            word = "".join(filter(str.isalnum, piece))
            if word:
                words.append((speaker, word))
    return words


def fidelity(original: Transcript, rewrite: Transcript) -> Fidelity:
    """Compare a rewrite with what it was made from.

    A word moved to the other speaker counts as lost and invented. A dialogue without any word (emoji only)
    compares by its bare texts.
    """
    before: Sequence[Hashable] = spoken_words(original) or [(m.speaker, m.text.strip()) for m in original]
    after: Sequence[Hashable] = spoken_words(rewrite) or [(m.speaker, m.text.strip()) for m in rewrite]
    common = common_length(before, after)
    return Fidelity(common / len(before), 1 - common / len(after))
