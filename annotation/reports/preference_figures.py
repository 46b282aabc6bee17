"""A figure of preferences: how often each of two versions won, and the win rate with its interval."""

from collections.abc import Iterator

import altair as alt

from annotation.models import Study
from annotation.reports.figure_frame import Row, by_metric
from annotation.reports.pair_findings import PairLine, Preferences
from annotation.reports.preferences import WinRate
from annotation.reports.score_figures import QUARTERS
from dialogues.charts import Spec, Theme

NEITHER = "Tie"


def win_rows(found: Preferences) -> list[Row]:
    """For each metric and pair that was compared: a row for wins, ties and losses each, and one for the rate."""
    return [row for line in found.lines if line.rate for row in _rows(line, line.rate)]


def _rows(line: PairLine, rate: WinRate) -> Iterator[Row]:
    about = {"metric": line.metric, "pair": f"{line.second} over {line.first}"}
    start = 0
    for preferred, count in ((line.second, rate.wins), (NEITHER, rate.ties), (line.first, rate.losses)):
        ends = {"start": start / rate.n, "end": (start + count) / rate.n}
        yield {**about, "kind": "share", "preferred": preferred, **ends}
        start += count
    counts = f"{rate.wins:,} · {rate.ties:,} · {rate.losses:,}"
    halves = rate.halves
    yield {**about, "kind": "rate", "value": halves.value, "low": halves.low, "high": halves.high, "counts": counts}


def win_spec(study: Study, found: Preferences, theme: Theme) -> Spec:
    rows = win_rows(found)
    pairs = list(dict.fromkeys(row["pair"] for row in rows))
    base = alt.Chart().encode(y=alt.Y("pair:N", sort=pairs, title=None, axis=alt.Axis(labelLimit=260)))
    # The counts stand behind the bar's end, where the axis has no values.
    counts = base.mark_text(align="left", dx=10, fontSize=10, color=theme.muted)
    layers = alt.layer(
        base.mark_bar(height=14).transform_filter("datum.kind === 'share'").encode(**_bar(study, found, theme)),
        # One rule a panel, not one a row.
        alt.Chart()
        .mark_rule(strokeDash=[3, 3], color=theme.ink)
        .transform_aggregate(rows="count()")
        .encode(x=alt.datum(0.5)),
        *_interval(base, theme),
        counts.transform_filter("datum.kind === 'rate'").encode(x=alt.datum(1), text="counts:N"),
    ).properties(width=230, height=26 * len(pairs))
    return by_metric(layers, rows, study, found, theme, list(_reading(rows)))


def _bar(study: Study, found: Preferences, theme: Theme) -> dict[str, object]:
    """Wins from the left in the hue of the version that won, then ties, then losses."""
    hues = dict(study.versions.values_list("symbol", "hue"))
    named = [theme.hues.get(hues.get(symbol, ""), theme.hues["other"]) for symbol in found.versions]
    colours = alt.Scale(domain=[*found.versions, NEITHER], range=[*named, theme.line])
    return {
        "x": alt.X(
            "start:Q",
            title="Share of comparisons",
            scale=alt.Scale(domain=[0, 1]),
            axis=alt.Axis(format="%", values=QUARTERS, labelFlush=False),
        ),
        "x2": "end:Q",
        "color": alt.Color("preferred:N", title="Preferred", scale=colours, legend=alt.Legend(orient="top")),
    }


def _interval(base: alt.Chart, theme: Theme) -> list[alt.Chart]:
    """The rate and its interval, on a rim of paper that sets them off from the bar."""
    rates = base.transform_filter("datum.kind === 'rate'")
    lines = rates.transform_filter("isValid(datum.low)").encode(x="low:Q", x2="high:Q")
    return [
        lines.mark_rule(strokeWidth=5, color=theme.paper),
        rates.mark_point(filled=True, size=130, opacity=1, color=theme.paper).encode(x="value:Q"),
        lines.mark_rule(strokeWidth=2, color=theme.ink),
        rates.mark_point(filled=True, size=60, opacity=1, color=theme.ink).encode(x="value:Q"),
    ]


def _reading(rows: list[Row]) -> Iterator[str]:
    yield "Bars and numbers: wins, ties and losses of the first-named version."
    yield "Points: its win rate, ties counting half, with the 95 % interval for these raters."
    if any(row["kind"] == "rate" and row["low"] is None for row in rows):
        yield "A point without a line has no interval; the table beside says why."
