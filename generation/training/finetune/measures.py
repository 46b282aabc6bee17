"""What the check after training says of replies: their form, and whether they are copied."""

from collections.abc import Iterable, Sequence
from itertools import chain
from typing import Any, NamedTuple

from dialogues.statistics.distinct import encode, pooled
from dialogues.statistics.words_and_turns import acmc, count_words
from generation.training.delimiter import split

COPIED_WORDS = 8


class Reply(NamedTuple):
    """`stopped` says whether the model ended it by itself, before the limit."""

    text: str
    stopped: bool


class TrainedOn:
    """The replies that a model was trained on, to find copies of them."""

    def __init__(self, replies: Iterable[str], delimiter: str) -> None:
        self._delimiter = delimiter
        self._replies: set[tuple[str, ...]] = set()
        self._runs: set[int] = set()
        for text in replies:
            words = self._words(text)
            self._replies.add(words)
            self._runs.update(map(hash, _runs(words)))

    def copied_share(self, replies: Sequence[str]) -> float:
        """Share of replies that are, word by word, one that was trained on."""
        return sum(self._words(text) in self._replies for text in replies) / len(replies)

    def overlap_share(self, replies: Sequence[str]) -> float | None:
        """Share of the runs of eight words in replies that occur in a trained one; None where no reply has eight."""
        runs = [hash(run) for text in replies for run in _runs(self._words(text))]
        return sum(run in self._runs for run in runs) / len(runs) if runs else None

    def _words(self, text: str) -> tuple[str, ...]:
        return tuple(text.replace(self._delimiter, " ").split())


def figures(who: str, replies: Sequence[Reply], delimiter: str, trained_on: TrainedOn) -> dict[str, Any]:
    """One row of the check: shares from 0 to 1, None where there is nothing to divide by.

    `messages_a_turn` is ACMC (paper, Table 4), words are whitespace tokens, `distinct_2` is pooled over all replies,
    within messages.
    """
    texts = [reply.text for reply in replies]
    turns = [split(text, delimiter) for text in texts]
    messages = list(chain.from_iterable(turns))
    return {
        "who": who,
        "n": len(replies),
        "delimiter_share": sum(delimiter in text for text in texts) / len(texts),
        "messages_a_turn": acmc(len(messages), len(turns)),
        "words_a_message": count_words(messages, "whitespace") / len(messages) if messages else None,
        "stopped_share": sum(reply.stopped for reply in replies) / len(replies),
        "distinct_2": pooled(encode(turns, "whitespace"), (2,))[2],
        "copied_share": trained_on.copied_share(texts),
        "overlap_8_share": trained_on.overlap_share(texts),
    }


def _runs(words: Sequence[str]) -> Iterable[tuple[str, ...]]:
    return zip(*(words[start:] for start in range(COPIED_WORDS)), strict=False)
