"""What counts as a word. The paper does not say, so every figure names its tokenizer."""

from collections.abc import Iterable
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
