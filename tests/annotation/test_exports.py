"""What leaves the house: ratings as long CSV, tables as CSV and LaTeX, the two commands."""

import csv
import io
import json
import re
import tracemalloc
from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.core.management import CommandError, call_command
from django.db import connection
from django.test import Client
from django.urls import reverse
from pytest_django import DjangoAssertNumQueries

from annotation.design import launch
from annotation.models import Rating, Score, Study
from annotation.reports.exports import RATING_COLUMNS, ratings_csv
from annotation.reports.loading import findings_of
from annotation.reports.scores import counted_members, counted_ratings
from annotation.reports.tables import study_tables
from annotation.roles import Role
from core.latex import to_latex
from dialogues.audit import AuditVerb
from dialogues.models import AuditEvent, Dialogue
from tests.annotation.rated_study import join, rate, rated_study, unrated_study
from tests.annotation.setting import corpus, draft
from tests.people import logged_in

pytestmark = pytest.mark.django_db


def rows_of(content: bytes | str) -> list[dict[str, str]]:
    text = content.decode() if isinstance(content, bytes) else content
    return list(csv.DictReader(io.StringIO(text, newline="")))


def exported(client: Client, study: Study) -> list[dict[str, str]]:
    response = client.get(reverse("study_ratings_csv", args=[study.pk]))
    assert response.status_code == 200
    return rows_of(response.getvalue())


def test_every_current_score_is_one_row_as_in_the_database() -> None:
    study = rated_study(backgrounds=3)
    rows = exported(logged_in(Role.ADMIN), study)
    assert tuple(rows[0]) == RATING_COLUMNS
    kept = Score.objects.values_list(
        "rating__assignment__item__dialogue__key",
        "rating__assignment__membership__rater__profile__pseudonym",
        "metric",
        "value",
    )
    assert sorted((row["dialogue"], row["rater"], row["metric"], int(row["value"])) for row in rows) == sorted(kept)
    gamma = next(row for row in rows if row["version"] == "gamma")
    assert (gamma["background"], gamma["scale_low"], gamma["scale_high"]) == ("alpha-0", "1", "5")
    assert (gamma["written_by"], gamma["demo"]) == ("demo-model", "demo rules, not a language model")
    alpha = next(row for row in rows if row["version"] == "alpha")
    assert (alpha["written_by"], alpha["demo"], alpha["simulated"]) == ("", "", "False")


def test_a_row_of_a_pair_names_both_dialogues_in_the_pairs_order() -> None:
    one = draft(of=corpus(2), kind="pairs", pairs=[["stephanie", "alpha"], ["beta", "gamma"]])
    study = launch.launch(study=one, by=None)
    rate(study, [join(study, 1)], lambda *_: 3)
    rows = rows_of("".join(ratings_csv(study)))
    assert {(row["version"], row["other_version"]) for row in rows} == {("stephanie", "alpha"), ("beta", "gamma")}
    row = next(row for row in rows if row["version"] == "stephanie" and row["background"] == "d0")
    assert (row["dialogue"], row["other_dialogue"]) == ("d0-stephanie", "d0")
    assert (row["written_by"], row["other_written_by"], row["other_demo"]) == ("secret-writer-9000", "", "")
    alone = rows_of("".join(ratings_csv(rated_study(backgrounds=1))))
    assert {(row["other_dialogue"], row["other_version"], row["other_demo"]) for row in alone} == {("", "", "")}


def test_every_column_of_the_ratings_is_documented() -> None:
    documented = (Path(__file__).resolve().parents[2] / "docs" / "formats.md").read_text()
    _, _, section = documented.partition("## Ratings")
    assert [name for name in RATING_COLUMNS if f"`{name}`" not in section] == []


def test_a_note_on_a_score_and_the_messages_behind_it_stand_in_its_row_alone() -> None:
    study = rated_study(backgrounds=1, raters=1)
    score = Score.objects.filter(metric="natural").first()
    assert score is not None
    Score.objects.filter(pk=score.pk).update(comment="=stiff", evidence=[0, 11])
    said = [row for row in exported(logged_in(Role.ADMIN), study) if row["score_comment"] or row["evidence"]]
    assert [(row["metric"], row["score_comment"], row["evidence"]) for row in said] == [("natural", "'=stiff", "1 12")]


def test_an_export_names_no_person() -> None:
    study = rated_study(backgrounds=2)
    raters = User.objects.filter(memberships__study=study)
    raters.update(first_name="Ada", last_name="Lovelace", email="ada@example.org")
    response = logged_in(Role.ADMIN).get(reverse("study_ratings_csv", args=[study.pk]))
    text = response.getvalue().decode()
    assert f"R-{study.pk}-0" in text
    for name in ("@example.org", "Ada", "Lovelace"):
        assert name not in text


def test_a_superseded_rating_stays_at_home() -> None:
    study = rated_study(backgrounds=1, raters=1)
    old = Rating.objects.filter(assignment__item__dialogue__version="beta").get()
    old.is_current = False
    old.save(update_fields=["is_current"])
    assert {row["version"] for row in exported(logged_in(Role.ADMIN), study)} == {"alpha", "gamma", "stephanie"}


@pytest.mark.parametrize("start", ["=", "+", "-", "@", "\t", "\r"])
def test_a_comment_that_a_spreadsheet_would_run_is_made_text(start: str) -> None:
    study = rated_study(backgrounds=1, raters=1, comment=f"{start}HYPERLINK(1)")
    comments = {row["comment"] for row in exported(logged_in(Role.ADMIN), study)}
    assert comments == {f"'{start}HYPERLINK(1)"}


def test_a_comment_of_several_lines_comes_back_whole() -> None:
    said = 'first, "second"\nthird; Ω'
    study = rated_study(backgrounds=1, raters=1, comment=said)
    assert {row["comment"] for row in exported(logged_in(Role.ADMIN), study)} == {said}


def test_simulated_ratings_say_so_on_every_row_and_exclude_people() -> None:
    study = rated_study(backgrounds=1, simulated=True)
    rate(study, [join(study, 9, simulated=False)], lambda *_: 5)
    rows = exported(logged_in(Role.ADMIN), study)
    assert {row["simulated"] for row in rows} == {"True"}
    assert f"R-{study.pk}-9" not in {row["rater"] for row in rows}


def test_researchers_take_ratings_out_and_raters_do_not() -> None:
    study = rated_study(backgrounds=1)
    assert len(exported(logged_in(Role.RESEARCHER), study)) == 4 * 3 * 6
    response = logged_in(Role.RATER).get(reverse("study_ratings_csv", args=[study.pk]))
    assert response.status_code == 403
    assert b"export ratings" in response.content
    assert Client().get(reverse("study_ratings_csv", args=[study.pk])).status_code == 302


def test_ratings_wait_until_a_researcher_unblinds_the_study() -> None:
    study, client = rated_study(backgrounds=1), logged_in(Role.RESEARCHER)
    AuditEvent.objects.filter(verb=AuditVerb.STUDY_UNBLINDED).delete()
    answer = client.get(reverse("study_ratings_csv", args=[study.pk]))
    assert (answer.status_code, answer.headers["Location"]) == (302, reverse("study_report", args=[study.pk]))
    assert not AuditEvent.objects.filter(verb__in=(AuditVerb.STUDY_UNBLINDED, AuditVerb.RATINGS_EXPORTED)).exists()


@pytest.mark.parametrize(("excel", "separator", "seconds"), [("comma", ",", "2.5"), ("semicolon", ";", "2,5")])
def test_ratings_for_excel_say_the_same_in_its_marks(excel: str, separator: str, seconds: str) -> None:
    study, client = rated_study(backgrounds=1, comment="so; =1 ö"), logged_in(Role.RESEARCHER)
    Rating.objects.update(seconds=2.5)
    address = reverse("study_ratings_csv", args=[study.pk])
    text = client.get(address, {"excel": excel}).getvalue().decode()
    rows = list(csv.DictReader(io.StringIO(text.removeprefix("\ufeff"), newline=""), delimiter=separator))
    assert text.startswith("\ufeffstudy")
    assert {(row["seconds"], row["comment"]) for row in rows} == {(seconds, "so; '=1 ö")}
    assert [row | {"seconds": "2.5"} for row in rows] == exported(client, study)
    assert client.get(address, {"excel": "tabs"}).getvalue().startswith(b"study,item")


def test_an_export_asks_as_few_queries_for_many_ratings_as_for_few(
    django_assert_num_queries: DjangoAssertNumQueries,
) -> None:
    for backgrounds in (1, 12):
        study = rated_study(name=f"Of {backgrounds}", backgrounds=backgrounds)
        with django_assert_num_queries(5):
            assert len(rows_of("".join(ratings_csv(study)))) == backgrounds * 4 * 3 * 6


def test_an_export_holds_no_more_than_a_piece_of_the_ratings() -> None:
    study = rated_study(backgrounds=40)
    "".join(ratings_csv(study))
    tracemalloc.start()
    size = sum(map(len, ratings_csv(study)))
    most = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert size > 350_000
    assert most < 3_000_000


@pytest.mark.skipif(connection.vendor != "postgresql", reason="SQLite has no such cursors")
def test_no_plan_of_an_export_compares_each_item_with_each_rating() -> None:
    """Tables that were just filled have no statistics; what is counted are pairs of rows that a plan throws away."""
    with connection.cursor() as cursor:
        # Else the server may have noted that the rows of an earlier test are gone, and plan for an empty table.
        cursor.execute("TRUNCATE dialogues_dialogue, annotation_study CASCADE")
    study = rated_study(backgrounds=40)
    members = counted_members(study)
    ratings = counted_ratings(study, members).order_by("assignment__item_id", "pk")
    scores = Score.objects.filter(rating__assignment__study=study).order_by("rating__assignment__item_id", "rating_id")
    for query in (ratings, scores):
        (found,) = json.loads(query.explain(format="json", analyze=True))
        assert _thrown_away(found["Plan"]) < 40 * 4 * 3


def _thrown_away(plan: dict[str, Any]) -> float:
    here = plan.get("Rows Removed by Join Filter", 0) * plan["Actual Loops"]
    return float(here + sum(map(_thrown_away, plan.get("Plans", ()))))


@pytest.mark.skipif(connection.vendor != "postgresql", reason="SQLite has no such cursors")
def test_cursors_are_planned_to_be_read_to_their_end() -> None:
    with connection.cursor() as cursor:
        cursor.execute("SHOW cursor_tuple_fraction")
        assert cursor.fetchone() == ("1",)


def test_an_export_is_written_down() -> None:
    study = rated_study(backgrounds=1)
    exported(logged_in(Role.ADMIN), study)
    event = AuditEvent.objects.get(verb=AuditVerb.RATINGS_EXPORTED)
    assert (event.subject, event.actor is None) == (f"study:{study.pk}", False)


def test_table_csv_is_for_researchers_and_marks_what_it_is() -> None:
    study = rated_study(simulated=True)
    url = reverse("study_table_csv", args=[study.pk, "table-3"])
    assert logged_in(Role.RATER).get(url).status_code == 403
    response = logged_in(Role.RESEARCHER).get(url)
    rows = rows_of(response.content)
    assert [row["Metric"] for row in rows][:2] == ["Interesting", "Informative"]
    assert (rows[0]["paper β"], rows[0]["here β n"], rows[4]["here α"]) == ("2.85", "18", "")
    assert {row["simulated"] for row in rows} == {"True"}
    assert {row["demo"] for row in rows} == {"demo rules, not a language model"}
    assert response["Content-Disposition"] == 'attachment; filename="pilot-simulated-table-3.csv"'


def test_table_csv_without_dashes_has_the_kept_scores() -> None:
    study = rated_study()
    url = reverse("study_table_csv", args=[study.pk, "table-3"])
    rows = rows_of(logged_in(Role.RESEARCHER).get(url, {"dashes": "0"}).content)
    assert rows[4]["here α n"] == "18"


def test_latex_of_every_table_spells_greek_letters_as_commands() -> None:
    study = rated_study()
    texts = [to_latex(table, "page") for table in study_tables(study, findings_of(study)).values()]
    assert r"Weighted \\ $\kappa$" in "".join(texts)
    assert not re.search("[\u0370-\u03ff]", "".join(texts))


def test_latex_carries_the_notes_and_runs_nothing() -> None:
    study = rated_study(simulated=True)
    Dialogue.objects.update(is_demo=False, written_by=r"\input{secret} & 100 %")
    response = logged_in(Role.RESEARCHER).get(reverse("study_table_tex", args=[study.pk, "table-3"]))
    text = response.content.decode()
    assert r"\begin{tabular}" in text
    assert "Simulated ratings" in text
    assert r"written by \textbackslash{}input\{secret\} \& 100 \%" in text
    assert r"\input" not in text


def test_an_unknown_table_or_study_is_not_found() -> None:
    study, client = rated_study(backgrounds=1), logged_in(Role.ADMIN)
    assert client.get(reverse("study_table_csv", args=[study.pk, "table-9"])).status_code == 404
    assert client.get(reverse("study_table_tex", args=[study.pk, "table-9"])).status_code == 404
    assert client.get(reverse("study_ratings_csv", args=[study.pk + 1])).status_code == 404


def test_export_command_writes_what_the_page_gives(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    study = rated_study(backgrounds=2)
    out = tmp_path / "ratings.csv"
    call_command("export_ratings", study.name, out=out)
    with out.open(newline="", encoding="utf-8") as file:
        written = rows_of(file.read())
    assert written == exported(logged_in(Role.ADMIN), study)
    assert f"{len(written)} scores of Pilot" in capsys.readouterr().out
    assert [path.name for path in tmp_path.iterdir()] == ["ratings.csv"]


def test_export_command_counts_scores_and_not_the_lines_of_comments(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    study, out = rated_study(backgrounds=1, comment="one\r\ntwo"), tmp_path / "ratings.csv"
    call_command("export_ratings", study.name, "--out", str(out), "--excel", "semicolon")
    assert "72 scores of Pilot" in capsys.readouterr().out
    assert out.read_bytes().startswith(b"\xef\xbb\xbfstudy;item")


def test_export_command_replaces_a_file_only_when_told(tmp_path: Path) -> None:
    study, out = rated_study(backgrounds=1), tmp_path / "ratings.csv"
    out.write_text("mine")
    with pytest.raises(CommandError, match="--force"):
        call_command("export_ratings", str(study.pk), out=out)
    assert out.read_text() == "mine"
    call_command("export_ratings", str(study.pk), out=out, force=True)
    assert out.read_text().startswith("study,item")


def test_commands_say_what_to_do_about_a_wrong_name_or_folder(tmp_path: Path) -> None:
    study = rated_study(backgrounds=1)
    with pytest.raises(CommandError, match=rf"no study 'Nope'. Studies: {study.pk} \(Pilot\)"):
        call_command("study_report", "Nope")
    with pytest.raises(CommandError, match="Name a folder"):
        call_command("export_ratings", "Pilot", out=tmp_path / "absent" / "ratings.csv")


def test_report_command_prints_one_json_object(capsys: pytest.CaptureFixture[str]) -> None:
    rated_study(simulated=True)
    call_command("study_report", "Pilot", json=True)
    report = json.loads(capsys.readouterr().out)
    assert (report["simulated"], report["ratings"], report["raters"]) == (True, 72, 3)
    alpha = report["agreement"]["natural"]["estimates"]["alpha_ordinal"]
    assert alpha["low"] < alpha["value"] < alpha["high"]
    assert report["means"]["on_topic"]["alpha"]["n"] == 18
    assert report["versions"]["gamma"]["acmc"]["value"] == 1.75
    assert report["versions"]["gamma"]["is_demo"] is True


def test_report_command_prints_the_tables_of_the_page(capsys: pytest.CaptureFixture[str]) -> None:
    rated_study(simulated=True)
    call_command("study_report", "Pilot")
    text = capsys.readouterr().out
    for caption in ("Human evaluation", "Agreement between raters", "Share of turns", "n = 18"):
        assert caption in text
    assert "Simulated ratings" in text


def test_report_command_serves_a_study_without_ratings(capsys: pytest.CaptureFixture[str]) -> None:
    unrated_study()
    call_command("study_report", "Pilot", json=True)
    report = json.loads(capsys.readouterr().out)
    alpha = report["agreement"]["natural"]["estimates"]["alpha_ordinal"]
    assert (alpha["value"], alpha["undefined"]) == (None, "no item has scores from two raters")
