"""Several people's restructurings of one dialogue side by side: texts, message boundaries, and agreement."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import combinations

from annotation.models import Restructuring
from annotation.models.people import profile_of
from annotation.restructuring.comparing import ShownMessage, shown_messages
from core.tables import Cell, Column, Table
from dialogues.alignment import links, segments
from dialogues.models import Dialogue
from dialogues.segmentation import NEAR, Segmentation, boundary_similarity, pk, segmentation_of, window_diff
from dialogues.transcript import Transcript

# Handed in, so that the annotator no longer changes them.
DONE = (Restructuring.State.SUBMITTED, Restructuring.State.APPROVED)
ORIGINALS_MARK = "o"
MEASURES = {"Pk": pk, "WindowDiff": window_diff, "B": boundary_similarity}
DEFINITIONS = (
    "Each restructuring is read as a segmentation of the original’s words: between which words of a turn does a "
    "message end? The ends of turns are not counted, and rewording does not move a boundary.",
    "Pk (Beeferman, Berger & Lafferty 1999): share of pairs of words k apart that one person keeps in one message and "
    "the other does not. 0 is full agreement. WindowDiff (Pevzner & Hearst 2002): share of windows of k words in which "
    "the numbers of boundaries differ, over the number of windows. 0 is full agreement. For both, k is half the mean "
    "message length of the two together, and no window crosses the end of a turn.",
    f"B, boundary similarity (Fournier 2013, n_t = {NEAR}): 1 − (boundaries that only one has + near misses, weighted) "
    "over all boundaries, a boundary one word off counting half. 1 is full agreement, also where neither person has a "
    "boundary.",
)


@dataclass(frozen=True)
class Rewrite:
    """One person's restructured text."""

    row: Restructuring
    mark: str
    original: Transcript

    @property
    def name(self) -> str:
        return self.row.annotator.get_username()

    @cached_property
    def transcript(self) -> Transcript:
        return Transcript.of(self.row.messages)

    @cached_property
    def segmentation(self) -> Segmentation:
        return segmentation_of(self.original, self.transcript)

    @property
    def counted(self) -> Dialogue:
        return Dialogue.from_transcript(self.transcript)


@dataclass(frozen=True, slots=True)
class ShownWord:
    """A word of the original, with the marks and names of the people whose message ends after it."""

    text: str
    marks: tuple[str, ...]
    names: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class ShownWords:
    speaker: int
    words: list[ShownWord]


def rewrites_of(original: Dialogue) -> list[Rewrite]:
    rows = Restructuring.objects.filter(original=original, state__in=DONE).select_related("annotator").order_by("pk")
    transcript = original.transcript
    return [Rewrite(row, str(number), transcript) for number, row in enumerate(rows, 1)]


def aligned(original: Transcript, rewrites: Sequence[Rewrite]) -> list[list[list[ShownMessage]]]:
    """A row for each segment that no rewrite's links cross, a column for each text, the original first."""
    starts: list[Mapping[int, int]] = [
        {
            segment.before.start: segment.after.start
            for segment in segments(len(original), len(one.transcript), links(original, one.transcript))
        }
        for one in rewrites
    ]
    cuts = [place for place in range(len(original)) if all(place in of for of in starts)]
    columns = [_cut(shown_messages(original), cuts)]
    for one, of in zip(rewrites, starts, strict=True):
        columns.append(_cut(shown_messages(one.transcript), [of[place] for place in cuts]))
    return [list(row) for row in zip(*columns, strict=True)]


def boundary_picture(original: Transcript, rewrites: Sequence[Rewrite]) -> list[ShownWords]:
    """The original's turns word by word, with whose messages end at each word."""
    own = segmentation_of(original, original)
    readers = [(ORIGINALS_MARK, "the original", own), *((one.mark, one.name, one.segmentation) for one in rewrites)]
    words = display_words(original)
    shown = []
    for turn, (start, end) in zip(original.turns(), own.spans(), strict=True):
        ends = []
        for place in range(start, end):
            here = [(mark, name) for mark, name, found in readers if place + 1 in found.boundaries]
            ends.append(ShownWord(words[place], tuple(m for m, _ in here), tuple(name for _, name in here)))
        shown.append(ShownWords(turn.speaker, ends))
    return shown


def display_words(transcript: Transcript) -> list[str]:
    """The words of `alignment.words_of` as written; free-standing punctuation is joined to the word before it."""
    shown: list[str] = []
    for message in transcript:
        found: list[str] = []
        opening = ""
        for piece in message.text.split():
            if any(map(str.isalnum, piece.casefold())):
                found.append(f"{opening} {piece}".strip())
                opening = ""
            elif found:
                found[-1] += f" {piece}"
            else:
                opening = f"{opening} {piece}".strip()
        shown += found or [message.text.strip()]
    return shown


def pair_values(rewrites: Sequence[Rewrite]) -> list[tuple[Rewrite, Rewrite, dict[str, float | None]]]:
    """Every measure for every pair of people."""
    return [
        (one, other, {name: measure(one.segmentation, other.segmentation) for name, measure in MEASURES.items()})
        for one, other in combinations(rewrites, 2)
    ]


def means(values: Sequence[Mapping[str, float | None]]) -> dict[str, float | None]:
    """The mean of each measure over the pairs that have it."""
    found = {name: [row[name] for row in values if row[name] is not None] for name in MEASURES}
    return {name: sum(given) / len(given) if given else None for name, given in found.items()}  # type: ignore[arg-type]


def pseudonyms(rewrites: Sequence[Rewrite]) -> list[str]:
    """These people's pseudonyms, for files."""
    return [profile_of(one.row.annotator).pseudonym for one in rewrites]


def pairs_table(rewrites: Sequence[Rewrite], names: Sequence[str]) -> Table:
    """Agreement pair by pair; `names` are the people's names in order: user names on a page, pseudonyms in a file."""
    called = {one.mark: f"{one.mark}. {name}" for one, name in zip(rewrites, names, strict=True)}
    pairs = pair_values(rewrites)
    rows: list[tuple[Cell, ...]] = [
        (f"{called[one.mark]} – {called[other.mark]}", *values.values()) for one, other, values in pairs
    ]
    if len(pairs) > 1:
        rows.append(("Mean", *means([values for _, _, values in pairs]).values()))
    return Table(
        "pairs",
        "How far people agree on where messages end, pair by pair.",
        (Column("Pair", numeric=False), *(Column(name, 3) for name in MEASURES)),
        tuple(rows),
        DEFINITIONS,
    )


def _cut(shown: list[ShownMessage], cuts: list[int]) -> list[list[ShownMessage]]:
    return [shown[start:end] for start, end in zip(cuts, [*cuts[1:], len(shown)], strict=True)]
