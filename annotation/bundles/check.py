"""The simplest figures of a bundle's tables by pandas alone, so that nobody need trust `analysis/` for them.

    python check.py

Of scores: how many there are, raters, backgrounds, means and standard deviations by metric and version, and
Krippendorff's α by its coincidence matrix. Of pairs: wins, ties, losses, and the same α.
"""

import json
import sys
from collections.abc import Iterator
from itertools import permutations, product
from math import isclose
from pathlib import Path
from typing import Any

import pandas as pd


def different_figures(folder: Path) -> tuple[int, list[str]]:
    """How many figures were compared, and a sentence for each that differs."""
    about = json.loads((folder / "study.json").read_text(encoding="utf-8"))
    scores = counted_scores(folder)
    of_kind = of_pairs if about["study"]["kind"] == "pairs" else of_scores
    found = [*of_kind(folder, about, scores), *of_agreement(folder, about, scores)]
    wrong = [
        f"check.py: {what}: stored {stored}, found {here}" for what, stored, here in found if not same(stored, here)
    ]
    return len(found), wrong


def counted_scores(folder: Path) -> pd.DataFrame:
    """One row a score that counts, with its item's versions and background."""
    scores = pd.read_csv(folder / "data/ratings.csv", keep_default_na=False)
    items = pd.read_csv(folder / "data/items.csv", keep_default_na=False)
    return scores[scores["set_aside"] == ""].merge(items, on="item", validate="many_to_one")


def of_scores(folder: Path, about: dict[str, Any], scores: pd.DataFrame) -> Iterator[tuple[str, Any, Any]]:
    """The counts, plain means and standard deviations of the table of means."""
    names, symbols = names_of(about)
    heads = ("Scores", "Raters", "Backgrounds", "Plain mean", "Standard deviation")
    for row in rows_of(folder, "means"):
        metric, version = row.get("Metric"), row.get("Version")
        if metric not in names or version not in symbols:
            continue
        own = scores[(scores["metric"] == names[metric]) & (scores["version"] == symbols[version])]
        here = [len(own), own["rater"].nunique(), own["background"].nunique(), own["value"].mean(), own["value"].std()]
        for head, value in zip(heads, here, strict=True):
            yield f"means, {metric}, {version}, {head}", row.get(head), None if pd.isna(value) else value


def of_pairs(folder: Path, about: dict[str, Any], scores: pd.DataFrame) -> Iterator[tuple[str, Any, Any]]:
    """Wins, ties and losses of the table of win rates."""
    names, symbols = names_of(about)
    for row in rows_of(folder, "win-rates"):
        metric, versions = row.get("Metric"), str(row.get("Versions"))
        better, _, worse = (symbols.get(symbol) for symbol in versions.partition(" over "))
        if metric not in names or not better or not worse:
            continue
        own = scores[scores["metric"] == names[metric]]
        second = own[(own["version"] == worse) & (own["other_version"] == better)]["value"]
        first = -own[(own["version"] == better) & (own["other_version"] == worse)]["value"]
        wins = pd.concat([second, first])
        for head, value in (("Wins", 1), ("Ties", 0), ("Losses", -1)):
            yield f"win-rates, {metric}, {versions}, {head}", row.get(head), int((wins == value).sum())


def of_agreement(folder: Path, about: dict[str, Any], scores: pd.DataFrame) -> Iterator[tuple[str, Any, Any]]:
    """Ordinal α of the table of agreement, where there is one."""
    names, _ = names_of(about)
    order = {version["slug"]: number for number, version in enumerate(about["versions"])}
    if "other_version" in scores and (scores["other_version"] != "").any():
        # In the order of each pair, whichever of the two an item names first.
        turned = scores["version"].map(order) > scores["other_version"].map(order)
        scores = scores.assign(value=scores["value"].where(~turned, -scores["value"]))
    for row in rows_of(folder, "agreement"):
        metric, cell = row.get("Metric"), row.get("α, ordinal")
        if metric in names:
            stored = cell["value"] if isinstance(cell, dict) else None
            yield f"agreement, {metric}, α", stored, ordinal_alpha(scores[scores["metric"] == names[metric]])


def ordinal_alpha(scores: pd.DataFrame) -> float | None:
    """Krippendorff's α (2011): 1 − observed over expected disagreement, from coincidences of values within items."""
    given = [list(values) for _, values in scores.groupby("item")["value"] if len(values) > 1]
    points = sorted({value for values in given for value in values})
    if len(points) < 2:
        return None
    coincidences = dict.fromkeys(product(points, repeat=2), 0.0)
    for values in given:
        for one, other in permutations(values, 2):
            coincidences[one, other] += 1 / (len(values) - 1)
    totals = {one: sum(coincidences[one, other] for other in points) for one in points}
    n = sum(totals.values())
    observed = expected = 0.0
    for one, other in product(points, repeat=2):
        between = sum(totals[point] for point in points if min(one, other) <= point <= max(one, other))
        distance = (between - (totals[one] + totals[other]) / 2) ** 2
        observed += coincidences[one, other] * distance
        expected += totals[one] * totals[other] * distance / (n - 1)
    return 1 - observed / expected


def names_of(about: dict[str, Any]) -> tuple[dict[str, str], dict[str, str]]:
    """Metrics' keys by name, and versions' slugs by symbol, without names that two of them have."""
    return _once(about["metrics"], "name", "key"), _once(about["versions"], "symbol", "slug")


def _once(rows: list[dict[str, Any]], name: str, key: str) -> dict[str, str]:
    return {row[name]: row[key] for row in rows if [other[name] for other in rows].count(row[name]) == 1}


def rows_of(folder: Path, name: str) -> Iterator[dict[str, Any]]:
    """The cells of each row by what heads their column, below its group's name; none where there is no such table."""
    path = folder / "tables" / f"{name}.json"
    if path.exists():
        table = json.loads(path.read_text(encoding="utf-8"))
        heads = [f"{column['group']} {column['label']}".strip() for column in table["columns"]]
        for row in table["rows"]:
            yield dict(zip(heads, row, strict=True))


def same(stored: Any, here: Any) -> bool:
    if stored is None or here is None:
        return stored is here
    return isinstance(stored, int | float) and isclose(stored, here, rel_tol=1e-9, abs_tol=1e-12)


if __name__ == "__main__":
    number, wrong = different_figures(Path(__file__).resolve().parent)
    print(*wrong, f"{number} figures, {len(wrong)} differ.", sep="\n")
    sys.exit(bool(wrong))
