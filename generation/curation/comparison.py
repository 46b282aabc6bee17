"""Two versions of an example set, side by side: what came, went, moved and changed."""

from bisect import bisect_left
from collections.abc import Hashable, Iterator, Sequence
from dataclasses import dataclass

from dialogues.fidelity import spoken_words
from dialogues.subsequence import common_length
from generation.curation.content import Content
from generation.curation.wording import DiffLine, Piece, dialogue_changed, words_changed

# Two texts that share fewer of their words count as two examples, not as one reworded.
ALIKE = 0.5
FIELD_NAMES = {"topic": "Topic", "theme": "Theme", "traits_1": "Traits of A", "traits_2": "Traits of B", "note": "Note"}


@dataclass(frozen=True, slots=True)
class Entry:
    """An example at its place; `comes_from` names the dialogue it was taken from, if any."""

    position: int
    content: Content
    comes_from: Hashable = None


@dataclass(frozen=True, slots=True)
class FieldChange:
    name: str
    pieces: tuple[Piece, ...]


@dataclass(frozen=True, slots=True)
class Difference:
    """One example of either side; both if it is in both."""

    before: Entry | None
    after: Entry | None
    moved: bool = False
    fields: tuple[FieldChange, ...] = ()
    lines: tuple[DiffLine, ...] = ()
    lines_after: tuple[DiffLine, ...] = ()

    @property
    def words(self) -> tuple[str, ...]:
        """What happened to it; empty if it stayed as it was."""
        if self.before is None:
            return ("added",)
        if self.after is None:
            return ("removed",)
        changed = self.lines or self.lines_after or any(change.name != "Note" for change in self.fields)
        noted = any(change.name == "Note" for change in self.fields)
        happened = {"moved": self.moved, "changed": changed, "note changed": noted}
        return tuple(word for word, true in happened.items() if true)


def compared(before: Sequence[Entry], after: Sequence[Entry]) -> tuple[Difference, ...]:
    """In the order of `after`, then what was removed."""
    partners = _partners(before, after)
    kept = _kept_in_order([partners.get(place) for place in range(len(after))])
    found = [
        _difference(before[partners[place]], entry, moved=place not in kept)
        if place in partners
        else Difference(None, entry)
        for place, entry in enumerate(after)
    ]
    gone = set(range(len(before))) - set(partners.values())
    return (*found, *(Difference(before[place], None) for place in sorted(gone)))


def _difference(before: Entry, after: Entry, *, moved: bool) -> Difference:
    old, new = before.content, after.content
    return Difference(
        before,
        after,
        moved,
        tuple(_fields_changed(old, new)),
        dialogue_changed(old.messages, new.messages) if old.messages != new.messages else (),
        _after_changed(old, new),
    )


def _after_changed(old: Content, new: Content) -> tuple[DiffLine, ...]:
    if old.messages_after is None or new.messages_after is None or old.messages_after == new.messages_after:
        return ()
    return dialogue_changed(old.messages_after, new.messages_after)


def _fields_changed(old: Content, new: Content) -> Iterator[FieldChange]:
    for field, name in FIELD_NAMES.items():
        texts = [getattr(side, field) for side in (old, new)]
        before, after = (text if isinstance(text, str) else "\n".join(text) for text in texts)
        if before != after:
            yield FieldChange(name, words_changed(before, after))


def _partners(before: Sequence[Entry], after: Sequence[Entry]) -> dict[int, int]:
    """For places in `after` the matching place in `before`: same text, else same dialogue, else the most similar."""
    found: dict[int, int] = {}
    for same in (_text_of, lambda entry: entry.comes_from):
        waiting: dict[Hashable, list[int]] = {}
        for place in reversed([place for place in range(len(before)) if place not in found.values()]):
            waiting.setdefault(same(before[place]), []).append(place)
        for place in range(len(after)):
            key = same(after[place])
            if place not in found and key is not None and waiting.get(key):
                found[place] = waiting[key].pop()
    return found | _alike(before, after, found)


def _alike(before: Sequence[Entry], after: Sequence[Entry], found: dict[int, int]) -> dict[int, int]:
    old = [place for place in range(len(before)) if place not in found.values()]
    new = [place for place in range(len(after)) if place not in found]
    words = {side: {place: spoken_words(rows[place].content.messages) for place in places}
             for side, rows, places in (("old", before, old), ("new", after, new))}  # fmt: skip
    likeness = [
        (2 * common_length(words["old"][was], words["new"][now]) / total, was, now)
        for was in old
        for now in new
        if (total := len(words["old"][was]) + len(words["new"][now]))
    ]
    pairs: dict[int, int] = {}
    for share, was, now in sorted(likeness, key=lambda one: (-one[0], one[1], one[2])):
        if share >= ALIKE and now not in pairs and was not in pairs.values():
            pairs[now] = was
    return pairs


def _kept_in_order(places: Sequence[int | None]) -> set[int]:
    """Those that kept their order, if as few as possible count as moved: a longest increasing subsequence."""
    ends: list[int] = []
    last: list[int] = []
    previous: dict[int, int | None] = {}
    for index, place in enumerate(places):
        if place is None:
            continue
        at = bisect_left(ends, place)
        previous[index] = last[at - 1] if at else None
        ends[at:], last[at:] = [place, *ends[at + 1 :]], [index, *last[at + 1 :]]
    kept: set[int] = set()
    step = last[-1] if last else None
    while step is not None:
        kept.add(step)
        step = previous[step]
    return kept


def _text_of(entry: Entry) -> Hashable:
    return (entry.content.messages, entry.content.messages_after)
