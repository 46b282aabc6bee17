"""A report's figures as Vega-Lite specifications: of scores by metric and version, and of preferences by pair."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

import altair as alt

from annotation.models import Study
from annotation.reports import (
    judge_figures,
    learning_figures,
    naturalness_figures,
    preference_figures,
    score_figures,
    severity_figure,
)
from annotation.reports.figure_frame import HERE, PAPER, Row, shown_cells, subtitle, title_lines
from annotation.reports.findings import Findings
from annotation.reports.found import Found
from annotation.reports.pair_findings import Preferences
from dialogues import charts
from dialogues.charts import Spec, Theme, config
from dialogues.published import published_table
from dialogues.rubric import Scale, is_the_papers

Drawn = TypeVar("Drawn", bound=Found, contravariant=True)


@dataclass(frozen=True, slots=True)
class Figure(Generic[Drawn]):
    """A figure's title, a sentence on how to read it, its points, its specification; the tables it may stand below."""

    slug: str
    title: str
    reading: str
    rows: Callable[[Drawn], list[Row]]
    draw: Callable[[Study, Drawn, Theme], Spec]
    tables: tuple[str, ...]


def means_spec(study: Study, found: Findings, theme: Theme) -> Spec:
    """Mean scores with intervals, and diamonds for the paper's values of the same question and scale."""
    scale = study.rubric.scale
    ends = alt.Scale(domain=[scale.low, scale.high], zero=False)
    x = alt.X("value:Q", title="Mean score", scale=ends, axis=alt.Axis(tickMinStep=1))
    rows = mean_rows(found) + paper_rows(found, scale)
    return forest(rows, x, study, found, theme)


def agreement_spec(study: Study, found: Findings, theme: Theme) -> Spec:
    """Ordinal α within each version, with intervals."""
    rows = agreement_rows(found)
    # A value without an interval may be negative too.
    lowest = min([0.0, *(row["value"] if row["low"] is None else row["low"] for row in rows)])
    ends = alt.Scale(domain=[lowest, 1])
    x = alt.X("value:Q", title="Krippendorff's α, ordinal", scale=ends, axis=alt.Axis(labelFlush=False))
    return forest(rows, x, study, found, theme)


def mean_rows(found: Findings) -> list[Row]:
    rows = []
    for metric, version in shown_cells(found):
        if mean := found.means[metric.key, version.slug]:
            about = {"metric": metric.name, "version": version.symbol, "source": HERE}
            shown = mean.estimate(found.target)
            rows.append({**about, "value": shown.value, "low": shown.low, "high": shown.high})
    return rows


def paper_rows(found: Findings, scale: Scale) -> list[Row]:
    rows = []
    for metric, version in shown_cells(found):
        printed = published_table(3).value(metric.key, version.slug) if is_the_papers(metric, scale) else None
        if printed is not None:
            about = {"metric": metric.name, "version": version.symbol, "source": PAPER}
            rows.append({**about, "value": printed, "low": None, "high": None})
    return rows


def agreement_rows(found: Findings) -> list[Row]:
    rows = []
    for metric, version in shown_cells(found):
        alpha = found.agreement_by_version[metric.key, version.slug].estimates["alpha_ordinal"]
        if alpha.value is not None:
            about = {"metric": metric.name, "version": version.symbol, "source": HERE}
            rows.append({**about, "value": alpha.value, "low": alpha.low, "high": alpha.high})
    return rows


def _of_texts(slug: str) -> Figure[Found]:
    """The paper's Figure 3, as a corpus's page draws it."""
    figure = charts.FIGURES[slug]

    def rows(found: Found) -> list[Row]:
        return [{"version": version.symbol} for version in found.texts.versions] if found.texts else []

    def draw(study: Study, found: Found, theme: Theme) -> Spec:
        assert found.texts is not None
        return figure.draw(found.texts, theme)

    return Figure(slug, f"{figure.title} (the paper’s Figure 3)", figure.alt, rows, draw, ("distinct",))


OF_TEXTS = tuple(_of_texts(slug) for slug in ("distinct-pooled", "distinct-matched"))
OF_SCORES: tuple[Figure[Findings], ...] = (
    Figure(
        "means",
        "Mean score by metric and version",
        "For each metric, one line per version: the mean score with the primary analysis’s 95 % interval, and the "
        "paper’s mean where it asked the same.",
        mean_rows,
        means_spec,
        ("table-3", "table-6"),
    ),
    Figure(
        "agreement-alpha",
        "Agreement by metric and version",
        "For each metric, one line per version: Krippendorff's ordinal α with its 95 % interval.",
        agreement_rows,
        agreement_spec,
        ("agreement-by-version",),
    ),
    Figure(
        "distributions",
        "How often each score was given",
        "For each metric, one bar a version: the share of its scores at each point of the scale, from the lowest "
        "at the left.",
        score_figures.distribution_rows,
        score_figures.distribution_spec,
        ("means",),
    ),
    Figure(
        "severity",
        "Raters’ severity",
        "For each metric, one line a rater by pseudonym, the most lenient over all metrics at the top: by how many "
        "points the rater scores above the mean of all raters on the same dialogues, with its 95 % interval. Right of "
        "the dashed line a rater is lenient, left of it severe.",
        severity_figure.severity_rows,
        severity_figure.severity_spec,
        ("severity",),
    ),
    Figure(
        "by-rater",
        "Mean score by rater and version",
        "For each metric, one row a rater and one column a version: darker is higher. A row that is lighter "
        "or darker throughout is a severe or lenient rater; a row with another pattern leans to a version.",
        score_figures.by_rater_rows,
        score_figures.by_rater_spec,
        ("severity", "raters"),
    ),
    Figure(
        "judge-bias",
        "Judge and raters, by version and length",
        "For each metric, one point an item: by how much the judge scored higher than the raters, over the words "
        "of the dialogue. Versions whose points lie higher are favoured; a line that rises favours length.",
        judge_figures.bias_rows,
        judge_figures.bias_spec,
        ("judge-bias",),
    ),
    Figure(
        "learning",
        "Mean score by quarter of each rater’s ratings",
        "For each metric, the mean of all raters with its 95 % interval for these raters, over thin lines of the "
        "raters’ own means. Exploratory.",
        learning_figures.learning_rows,
        learning_figures.learning_spec,
        ("learning",),
    ),
    Figure(
        "naturalness",
        "Messages a turn (ACMC) against naturalness",
        "One point is a dialogue: its messages over its turns, and the mean of its raters’ scores. Exploratory.",
        naturalness_figures.naturalness_rows,
        naturalness_figures.naturalness_spec,
        ("naturalness",),
    ),
    *OF_TEXTS,
)
OF_PAIRS: tuple[Figure[Preferences], ...] = (
    Figure(
        "wins",
        "Wins, ties and losses by metric and pair of versions",
        "For each metric, one line a pair: from the left the comparisons that its first-named version won, the "
        "ties, and those that it lost. The point is its win rate with ties counting half, with the 95 % interval "
        "for these raters; to the right of the dashed line it wins more often than it loses.",
        preference_figures.win_rows,
        preference_figures.win_spec,
        ("win-rates",),
    ),
    *OF_TEXTS,
)
FIGURES = {figure.slug: figure for figure in OF_SCORES}
PAIR_FIGURES = {figure.slug: figure for figure in OF_PAIRS}


def drawable(found: Found) -> dict[str, Figure[Any]]:
    """The figures with at least one point, by slug: α may be undefined everywhere."""
    figures: Mapping[str, Figure[Any]] = PAIR_FIGURES if isinstance(found, Preferences) else FIGURES
    return {slug: figure for slug, figure in figures.items() if figure.rows(found)}


def beside_tables(figures: Mapping[str, Figure[Any]], tables: Sequence[str]) -> dict[str, list[Figure[Any]]]:
    """The figures below each table of a page; below its first one those whose own table the page has not."""
    found: dict[str, list[Figure[Any]]] = {slug: [] for slug in tables}
    for figure in figures.values() if tables else ():
        place = next((table for table in figure.tables if table in found), tables[0])
        found[place].append(figure)
    return found


def forest(rows: list[Row], x: alt.X, study: Study, found: Findings, theme: Theme) -> Spec:
    """Points with intervals: a panel for each metric, and a labelled line for each version."""
    symbols = [version.symbol for version in found.versions]
    hues = [theme.hues.get(version.hue, theme.hues["other"]) for version in found.versions]
    base = alt.Chart().encode(
        y=alt.Y("version:N", sort=symbols, title=None, scale=alt.Scale(domain=symbols)),
        color=alt.Color("version:N", scale=alt.Scale(domain=symbols, range=hues), legend=None),
    )
    here, paper = f"datum.source === '{HERE}'", f"datum.source === '{PAPER}'"
    layers = alt.layer(
        base.mark_rule(strokeWidth=2, clip=True)
        .transform_filter("isValid(datum.low)")
        .encode(x=alt.X("low:Q"), x2="high:Q"),
        base.mark_point(filled=True, size=70, opacity=1).transform_filter(here).encode(x=x),
        base.mark_point(shape="diamond", size=70, opacity=1).transform_filter(paper).encode(x=x),
        data=alt.InlineData(values=rows),
    ).properties(width=230, height=26 * len(symbols))
    names = [metric.name for metric in found.metrics]
    panels = layers.facet(facet=alt.Facet("metric:N", sort=names, title=None), columns=2, spacing=28)
    whole = panels.properties(
        background="transparent", title=alt.TitleParams(title_lines(study), subtitle=subtitle(study, found, rows))
    ).configure(**config(theme))
    spec: Spec = whole.configure_header(labelColor=theme.ink, labelFontSize=13, labelAnchor="start").to_dict()
    return spec
