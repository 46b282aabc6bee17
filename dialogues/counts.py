"""The counts that are stored beside a dialogue's text. Pure."""

from collections import Counter
from collections.abc import Sequence

from dialogues.statistics.words_and_turns import count_words

COUNT_FIELDS = (
    "message_count",
    "turn_count",
    "whitespace_tokens",
    "word_tokens",
    *(f"turns_of_{n}" for n in range(1, 6)),
    "turns_of_6_up",
)


def stored_counts(texts: Sequence[str], runs: Counter[int]) -> dict[str, int]:
    """The numbers of COUNT_FIELDS for these messages; `runs` says how many turns have one, two, … of them."""
    # A line break is white space to both tokenizers, so all messages count in one go.
    joined = ["\n".join(texts)]
    return {
        "message_count": len(texts),
        "turn_count": sum(runs.values()),
        "whitespace_tokens": count_words(joined, "whitespace"),
        "word_tokens": count_words(joined, "words"),
        "turns_of_6_up": sum(count for length, count in runs.items() if length >= 6),
        **{f"turns_of_{n}": runs[n] for n in range(1, 6)},
    }
