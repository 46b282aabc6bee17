"""Agreement in anybody's file, by the command and on the page: right figures, plain errors, nothing stored."""

import base64
import csv
import io
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.core.management import CommandError, call_command
from django.test import Client
from django.urls import reverse
from pytest_django import Settings

from annotation.agreement_files import reading
from annotation.agreement_files.measuring import COEFFICIENTS, Effort, Measured, measured
from annotation.agreement_files.reading import MOST_ROWS, for_a_page
from annotation.imported.gathering import Gathered, RatingsRefusedError, RowLimit
from annotation.imported.imported_study import read_scores
from annotation.imported.rating_rows import RatingChoices
from annotation.models import Study
from annotation.reports.agreement import summary
from annotation.reports.bootstrap import ENOUGH_CLUSTERS
from annotation.reports.group_agreement import Resampling, agreement_of
from annotation.reports.models.icc import icc_intervals
from annotation.roles import Role
from core.commands import ExitCode
from dialogues import uploads
from dialogues.models import Dialogue
from tests.people import logged_in

SURE = Effort(draws=200, groups=100)
NAMES = {"alpha_ordinal", "alpha_interval", "icc_a1", "icc_ak", "icc_c1", "kappa", "exact", "within_one"}


def rows(
    *, raters: int = 3, items: int = 20, versions: tuple[str, ...] = ("x", "y"), metrics: tuple[str, ...] = ("Fun",)
) -> list[tuple[str, str, str, str, int]]:
    """(rater, item, version, metric, value) of everybody, with raters who mostly agree."""
    rng = np.random.default_rng(3)
    base = rng.integers(1, 6, size=(items, len(versions), len(metrics)))
    return [
        (f"r{rater}", f"i{item}", version, metric, int(np.clip(base[item, place, number] + rng.integers(-1, 2), 1, 5)))
        for rater in range(raters)
        for item in range(items)
        for place, version in enumerate(versions)
        for number, metric in enumerate(metrics)
    ]


def text_of(
    given: list[tuple[str, str, str, str, int]], header: str = "rater,item,version,metric,value", separator: str = ","
) -> str:
    return "\n".join([header.replace(",", separator), *(separator.join(map(str, row)) for row in given)]) + "\n"


def gathered(text: str, **columns: str) -> Gathered:
    return read_scores(io.BytesIO(text.encode()), RatingChoices(columns, (), "score"))


def table_of(given: list[tuple[str, str, str, str, int]]) -> tuple[Any, Any]:
    """(raters, items) scores, and each item's background."""
    raters = list(dict.fromkeys(row[0] for row in given))
    items = list(dict.fromkeys(row[1:3] for row in given))
    scores = np.full((len(raters), len(items)), np.nan)
    for rater, item, version, _, value in given:
        scores[raters.index(rater), items.index((item, version))] = value
    names = list(dict.fromkeys(item for item, _ in items))
    return scores, np.array([names.index(item) for item, _ in items])


def measure(given: list[tuple[str, str, str, str, int]], effort: Effort = SURE) -> Measured:
    return measured(gathered(text_of(given)), effort)


def test_figures_by_metric_are_those_of_a_study_resampled_by_background() -> None:
    given = rows(metrics=("Fun", "Sense"))
    found = measure(given)
    assert (found.scores, found.items, found.raters, found.cluster) == (240, 40, 3, "background")
    for group, metric in zip(found.by_metric, ("Fun", "Sense"), strict=True):
        scores, backgrounds = table_of([row for row in given if row[3] == metric])
        expected = summary(scores, COEFFICIENTS, draws=200, seed=0, clusters=backgrounds)
        assert (group.metric, group.scores) == (metric, 120)
        assert {**group.agreement.estimates, **group.agreement.these_raters} == expected.estimates
        assert group.agreement.these_raters.keys() == {"icc_2,1", "icc_2,k", "icc_3,1"}
        for form, like_these in icc_intervals(scores).items():
            shown = group.agreement.estimates[f"icc_{form}"]
            assert (shown.value, shown.low, shown.high) == (like_these.value, like_these.low, like_these.high)


def test_figures_by_version_and_by_pair_are_of_their_scores_alone() -> None:
    given = rows()
    found = measure(given)
    assert [(one.metric, one.version) for one in found.by_version] == [("Fun", "x"), ("Fun", "y")]
    only_y, _ = table_of([row for row in given if row[2] == "y"])
    assert found.by_version[1].agreement == agreement_of(only_y, np.arange(20), COEFFICIENTS, Resampling(0, 200))
    assert [one.raters for one in found.by_pair] == [("r0", "r1"), ("r0", "r2"), ("r1", "r2")]
    of_two, backgrounds = table_of([row for row in given if row[0] != "r1"])
    assert found.by_pair[1].agreement == agreement_of(of_two, backgrounds, COEFFICIENTS, Resampling(0, 200))


def test_pairs_rest_on_items_that_both_scored_and_those_who_share_most_come_first() -> None:
    given = [row for row in rows(items=30) if not (row[0] == "r2" and int(row[1][1:]) >= 16)]
    found = measure([row for row in given if not (row[0] == "r0" and row[1] == "i0")])
    assert [(one.raters, one.agreement.units, one.scores) for one in found.by_pair] == [
        (("r0", "r1"), 58, 116), (("r1", "r2"), 32, 64), (("r0", "r2"), 30, 60)
    ]  # fmt: skip
    assert {one.agreement.incomplete_units for one in found.by_pair} == {0}
    # Raters who share nothing are no pair.
    apart = [row for row in rows(raters=3) if (row[0] == "r2") == (int(row[1][1:]) < 10)]
    assert [one.raters for one in measure(apart).by_pair] == [("r0", "r1")]


def test_two_raters_and_one_version_make_one_table() -> None:
    found = measure(rows(raters=2, versions=("x",)))
    assert (len(found.by_metric), found.by_version, found.by_pair, found.cluster) == (1, (), (), "item")


def test_few_backgrounds_or_no_resamples_leave_values_without_intervals_and_say_why() -> None:
    few = measure(rows(items=ENOUGH_CLUSTERS - 1)).by_metric[0].agreement
    quick = measure(rows(), Effort(0, 5, "because")).by_metric[0].agreement
    for found, why in ((few, "fewer than 12 backgrounds"), (quick, "because")):
        resampled = {**found.estimates, **found.these_raters}
        assert {(one.low, one.no_interval) for one in resampled.values()} == {(None, why)}
        assert None not in {one.value for one in resampled.values()}
        # Those for raters like these need no resamples.
        assert {name for name, one in found.estimates.items() if one.low is not None} == found.these_raters.keys()
        assert not found.has_few_clusters
    assert measure(rows(items=ENOUGH_CLUSTERS)).by_metric[0].agreement.estimates["kappa"].low is not None


def test_groups_beyond_the_most_are_counted() -> None:
    found = measure(rows(raters=4), Effort(20, 2))
    assert (len(found.by_version), len(found.by_pair), found.left_out) == (2, 2, 4)


def test_a_page_draws_fewer_resamples_of_more_scores() -> None:
    assert [for_a_page(n, 2).draws for n in (1, 3_000, 3_001, 50_000, 50_001)] == [1000, 1000, 200, 200, 0]
    assert (for_a_page(3_000, 3).draws, for_a_page(50_000, 3).draws) == (200, 0)
    assert "manage.py agreement" in for_a_page(50_001, 2).why
    assert for_a_page(1, 2).groups == MOST_ROWS


@pytest.mark.parametrize(("rows", "raters"), [(2, 5), (9, 2)])
def test_a_page_names_the_command_for_a_file_that_is_too_much_for_it(
    rows: int, raters: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reading, "ON_A_PAGE", RowLimit(rows, reading.TOO_MUCH))
    monkeypatch.setattr(reading, "MOST_RATERS", raters)

    def measure_file(text: str, effort: Effort | None = None) -> Gathered:
        choices = RatingChoices({}, (), "score")
        return reading.agreement_in(io.BytesIO(text.encode()), choices, effort, skip_bad=True)[0]

    few = "rater,item,value\na,1,2\nb,1,3\n"
    assert measure_file(few).raters == 2
    with pytest.raises(RatingsRefusedError, match=r"manage\.py agreement FILE"):
        measure_file(f"{few}c,1,2\n")
    assert measure_file(f"{few}c,1,2\n", SURE).raters == 3


# --- the command ----------------------------------------------------------------------------------


@pytest.fixture
def written(tmp_path: Path) -> Any:
    def write(text: str) -> str:
        path = tmp_path / "mine.csv"
        path.write_text(text, encoding="utf-8")
        return str(path)

    return write


def told(capsys: pytest.CaptureFixture[str], *arguments: str) -> dict[str, Any]:
    call_command("agreement", *arguments, "--json")
    found: dict[str, Any] = json.loads(capsys.readouterr().out)
    return found


def test_the_command_gives_rs_components_for_twelve_tables(
    shared_data: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    reference = json.loads((shared_data / "models" / "reference.json").read_text())
    for name in ("missing-fifth", "k3-of-10"):
        path = shared_data / "models" / "ratings" / f"{name}.csv"
        found = told(capsys, str(path), "--columns", "item=background")
        (group,) = found["by_metric"]
        expected = reference[name]["icc_components"]
        for key, form in (("icc_a1", "A1"), ("icc_ak", "Ak"), ("icc_c1", "C1")):
            assert group["coefficients"][key]["value"] == pytest.approx(expected[f"ICC_{form}"], abs=1e-3), name
        assert (found["scores"], found["raters"]) == (reference[name]["ratings"], reference[name]["raters"])
        assert found["metrics"] == ["score"]
        assert {one["version"] for one in found["by_version"]} == {"alpha", "beta", "gamma", "stephanie"}


def test_every_value_has_an_interval_with_its_target_or_a_reason(written: Any, capsys: Any) -> None:
    given = rows(metrics=("Fun", "Flat", "Alone"))
    given = [(*row[:4], 3 if row[3] == "Flat" else row[4]) for row in given if row[3] != "Alone" or row[0] == "r0"]
    found = told(capsys, written(text_of(given)))
    assert found["intervals"] == {
        "level": 0.95,
        "target": "these raters",
        "resampled": "backgrounds",
        "draws": 1000,
        "icc_target": "raters like these",
    }
    fun, flat, alone = found["by_metric"]
    assert (fun["scores"], fun["raters"], fun["items"], alone["raters"]) == (120, 3, 40, 1)
    for group in (*found["by_metric"], *found["by_version"], *found["by_pair"]):
        assert group["coefficients"].keys() == NAMES
    for name, value in fun["coefficients"].items():
        assert value["low"] < value["value"] < value["high"]
        assert value["target"] == ("raters like these" if name.startswith("icc") else "these raters")
        if name.startswith("icc"):
            assert value["these_raters"]["target"] == "these raters"
            assert value["these_raters"]["low"] < value["value"] < value["these_raters"]["high"]
    assert flat["coefficients"]["kappa"] == {"value": None, "reason": "all scores are equal"}
    assert flat["coefficients"]["exact"] == {"value": 1, "low": None, "high": None, "reason": "no spread"}
    assert alone["coefficients"]["exact"] == {"value": None, "reason": "no item has scores from two raters"}
    assert found["by_pair"][0]["between"] == ["r0", "r1"]


def test_the_command_prints_tables_for_people(written: Any, capsys: Any) -> None:
    call_command("agreement", written(text_of(rows())))
    said = capsys.readouterr().out
    assert "120 scores of 40 items by 3 raters" in said
    for shown in ("ICC(A,1)", "by metric and version", "r0 and r1", "95 % interval for these raters"):
        assert shown in said


def test_other_names_other_separators_and_no_metric_or_version_are_read(written: Any, capsys: Any) -> None:
    given = [(row[0], row[1], "", "", row[4]) for row in rows(versions=("x",))]
    lines = ["Worker;HIT;answer", *(f"{rater};{item};{value}" for rater, item, _, _, value in given)]
    found = told(capsys, written("\n".join(lines)), "--columns", "rater=Worker,item=HIT,value=answer")
    assert (found["metrics"], found["items"], found["intervals"]["resampled"]) == (["score"], 20, "items")
    assert (found["by_version"], len(found["by_pair"])) == ([], 3)


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("rater,thing,value\na,b,3\n", "The first row must name the columns rater, item, value"),
        ("", "The file is empty."),
        ("rater,item,value\na,b,\n", "holds no score"),
        ("rater,item,value\na,b,3\na,b,4\na,c,3.5\n", "2 rows are bad, so nothing was computed."),
    ],
)
def test_a_wrong_file_ends_with_code_two_and_a_sentence(text: str, why: str, written: Any, capsys: Any) -> None:
    with pytest.raises(CommandError, match=why) as error:
        call_command("agreement", written(text), "--json")
    assert error.value.returncode == ExitCode.WRONG_INPUT
    out = capsys.readouterr().out
    assert not out or why in json.loads(out)["error"]


def test_a_file_that_is_not_there_and_a_wrong_option_are_refused(tmp_path: Path) -> None:
    with pytest.raises(CommandError, match=r"none\.csv cannot be read: No such file") as error:
        call_command("agreement", str(tmp_path / "none.csv"))
    assert error.value.returncode == ExitCode.WRONG_INPUT
    with pytest.raises(CommandError, match="colour"):
        call_command("agreement", str(tmp_path / "none.csv"), "--columns", "colour=x")


def test_bad_rows_are_named_by_line_and_can_be_skipped(written: Any, capsys: Any) -> None:
    path = written(text_of(rows()) + "r0,i0,x,Fun,five\n")
    with pytest.raises(CommandError, match="One row is bad"):
        call_command("agreement", path)
    assert "row 122: the score “five” is no whole number" in capsys.readouterr().err
    found = told(capsys, path, "--skip-bad")
    assert (found["scores"], found["refused"], found["bad"][0]["row"]) == (120, 1, 122)


# --- the page -------------------------------------------------------------------------------------


@pytest.fixture
def client(tmp_path: Path, settings: Settings) -> Client:
    settings.DATA_DIR = tmp_path
    return logged_in(Role.RESEARCHER)


def upload(client: Client, text: str, name: str = "my scores.csv", **fields: Any) -> Any:
    return client.post(reverse("agreement"), {"file": SimpleUploadedFile(name, text.encode()), **fields})


@pytest.mark.django_db
def test_the_page_shows_the_commands_tables_and_stores_nothing(client: Client, tmp_path: Path) -> None:
    page = upload(client, text_of(rows()))
    assert page.status_code == 200
    for shown in ("my scores.csv", "120 scores of 40 items by 3 raters", "r0 and r1", "ICC(A,k)", "these raters"):
        assert shown in page.text
    assert not Study.objects.exists()
    assert not Dialogue.objects.exists()
    assert not list(uploads.folder().iterdir())
    assert "no-store" in page.headers["Cache-Control"]


@pytest.mark.django_db
def test_every_table_stands_in_the_page_as_files_to_save(client: Client) -> None:
    tables = upload(client, text_of(rows())).context["tables"]
    assert [row["table"].slug for row in tables] == ["agreement", "by-version", "by-pair"]
    saved = {file.label: file for file in tables[2]["saved"]["plain"]}
    assert saved["CSV"].name == "my-scores-by-pair.csv"
    kind, _, content = saved["CSV"].url.partition(";base64,")
    assert kind == "data:text/csv;charset=utf-8"
    lines = list(csv.DictReader(io.StringIO(base64.b64decode(content).decode())))
    assert [line["Pair"] for line in lines] == ["r0 and r1", "r0 and r2", "r1 and r2"]
    assert {line["Metric"] for line in lines} == {"Fun"}
    assert all(0 < float(line["Exact, % low"]) < float(line["Exact, %"]) for line in lines)
    for file in tables[2]["saved"]["latex"]:
        assert r"\begin{tabular" in base64.b64decode(file.url.partition(";base64,")[2]).decode()


@pytest.mark.django_db
def test_the_page_names_bad_rows_and_measures_without_them_if_asked(client: Client) -> None:
    text = text_of(rows()) + "r0,i0,x,Fun,five\n"
    page = upload(client, text)
    assert page.status_code == 422
    for shown in ("One row is bad, so nothing was computed.", "122", "the score “five” is no whole number"):
        assert shown in page.text
    page = upload(client, text, skip_bad="on")
    assert "1 row was bad and skipped." in page.text


@pytest.mark.django_db
def test_the_page_refuses_what_it_cannot_take_in_plain_words(client: Client, settings: Settings) -> None:
    assert "Say which columns these are" in upload(client, "a,b\n1,2\n").text
    assert "name" in upload(client, text_of(rows()), columns="colour=x").text
    assert upload(client, text_of(rows()), columns="colour=x").status_code == 422
    settings.MAX_UPLOAD_MB = 0
    page = upload(client, text_of(rows()))
    assert "manage.py agreement FILE" in page.text
    assert "import-ratings" not in page.text


@pytest.mark.django_db
def test_text_from_a_file_stays_text(client: Client) -> None:
    given = [(f"<b>{row[0]}", *row[1:3], "=cmd()", row[4]) for row in rows()]
    page = upload(client, text_of(given), name="<i>.csv")
    assert "<b>r0" not in page.text
    assert "&lt;b&gt;r0" in page.text
    content = page.context["tables"][0]["saved"]["plain"][0].url.partition(";base64,")[2]
    assert base64.b64decode(content).decode().splitlines()[1].startswith("'=cmd()")


@pytest.mark.django_db
def test_raters_have_no_such_page() -> None:
    assert logged_in(Role.RATER).get(reverse("agreement")).status_code == 403
