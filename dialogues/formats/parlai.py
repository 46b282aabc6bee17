"""ParlAI's numbered text, as PERSONA-CHAT and ConvAI2 use it.

A line number of 1 starts a dialogue. Persona lines come first; then each line is an exchange: what the
*partner* says, a tab, what *you* answer, and in some files two more columns (a reward, candidates joined by
`|`), which are not part of the dialogue. The partner is speaker 1 and you are speaker 2, whoever begins, so
"partner's persona" fills `traits_1` and "your persona" `traits_2`. `__SILENCE__` stands for no message.
"""

import re
from collections import Counter
from collections.abc import Iterable, Iterator

from dialogues.formats.reading import encoding_problem
from dialogues.formats.records import BadRecord, Record, checked

SILENCE = "__SILENCE__"
MAX_COLUMNS = 4
PARTNER, YOU = 1, 2

_LINE = re.compile(r"(\d{1,9}) (.*)", re.DOTALL)
_PERSONA = re.compile(r"(your|partner'?s?) persona: ?(.*)", re.DOTALL)


def parse(lines: Iterable[str]) -> Iterator[Record | BadRecord]:
    """One record a dialogue, keyed by its place in the file (`00001`, `00002`, …)."""
    draft: _Draft | None = None
    ordinal = 0
    for row, line in enumerate(lines, 1):
        text = line.rstrip("\r\n")
        if not text.strip():
            continue
        found = _LINE.fullmatch(text)
        number = int(found[1]) if found else None
        if draft is None or number == 1:
            if draft:
                yield draft.finished()
            ordinal += 1
            draft = _Draft(row, f"{ordinal:05}")
        draft.add(row, number, found[2] if found else text)
    if draft:
        yield draft.finished()


class _Draft:
    """A dialogue as its lines come in; the first problem decides, the lines after it are passed over."""

    def __init__(self, row: int, key: str) -> None:
        self.row, self.key = row, key
        self.last_number = 0
        self.pairs: list[tuple[int, str]] = []
        self.traits: dict[int, list[str]] = {PARTNER: [], YOU: []}
        self.tally: Counter[str] = Counter()
        self.problem: BadRecord | None = None

    def add(self, row: int, number: int | None, content: str) -> None:
        if self.problem:
            return
        reason = self._numbering_problem(number) or encoding_problem(content) or self._take(content)
        if reason:
            self.problem = BadRecord(row, reason, self.key)

    def _numbering_problem(self, number: int | None) -> str | None:
        if number is None:
            return "the line does not begin with a number and a space"
        if number != self.last_number + 1:
            return f"line number {number} where {self.last_number + 1} was due"
        self.last_number = number
        return None

    def _take(self, content: str) -> str | None:
        persona = _PERSONA.fullmatch(content)
        if persona:
            return self._take_trait(YOU if persona[1] == "your" else PARTNER, persona[2].strip())
        columns = content.split("\t")
        if len(columns) > MAX_COLUMNS:
            return f"{len(columns)} tab-separated columns; an exchange has at most {MAX_COLUMNS}"
        self.tally["exchanges"] += 1
        for speaker, text in zip((PARTNER, YOU), columns, strict=False):
            if text.strip() == SILENCE:
                self.tally["silences"] += 1
            elif not text.strip():
                return f"the {'partner' if speaker == PARTNER else 'reply'} column is empty"
            else:
                self.pairs.append((speaker, text.strip()))
        return None

    def _take_trait(self, speaker: int, trait: str) -> str | None:
        if not trait:
            return "a persona line without text"
        self.traits[speaker].append(trait)
        return None

    def finished(self) -> Record | BadRecord:
        if self.problem:
            return self.problem
        return checked(
            self.row,
            self.key,
            self.pairs,
            traits_1=tuple(self.traits[PARTNER]),
            traits_2=tuple(self.traits[YOU]),
            tally=self.tally,
        )
