"""The flow of raters and ratings as a figure in the manner of CONSORT, and the same numbers as a table.

Both read `annotation.design.flow`, as the methods text does. They name no version, so nobody is unblinded by them.
"""

import textwrap
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, NamedTuple

import altair as alt
from django.urls import reverse

from annotation.design.flow import End, Fate, Flow, flow_of
from annotation.design.methods.people import FATES
from annotation.models import Study
from core.downloads import TABLE_FORMS
from core.numbers import count_in_words
from core.tables import Cell, Column, Table
from dialogues.charts import FILE_FORMATS, Spec, Theme, config

SLUG, TITLE = "flow", "Flow of raters and ratings"
READING = (
    "On the left, how many raters joined and have ratings that count, and how many ratings were submitted and count; "
    "on the right, who left or has not finished, and which ratings were set aside. The table has the same numbers."
)
ENDS = {
    End.EXCLUDED: "excluded by a researcher",
    End.SCREENED_OUT: "screened out by attention checks",
    End.FAILED_TRAINING: "screened out by the pass mark of the training",
    End.WITHDREW: "withdrew",
    End.FINISHED: "rated and had nothing left to rate",
    End.UNFINISHED: "not finished",
}
SHORT = {
    End.EXCLUDED: "excluded",
    End.SCREENED_OUT: "screened out",
    End.FAILED_TRAINING: "failed the training",
    End.WITHDREW: "withdrew",
    End.FINISHED: "finished",
    End.UNFINISHED: "not finished",
}
# In the picture's own pixels, so that it fits a phone.
MAIN, GAP, SIDE, LINE, PAD = 128, 26, 176, 15, 7
MAIN_LETTERS, SIDE_LETTERS = 19, 25
SPACE = 12


@dataclass(frozen=True, slots=True)
class Step:
    """One box: its heading, its number, and a remark. A `side` box stands to the right of the way down."""

    label: str
    number: int
    remark: str = ""
    side: bool = False

    @property
    def lines(self) -> list[str]:
        """What the box says, in lines that fit it."""
        letters = SIDE_LETTERS if self.side else MAIN_LETTERS
        said = f"{self.label} (n\u00a0=\u00a0{self.number:,})"
        return [*textwrap.wrap(said, letters), *textwrap.wrap(self.remark, letters)]


class Caption(NamedTuple):
    """What stands under the picture."""

    slug: str
    title: str
    reading: str


def steps(study: Study, flow: Flow) -> tuple[list[Step], list[Step]]:
    """The boxes of the raters and those of the ratings, from above."""
    return list(_rater_steps(study, flow)), list(_rating_steps(flow))


def flow_table(study: Study, flow: Flow) -> Table:
    """The same as rows: raters by where they ended, ratings by what became of them."""
    rows: list[tuple[Cell, ...]] = [("Raters", "joined", flow.joined, flow.raters)]
    rows += [("Raters", _end_words(study, flow, end), *raters) for end, raters in flow.ends.items() if raters.number]
    rows.append(("Ratings", "submitted", flow.submitted, flow.counted))
    rows += [
        ("Ratings", FATES[fate], number, 0) for fate, number in flow.fates.items() if number and fate != Fate.COUNTED
    ]
    rows.append(("Items", "to be rated", flow.items, flow.rated_items))
    if flow.wanted is not None:
        rows.append(("Items", f"with the {flow.wanted:,} ratings asked for", flow.complete, flow.complete))
    columns = (
        Column("Of", numeric=False),
        Column("Where", numeric=False),
        Column("Number"),
        Column("That count"),
    )
    notes = (
        *_marks(study),
        "That count: raters with ratings that count, ratings that count, and items that have some. A rater who "
        "fits several rows is counted in the first.",
    )
    return Table(SLUG, f"{TITLE}.", columns, tuple(rows), notes)


def flow_spec(study: Study, flow: Flow, theme: Theme) -> Spec:
    """The figure as a Vega-Lite specification, narrow enough for a phone."""
    boxes: list[dict[str, Any]] = []
    letters: list[dict[str, Any]] = []
    arrows: list[dict[str, Any]] = []
    bottom = 0.0
    for part in steps(study, flow):
        bottom = _draw(part, bottom, boxes, letters, arrows) + 2 * SPACE
    height = max(1.0, bottom - 2 * SPACE)
    x = alt.Scale(domain=[0, MAIN + GAP + SIDE], nice=False)
    y = alt.Scale(domain=[0, height], reverse=True, nice=False)
    frames = (
        alt.Chart(alt.InlineData(values=boxes))
        .mark_rect(fill="transparent", stroke=theme.muted, strokeWidth=1, cornerRadius=3)
        .encode(x=alt.X("x:Q", scale=x, axis=None), x2="x2:Q", y=alt.Y("y:Q", scale=y, axis=None), y2="y2:Q")
    )
    ways = (
        alt.Chart(alt.InlineData(values=arrows))
        .mark_rule(color=theme.muted)
        .encode(x=alt.X("x:Q", scale=x, axis=None), x2="x2:Q", y=alt.Y("y:Q", scale=y, axis=None), y2="y2:Q")
    )
    heads = (
        alt.Chart(alt.InlineData(values=arrows))
        .mark_point(filled=True, color=theme.muted, size=40, opacity=1)
        .encode(
            x=alt.X("x2:Q", scale=x, axis=None),
            y=alt.Y("y2:Q", scale=y, axis=None),
            shape=alt.Shape("head:N", scale=None),
        )
    )
    words = (
        alt.Chart(alt.InlineData(values=letters))
        .mark_text(align="left", baseline="top", fontSize=12, color=theme.ink)
        .encode(x=alt.X("x:Q", scale=x, axis=None), y=alt.Y("y:Q", scale=y, axis=None), text="text:N")
    )
    title = alt.TitleParams(textwrap.wrap(study.name, 40), subtitle=[TITLE, *_marks(study)])
    whole = alt.layer(frames, ways, heads, words).properties(
        width=MAIN + GAP + SIDE, height=height, background="transparent", title=title
    )
    spec: Spec = whole.configure(**config(theme)).to_dict()
    return spec


def linked_flow(study: Study) -> dict[str, Any]:
    """What `templates/reports/_flow.html` shows; empty for a draft."""
    if study.is_draft:
        return {}
    urls = {form: reverse("study_flow", args=[study.pk, form]) for form in (*FILE_FORMATS, *TABLE_FORMS)}
    return {
        "figure": {
            "figure": Caption(SLUG, TITLE, READING),
            "is_narrow": True,
            "light_url": urls["svg"],
            "dark_url": f"{urls['svg']}?theme=dark",
            "files": [(form.upper(), f"{urls[form]}?download") for form in FILE_FORMATS],
        },
        "table": flow_table(study, flow_of(study)),
        "files": {form: urls[form] for form in TABLE_FORMS},
    }


def _draw(
    part: list[Step],
    top: float,
    boxes: list[dict[str, Any]],
    letters: list[dict[str, Any]],
    arrows: list[dict[str, Any]],
) -> float:
    """Add one way down from `top`; returns where it ends."""
    bottom, trunk = top, 0.0
    for number, step in enumerate(part):
        left = MAIN + GAP if step.side else 0
        height = LINE * len(step.lines) + 2 * PAD
        boxes.append({"x": left, "x2": left + (SIDE if step.side else MAIN), "y": bottom, "y2": bottom + height})
        letters.extend(
            {"x": left + PAD, "y": bottom + PAD + LINE * line, "text": text} for line, text in enumerate(step.lines)
        )
        if step.side:
            middle = bottom + height / 2
            arrows.append({"x": MAIN / 2, "x2": left - 3, "y": middle, "y2": middle, "head": "triangle-right"})
        else:
            if number:
                arrows.append({"x": MAIN / 2, "x2": MAIN / 2, "y": trunk, "y2": bottom - 3, "head": "triangle-down"})
            trunk = bottom + height
        bottom += height + SPACE
    return bottom - SPACE


def _rater_steps(study: Study, flow: Flow) -> Iterator[Step]:
    """Who left or is not done stands beside the way down; their ratings may count all the same."""
    yield Step("Testers who joined" if study.has_chats else "Raters who joined", flow.joined)
    for end, raters in flow.ends.items():
        if raters.number and end != End.FINISHED:
            late = f"{flow.excluded_after:,} after unblinding; " if end == End.EXCLUDED and flow.excluded_after else ""
            count = f"ratings of {raters.counted:,} count" if raters.counted else "no ratings that count"
            yield Step(ENDS[end].capitalize(), raters.number, late + count, side=True)
    counted = [f"{raters.counted:,} {SHORT[end]}" for end, raters in flow.ends.items() if raters.counted]
    yield Step("With ratings that count", flow.raters, "" if study.is_imported else ", ".join(counted))


def _rating_steps(flow: Flow) -> Iterator[Step]:
    yield Step("Ratings submitted", flow.submitted)
    for fate, number in flow.fates.items():
        if number and fate != Fate.COUNTED:
            yield Step(FATES[fate].capitalize(), number, side=True)
    remark = f"on {flow.rated_items:,} of {count_in_words(flow.items, 'item')}"
    if flow.wanted is not None:
        remark += f"; {flow.complete:,} have all {flow.wanted:,}"
    yield Step("Ratings that count", flow.counted, remark)


def _end_words(study: Study, flow: Flow, end: End) -> str:
    if end == End.EXCLUDED and flow.excluded_after is not None:
        return f"{ENDS[end]}, {flow.excluded_after:,} of them after unblinding"
    return "rated" if study.is_imported and end == End.FINISHED else ENDS[end]


def _marks(study: Study) -> Iterator[str]:
    if study.is_imported:
        yield "Imported ratings, collected elsewhere."
    if study.is_simulated:
        yield "Simulated ratings, not given by people."
