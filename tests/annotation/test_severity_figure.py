"""The figure of raters' severity: what it draws, in which order, and where it draws nothing."""

from dataclasses import replace
from functools import cache
from typing import Any

import pytest

from annotation.models import Study
from annotation.reports.figures import drawable
from annotation.reports.findings import Findings
from annotation.reports.loading import findings_of
from annotation.reports.models.intervals import Unfit
from annotation.reports.models.mixed import MixedFit
from annotation.reports.severity_figure import FEW_LINES, MOST_LINES, severity_rows, severity_spec
from annotation.reports.tables import study_tables
from core.tables import Estimate
from dialogues.charts import THEMES
from tests.annotation.rated_study import rated_study, seeded_scorer

pytestmark = pytest.mark.django_db


def lenient_by(rater: int, background: int, version: str, metric: str) -> int:
    """Rater 1 gives two points more than rater 2, except for what is natural."""
    lean = 0 if metric == "natural" else {0: 0, 1: 1, 2: -1}[rater]
    return 3 + lean + (background + len(version) + rater) % 2


def studied(**changes: Any) -> tuple[Study, Findings]:
    study = rated_study(backgrounds=4, versions=("beta", "gamma"), score=lenient_by)
    return study, replace(findings_of(study), **changes)


@cache
def _name(number: int) -> str:
    return f"R-{number:03}"


def with_raters(found: Findings, raters: int) -> Findings:
    """The same with so many raters, who have the first rater's severity."""
    analyses = {}
    for key, one in found.analyses.items():
        assert isinstance(one.mixed, MixedFit)
        mixed = replace(one.mixed, severity=(one.mixed.severity[0],) * raters)
        analyses[key] = replace(one, mixed=mixed, numbers=tuple(range(raters)), scores_by_rater=(1,) * raters)
    return replace(found, analyses=analyses, names=tuple(map(_name, range(raters))))


def test_every_point_and_line_is_a_cell_of_the_table() -> None:
    study, found = studied()
    table = study_tables(study, found)["severity"]
    metrics = [column.label for column in table.columns[1:]]
    cells = {
        (row[0], metric): (cell.value, cell.low, cell.high)
        for row in table.rows
        for metric, cell in zip(metrics, row[1:], strict=True)
        if isinstance(cell, Estimate)
    }
    drawn = {(row["rater"], row["metric"]): (row["value"], row["low"], row["high"]) for row in severity_rows(found)}
    assert drawn == cells
    assert len(drawn) == 3 * len(found.metrics)


def test_the_most_lenient_rater_over_all_metrics_is_at_the_top_of_every_panel() -> None:
    study, found = studied()
    spec = severity_spec(study, found, THEMES["light"])
    scales = [layer["encoding"]["y"]["scale"] for layer in spec["spec"]["layer"] if "y" in layer["encoding"]]
    assert [scale["domain"] for scale in scales] == [[f"R-{study.pk}-{number}" for number in (1, 0, 2)]] * 2


def test_the_axis_reaches_as_far_left_as_right_and_holds_every_interval() -> None:
    study, found = studied()
    layers = severity_spec(study, found, THEMES["light"])["spec"]["layer"]
    [low, high] = next(layer["encoding"]["x"]["scale"] for layer in layers if layer["mark"]["type"] == "point")[
        "domain"
    ]
    rows = severity_rows(found)
    assert -low == high == max(abs(end) for row in rows for end in (row["low"], row["high"], row["value"]) if end)


def test_raters_who_do_not_differ_stand_at_nought_without_lines_and_the_figure_says_so() -> None:
    study = rated_study(
        backgrounds=4, versions=("beta", "gamma"), score=lambda rater, background, *_: 1 + (2 * rater + background) % 3
    )
    found = findings_of(study)
    assert {(row["value"], row["low"], row["high"]) for row in severity_rows(found)} == {(0, None, None)}
    said = severity_spec(study, found, THEMES["light"])["title"]["subtitle"]
    assert "A point without a line has no interval; the table beside says why." in said


def test_a_metric_without_a_model_has_no_panel_and_where_none_has_one_nothing_is_drawn() -> None:
    study, found = studied()
    analyses = dict(found.analyses)
    analyses["natural"] = replace(analyses["natural"], mixed=Unfit("Too few."))
    left = {row["metric"] for row in severity_rows(replace(found, analyses=analyses))}
    assert left == {metric.name for metric in found.metrics} - {"Natural"}
    none = {key: replace(one, mixed=Unfit("Too few.")) for key, one in found.analyses.items()}
    assert "severity" not in drawable(replace(found, analyses=none))
    assert "severity" not in study_tables(study, replace(found, analyses=none))


def test_many_raters_have_lower_lines_and_more_than_can_be_told_apart_are_not_drawn() -> None:
    study, found = studied()
    heights = {}
    for raters in (FEW_LINES, FEW_LINES + 1, MOST_LINES):
        spec = severity_spec(study, with_raters(found, raters), THEMES["light"])
        heights[raters] = spec["spec"]["height"] / raters
        assert spec["columns"] == (2 if raters == FEW_LINES else 3)
    assert heights[FEW_LINES] > heights[FEW_LINES + 1] == heights[MOST_LINES]
    assert "severity" in drawable(with_raters(found, MOST_LINES))
    assert "severity" not in drawable(with_raters(found, MOST_LINES + 1))


def test_the_figure_stands_below_its_table_on_the_page() -> None:
    found = findings_of(rated_study(backgrounds=4, score=seeded_scorer(3)))
    assert drawable(found)["severity"].tables == ("severity",)
