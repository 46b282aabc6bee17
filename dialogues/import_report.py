"""What an import has read: counts, who the speakers are, what was set aside, and what is wrong."""

from collections import Counter
from dataclasses import dataclass, field
from typing import Any

from dialogues import privacy
from dialogues.formats.records import CHOICES, DATES, PEOPLE, SILENCE, BadRecord, Record

BAD_SHOWN = 100
TALLY_SHOWN = 40
LONGEST_RUN = 6
FACTS_SHOWN = 20
_CHOOSE = {
    PEOPLE: "choose two people to keep (on the import page, or by --people NAME,NAME)",
    DATES: "say how dates are written (on the import page, or by --date-order)",
    SILENCE: "let a silence begin a new dialogue (on the import page, or by --silence HOURS)",
}
# What a tally calls masks of each kind, and what a reader is told.
_MASKED = {f"{kind}_masked": f"{words} masked" for kind, words in privacy.IN_WORDS.items()}
# More people than a page offers are counted, as one of a later chat may write more.
PEOPLE_COUNTED = 1000


@dataclass(slots=True)
class Report:
    """What was read: counts of good records, and bad records up to `BAD_SHOWN`."""

    file_format: str = ""
    # What the form was told by, in words.
    seen: str = ""
    dialogues: int = 0
    messages: int = 0
    turns: int = 0
    traits_1: int = 0
    traits_2: int = 0
    refused: int = 0
    duplicates: int = 0
    versions: Counter[str] = field(default_factory=Counter)
    # How many turns have 1, 2, … messages; 6 stands for six and more.
    runs: Counter[int] = field(default_factory=Counter)
    # The names of speakers "1" and "2" in the file; "" for a side that has had several.
    roles: dict[str, str] = field(default_factory=dict)
    tally: Counter[str] = field(default_factory=Counter)
    # Sentences about how the file was read.
    facts: list[str] = field(default_factory=list)
    bad: list[BadRecord] = field(default_factory=list)
    # Messages by each person of the groups of whom two have to be chosen.
    people: Counter[str] = field(default_factory=Counter)
    # Bad records by what has to be chosen to read them; "" for those that have to be mended.
    needed: Counter[str] = field(default_factory=Counter)

    def add(self, record: Record) -> None:
        self.dialogues += 1
        self.messages += len(record.transcript)
        for length, count in record.transcript.run_lengths().items():
            self.runs[min(length, LONGEST_RUN)] += count
            self.turns += count
        self.traits_1 += len(record.traits_1)
        self.traits_2 += len(record.traits_2)
        self.versions[record.version] += 1
        for side, name in zip("12", record.names, strict=True):
            if name and self.roles.setdefault(side, name) != name:
                self.roles[side] = ""
        for name, count in record.tally.items():
            if name in self.tally or len(self.tally) < TALLY_SHOWN:
                self.tally[name] += count
        for fact in record.facts:
            if fact not in self.facts and len(self.facts) < FACTS_SHOWN:
                self.facts.append(fact)

    def refuse(self, bad: BadRecord) -> None:
        self.refused += 1
        self.needed[bad.choice] += 1
        if len(self.bad) < BAD_SHOWN:
            self.bad.append(bad)
        for name, count in bad.people:
            if name in self.people or len(self.people) < PEOPLE_COUNTED:
                self.people[name] += count

    def of_nothing(self) -> "Report":
        """The same for an import that stored nothing: zero counts, and what was wrong."""
        return Report(self.file_format, refused=self.refused, bad=self.bad)

    def advice(self) -> str:
        """What can be done about bad records: choose what they need, mend the file, or leave them out."""
        ways = [_CHOOSE[choice] for choice in CHOICES if self.needed[choice]]
        ways += ["mend the file"] if self.needed[""] else []
        ways += ["skip bad records"] if self.dialogues else []
        said = ", or ".join(ways)
        return f"{said[:1].upper()}{said[1:]}."

    @property
    def acmc(self) -> float:
        """Messages a turn (paper §4.4)."""
        return self.messages / self.turns if self.turns else 0.0

    @property
    def role_map(self) -> dict[str, str]:
        """Who speakers 1 and 2 are in the whole file; empty if a side has no name or several."""
        return dict(self.roles) if len(self.roles) == 2 and all(self.roles.values()) else {}

    def reading(self) -> dict[str, int | None]:
        """How the file was read, as a corpus keeps it: lines with their counts, and facts, which have none."""
        return {**dict.fromkeys(self.facts), **self.tally}

    def counts(self) -> dict[str, Any]:
        """Numbers for the audit row, the command's JSON and the pages."""
        names = ("dialogues", "messages", "turns", "traits_1", "traits_2", "refused", "duplicates")
        return {name: getattr(self, name) for name in names} | {
            "versions": dict(self.versions),
            "acmc": round(self.acmc, 4),
            "runs": {str(length): self.runs[length] for length in sorted(self.runs)},
            "lines": dict(self.tally),
            "facts": self.facts,
        }


def tally_words(name: str) -> str:
    """A name of a tally as it is told: `links masked`, `empty messages set aside`."""
    return _MASKED.get(name, name.replace("_", " "))
