"""Figures about dialogues: words a message, consecutive messages, lexical diversity (paper §4.4)."""
