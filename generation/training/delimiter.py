"""The delimiter of training data: what stands between two delimiters is one message (paper §3.3).

A delimiter is plain text that a tokenizer cuts into tokens it has. A token added for it would need trained embeddings,
which vLLM and llama.cpp refuse in adapters; in merged weights llama.cpp prints special tokens as nothing.
"""

from collections.abc import Sequence

from dialogues.transcript import text_problem

DEFAULT = "<|msg|>"
LONGEST = 40
# What chat templates write to mark turns. In a text, a tokenizer would read them as marks.
CONTROL_MARKS = (
    "<|begin_of_text|>",
    "<|end_of_text|>",
    "<|start_header_id|>",
    "<|end_header_id|>",
    "<|eot_id|>",
    "<|im_start|>",
    "<|im_end|>",
    "<|endoftext|>",
    "<|assistant|>",
    "<|system|>",
    "<|user|>",
    "<|end|>",
    "<start_of_turn>",
    "<end_of_turn>",
    "[INST]",
    "[/INST]",
    "<<SYS>>",
    "<s>",
    "</s>",
    "<bos>",
    "<eos>",
)


class DelimiterInTextError(ValueError):
    """Joined by the delimiter, these messages could not be told apart again."""


def problem(delimiter: str) -> str:
    """Why this cannot be a delimiter, and what to do; "" if it can."""
    if not delimiter.strip("\n"):
        return "" if delimiter else "The delimiter is empty. Write one, such as <|msg|>."
    if delimiter != delimiter.strip():
        return "The delimiter begins or ends with white space, which models drop. Leave that out."
    if mark := control_mark(delimiter):
        return f"Chat templates use {mark} to mark turns. Write another delimiter, such as <|msg|>."
    return _text_problem(delimiter)


def _text_problem(delimiter: str) -> str:
    if len(delimiter) > LONGEST:
        return f"The delimiter has {len(delimiter)} characters; at most {LONGEST} are allowed."
    if any(ord(letter) < 32 and letter != "\n" for letter in delimiter):
        return "The delimiter holds a control character. Write one of letters and signs, such as <|msg|>."
    flaw = text_problem(delimiter)
    return f"This cannot be a delimiter: {flaw}." if flaw else ""


def control_mark(text: str) -> str:
    """The first mark of a chat template in a text; "" if there is none."""
    return next((mark for mark in CONTROL_MARKS if mark in text), "")


def joined(messages: Sequence[str], delimiter: str) -> str:
    """The messages of one turn as one reply; raises DelimiterInTextError."""
    texts = [text.strip() for text in messages]
    reply = delimiter.join(texts)
    if reply.split(delimiter) != texts:
        raise DelimiterInTextError(f"the text holds the delimiter {delimiter!r}")
    return reply


def split(reply: str, delimiter: str) -> list[str]:
    """The messages of a reply, without the empty ones."""
    return [text for part in reply.split(delimiter) if (text := part.strip())]
