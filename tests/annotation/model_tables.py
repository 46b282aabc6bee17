"""The rating tables that R has fitted, as models read them."""

import csv
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from annotation.reports.models.ratings import Ratings


def reference_tables(shared: Path) -> Iterator[tuple[str, Ratings, dict[str, Any]]]:
    """Each table's name, its ratings with versions in the reference's order, and what R found."""
    for name, reference in json.loads((shared / "models" / "reference.json").read_text()).items():
        with (shared / "models" / "ratings" / f"{name}.csv").open(newline="") as file:
            rows = list(csv.DictReader(file))
        columns = {key: np.array([row[key] for row in rows]) for key in ("value", "version", "background", "rater")}
        versions = list(reference["versions"])
        yield name, numbered(columns, versions), reference


def numbered(columns: dict[str, Any], versions: list[str]) -> Ratings:
    return Ratings.numbered(
        columns["value"].astype(float),
        np.array([versions.index(one) for one in columns["version"]]),
        columns["background"],
        columns["rater"],
        len(versions),
    )
