"""Small files of ratings, written by a test and imported as a study."""

import csv
import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from annotation.imported.imported_study import ImportedRatings, RatingSource, import_ratings
from annotation.imported.rating_rows import RatingChoices

HEADER = ("rater", "item", "metric", "value")


def csv_file(
    folder: Path, rows: Iterable[Iterable[object]], header: Iterable[str] = HEADER, delimiter: str = ","
) -> Path:
    path = folder / "ratings.csv"
    with path.open("w", newline="", encoding="utf-8") as file:
        csv.writer(file, delimiter=delimiter).writerows([header, *rows])
    return path


def json_file(folder: Path, value: Any) -> Path:
    path = folder / "ratings.json"
    path.write_text(json.dumps(value), encoding="utf-8")
    return path


def source(path: Path, columns: Mapping[str, str] | None = None, labels: tuple[str, ...] = ()) -> RatingSource:
    return RatingSource(path, path.name, RatingChoices(columns or {}, labels))


def imported(path: Path, name: str = "Elsewhere", **options: Any) -> ImportedRatings:
    return import_ratings(name=name, file=source(path), by=None, **options)
