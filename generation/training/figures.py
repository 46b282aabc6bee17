"""Figures of a training run as Vega-Lite specifications: its losses, and what the check measured."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import altair as alt

from dialogues.charts import Spec, Theme, config
from generation.models import TrainingRun
from generation.training.checked import CHECKED_FIGURES, figure_of, who_in_words
from generation.training.curves import Point
from generation.training.run_progress import evaluation_curve, training_curve

TRAINING, EVALUATION = "training", "evaluation"
TITLE_LETTERS = 60
MOST_BARS = 4


def loss_spec(training: Sequence[Point], evaluation: Sequence[Point], theme: Theme, about: Sequence[str]) -> Spec:
    """Loss over steps: a line for training, a dashed line with points for evaluation."""
    rows = [
        {"of": name, "step": point.step, "loss": point.loss}
        for name, curve in ((TRAINING, training), (EVALUATION, evaluation))
        for point in curve
    ]
    names = alt.Scale(domain=[TRAINING, EVALUATION], range=[theme.hues["beta"], theme.hues["stephanie"]])
    dashes = alt.Scale(domain=[TRAINING, EVALUATION], range=[[1, 0], [6, 4]])
    base = alt.Chart(alt.InlineData(values=rows)).encode(
        x=alt.X("step:Q", title="Step", axis=alt.Axis(tickMinStep=1)),
        y=alt.Y("loss:Q", title="Loss", scale=alt.Scale(zero=True)),
        color=alt.Color("of:N", scale=names, title=None),
    )
    lines = base.mark_line(strokeWidth=2).encode(strokeDash=alt.StrokeDash("of:N", scale=dashes, title=None))
    marks = base.mark_point(filled=True, size=50, opacity=1).transform_filter(f"datum.of == '{EVALUATION}'")
    return _finished(lines + marks, theme, ("Loss by step", about), width=420, height=260)


def checked_spec(rows: Sequence[Mapping[str, Any]], theme: Theme, about: Sequence[str]) -> Spec:
    """A small panel for each figure of the check, with one bar for each of who answered."""
    bars = [
        {"who": who_in_words(row), "figure": one.label, "value": value}
        for row in rows
        for one in CHECKED_FIGURES
        if (value := figure_of(row, one)) is not None
    ]
    names = list(dict.fromkeys(who_in_words(row) for row in rows))[:MOST_BARS]
    hues = [theme.hues[hue] for hue in ("stephanie", "beta", "alpha", "other")]
    scale = alt.Scale(domain=names, range=hues[: len(names)])
    base = alt.Chart().encode(
        y=alt.Y("who:N", sort=names, title=None, axis=alt.Axis(labelLimit=140)),
        x=alt.X("value:Q", title=None, axis=alt.Axis(tickCount=3)),
    )
    drawn = base.mark_bar().encode(color=alt.Color("who:N", scale=scale, legend=None))
    values = base.mark_text(align="left", dx=4, color=theme.ink, fontSize=11).encode(
        text=alt.Text("value:Q", format=".3~r")
    )
    panels = (drawn + values).properties(width=150, height=64)
    whole = panels.facet(
        facet=alt.Facet("figure:N", sort=[one.label for one in CHECKED_FIGURES], title=None),
        data=alt.InlineData(values=bars),
        columns=2,
    ).resolve_scale(x="independent")
    return _finished(whole, theme, ("The check after training", about))


def _finished(chart: Any, theme: Theme, heads: tuple[str, Sequence[str]], **size: int) -> Spec:
    title, about = heads
    lines = [line if len(line) <= TITLE_LETTERS else f"{line[: TITLE_LETTERS - 1]}…" for line in about]
    titled = chart.properties(background="transparent", title=alt.TitleParams(title, subtitle=lines), **size)
    header = {"labelColor": theme.ink, "labelFontSize": 12, "titleColor": theme.ink}
    spec: Spec = titled.configure(**config(theme), header=header).to_dict()
    return spec


@dataclass(frozen=True, slots=True)
class RunFigure:
    """`draw` takes the run, the theme and lines of the subtitle; `has_data` says whether there is anything to draw."""

    slug: str
    title: str
    alt: str
    draw: Callable[[TrainingRun, Theme, Sequence[str]], Spec]
    has_data: Callable[[TrainingRun], bool]


def drawable(run: TrainingRun) -> list[RunFigure]:
    return [figure for figure in _FIGURES if figure.has_data(run)]


_FIGURES = (
    RunFigure(
        "loss",
        "Loss by step",
        "Line chart: the loss of training and of evaluation by step. The table of losses has the same numbers.",
        lambda run, theme, about: loss_spec(training_curve(run), evaluation_curve(run), theme, about),
        lambda run: bool(training_curve(run)),
    ),
    RunFigure(
        "check",
        "The check after training",
        "Bar charts, one a figure of the check: the tuned model, its base and the data. The table has the numbers.",
        lambda run, theme, about: checked_spec(run.checked, theme, about),
        lambda run: any(figure_of(row, one) is not None for row in run.checked for one in CHECKED_FIGURES),
    ),
)
