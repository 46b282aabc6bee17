"""A figure of ACMC against naturalness."""

import altair as alt

from annotation.models import Study
from annotation.reports.figure_frame import Row, marks, title_lines
from annotation.reports.findings import Findings
from dialogues.charts import Spec, Theme, config, shapes

# More points than this would be a blot.
MOST_POINTS = 3_000


def naturalness_rows(found: Findings) -> list[Row]:
    """One row a rated dialogue; none where there are too many to see any."""
    natural = found.naturalness
    if natural is None or len(natural.points) > MOST_POINTS:
        return []
    symbols = [version.symbol for version in found.versions]
    return [{"version": symbols[place], "acmc": acmc, "score": score} for place, acmc, score in natural.points]


def naturalness_spec(study: Study, found: Findings, theme: Theme) -> Spec:
    scale = study.rubric.scale
    symbols = [version.symbol for version in found.versions]
    hues = [theme.hues.get(version.hue, theme.hues["other"]) for version in found.versions]
    y_scale = alt.Scale(domain=[scale.low, scale.high], zero=False)
    name = found.naturalness.metric if found.naturalness else ""
    points = (
        alt.Chart(alt.InlineData(values=naturalness_rows(found)))
        .mark_point(filled=True, size=50, opacity=0.6)
        .encode(
            x=alt.X("acmc:Q", title="Messages a turn (ACMC)", scale=alt.Scale(zero=False, nice=True)),
            y=alt.Y("score:Q", title=f"{name}, mean score", scale=y_scale, axis=alt.Axis(tickMinStep=1)),
            color=alt.Color("version:N", scale=alt.Scale(domain=symbols, range=hues), title=None),
            shape=alt.Shape("version:N", scale=alt.Scale(domain=symbols, range=shapes(len(symbols))), title=None),
        )
    )
    title = alt.TitleParams(title_lines(study), subtitle=marks(study, found))
    whole = points.properties(width=420, height=260, background="transparent", title=title)
    spec: Spec = whole.configure(**config(theme)).to_dict()
    return spec
