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
from collections.abc import Callable, Iterable, Iterator

from dialogues.formats.head import Head
from dialogues.formats.reading import encoding_problem, quoted
from dialogues.formats.records import AS_IT_COMES, BadRecord, Choices, Record, RecordError, check_size, checked

SILENCE = "__SILENCE__"
MAX_COLUMNS = 4
PARTNER, YOU = 1, 2

_LINE = re.compile(r"(\d{1,9}) (.*)", re.DOTALL)
_PERSONA = re.compile(r"\s*(?:(your)|their|partner['’]?s?) persona:", re.IGNORECASE)
_ANY_PERSONA = re.compile(r"(\w{1,20}(?:['’]\w{0,2})? )?persona:", re.IGNORECASE)
_BREAK = "\\n"


def fits(head: Head) -> str:
    first = next(iter(head.lines()), "").lstrip()
    return "lines that begin with a number" if re.match(r"\d+ \S", first) else ""


def parse(lines: Iterable[str], choices: Choices = AS_IT_COMES) -> Iterator[Record | BadRecord]:
    """One record a dialogue, keyed by its place in the file (`00001`, `00002`, …)."""
    draft: Draft | None = None
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
            draft = Draft(row, f"{ordinal:05}")
        draft.add(row, number, found[2] if found else text)
    if draft:
        yield draft.finished()


class Draft:
    """A dialogue while its lines are read; after the first problem the rest of its lines is skipped."""

    def __init__(self, row: int, key: str) -> None:
        self.row, self.key = row, key
        self.last_number = 0
        self.characters = 0
        self.pairs: list[tuple[int, str]] = []
        self.traits: dict[int, list[str]] = {PARTNER: [], YOU: []}
        self.tally: Counter[str] = Counter()
        self.problem: BadRecord | None = None

    def add(self, row: int, number: int | None, content: str) -> None:
        """A numbered line, or one without a number (None)."""
        self._try(row, lambda: self._take(number, content))

    def add_exchange(self, row: int, columns: list[str]) -> None:
        """What the partner says and what you answer, where a line has no number."""
        self._try(row, lambda: self._take_unnumbered(columns))

    def _try(self, row: int, take: Callable[[], None]) -> None:
        if self.problem:
            return
        try:
            take()
        except RecordError as error:
            self.problem = BadRecord(row, str(error), self.key)

    def _take_unnumbered(self, columns: list[str]) -> None:
        if problem := next(filter(None, map(encoding_problem, columns)), None):
            raise RecordError(problem)
        self._take_columns(columns)

    def _take(self, number: int | None, content: str) -> None:
        if number is None:
            raise RecordError("the line does not begin with a number and a space")
        if number != self.last_number + 1:
            raise RecordError(f"line number {number} where {self.last_number + 1} was expected")
        self.last_number = number
        if problem := encoding_problem(content):
            raise RecordError(problem)
        if "\t" in content:
            self._take_columns(content.split("\t"))
        else:
            self._take_line(content)

    def _take_columns(self, columns: list[str]) -> None:
        if len(columns) > MAX_COLUMNS:
            raise RecordError(f"{len(columns)} tab-separated columns; an exchange has at most {MAX_COLUMNS}")
        if _BREAK in columns[0] and not self.tally["exchanges"]:
            left = self._behind_personas(columns[0])
            columns[0] = SILENCE if left is None else left
        self._take_exchange(columns)

    def _take_line(self, content: str) -> None:
        """A line without a tab: a persona line, or the partner's last message, which has no reply."""
        left = self._behind_personas(content)
        if left is None:
            return
        if _ANY_PERSONA.match(left):
            raise RecordError(f"“{quoted(left)}” begins neither “your persona:” nor “partner's persona:”")
        self._take_exchange([left])

    def _behind_personas(self, text: str) -> str | None:
        """The text after the persona lines at the front, which become traits; None if there is none."""
        while found := _PERSONA.match(text):
            trait, more, text = text[found.end() :].partition(_BREAK)
            if not (trait := trait.strip()):
                raise RecordError("a persona line without text")
            traits = self.traits[YOU if found[1] else PARTNER]
            traits.append(trait)
            self.characters += len(trait)
            check_size(0, self.characters, len(traits))
            if not more:
                return None
        return text

    def _take_exchange(self, columns: list[str]) -> None:
        self.tally["exchanges"] += 1
        for speaker, column in zip((PARTNER, YOU), columns, strict=False):
            text = column.strip()
            if _BREAK in text:
                text = text.replace(_BREAK, "\n").strip()
            if text == SILENCE:
                self.tally["silences"] += 1
            elif not text:
                raise RecordError(f"the {'partner' if speaker == PARTNER else 'reply'} column is empty")
            else:
                self.pairs.append((speaker, text))
                self.characters += len(text)
        check_size(len(self.pairs), self.characters)

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
