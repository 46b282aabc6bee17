"""Figures of the scores themselves: how often each was given, and how each rater scored each version."""

from typing import Any

import altair as alt

from annotation.models import Study
from annotation.reports.figure_frame import Row, marks, shown_cells, title_lines
from annotation.reports.findings import Findings
from dialogues.charts import Spec, Theme, config

# A picture that is higher than this cannot be read, so more raters than it holds are not drawn.
MOST_RATERS = 40


def distribution_rows(found: Findings) -> list[Row]:
    """One row a metric, version and point that was given."""
    slugs = [version.slug for version in found.versions]
    return [
        {"metric": metric.name, "version": version.symbol, "score": value, "scores": count}
        for metric, version in shown_cells(found)
        for value, count in found.analyses[metric.key].distribution[slugs.index(version.slug)]
    ]


def by_rater_rows(found: Findings) -> list[Row]:
    """One row a metric, rater and version with scores; none where there are too many raters to draw."""
    if len(found.names) > MOST_RATERS:
        return []
    slugs = [version.slug for version in found.versions]
    rows = []
    for metric, version in shown_cells(found):
        analysis = found.analyses[metric.key]
        for number, means in zip(analysis.numbers, analysis.by_rater, strict=True):
            mean = means[slugs.index(version.slug)]
            if mean is not None:
                about = {"metric": metric.name, "version": version.symbol, "rater": found.names[number]}
                rows.append({**about, "mean": mean})
    return rows


def distribution_spec(study: Study, found: Findings, theme: Theme) -> Spec:
    symbols = [version.symbol for version in found.versions]
    bars = (
        alt.Chart()
        .mark_bar(stroke=theme.paper, strokeWidth=0.5)
        .encode(
            y=alt.Y("version:N", sort=symbols, title=None, scale=alt.Scale(domain=symbols)),
            x=alt.X("scores:Q", stack="normalize", title="Share of scores", axis=alt.Axis(format="%", tickCount=4)),
            order=alt.Order("score:Q"),
            color=alt.Color("score:O", title="Score", scale=alt.Scale(scheme="blues"), legend=alt.Legend(orient="top")),
        )
        .properties(width=230, height=26 * len(symbols))
    )
    return _by_metric(bars, distribution_rows(found), study, found, theme)


def by_rater_spec(study: Study, found: Findings, theme: Theme) -> Spec:
    symbols = [version.symbol for version in found.versions]
    scale = study.rubric.scale
    shade = alt.Scale(scheme="blues", domain=[scale.low, scale.high])
    base = alt.Chart().encode(
        x=alt.X("version:N", sort=symbols, title=None, axis=alt.Axis(labelAngle=0)),
        y=alt.Y("rater:N", title=None, axis=alt.Axis(labelLimit=110)),
    )
    middle = (scale.low + scale.high) / 2
    cells = base.mark_rect().encode(
        color=alt.Color("mean:Q", title="Mean score", scale=shade, legend=alt.Legend(orient="top"))
    )
    # Light letters on dark cells.
    letters = base.mark_text(fontSize=10).encode(
        text=alt.Text("mean:Q", format=".1f"),
        color=alt.condition(alt.datum.mean > middle, alt.value("#ffffff"), alt.value("#1c2025")),
    )
    layers = alt.layer(cells, letters).properties(width=230, height=18 * max(1, len(found.names)))
    return _by_metric(layers, by_rater_rows(found), study, found, theme)


def _by_metric(chart: Any, rows: list[Row], study: Study, found: Findings, theme: Theme) -> Spec:
    """A panel for each metric, with what a figure must say wherever it is shown."""
    names = [metric.name for metric in found.metrics]
    chart.data = alt.InlineData(values=rows)
    panels = chart.facet(facet=alt.Facet("metric:N", sort=names, title=None), columns=2, spacing=28)
    title = alt.TitleParams(title_lines(study), subtitle=marks(study, found))
    whole = panels.properties(background="transparent", title=title).configure(**config(theme))
    spec: Spec = whole.configure_header(labelColor=theme.ink, labelFontSize=13, labelAnchor="start").to_dict()
    return spec
