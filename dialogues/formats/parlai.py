"""ParlAI's numbered text, as PERSONA-CHAT and ConvAI2 use it.

A line number of 1 starts a dialogue. Persona lines come first; then each line is an exchange: what the
*partner* says, a tab, what *you* answer, and in some files two more columns (a reward, candidates joined by
`|`), which are not part of the dialogue. The partner is speaker 1 and you are speaker 2, whoever begins, so
"partner's persona" (or "their persona") fills `traits_1` and "your persona" `traits_2`. A line with a tab is an
exchange, whatever its words. `__SILENCE__` stands for no message, and a backslash with an n for a line break; where a
dialogue's first message has breaks, persona lines may stand before it in its column.
"""

import re
from collections import Counter
from collections.abc import Iterable, Iterator

from dialogues.formats.reading import encoding_problem, quoted
from dialogues.formats.records import BadRecord, Record, checked, size_problem

SILENCE = "__SILENCE__"
MAX_COLUMNS = 4
PARTNER, YOU = 1, 2

_LINE = re.compile(r"(\d{1,9}) (.*)", re.DOTALL)
_PERSONA = re.compile(r"(your|their|partner['’]?s?) persona:(.*)", re.DOTALL | re.IGNORECASE)
_ANY_PERSONA = re.compile(r"(\w{1,20}(?:['’]\w{0,2})? )?persona:", re.IGNORECASE)
_BREAK = "\\n"


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
        self.characters = 0
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
        first, *others = content.split("\t")
        if len(others) >= MAX_COLUMNS:
            return f"{len(others) + 1} tab-separated columns; an exchange has at most {MAX_COLUMNS}"
        parts = first.split(_BREAK)
        if not others or (len(parts) > 1 and not self.tally["exchanges"]):
            if problem := self._take_personas(parts, alone=not others):
                return problem
            if not parts and not others:
                return None
        return self._take_exchange([_BREAK.join(parts) if parts else SILENCE, *others])

    def _take_personas(self, parts: list[str], *, alone: bool) -> str | None:
        """Move persona lines from the front of `parts` to the traits; why one is at fault, or None."""
        while parts and (found := _PERSONA.fullmatch(parts[0].strip())):
            del parts[0]
            speaker = YOU if found[1].lower() == "your" else PARTNER
            trait = found[2].strip()
            if not trait:
                return "a persona line without text"
            self.traits[speaker].append(trait)
            self.characters += len(trait)
            if problem := size_problem(0, self.characters, len(self.traits[speaker])):
                return problem
        if alone and parts and _ANY_PERSONA.match(parts[0]):
            return f"whose persona? “{quoted(parts[0])}” begins neither “your persona:” nor “partner's persona:”"
        return None

    def _take_exchange(self, columns: list[str]) -> str | None:
        self.tally["exchanges"] += 1
        for speaker, column in zip((PARTNER, YOU), columns, strict=False):
            text = column.replace(_BREAK, "\n").strip()
            if text == SILENCE:
                self.tally["silences"] += 1
            elif not text:
                return f"the {'partner' if speaker == PARTNER else 'reply'} column is empty"
            else:
                self.pairs.append((speaker, text))
                self.characters += len(text)
        return size_problem(len(self.pairs), self.characters)

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
