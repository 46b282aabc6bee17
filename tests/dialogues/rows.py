"""Dialogues for tests, written straight into the database."""

from collections.abc import Iterable, Sequence
from typing import Any

from dialogues.models import Corpus, Dialogue
from dialogues.transcript import Transcript

# What an original says, and what could be made of it in messages of several lengths.
ALPHA = [[1, "hello , how are you ?"], [2, "fine and you ?"]]
GAMMA = [[1, "hello there"], [1, "how are you today"], [2, "fine"], [2, "and you then"]]


def add_dialogue(
    corpus: Corpus, key: str, messages: Transcript | Iterable[Sequence[Any]], version: str = "alpha", **fields: Any
) -> Dialogue:
    """`messages` are pairs of speaker and text; `fields` are those of the model."""
    transcript = messages if isinstance(messages, Transcript) else Transcript.of(messages)
    row = Dialogue.from_transcript(transcript, corpus=corpus, key=key, version_id=version, **fields)
    row.save()
    return row
