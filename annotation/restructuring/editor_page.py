"""The editor's content as plain values: the original, the draft, the log, and figures."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from django.utils.translation import gettext as _

from annotation.models import Restructuring
from annotation.restructuring.drafts import history_of
from annotation.restructuring.proposals import shown_log
from dialogues.editing import Piece, kept_share, transcript_of
from dialogues.published import value as published
from dialogues.statistics.words_and_turns import count_words
from dialogues.transcript import Transcript

NAMES = ("A", "B")
LONGEST_RUN = 6


@dataclass(frozen=True, slots=True)
class ShownPiece:
    """A message of the draft in the form without scripts."""

    place: int
    speaker: int
    name: str
    text: str
    is_added: bool


@dataclass(frozen=True, slots=True)
class ShownOriginal:
    """A turn of the original; each message with its place in the dialogue, from 0."""

    speaker: int
    name: str
    messages: list[tuple[int, str]]


@dataclass(frozen=True, slots=True)
class Figure:
    """One measure, shares in %; `paper` is None if the paper has no such value."""

    key: str
    label: str
    short: str
    original: float
    draft: float
    paper: float | None
    digits: int


def page_of(restructuring: Restructuring) -> dict[str, Any]:
    """The context of the editor's template."""
    original = restructuring.original.transcript
    history = history_of(restructuring)
    log = shown_log(restructuring.operations.values_list("body", flat=True))
    return {
        "original": _turns(original),
        "pieces": _pieces(history.draft),
        "figures": figures(original, transcript_of(history.draft), kept=kept_share(original, history.draft)),
        "data": {"original": original.to_json(), "log": log, "names": NAMES},
    }


def figures(original: Transcript, draft: Transcript, *, kept: float) -> list[Figure]:
    """The measures of the paper's Tables 4 and 5 before and after, beside the paper's further-split values."""
    before, after = _measures(original), _measures(draft)
    words, acmc = (published(4, row, "stephanie") for row in ("words_per_message", "acmc"))
    found = [
        Figure("messages", _("Messages"), _("Messages"), before["messages"], after["messages"], None, 0),
        Figure("words_per_message", _("Words a message"), _("Words"), before["words"], after["words"], words, 2),
        Figure("acmc", _("Messages a turn (ACMC)"), _("ACMC"), before["acmc"], after["acmc"], acmc, 2),
        Figure("kept", _("Words kept in order, %"), _("Kept %"), 100, 100 * kept, None, 1),
    ]
    for length in range(1, LONGEST_RUN + 1):
        key, label = f"turns_of_{length}", f"{length}{'+' if length == LONGEST_RUN else ''}"
        paper = published(5, "stephanie", label) if length < LONGEST_RUN else None
        found.append(Figure(key, label, label, before[key], after[key], paper, 1))
    return found


def _measures(transcript: Transcript) -> dict[str, float]:
    runs = transcript.run_lengths()
    turns = sum(runs.values())
    found: dict[str, float] = {
        "messages": len(transcript),
        "words": count_words((message.text for message in transcript), "whitespace") / len(transcript),
        "acmc": len(transcript) / turns,
    }
    for length in range(1, LONGEST_RUN):
        found[f"turns_of_{length}"] = 100 * runs[length] / turns
    longer = sum(count for length, count in runs.items() if length >= LONGEST_RUN)
    return {**found, f"turns_of_{LONGEST_RUN}": 100 * longer / turns}


def _turns(original: Transcript) -> list[ShownOriginal]:
    shown, place = [], 0
    for turn in original.turns():
        messages = [(place + number, message.text) for number, message in enumerate(turn.messages)]
        shown.append(ShownOriginal(turn.speaker, NAMES[turn.speaker - 1], messages))
        place += len(messages)
    return shown


def _pieces(draft: Sequence[Piece]) -> list[ShownPiece]:
    return [
        ShownPiece(place, piece.speaker, NAMES[piece.speaker - 1], piece.text, not piece.sources)
        for place, piece in enumerate(draft)
    ]
