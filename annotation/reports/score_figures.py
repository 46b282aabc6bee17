"""Figures of the scores themselves: how often each was given, and how each rater scored each version."""

import altair as alt

from annotation.models import Study
from annotation.reports.figure_frame import MOST_RATERS, Row, by_metric, shown_cells
from annotation.reports.findings import Findings
from dialogues.charts import Spec, Theme

# Of an axis of shares: more labels than these run into each other.
QUARTERS = [0, 0.25, 0.5, 0.75, 1]


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
            x=alt.X("scores:Q", stack="normalize", title="Share of scores", axis=alt.Axis(format="%", values=QUARTERS)),
            order=alt.Order("score:Q"),
            color=alt.Color("score:O", title="Score", scale=alt.Scale(scheme="blues"), legend=alt.Legend(orient="top")),
        )
        .properties(width=230, height=26 * len(symbols))
    )
    return by_metric(bars, distribution_rows(found), study, found, theme)


def by_rater_spec(study: Study, found: Findings, theme: Theme) -> Spec:
    symbols = [version.symbol for version in found.versions]
    scale = study.rubric.scale
    shade = alt.Scale(scheme="blues", domain=[scale.low, scale.high])
    base = alt.Chart().encode(
        x=alt.X("version:N", sort=symbols, title=None, axis=alt.Axis(labelAngle=0)),
        y=alt.Y("rater:N", title=None, axis=alt.Axis(labelLimit=110)),
    )
    cells = base.mark_rect().encode(
        color=alt.Color("mean:Q", title="Mean score", scale=shade, legend=alt.Legend(orient="top"))
    )
    # White is legible on the darkest cells alone.
    dark = scale.low + 0.7 * scale.reach
    letters = base.mark_text(fontSize=10).encode(
        text=alt.Text("mean:Q", format=".1f"),
        color=alt.condition(alt.datum.mean > dark, alt.value("#ffffff"), alt.value("#1c2025")),
    )
    layers = alt.layer(cells, letters).properties(width=230, height=18 * max(1, len(found.names)))
    return by_metric(layers, by_rater_rows(found), study, found, theme)
