"""What an upload holds, before it is imported: read once, kept as JSON, short enough for a page."""

import json
from collections import Counter
from dataclasses import asdict, dataclass, fields

from dialogues import importing
from dialogues.display import ShownTurn, turns_for_template
from dialogues.formats.records import BadRecord, Record
from dialogues.importing import Report, Source
from dialogues.transcript import Transcript

# How much of the first dialogues a page shows; the longest possible dialogues have megabytes.
SHOWN = 3
MESSAGES, LETTERS = 40, 500
TRAITS, TRAIT_LETTERS = 10, 200


@dataclass(frozen=True, slots=True)
class Excerpt:
    """The beginning of a dialogue; `hidden` counts the messages that are not shown."""

    row: int
    key: str
    messages: list[list[int | str]]
    hidden: int
    traits_1: list[str]
    traits_2: list[str]

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
        )

    def turns(self) -> list[ShownTurn]:
        return turns_for_template(Transcript.of(self.messages))


@dataclass(frozen=True, slots=True)
class Preview:
    report: Report
    first: list[Excerpt]

    def to_json(self) -> str:
        report = {part.name: getattr(self.report, part.name) for part in fields(Report)}
        bad, first = ([asdict(row) for row in rows] for rows in (self.report.bad, self.first))
        return json.dumps({"report": {**report, "bad": bad}, "first": first})

    @classmethod
    def from_json(cls, text: str) -> "Preview":
        kept = json.loads(text)
        report = Report(**kept["report"])
        report.versions, report.tally = Counter(report.versions), Counter(report.tally)
        report.bad = [BadRecord(**bad) for bad in kept["report"]["bad"]]
        return cls(report, [Excerpt(**excerpt) for excerpt in kept["first"]])


def read(source: Source, *, deduplicate: bool) -> Preview:
    """Raises ImportRefusedError if nothing of the file can be imported."""
    report, first = importing.preview(source, deduplicate=deduplicate, shown=SHOWN)
    return Preview(report, [Excerpt.of(record) for record in first])


def _some(traits: tuple[str, ...]) -> list[str]:
    more = [f"and {len(traits) - TRAITS:,} more"] if len(traits) > TRAITS else []
    return [_cut(trait, TRAIT_LETTERS) for trait in traits[:TRAITS]] + more


def _cut(text: str, most: int) -> str:
    return text if len(text) <= most else f"{text[:most].rstrip()} …"
