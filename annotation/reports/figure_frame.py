"""What every figure of a report has: which cells it shows, its title, and what it must say wherever it is shown."""

import textwrap
from collections.abc import Iterable
from typing import Any

import altair as alt

from annotation.models import Study
from annotation.reports.columns import VersionItems
from annotation.reports.findings import Findings
from annotation.reports.found import Found, demo_versions
from dialogues.charts import Spec, Theme, config
from dialogues.display import DEMO_LABEL
from dialogues.rubric import Metric

Row = dict[str, Any]
HERE, PAPER = "this study", "paper, Table 3"
TITLE_LETTERS = 60
# A picture with more raters than this cannot be read.
MOST_RATERS = 40


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


def marks(study: Study, found: Found) -> list[str]:
    """Whether scores are imported or simulated, and which texts are the demo's."""
    lines = []
    if study.is_imported:
        lines.append("Imported ratings, collected elsewhere.")
    if study.is_simulated:
        lines.append("Simulated ratings, not given by people.")
    demo = demo_versions(found)
    return lines + ([f"{', '.join(demo)}: {DEMO_LABEL}."] if demo else [])


def by_metric(chart: Any, rows: list[Row], study: Study, found: Found, theme: Theme, about: Iterable[str] = ()) -> Spec:
    """A panel for each metric, with lines `about` reading it and what a figure must say wherever it is shown."""
    names = [metric.name for metric in found.metrics]
    chart.data = alt.InlineData(values=rows)
    panels = chart.facet(facet=alt.Facet("metric:N", sort=names, title=None), columns=2, spacing=28)
    title = alt.TitleParams(title_lines(study), subtitle=[*about, *marks(study, found)])
    whole = panels.properties(background="transparent", title=title).configure(**config(theme))
    spec: Spec = whole.configure_header(labelColor=theme.ink, labelFontSize=13, labelAnchor="start").to_dict()
    return spec
