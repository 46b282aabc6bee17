"""Words and turns: what counts as a word, and how many messages people send in a row (paper §4.4, Tables 4 and 5).

The paper does not say what a word is, so every figure names its tokenizer.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Literal

Tokenizer = Literal["whitespace", "words"]

# How each tokenizer is described under a table or on a switch.
TOKENIZERS: dict[Tokenizer, str] = {
    "whitespace": "whitespace tokens, in which a punctuation mark that stands alone counts",
    "words": "words only: whitespace tokens that hold a letter or a digit",
}


def tokens(text: str, tokenizer: Tokenizer) -> list[str]:
    """Split on whitespace; `words` then drops tokens that hold no letter or digit."""
    pieces = text.split()
    if tokenizer == "whitespace":
        return pieces
    # Most tokens are plain words, so testing `isalnum` first saves a call.
    return [piece for piece in pieces if piece.isalnum() or is_word(piece)]


def is_word(token: str) -> bool:
    return any(map(str.isalnum, token))


def count_words(texts: Iterable[str], tokenizer: Tokenizer) -> int:
    return sum(len(tokens(text, tokenizer)) for text in texts)


# The columns of Table 5, and a sixth so that each row adds up to the whole.
RUN_LABELS = ("1", "2", "3", "4", "5", "6+")


def acmc(messages: float, turns: float) -> float | None:
    """Average consecutive message count: Σcᵢ over the number of turns; None without turns.

    cᵢ is the number of messages in turn i, so Σcᵢ is simply the number of messages. The paper prints the number of
    *messages* as the divisor, which would give 1 for every dialogue; its Table 5 shows that turns are meant, because
    only then do its rows give the values of Table 4 (see `acmc_from_shares`).
    """
    return messages / turns if turns else None


def acmc_from_shares(shares: Mapping[int, float], whole: float = 100.0) -> float | None:
    """ACMC of a printed row: `shares` maps messages in a turn to the share of such turns, `whole` being all turns.

    A row that falls short of the whole is taken as printed: what is missing adds no messages, so the result is a
    lower bound (paper Table 5: γ prints 99.89 % of its turns, Stephanie 98.57 %).
    """
    return acmc(sum(length * share for length, share in shares.items()), whole)


def run_shares(counts: Sequence[int]) -> dict[str, float]:
    """Shares (0 to 1) of turns with one … five and six or more messages, from their six counts."""
    turns = sum(counts)
    return {label: count / turns if turns else 0.0 for label, count in zip(RUN_LABELS, counts, strict=True)}
