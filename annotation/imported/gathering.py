"""All scores of a file as NumPy columns, with the items, raters and metrics that they are of."""

import sys
from array import array
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from typing import Any, NamedTuple

import numpy as np

from annotation.imported.rating_rows import RatedItem, ScoreRow, SetAside
from dialogues.formats.reading import UnreadableFileError, quoted
from dialogues.formats.records import BadRecord

BAD_SHOWN = 100
TALLY_SHOWN = 40
MOST_SCORES = 2_000_000
MOST_ITEMS = 500_000
MOST_RATERS = 20_000
MOST_METRICS = 100
MOST_VERSIONS = 100
# Of all items together; they are held until they are stored.
MOST_CHARACTERS = 100_000_000

Ints = np.ndarray[tuple[int], np.dtype[np.int64]]
Table = np.ndarray[tuple[int, int], np.dtype[np.int64]]


@dataclass(slots=True)
class Report:
    """What was read: counts, what was set aside by kind, and bad rows up to `BAD_SHOWN`."""

    form: str = ""
    seen: str = ""
    scores: int = 0
    refused: int = 0
    tally: Counter[str] = field(default_factory=Counter)
    bad: list[BadRecord] = field(default_factory=list)

    def refuse(self, bad: BadRecord) -> None:
        self.refused += 1
        if len(self.bad) < BAD_SHOWN:
            self.bad.append(bad)

    def count(self, kind: str, count: int = 1) -> None:
        if kind in self.tally or len(self.tally) < TALLY_SHOWN:
            self.tally[kind] += count


class RatingsRefusedError(Exception):
    """Nothing can be or was imported: the text says why, `report` holds the bad rows."""

    def __init__(self, reason: str, report: Report | None = None) -> None:
        super().__init__(reason)
        self.report = report or Report()


@dataclass(slots=True)
class Gathered:
    """One entry a score: the numbers of its item, rater and metric in `items`, `raters` and `metrics`, and its value.

    `low` and `high` are each metric's scale: the widest that the file names, else what was given. `seconds` and
    `comments` are by (item, rater), `notes` by score. `rater_names` are the file's, which are never stored.
    """

    items: list[RatedItem]
    rater_names: list[str]
    metrics: list[str]
    item: Ints
    rater: Ints
    metric: Ints
    value: Ints
    low: Ints
    high: Ints
    seconds: dict[tuple[int, int], float]
    comments: dict[tuple[int, int], str]
    notes: dict[int, str]
    is_simulated: bool
    report: Report

    @property
    def raters(self) -> int:
        return len(self.rater_names)

    def versions(self) -> list[str]:
        """The versions in the order of the file; "" for items of which it names none."""
        return list(dict.fromkeys(item.version for item in self.items))

    def counts(self) -> dict[str, Any]:
        """Numbers for the audit row, the command's JSON and the pages."""
        return {
            "form": self.report.form,
            "scores": self.report.scores,
            "ratings": self.ratings(),
            "items": len(self.items),
            "raters": self.raters,
            "metrics": list(self.metrics),
            "refused": self.report.refused,
            "set_aside": dict(self.report.tally),
        }

    def ratings(self) -> int:
        """How many pairs of item and rater there are."""
        return len(np.unique(self.item * max(self.raters, 1) + self.rater))

    def table(self) -> Table:
        """(metrics, raters): how many scores each rater gave by each metric."""
        cells = np.zeros((len(self.metrics), self.raters), dtype=np.int64)
        np.add.at(cells, (self.metric, self.rater), 1)
        return cells


class RowLimit(NamedTuple):
    """The most rows that are read, bad ones included, and what a person is told of more."""

    most: int
    why: str


NO_LIMIT = RowLimit(sys.maxsize, "")


def gather(parsed: Iterable[Any], report: Report, limit: RowLimit = NO_LIMIT) -> Gathered:
    """Read all scores; bad rows and doubled scores go into the report.

    Raises UnreadableFileError beyond the limits, and for a file in which people's and simulated scores are mixed.
    """
    found = _Gathering(report)
    for number, one in enumerate(parsed, 1):
        if number > limit.most:
            raise UnreadableFileError(limit.why)
        if isinstance(one, SetAside):
            report.count(one.kind, one.count)
        elif isinstance(one, BadRecord):
            report.refuse(one)
        else:
            found.add(one)
    return found.whole()


class _Gathering:
    def __init__(self, report: Report) -> None:
        self.report = report
        self.items: dict[tuple[str, str], int] = {}
        self.known: list[RatedItem] = []
        self.first_rows = array("q")
        self.by_dialogue: dict[str, int] = {}
        self.raters: dict[str, int] = {}
        self.metrics: dict[str, int] = {}
        self.versions: set[str] = set()
        self.scales: dict[int, tuple[int, int]] = {}
        # (item, rater, metric, value, row), one after another.
        self.cells = array("q")
        self.seconds: dict[tuple[int, int], float] = {}
        self.comments: dict[tuple[int, int], str] = {}
        self.notes: dict[int, str] = {}
        self.simulated = 0
        self.characters = 0

    def add(self, score: ScoreRow) -> None:
        if len(self.cells) >= 5 * MOST_SCORES:
            raise UnreadableFileError(f"The file has more than {MOST_SCORES:,} scores. Split it by metric.")
        item = self._item(score)
        if isinstance(item, str):
            self.report.refuse(BadRecord(score.row, item, score.of.item))
            return
        rater = _number(self.raters, score.rater, MOST_RATERS, "raters")
        metric = _number(self.metrics, score.metric, MOST_METRICS, "metrics")
        self._remark(score, item, rater)
        if score.scale:
            low, high = self.scales.get(metric, score.scale)
            self.scales[metric] = min(low, score.scale[0]), max(high, score.scale[1])
        self.simulated += score.is_simulated
        self.cells.extend((item, rater, metric, score.value, score.row))

    def _item(self, score: ScoreRow) -> int | str:
        """The item's number, or why this row does not fit what the file said of the item before."""
        of = score.of
        number = self.items.get((of.item, of.version))
        if number is None:
            return self._new_item(score)
        known, row = self.known[number], self.first_rows[number]
        for name in ("background", "dialogue", "messages"):
            said = getattr(of, name)
            if said and said != getattr(known, name):
                if getattr(known, name):
                    what = "text" if name == "messages" else name
                    return f"the item has another {what} in row {row}"
                self.known[number] = known = replace(known, **{name: said})
        return number

    def _new_item(self, score: ScoreRow) -> int | str:
        of = score.of
        if of.dialogue in self.by_dialogue:
            return f"its dialogue is that of another item in row {self.first_rows[self.by_dialogue[of.dialogue]]}"
        self.versions.add(of.version)
        self.characters += sum(len(text) for _, text in of.messages) + len(of.theme)
        if len(self.versions) > MOST_VERSIONS:
            raise UnreadableFileError(f"The file has more than {MOST_VERSIONS} versions. Name another column for them.")
        if self.characters > MOST_CHARACTERS:
            raise UnreadableFileError(
                f"The texts have more than {MOST_CHARACTERS:,} characters. Import the dialogues as a corpus, leave "
                "their texts out here, and name that corpus."
            )
        number = _number(self.items, (of.item, of.version), MOST_ITEMS, "items")
        self.known.append(of)
        self.first_rows.append(score.row)
        if of.dialogue:
            self.by_dialogue[of.dialogue] = number
        return number

    def _remark(self, score: ScoreRow, item: int, rater: int) -> None:
        """A rating has one time and one comment; a further comment stays with its score."""
        if score.seconds is not None and self.seconds.setdefault((item, rater), score.seconds) != score.seconds:
            self.report.count("further_seconds_of_a_rating_set_aside")
        note = score.note
        if score.comment and self.comments.setdefault((item, rater), score.comment) != score.comment:
            note = "\n".join(filter(None, (note, score.comment)))
        if note:
            self.notes[len(self.cells) // 5] = note

    def whole(self) -> Gathered:
        cells = np.array(self.cells, dtype=np.int64).reshape(-1, 5)
        kept = self._without_doubles(cells)
        if self.simulated not in (0, len(cells)):
            raise UnreadableFileError(
                f"{self.simulated:,} of {len(cells):,} scores are marked as simulated. The two are never mixed: import "
                "each from a file of its own."
            )
        self.report.scores = len(kept)
        numbers = {old: new for new, old in enumerate(kept.tolist())} if self.notes else {}
        chosen = cells[kept]
        low, high = self._scales(chosen)
        return Gathered(
            items=self.known,
            rater_names=list(self.raters),
            metrics=list(self.metrics),
            item=chosen[:, 0],
            rater=chosen[:, 1],
            metric=chosen[:, 2],
            value=chosen[:, 3],
            low=low,
            high=high,
            seconds=self.seconds,
            comments=self.comments,
            notes={numbers[at]: note for at, note in self.notes.items() if at in numbers},
            is_simulated=self.simulated > 0,
            report=self.report,
        )

    def _without_doubles(self, cells: Any) -> Ints:
        """The places of the scores to keep, sorted by item and rater; every double is refused with both rows."""
        order = np.lexsort((np.arange(len(cells)), cells[:, 2], cells[:, 1], cells[:, 0]))
        same = (cells[order][1:, :3] == cells[order][:-1, :3]).all(axis=1)
        doubles = np.concatenate(([False], same)) if len(cells) else np.zeros(0, dtype=bool)
        for place in np.flatnonzero(doubles).tolist():
            self._refuse_double(cells[order[place]], cells[order[place - 1]])
        found: Ints = order[~doubles]
        return found

    def _refuse_double(self, double: Any, first: Any) -> None:
        item, _, metric, _, row = double.tolist()
        said = quoted(list(self.metrics)[metric])
        why = f"the same rater has scored this item by “{said}” in row {first[4]} already"
        self.report.refuse(BadRecord(row, why, self.known[item].item))

    def _scales(self, cells: Any) -> tuple[Ints, Ints]:
        lows, highs = np.zeros(len(self.metrics), dtype=np.int64), np.ones(len(self.metrics), dtype=np.int64)
        for metric in range(len(self.metrics)):
            given = cells[cells[:, 2] == metric, 3]
            low, high = (int(given.min()), int(given.max())) if len(given) else (0, 1)
            named = self.scales.get(metric, (low, high))
            lows[metric], highs[metric] = min(low, named[0]), max(high, named[1], min(low, named[0]) + 1)
        return lows, highs


def _number(numbers: dict[Any, int], name: Any, most: int, what: str) -> int:
    number = numbers.setdefault(name, len(numbers))
    if len(numbers) > most:
        raise UnreadableFileError(
            f"The file has more than {most:,} {what}. Check which column says which, or split the file."
        )
    return number


def first_bad(report: Report) -> Iterator[str]:
    """The bad rows as lines of text."""
    for bad in report.bad:
        yield f"row {bad.row}: {bad.reason}" + (f" (item {quoted(bad.key)})" if bad.key else "")
    if report.refused > len(report.bad):
        yield f"… and {report.refused - len(report.bad):,} more"
