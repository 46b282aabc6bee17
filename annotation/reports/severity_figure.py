"""A figure of raters' severity: by how much each scores above all, with its interval."""

from collections import defaultdict
from collections.abc import Iterator
from statistics import fmean

import altair as alt

from annotation.models import Study
from annotation.reports.difference_tables import severities
from annotation.reports.figure_frame import Row, by_metric
from annotation.reports.findings import Findings
from dialogues.charts import Spec, Theme

# Lines of more raters than this cannot be told apart.
MOST_LINES = 120
# More raters than this have lower lines, so that a panel fits a screen or two.
FEW_LINES = 24
# Of an axis: at least so many points to either side of 0, so that next to nothing does not look like much.
LEAST_REACH = 0.25


def severity_rows(found: Findings) -> list[Row]:
    """One row a metric and rater with a severity; none where there are too many raters to draw."""
    cells = severities(found)
    if len({number for number, _ in cells}) > MOST_LINES:
        return []
    names = {metric.key: metric.name for metric in found.metrics}
    return [
        {
            "metric": names[key],
            "rater": found.names[number],
            "value": cell.value,
            "low": cell.low,
            "high": cell.high,
        }
        for (number, key), cell in cells.items()
    ]


def severity_spec(study: Study, found: Findings, theme: Theme) -> Spec:
    rows = severity_rows(found)
    order = _most_lenient_first(rows)
    is_crowded = len(order) > FEW_LINES
    panels = len({row["metric"] for row in rows})
    # Panels of four metrics make a square, of three or of many a row of three.
    columns = 3 if is_crowded and (panels == 3 or panels > 4) else 2
    y_axis = alt.Axis(labelLimit=110, labelFontSize=9 if is_crowded else 12, grid=True)
    base = alt.Chart().encode(y=alt.Y("rater:N", title=None, scale=alt.Scale(domain=order), axis=y_axis))
    # One rule a panel, not one a row.
    level = alt.Chart().mark_rule(strokeDash=[3, 3], color=theme.muted).transform_aggregate(rows="count()")
    lines = base.mark_rule(strokeWidth=1.5 if is_crowded else 2, color=theme.ink)
    layers = alt.layer(
        level.encode(x=alt.datum(0)),
        lines.transform_filter("isValid(datum.low)").encode(x=alt.X("low:Q"), x2="high:Q"),
        base.mark_point(filled=True, size=25 if is_crowded else 60, opacity=1, color=theme.ink).encode(x=_x(rows)),
    ).properties(width=160 if columns == 3 else 230, height=(11 if is_crowded else 22) * len(order))
    spec = by_metric(layers, rows, study, found, theme, _reading(rows))
    # Panels are so high that each needs numbers of its own below it.
    return spec | {"columns": columns, "resolve": {"axis": {"x": "independent"}}}


def _x(rows: list[Row]) -> alt.X:
    """As far to the left of 0 as to the right."""
    reach = max(LEAST_REACH, *(abs(end) for row in rows for end in _ends(row)))
    ends = alt.Scale(domain=[-reach, reach], nice=True)
    return alt.X(
        "value:Q", title="Points above all raters", scale=ends, axis=alt.Axis(grid=True, tickCount=5, labelFlush=False)
    )


def _ends(row: Row) -> list[float]:
    return [end for end in (row["value"], row["low"], row["high"]) if end is not None]


def _most_lenient_first(rows: list[Row]) -> list[str]:
    """Raters in the order of their mean over the metrics, the same in every panel."""
    values: dict[str, list[float]] = defaultdict(list)
    for row in rows:
        values[row["rater"]].append(row["value"])
    return sorted(values, key=lambda rater: (-fmean(values[rater]), rater))


def _reading(rows: list[Row]) -> Iterator[str]:
    yield "Points: raters’ severity, with 95 % intervals."
    yield "Right of the dashed line a rater is lenient, left of it severe."
    if any(row["low"] is None for row in rows):
        yield "A point without a line has no interval; the table beside says why."
