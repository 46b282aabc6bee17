"""Figures about dialogues: words a message, consecutive messages, lexical diversity (paper §4.4)."""

from dialogues.statistics.tokens import TOKENIZERS, Tokenizer, count_words, tokens

__all__ = ["TOKENIZERS", "Tokenizer", "count_words", "tokens"]
