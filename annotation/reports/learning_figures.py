"""A figure of raters' learning: mean scores by quarter, of all raters and of each."""

import altair as alt

from annotation.models import Study
from annotation.reports.figure_frame import MOST_RATERS, Row, by_metric
from annotation.reports.findings import Findings
from annotation.reports.learning import QUARTERS
from dialogues.charts import Spec, Theme

ALL = "all"


def learning_rows(found: Findings) -> list[Row]:
    """One row a metric and quarter of all raters, and one a metric, quarter and rater."""
    learned = found.learning
    if learned is None:
        return []
    rows: list[Row] = []
    for metric in found.metrics:
        for number, quarter in enumerate(learned.quarters, 1):
            if mean := quarter.means[metric.key]:
                about = {"metric": metric.name, "rater": ALL, "quarter": number}
                rows.append({**about, "value": mean.value, "low": mean.low, "high": mean.high})
        for rater, means in enumerate(learned.by_rater[metric.key] if learned.raters <= MOST_RATERS else ()):
            rows += [
                {
                    "metric": metric.name,
                    "rater": str(rater),
                    "quarter": number,
                    "value": mean,
                    "low": None,
                    "high": None,
                }
                for number, mean in enumerate(means, 1)
                if mean is not None
            ]
    return rows


def learning_spec(study: Study, found: Findings, theme: Theme) -> Spec:
    scale = study.rubric.scale
    base = alt.Chart().encode(
        x=alt.X(
            "quarter:O",
            title="Quarter",
            scale=alt.Scale(domain=list(range(1, QUARTERS + 1))),
            axis=alt.Axis(labelAngle=0),
        ),
        y=alt.Y(
            "value:Q",
            title=None,
            scale=alt.Scale(domain=[scale.low, scale.high], zero=False),
            axis=alt.Axis(tickMinStep=1),
        ),
    )
    one, everyone = f"datum.rater !== '{ALL}'", f"datum.rater === '{ALL}'"
    pooled = base.transform_filter(everyone)
    layers = alt.layer(
        base.transform_filter(one).mark_line(strokeWidth=1, opacity=0.5, color=theme.muted).encode(detail="rater:N"),
        pooled.mark_rule(strokeWidth=2, color=theme.ink, clip=True)
        .transform_filter("isValid(datum.low)")
        .encode(y=alt.Y("low:Q"), y2="high:Q"),
        pooled.mark_line(strokeWidth=2, color=theme.ink),
        pooled.mark_point(filled=True, size=60, opacity=1, color=theme.ink),
    ).properties(width=230, height=120)
    return by_metric(layers, learning_rows(found), study, found, theme)
