"""A figure of judges: whom they favour, by version and with length."""

from collections.abc import Iterator

import altair as alt
import numpy as np

from annotation.models import Study
from annotation.reports.bootstrap import Floats
from annotation.reports.columns import VersionItems
from annotation.reports.figure_frame import Row, marks, title_lines
from annotation.reports.findings import Findings
from annotation.reports.judge_measures import Bias, JudgeFacts
from dialogues.charts import Spec, Theme, config
from dialogues.display import DEMO_LABEL
from dialogues.rubric import Metric

# More points than this are a blot, and more panels are no picture.
MOST_POINTS, MOST_PANELS = 300, 24


def bias_rows(found: Findings) -> list[Row]:
    """Points (words, judge − raters) and the ends of each version's line, one panel a metric and judge."""
    shown = [
        (judge, metric, judge.beside[metric.key].bias)
        for judge in found.judges
        for metric in found.metrics
        if metric.key in judge.beside
    ]
    panels = shown[:MOST_PANELS]
    return [
        {"panel": _panel(found, judge, metric), **row}
        for judge, metric, bias in panels
        for row in _rows(bias, found.versions, metric)
    ]


def _panel(found: Findings, judge: JudgeFacts, metric: Metric) -> str:
    if len(found.judges) == 1:
        return metric.name
    return f"{metric.name}, {judge.label}{f' ({DEMO_LABEL})' if judge.is_demo else ''}"


def _rows(bias: Bias, versions: tuple[VersionItems, ...], metric: Metric) -> Iterator[Row]:
    known = bias.points[~np.isnan(bias.points[:, 0])]
    # Every k-th item, so that the same ratings give the same picture.
    thinned = known[:: max(1, -(-len(known) // MOST_POINTS))]
    for number, version in enumerate(versions):
        if version.slug in metric.dash_for:
            continue
        for words, _, gap in thinned[thinned[:, 1] == number]:
            yield {"version": version.symbol, "kind": "item", "words": words, "gap": gap}
        of_version = known[known[:, 1] == number]
        if bias.per_100_words and len(of_version):
            yield from _line(of_version, bias.per_100_words.value / 100, version.symbol)


def _line(points: Floats, slope: float, symbol: str) -> Iterator[Row]:
    """The ends of the least-squares line of one version; all versions have one slope."""
    words, gaps = points[:, 0], points[:, 2]
    for end in (words.min(), words.max()):
        height = gaps.mean() + slope * (end - words.mean())
        yield {"version": symbol, "kind": "line", "words": float(end), "gap": float(height)}


def bias_spec(study: Study, found: Findings, theme: Theme) -> Spec:
    symbols = [version.symbol for version in found.versions]
    hues = [theme.hues.get(version.hue, theme.hues["other"]) for version in found.versions]
    rows = bias_rows(found)
    base = alt.Chart().encode(
        x=alt.X("words:Q", title="Words of the dialogue", scale=alt.Scale(zero=False)),
        y=alt.Y("gap:Q", title="Judge − raters"),
        color=alt.Color(
            "version:N", title="Version", scale=alt.Scale(domain=symbols, range=hues), legend=alt.Legend(orient="top")
        ),
    )
    # One rule a panel, not one a row.
    level = alt.Chart().mark_rule(strokeDash=[3, 3], color=theme.muted).transform_aggregate(rows="count()")
    level = level.encode(y=alt.datum(0))
    items = base.mark_point(filled=True, size=18, opacity=0.5).transform_filter("datum.kind === 'item'")
    lines = base.mark_line(strokeWidth=2).transform_filter("datum.kind === 'line'")
    layers = alt.layer(level, items, lines, data=alt.InlineData(values=rows)).properties(width=230, height=130)
    panels = layers.facet(
        facet=alt.Facet("panel:N", sort=list(dict.fromkeys(row["panel"] for row in rows)), title=None),
        columns=2,
        spacing=28,
    )
    title = alt.TitleParams(title_lines(study), subtitle=[*_reading(found), *marks(study, found)])
    whole = panels.properties(background="transparent", title=title).configure(**config(theme))
    spec: Spec = whole.configure_header(labelColor=theme.ink, labelFontSize=13, labelAnchor="start").to_dict()
    return spec


def _reading(found: Findings) -> Iterator[str]:
    yield "Points: items that raters and the judge scored. Above the dashed line the judge scores higher."
    if any(len(both.bias.points) > MOST_POINTS for judge in found.judges for both in judge.beside.values()):
        yield f"At most {MOST_POINTS} points a panel are drawn; lines are of all items."
    if len(found.judges) == 1 and found.judges[0].is_demo:
        yield f"{found.judges[0].label}: {DEMO_LABEL}."
