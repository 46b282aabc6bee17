"""Figures about dialogues: words a message, consecutive messages, lexical diversity (paper §4.4)."""

from collections.abc import Iterable
from typing import Literal

Tokenizer = Literal["whitespace", "words"]


def tokens(text: str, tokenizer: Tokenizer) -> list[str]:
    """Split on whitespace; `words` then drops tokens that hold no letter or digit."""
    pieces = text.split()
    return pieces if tokenizer == "whitespace" else [piece for piece in pieces if any(map(str.isalnum, piece))]


def count_words(texts: Iterable[str], tokenizer: Tokenizer) -> int:
    return sum(len(tokens(text, tokenizer)) for text in texts)
