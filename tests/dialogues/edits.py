"""Random sequences of edits, as logs that the product could have stored."""

from collections.abc import Iterator, Sequence
from typing import Any

from hypothesis import strategies as st

from dialogues.editing import Draft, EditError, History, operation_from_json
from dialogues.transcript import Transcript

WORDS = (
    "i",
    "like",
    "cats ,",
    "really",
    "so much .",
    "o'clock",
    "ok!",
    "😀👩‍👩‍👧",
    "naïve",
    "ß",
    "two\nlines",
    "  gap",
)
SPEAKERS = st.sampled_from([1, 2])
# Texts with white space of every kind, emoji of several code points, combining marks.
TEXTS = st.one_of(
    st.lists(st.sampled_from(WORDS), min_size=1, max_size=6).map(" ".join),
    st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\x00"), min_size=1, max_size=12),
).filter(lambda text: bool(text.strip()))
TRANSCRIPTS = st.lists(st.tuples(SPEAKERS, TEXTS), min_size=1, max_size=6).map(Transcript.of)
DICE = st.lists(st.integers(0, 2**24), max_size=24)


def played(original: Transcript, dice: Sequence[int]) -> tuple[History, list[dict[str, Any]]]:
    """A history and its log: one throw an operation; a throw that stands for what cannot be done is left out."""
    history, log = History(original), []
    for throw in dice:
        body = body_of(history.draft, history.version, throw)
        try:
            history.apply(operation_from_json(body))
        except EditError:
            continue
        log.append(body)
    return history, log


def body_of(draft: Draft, version: int, throw: int) -> dict[str, Any]:
    """The operation that a throw stands for on this draft; some cannot be done."""
    digits = _digits(throw)
    kind, at = next(digits) % 12, next(digits) % (len(draft) + 1)
    text = draft[at % len(draft)].text
    word = WORDS[next(digits) % len(WORDS)]
    cut = next(digits) % (len(text) + 1)
    bodies: list[dict[str, Any]] = [
        {"op": "split", "at": at, "offset": cut},
        {"op": "split", "at": at, "offset": text.find(" ") + 1},
        {"op": "merge", "at": at},
        {"op": "merge", "at": at},
        {"op": "move", "at": at, "to": at + (1 if cut % 2 else -1)},
        {"op": "reword", "at": at, "text": f" {word} {text[:cut]}"},
        {"op": "insert", "at": at, "speaker": cut % 2 + 1, "text": word},
        {"op": "delete", "at": at},
        {"op": "accept", "at": at, "texts": [text[:cut], text[cut:]] if cut % 3 else [word, text], "by": "rules"},
        {"op": "undo"},
        {"op": "redo"},
        {"op": "rewind", "to": cut % (version + 1)},
    ]
    return bodies[kind]


def _digits(throw: int) -> Iterator[int]:
    while True:
        throw, digit = divmod(throw, 61)
        yield digit
        throw = throw or digit * 7919 + 1
