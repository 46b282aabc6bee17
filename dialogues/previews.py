"""What an upload holds, before it is imported: read once, kept as JSON, short enough for a page."""

import json
from collections import Counter
from dataclasses import asdict, dataclass, field, fields, replace
from typing import Any

from dialogues import importing, privacy
from dialogues.display import ShownTurn, turns_for_template
from dialogues.formats.column_choices import Column, ColumnChoices, column_choices
from dialogues.formats.columns import REQUIRED
from dialogues.formats.reading import FileLines, UnreadableFileError
from dialogues.formats.records import MOST_NAMED, BadRecord, Record
from dialogues.formats.registry import AUTO, FORMATS, recognised
from dialogues.import_report import Report
from dialogues.importing import ImportRefusedError, Source
from dialogues.privacy import Finder
from dialogues.transcript import Transcript
from dialogues.waiting import Waiting

# How much of the first dialogues a page shows; the longest possible dialogues have megabytes.
SHOWN = 3
MESSAGES, LETTERS = 40, 500
TRAITS, TRAIT_LETTERS = 10, 200


@dataclass(frozen=True, slots=True)
class Excerpt:
    """The beginning of a dialogue as the file has it; `hidden` counts the messages that are not shown."""

    row: int
    key: str
    messages: list[list[int | str]]
    hidden: int
    traits_1: list[str]
    traits_2: list[str]
    times: list[str | None] = field(default_factory=list)
    names: list[str] = field(default_factory=list)

    @classmethod
    def of(cls, record: Record) -> "Excerpt":
        shown = record.transcript.messages[:MESSAGES]
        return cls(
            record.row,
            record.key,
            [[speaker, _cut(text, LETTERS)] for speaker, text in shown],
            len(record.transcript) - len(shown),
            _some(record.traits_1),
            _some(record.traits_2),
            list(record.times[:MESSAGES]),
            list(record.names),
        )

    def masked(self, kinds: tuple[str, ...]) -> "Excerpt":
        """The same without personal data of these kinds, as an import would store it."""
        if not kinds:
            return self
        return replace(Excerpt.of(privacy.masked(self._record(), kinds)), hidden=self.hidden)

    def turns(self) -> list[ShownTurn]:
        return turns_for_template(Transcript.of(self.messages), times=self.times)

    def _record(self) -> Record:
        one, two = self.names or ("", "")
        traits = tuple(self.traits_1), tuple(self.traits_2)
        return Record(
            self.row, self.key, Transcript.of(self.messages), *traits, times=tuple(self.times), names=(one, two)
        )


@dataclass(frozen=True, slots=True)
class Preview:
    """What was read, or the `problem` that a choice of columns may solve. `choices` are the columns, if it has any."""

    report: Report
    first: list[Excerpt] = field(default_factory=list)
    findings: Finder = field(default_factory=Finder)
    choices: ColumnChoices | None = None
    problem: str = ""

    @property
    def is_private(self) -> bool:
        form = FORMATS.get(self.report.file_format)
        return bool(form and form.is_private)

    @property
    def kinds(self) -> tuple[str, ...]:
        """The kinds of personal data that were found."""
        return tuple(kind for kind in privacy.KINDS if self.findings.counts[kind])

    def default_mask(self) -> tuple[str, ...]:
        """What is masked unless somebody decides otherwise: all that was found in private chats, nothing in others."""
        return self.kinds if self.is_private else ()

    def to_json(self) -> str:
        report = {part.name: getattr(self.report, part.name) for part in fields(Report)}
        people = dict(self.report.people.most_common(MOST_NAMED))
        # Their people are those of the report, which may be many.
        bad = [asdict(replace(one, people=())) for one in self.report.bad]
        first = [asdict(excerpt) for excerpt in self.first]
        kept = {"report": {**report, "bad": bad, "people": people}, "first": first, "problem": self.problem}
        choices = asdict(self.choices) if self.choices else None
        found = {name: getattr(self.findings, name) for name in ("counts", "dialogues", "examples")}
        return json.dumps(kept | {"findings": found, "choices": choices})

    @classmethod
    def from_json(cls, text: str) -> "Preview":
        kept = json.loads(text)
        report = Report(**kept["report"])
        report.versions, report.tally = Counter(report.versions), Counter(report.tally)
        report.runs = Counter({int(length): count for length, count in report.runs.items()})
        report.people, report.needed = Counter(report.people), Counter(report.needed)
        report.bad = [BadRecord(**bad) for bad in kept["report"]["bad"]]
        first = [Excerpt(**excerpt) for excerpt in kept["first"]]
        choices = _choices_of(kept["choices"]) if kept.get("choices") else None
        return cls(report, first, _finder_of(kept.get("findings", {})), choices, kept.get("problem", ""))


def look(waiting: Waiting) -> tuple[Waiting, Preview]:
    """Read an upload as it waits, or by a guess of its columns where these are unknown; then the waiting one says so.

    Where nothing can be read until somebody names the columns, the preview has a problem.
    Raises ImportRefusedError if nothing of the file can be imported, whatever its columns are.
    """
    try:
        return waiting, _read(waiting)
    except ImportRefusedError as refused:
        choices = _column_choices(waiting.source())
        if choices is None or not (waiting.columns or _has_unknown_names(waiting.source(), choices)):
            raise
        if choices.is_guess_whole and not waiting.columns:
            guessed = replace(waiting, file_format=AUTO, columns=choices.guess, is_guess=True)
            with_guess = _read_or_none(guessed)
            if with_guess:
                return guessed, with_guess
        return waiting, Preview(Report(), choices=choices, problem=str(refused))


def _has_unknown_names(source: Source, choices: ColumnChoices) -> bool:
    """Whether a file cannot be read because nobody knows which of its columns is which."""
    with source.path.open("rb") as stream:
        try:
            form = recognised(FileLines(stream), source.file_format).form
        except UnreadableFileError:
            return True
    return form.name == "csv" and not {column.name.lower() for column in choices.columns} >= set(REQUIRED)


def _read(waiting: Waiting) -> Preview:
    findings = Finder()
    seen = importing.preview(waiting.source(), waiting.options(), shown=SHOWN, tell=findings.add)
    first = [Excerpt.of(record) for record in seen.first]
    found = Preview(seen.report, first, findings, seen.columns)
    return replace(found, choices=None) if found.is_private else found


def _read_or_none(waiting: Waiting) -> Preview | None:
    try:
        return _read(waiting)
    except ImportRefusedError:
        return None


def _column_choices(source: Source) -> ColumnChoices | None:
    with source.path.open("rb") as stream:
        return column_choices(FileLines(stream))


def _finder_of(kept: dict[str, Any]) -> Finder:
    return Finder(Counter(kept.get("counts", {})), kept.get("dialogues", 0), kept.get("examples", {}))


def _choices_of(kept: dict[str, Any]) -> ColumnChoices:
    lists = {name: _columns_of(columns) for name, columns in kept["lists"].items()}
    return ColumnChoices(_columns_of(kept["columns"]), lists, kept["guess"])


def _columns_of(kept: list[dict[str, Any]]) -> tuple[Column, ...]:
    return tuple(Column(one["name"], tuple(one["samples"])) for one in kept)


def _some(traits: tuple[str, ...]) -> list[str]:
    more = [f"and {len(traits) - TRAITS:,} more"] if len(traits) > TRAITS else []
    return [_cut(trait, TRAIT_LETTERS) for trait in traits[:TRAITS]] + more


def _cut(text: str, most: int) -> str:
    return text if len(text) <= most else f"{text[:most].rstrip()} …"
