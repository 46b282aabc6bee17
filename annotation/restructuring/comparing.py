"""Compare a text with its restructured form: by segment, by word, and in figures."""

from dataclasses import dataclass
from itertools import groupby
from typing import NamedTuple

from core.tables import Cell, Column, Table
from dialogues import published
from dialogues.alignment import Link, segments
from dialogues.editing import Draft
from dialogues.fidelity import fidelity
from dialogues.models import Dialogue
from dialogues.statistics.words_and_turns import RUN_LABELS, run_shares
from dialogues.subsequence import matched
from dialogues.transcript import Transcript

RUN_NAMES = ("one message", "two", "three", "four", "five", "six or more")
PAPER = ("gamma", "stephanie")


class Mark(NamedTuple):
    """Words that stayed ("same"), were removed ("gone") or added ("new")."""

    kind: str
    text: str


@dataclass(frozen=True, slots=True)
class ShownMessage:
    place: int
    speaker: int
    text: str
    # Whether it is the first of its turn and shows the person's name.
    opens_turn: bool


@dataclass(frozen=True, slots=True)
class ShownSegment:
    """Messages that belong together; `marks` by speaker if words are compared."""

    before: list[ShownMessage]
    after: list[ShownMessage]
    marks: list[tuple[int, list[Mark]]]

    @property
    def is_reworded(self) -> bool:
        """Whether words were added or removed, rather than only message boundaries moved."""
        return any(mark.kind != "same" for _, words in self.marks for mark in words)

    @property
    def what(self) -> str:
        """What happened here, in a word."""
        if not self.after:
            return "removed"
        if not self.before:
            return "added"
        if [(one.speaker, one.text) for one in self.before] == [(one.speaker, one.text) for one in self.after]:
            return ""
        if len(self.after) > len(self.before):
            return "split" if "".join(_bare(self.before)) == "".join(_bare(self.after)) else "rewritten"
        return "merged" if len(self.after) < len(self.before) else "reworded"


def shown_segments(original: Transcript, after: Transcript, linked: list[Link], *, diff: bool) -> list[ShownSegment]:
    left, right = shown_messages(original), shown_messages(after)
    found = []
    for segment in segments(len(left), len(right), linked):
        one, other = [left[place] for place in segment.before], [right[place] for place in segment.after]
        found.append(ShownSegment(one, other, marks(one, other) if diff else []))
    return found


def shown_messages(transcript: Transcript) -> list[ShownMessage]:
    speakers = [0, *(message.speaker for message in transcript)]
    return [
        ShownMessage(place, message.speaker, message.text, message.speaker != speakers[place])
        for place, message in enumerate(transcript)
    ]


def links_of(draft: Draft) -> list[Link]:
    """Links from the original's messages to the pieces made of them, as the operations record it."""
    return sorted((source, place) for place, piece in enumerate(draft) for source in piece.sources)


def marks(before: list[ShownMessage], after: list[ShownMessage]) -> list[tuple[int, list[Mark]]]:
    """Marks word by word for each speaker, ignoring white space."""
    found = []
    for speaker in (1, 2):
        left = [word for one in before if one.speaker == speaker for word in one.text.split()]
        right = [word for one in after if one.speaker == speaker for word in one.text.split()]
        if left or right:
            found.append((speaker, word_marks(left, right)))
    return found


def word_marks(left: list[str], right: list[str]) -> list[Mark]:
    steps: list[Mark] = []
    i = j = 0
    for one, other in [*matched(left, right), (len(left), len(right))]:
        steps += [Mark("gone", word) for word in left[i:one]]
        steps += [Mark("new", word) for word in right[j:other]]
        steps += [Mark("same", word) for word in left[one : one + 1]]
        i, j = one + 1, other + 1
    runs = groupby(steps, key=lambda mark: mark.kind)
    return [Mark(kind, " ".join(mark.text for mark in run)) for kind, run in runs]


def figures_table(original: Transcript, after: Transcript, kept: float) -> Table:
    """The figures of both texts beside the paper's."""
    one, other = counted(original), counted(after)
    shares = [run_shares(runs_of(row)) for row in (one, other)]
    rows: list[tuple[Cell, ...]] = [
        ("Messages", one.message_count, other.message_count, None, None),
        ("Turns", one.turn_count, other.turn_count, None, None),
        ("Words", one.whitespace_tokens, other.whitespace_tokens, None, None),
        ("Words a message", one.words_per_message, other.words_per_message, *_printed(4, "words_per_message")),
        ("ACMC", one.acmc, other.acmc, *_printed(4, "acmc")),
        *(
            (f"Turns of {name}, %", 100 * shares[0][label], 100 * shares[1][label], *_printed(5, label))
            for label, name in zip(RUN_LABELS, RUN_NAMES, strict=True)
        ),
        ("Words kept in order, %", None, 100 * kept, None, None),
        ("Words that are new, %", None, 100 * fidelity(original, after).invented, None, None),
    ]
    return Table(
        "before-after",
        "What the restructuring changed, beside the paper's figures.",
        (
            Column("Figure", numeric=False),
            Column("Original"),
            Column("Restructured"),
            *(Column(name, group="Paper") for name in ("γ", "Stephanie")),
        ),
        tuple(rows),
        (
            "Words are whitespace tokens. ACMC is messages over turns.",
            "Kept and new words are counted speaker by speaker, without regard to case and punctuation.",
            "“Paper” is its Tables 4 and 5: GPT-4, means of 100 dialogues.",
        ),
    )


def counted(transcript: Transcript) -> Dialogue:
    """An unsaved dialogue, for its counts."""
    return Dialogue.from_transcript(transcript)


def runs_of(row: Dialogue) -> list[int]:
    return [row.turns_of_1, row.turns_of_2, row.turns_of_3, row.turns_of_4, row.turns_of_5, row.turns_of_6_up]


def _printed(table: int, figure: str) -> list[float | None]:
    return [published.value(table, figure, version) for version in PAPER]


def _bare(shown: list[ShownMessage]) -> list[str]:
    return ["".join(one.text.split()) for one in shown]
