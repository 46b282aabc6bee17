"""The files of an unpacked bundle as values. It knows neither Django nor a database: a bundle carries it along."""

import csv
import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, NamedTuple

from annotation.bundles.table_values import table_from
from core.tables import Table
from dialogues.rubric import Metric, Scale, from_json

FORMAT, FORMAT_VERSION = "stephanie-study-bundle", 1
RATED = "rated"
# Why a rating is set aside by which a rater scored an item a second time, and what such a turn is for.
REPEAT = "repeat"
# What a study does with the ratings of raters who withdrew, if it lets them count.
KEEP = "keep"

Line = Mapping[str, Any]


class BundleError(ValueError):
    """A folder that is no bundle, or one that this release cannot read; the text says why."""


class VersionName(NamedTuple):
    slug: str
    symbol: str
    hue: str


@dataclass(frozen=True, slots=True)
class Questions:
    scale: Scale
    metrics: tuple[Metric, ...]


@dataclass(frozen=True, slots=True)
class BundledStudy:
    """The part of a study's design that its tables depend on, as `annotation.reports.reported.Reported`."""

    kind: str
    seed: int
    rubric: Questions
    is_simulated: bool
    is_imported: bool
    raters_per_item: int | None
    counts_screened_out: bool
    hidden_repeats: int
    analysis_plan: Mapping[str, Any]

    @property
    def compares(self) -> bool:
        return self.kind == "pairs"

    @property
    def has_chats(self) -> bool:
        return self.kind == "chats"


class Bundle:
    """The data of an unpacked bundle; each file is read when it is first asked for."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.about: Line = self._object("study.json")
        if self.about.get("format") != FORMAT:
            raise BundleError("study.json is not that of a study's bundle.")
        if self.about["format_version"] != FORMAT_VERSION:
            raise BundleError(f"This release reads bundles of format {FORMAT_VERSION}, and this one is of another.")

    def _object(self, path: str) -> Line:
        found = json.loads((self.folder / path).read_text(encoding="utf-8"))
        if not isinstance(found, dict):
            raise BundleError(f"{path} must hold one JSON object.")
        return found

    def _lines(self, path: str) -> list[Line]:
        text = (self.folder / path).read_text(encoding="utf-8")
        return [json.loads(line) for line in text.split("\n") if line]

    def _rows(self, path: str) -> list[dict[str, str]]:
        with (self.folder / path).open(encoding="utf-8", newline="") as file:
            return list(csv.DictReader(file))

    @cached_property
    def study(self) -> BundledStudy:
        known = self.about["study"]
        low, high = self.about["scale"]
        rubric = Questions(Scale(low, high), from_json(self.about["metrics"]))
        names = (
            *("kind", "seed", "is_simulated", "is_imported", "raters_per_item", "counts_screened_out"),
            "hidden_repeats",
        )
        return BundledStudy(
            **{name: known[name] for name in names}, rubric=rubric, analysis_plan=self.about["analysis_plan"]
        )

    @cached_property
    def versions(self) -> list[VersionName]:
        return [VersionName(**row) for row in self.about["versions"]]

    @cached_property
    def dialogues(self) -> dict[int, Line]:
        """By number; their numbers rise with their age."""
        return {row["number"]: row for row in self._lines("data/dialogues.jsonl")}

    @cached_property
    def texts(self) -> dict[str, Any]:
        """Messages by key, of the dialogues that have any here."""
        return {row["key"]: row["messages"] for row in self.dialogues.values() if row["messages"]}

    @cached_property
    def items(self) -> list[dict[str, str]]:
        """The rated ones, in the order in which they were made."""
        return [row for row in self._rows("data/items.csv") if row["purpose"] == RATED]

    @cached_property
    def item_places(self) -> dict[str, int]:
        """The places, from 0, of the rated items, by their numbers in the files."""
        return {row["item"]: place for place, row in enumerate(self.items)}

    @cached_property
    def raters(self) -> list[dict[str, str]]:
        return self._rows("data/raters.csv")

    @cached_property
    def counted_raters(self) -> dict[str, int]:
        """The places, from 0, of the raters who count, by their numbers in the files."""
        counted = (row["rater"] for row in self.raters if row["counts"] == "True")
        return {number: place for place, number in enumerate(counted)}

    @cached_property
    def candidates(self) -> dict[str, int]:
        """The same of those who would count, had nobody been excluded or screened out."""
        keeps = self.about["study"]["withdrawal"] == KEEP
        simulated = str(self.study.is_simulated)
        able = (
            row["rater"]
            for row in self.raters
            if row["simulated"] == simulated and (keeps or row["withdrawn"] == "False")
        )
        return {number: place for place, number in enumerate(able)}

    @cached_property
    def screened_out(self) -> int:
        return sum(row["screened_out"] == "True" for row in self.raters)

    @cached_property
    def all_scores(self) -> list[dict[str, str]]:
        return self._rows("data/ratings.csv")

    @cached_property
    def scores(self) -> list[dict[str, str]]:
        """Those that count."""
        return [row for row in self.all_scores if not row["set_aside"]]

    @cached_property
    def candidates_scores(self) -> list[dict[str, str]]:
        """Those that count, and those of the first showings of rated items to the other candidates."""
        rated = {row["item"] for row in self.items}
        return [
            row
            for row in self.all_scores
            if row["rater"] in self.candidates and row["item"] in rated and row["repeat"] == "False"
        ]

    @cached_property
    def second_scores(self) -> list[dict[str, str]]:
        """Those of items that a rater met again, where the first rating counts."""
        counted = {(row["item"], row["rater"]) for row in self.scores}
        again = (row for row in self.all_scores if row["set_aside"] == REPEAT)
        return [row for row in again if (row["item"], row["rater"]) in counted]

    @cached_property
    def flipped(self) -> set[tuple[str, str]]:
        """(item, rater) where an item's second dialogue stood left."""
        return {
            (row["item"], row["rater"])
            for row in self._rows("data/orders.csv")
            if row["left"] == "second" and row["purpose"] != REPEAT
        }

    @cached_property
    def judgements(self) -> list[dict[str, str]]:
        return self._rows("data/judgements.csv")

    @cached_property
    def chats(self) -> list[Line]:
        return self._lines("data/chats.jsonl")

    @cached_property
    def answers(self) -> list[dict[str, str]]:
        return self._rows("data/preferences.csv")

    @cached_property
    def stored_tables(self) -> dict[str, Table]:
        """As the report printed them, by slug."""
        paths = sorted((self.folder / "tables").glob("*.json"))
        return {table.slug: table for table in (table_from(self._object(f"tables/{path.name}")) for path in paths)}

    @cached_property
    def stored_text(self) -> dict[str, list[list[str]]]:
        """By slug, the text of each cell as the report showed it."""
        return {slug: list(self._object(f"tables/{slug}.json")["shown"]) for slug in self.stored_tables}
