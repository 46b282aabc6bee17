"""Charts of corpus figures as Vega-Lite specifications, and the files they are rendered to."""

import hashlib
import json
from collections.abc import Callable
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path
from tempfile import NamedTemporaryFile
from typing import Any, Literal, get_args

import altair as alt
import vl_convert
from django.conf import settings
from django.core.cache import cache

from dialogues import published
from dialogues.display import DEMO_LABEL
from dialogues.statistics.distinct import SIZES
from dialogues.statistics.figures import CorpusFigures, VersionFigures
from dialogues.statistics.words_and_turns import RUN_LABELS, TOKENIZERS

Spec = dict[str, Any]
ThemeName = Literal["light", "dark"]
FileFormat = Literal["svg", "pdf", "png"]

FILE_FORMATS: tuple[FileFormat, ...] = get_args(FileFormat)
FONT = "system-ui, 'Noto Sans', 'Liberation Sans', sans-serif"
WIDER = 18
SHAPES = ("circle", "square", "triangle-up", "diamond", "cross", "triangle-down", "triangle-right", "stroke")
# The drawing library is part of every entity tag, so that an upgrade invalidates cached charts.
KEPT_SECONDS = 7 * 24 * 3600
VEGA = metadata.version("vl-convert-python")


@dataclass(frozen=True, slots=True)
class Theme:
    """Colours of one theme, the same as in static/css/tokens.css; `hues` by version hue."""

    ink: str
    muted: str
    line: str
    paper: str
    hues: dict[str, str]


THEMES: dict[ThemeName, Theme] = {
    "light": Theme(
        ink="#1c2025",
        muted="#585f68",
        line="#dcdcd7",
        paper="#ffffff",
        hues={
            "alpha": "#767b82",
            "beta": "#0072b2",
            "gamma": "#009e73",
            "stephanie": "#d55e00",
            "punctuation": "#c48a00",
            "restructured": "#b0558a",
            "other": "#8a5a8f",
        },
    ),
    "dark": Theme(
        ink="#e7e9ec",
        muted="#a3abb5",
        line="#343a42",
        paper="#1b1e23",
        hues={
            "alpha": "#a9afb7",
            "beta": "#56b4e9",
            "gamma": "#2fc79c",
            "stephanie": "#f0803c",
            "punctuation": "#e6b032",
            "restructured": "#e29fc4",
            "other": "#cc9fd1",
        },
    ),
}


@dataclass(frozen=True, slots=True)
class Figure:
    """A chart of a corpus: its heading, what it shows in a sentence, and the function that draws it."""

    slug: str
    title: str
    alt: str
    draw: Callable[[CorpusFigures, Theme], Spec]


def consecutive_spec(figures: CorpusFigures, theme: Theme) -> Spec:
    """Bars: share of turns by number of messages, one bar a version; a tick where the paper prints a value."""
    rows = [
        {
            "version": version.symbol,
            "letter": letter(version.symbol),
            "messages": label,
            "here": 100 * share,
            "paper": published.value(5, version.slug, label),
        }
        for version in figures.versions
        for label, share in version.consecutive.items()
    ]
    base = alt.Chart(alt.InlineData(values=rows)).encode(
        x=alt.X("messages:N", sort=list(RUN_LABELS), title="Messages in a turn", axis=alt.Axis(labelAngle=0)),
        xOffset=alt.XOffset("version:N", sort=symbols(figures)),
        tooltip=[
            alt.Tooltip("version:N", title="Version"),
            alt.Tooltip("messages:N", title="Messages in a turn"),
            alt.Tooltip("here:Q", title="% of turns", format=".2f"),
            alt.Tooltip("paper:Q", title="paper, % of turns", format=".2f"),
        ],
    )
    bars = base.mark_bar().encode(y=alt.Y("here:Q", title="% of turns"), color=colours(figures, theme))
    # The letter stands on its bar, so that versions are told apart without colour.
    letters = base.mark_text(dy=-6, fontSize=10, color=theme.muted).encode(y="here:Q", text="letter:N")
    ticks = (
        base.mark_tick(thickness=2, color=theme.ink, bandSize=11)
        .encode(y="paper:Q")
        .transform_filter("isValid(datum.paper)")
    )
    return finished(bars + letters + ticks, figures, theme, ("Consecutive messages", "Ticks: the paper's Table 5."))


def pooled_spec(figures: CorpusFigures, theme: Theme) -> Spec:
    heads = ("Distinct-N, pooled", "All dialogues of a version together.")
    return distinct_spec(figures, theme, heads, lambda version, size: version.distinct[size].pooled)


def matched_spec(figures: CorpusFigures, theme: Theme) -> Spec:
    heads = ("Distinct-N, matched", f"Pooled over {figures.matched_tokens:,} tokens of every version.")
    return distinct_spec(figures, theme, heads, lambda version, size: version.matched[size])


def mean_spec(figures: CorpusFigures, theme: Theme) -> Spec:
    def value(version: VersionFigures, size: int) -> float | None:
        mean = version.distinct[size].mean
        return mean.value if mean else None

    heads = ("Distinct-N, mean of dialogues", "Bars: 95 % interval.")
    return distinct_spec(figures, theme, heads, value, intervals=True)


def distinct_spec(
    figures: CorpusFigures,
    theme: Theme,
    heads: tuple[str, str],
    value: Callable[[VersionFigures, int], float | None],
    intervals: bool = False,
) -> Spec:
    """Lines over N = 2 … 6, one a version, as the paper's Figure 3."""
    rows = [
        {"version": version.symbol, "n": size, "distinct": value(version, size), **bounds(version, size)}
        for version in figures.versions
        for size in SIZES
    ]
    drawn = [row for row in rows if row["distinct"] is not None]
    base = alt.Chart(alt.InlineData(values=drawn)).encode(
        x=alt.X("n:O", title="N", axis=alt.Axis(labelAngle=0)),
        color=colours(figures, theme),
        tooltip=[
            alt.Tooltip("version:N", title="Version"),
            alt.Tooltip("n:O", title="N"),
            alt.Tooltip("distinct:Q", title="Distinct-N", format=".4f"),
        ],
    )
    height = alt.Y("distinct:Q", title="Distinct-N", scale=alt.Scale(zero=False))
    names = symbols(figures)
    shape = alt.Shape("version:N", scale=alt.Scale(domain=names, range=shapes(len(names))), title=None)
    layers = base.mark_line(strokeWidth=2).encode(y=height) + base.mark_point(filled=True, size=70, opacity=1).encode(
        y=height, shape=shape
    )
    # If no version has an interval (one dialogue each), a layer of intervals would have no scale.
    if intervals and any(row["low"] is not None for row in drawn):
        layers += base.mark_rule(strokeWidth=1.5).encode(y=alt.Y("low:Q"), y2="high:Q")
    return finished(layers, figures, theme, heads)


def bounds(version: VersionFigures, size: int) -> dict[str, float | None]:
    mean = version.distinct[size].mean
    return {"low": mean.low, "high": mean.high} if mean else {"low": None, "high": None}


FIGURES: dict[str, Figure] = {
    figure.slug: figure
    for figure in (
        Figure(
            "consecutive",
            "Turns by number of consecutive messages",
            "Bar chart: for each version, the share of turns with one to five and with six or more messages.",
            consecutive_spec,
        ),
        Figure(
            "distinct-matched",
            "Distinct-N on equally many tokens",
            "Line chart: pooled Distinct-N for N from 2 to 6, one line a version, all on the same number of tokens.",
            matched_spec,
        ),
        Figure(
            "distinct-pooled",
            "Distinct-N, all dialogues pooled",
            "Line chart: pooled Distinct-N for N from 2 to 6, one line a version.",
            pooled_spec,
        ),
        Figure(
            "distinct-mean",
            "Distinct-N, mean of dialogues",
            "Line chart: the mean of the dialogues' own Distinct-N for N from 2 to 6, with intervals, by version.",
            mean_spec,
        ),
    )
}


def symbols(figures: CorpusFigures) -> list[str]:
    return [version.symbol for version in figures.versions]


def shapes(count: int) -> list[str]:
    return [SHAPES[place % len(SHAPES)] for place in range(count)]


def letter(symbol: str) -> str:
    return symbol if len(symbol) <= 2 else symbol[0]


def colours(figures: CorpusFigures, theme: Theme) -> alt.Color:
    hues = [theme.hues.get(version.hue, theme.hues["other"]) for version in figures.versions]
    return alt.Color("version:N", scale=alt.Scale(domain=symbols(figures), range=hues), title=None)


def subtitle(figures: CorpusFigures) -> list[str]:
    """The subtitle of every figure: corpus, tokenizer, and whether rules wrote a part of it."""
    lines = [f"{figures.corpus}. Tokenizer: {figures.tokenizer}."]
    if figures.shared_only:
        lines[0] += " Shared backgrounds only."
    demo = [version.symbol for version in figures.versions if version.by_demo]
    return lines + ([f"Made by {DEMO_LABEL}: {', '.join(demo)}"] if demo else [])


def finished(chart: alt.LayerChart, figures: CorpusFigures, theme: Theme, heads: tuple[str, str]) -> Spec:
    """Size, title and subtitle (`heads`), legend and the theme's colours on a transparent ground."""
    whole = chart.properties(
        width=420,
        height=260,
        background="transparent",
        title=alt.TitleParams(heads[0], subtitle=[heads[1], *subtitle(figures)]),
        usermeta={"tokenizer": TOKENIZERS[figures.tokenizer]},
    ).configure(**config(theme))
    spec: Spec = whole.to_dict()
    return spec


def config(theme: Theme) -> dict[str, Any]:
    return {
        "font": FONT,
        "view": {"stroke": None},
        "title": {
            "anchor": "start",
            "color": theme.ink,
            "subtitleColor": theme.muted,
            "fontSize": 14,
            "fontWeight": 600,
            "subtitleFontSize": 11,
            "offset": 12,
        },
        "axis": {
            "labelColor": theme.muted,
            "titleColor": theme.ink,
            "gridColor": theme.line,
            "domainColor": theme.muted,
            "tickColor": theme.muted,
            "labelFontSize": 12,
            "titleFontSize": 12,
            "titleFontWeight": 500,
        },
        "legend": {
            "labelColor": theme.ink,
            "titleColor": theme.ink,
            "labelFontSize": 12,
            "orient": "top",
            "symbolSize": 90,
        },
        # Labels are measured in one font and shown in the reader's, which may be wider.
        "padding": {"left": WIDER, "top": 5, "right": WIDER, "bottom": 5},
    }


def on_paper(spec: Spec, theme: Theme) -> Spec:
    """The same on a solid background, for downloaded files."""
    return {**spec, "background": theme.paper}


def rendered(spec: Spec, file_format: FileFormat) -> tuple[bytes, str]:
    """The file and its entity tag; the same specification is rendered once and then kept."""
    text = json.dumps(spec, sort_keys=True)
    tag = hashlib.sha256(f"{VEGA} {file_format} {text}".encode()).hexdigest()[:32]
    found: bytes | None = cache.get(f"chart:{tag}")
    if found is None:
        found = RENDERERS[file_format](text)
        cache.set(f"chart:{tag}", found, timeout=KEPT_SECONDS)
    return found, tag


def to_svg(spec: str) -> bytes:
    # No address is allowed: a chart holds its data and never fetches any.
    return str(vl_convert.vegalite_to_svg(spec, allowed_base_urls=[])).encode()


def to_pdf(spec: str) -> bytes:
    return bytes(vl_convert.vegalite_to_pdf(spec, allowed_base_urls=[]))


def to_png(spec: str) -> bytes:
    return bytes(vl_convert.vegalite_to_png(spec, scale=2, allowed_base_urls=[]))


RENDERERS: dict[FileFormat, Callable[[str], bytes]] = {"svg": to_svg, "pdf": to_pdf, "png": to_png}


def viewer_script() -> tuple[bytes, str]:
    """Vega, Vega-Lite and Vega-Embed as one script for the browser, and its entity tag.

    vl-convert carries the libraries; bundling takes seconds, so the result is kept as a file.
    """
    tag = f"vega-{VEGA}"
    path: Path = settings.DATA_DIR / "charts" / f"{tag}.js"
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        with NamedTemporaryFile("w", encoding="utf-8", dir=path.parent, delete=False) as file:
            file.write(vl_convert.javascript_bundle("window.vegaEmbed = vegaEmbed;"))
        Path(file.name).replace(path)
    return path.read_bytes(), tag
