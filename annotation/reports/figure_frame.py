"""What every figure of a report has: which cells it shows, its title, and what it must say wherever it is shown."""

import textwrap
from typing import Any

from annotation.models import Study
from annotation.reports.columns import VersionItems
from annotation.reports.findings import Findings
from dialogues.display import DEMO_LABEL
from dialogues.rubric import Metric

Row = dict[str, Any]
HERE, PAPER = "this study", "paper, Table 3"
TITLE_LETTERS = 60


def shown_cells(found: Findings) -> list[tuple[Metric, VersionItems]]:
    """Pairs of metric and version, without those that the rubric prints as a dash."""
    return [
        (metric, version)
        for metric in found.metrics
        for version in found.versions
        if version.slug not in metric.dash_for
    ]


def title_lines(study: Study) -> list[str]:
    """The study's name in lines that fit the picture, which would cut off longer ones."""
    return textwrap.wrap(study.name, TITLE_LETTERS)


def subtitle(study: Study, found: Findings, rows: list[Row]) -> list[str]:
    """What a figure with points must say wherever it is shown: its points and intervals, and its marks."""
    lines = ["Points: this study, with 95 % intervals."]
    if any(row["source"] == HERE and row["low"] is None for row in rows):
        lines.append("A point without a line has no interval; the table beside says why.")
    if any(row["source"] == PAPER for row in rows):
        lines[0] += " Diamonds: the paper's Table 3."
    return lines + marks(study, found)


def marks(study: Study, found: Findings) -> list[str]:
    """Whether scores are imported or simulated, and which texts are the demo's."""
    lines = []
    if study.is_imported:
        lines.append("Imported ratings, collected elsewhere.")
    if study.is_simulated:
        lines.append("Simulated ratings, not given by people.")
    demo = [version.symbol for version in found.versions if version.is_demo]
    return lines + ([f"{', '.join(demo)}: {DEMO_LABEL}."] if demo else [])
