"""The punctuation-split baseline: a single-step dialogue cut after every sentence, without a model (paper §1)."""

import re

from dialogues.transcript import Message, Transcript

# One or more of . ! ? … (with blanks between them in tokenised text) and closing marks before a blank; the
# full-width kin of these need no blank after them.
_SENTENCE_END = re.compile(r"""[.!?…]+(?:[ \t]+[.!?…]+)*[)\]"'’”»]*(?=\s)|[。！？]+[）」』”’]*""")
_ABBREVIATION = re.compile(r"(?<!\w)(?:mr|mrs|ms|dr|prof|st|vs|approx|e\.g|i\.e)\.\Z", re.IGNORECASE)
# The longest abbreviation with its stop: looking further back would cost the square of a long text.
_LOOK_BACK = 7


def split_by_punctuation(transcript: Transcript) -> Transcript:
    """Every sentence becomes a message of its own; nothing but blanks between sentences is lost."""
    return Transcript(
        tuple(Message(message.speaker, text) for message in transcript for text in sentences(message.text))
    )


def sentences(text: str) -> list[str]:
    """The sentences of a text, stripped; a text without a sentence end is one sentence."""
    parts = []
    start = 0
    for match in _SENTENCE_END.finditer(text):
        if not _ABBREVIATION.search(text, max(start, match.end() - _LOOK_BACK), match.end()):
            parts.append(text[start : match.end()].strip())
            start = match.end()
    return [part for part in [*parts, text[start:].strip()] if part]
