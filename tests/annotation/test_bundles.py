"""Bundles of studies: what is in them, and that their program computes every cell of the report again."""

import csv
import io
import json
import random
import sys
from collections.abc import Callable
from datetime import UTC, date, datetime
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.core.cache import caches
from django.core.management import CommandError, call_command
from django.urls import reverse
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.django import TestCase

from annotation.bundles import program, report_files
from annotation.bundles.loading import material_of
from annotation.bundles.materials import material_files
from annotation.bundles.reading import Bundle
from annotation.bundles.replicate import altered_files
from annotation.bundles.replication import recomputed_tables, replicate
from annotation.bundles.table_values import table_differences, table_from, table_json
from annotation.chats.plan import ChatPlan
from annotation.models import Membership, Rating, Score, Study, SystemPreference
from annotation.reports.exports import ratings_csv
from annotation.reports.figures import drawable
from annotation.reports.loading import findings_of
from annotation.reports.tables import study_tables
from annotation.roles import Role
from core.tables import Column, Estimate, Label, PValue, Table
from dialogues.audit import AuditVerb
from dialogues.models import AuditEvent, Rubric
from dialogues.rubric import NATURAL, ON_TOPIC, to_json
from generation.models import RunStage, Shutdown
from tests.annotation.bundled import bundle_of, files_of, replicated_apart, unpacked
from tests.annotation.chat_studies import chatted_study
from tests.annotation.checked_study import add_item
from tests.annotation.judged_study import judge, unrated_dialogues
from tests.annotation.planned_study import with_plan
from tests.annotation.rated_study import (
    Scorer,
    compared_study,
    join,
    pair_study,
    rate,
    rated_study,
    seeded_scorer,
    unrated_study,
)
from tests.commands import said_by
from tests.examples import many
from tests.people import logged_in

pytestmark = [pytest.mark.django_db, pytest.mark.any_database]


@pytest.fixture(autouse=True)
def _blank_figures(monkeypatch: pytest.MonkeyPatch) -> None:
    """Figures take seconds to draw, and no test here looks at one."""
    monkeypatch.setattr(report_files, "drawable", lambda found: dict(list(drawable(found).items())[:1]))
    monkeypatch.setattr(report_files, "rendered", lambda spec, form: (b"a figure", ""))


def scored(
    *, name: str = "Pilot", backgrounds: int = 3, versions: tuple[str, ...] = ("alpha", "beta"), raters: int = 3,
    score: Scorer | None = None,
) -> Study:  # fmt: skip
    """A study with two of the paper's questions, one of which tables hide for α: each takes its time to analyse."""
    study = unrated_study(name=name, backgrounds=backgrounds, versions=versions)
    few = to_json((NATURAL, ON_TOPIC))
    study.rubric = Rubric.objects.create(slug=f"few-{study.pk}", name="Few", metrics=few, scale_low=1, scale_high=5)
    # A launched study keeps its questions, and this one was never a draft.
    Study.objects.filter(pk=study.pk).update(rubric=study.rubric)
    rate(study, [join(study, number) for number in range(raters)], score or seeded_scorer())
    return study


def judged() -> Study:
    """Two versions on four backgrounds by three raters and one who is excluded; a judge read six backgrounds."""
    study = scored(name="Judged", backgrounds=4)
    unrated_dialogues(study, 4, 6)
    rng = random.Random(3)
    judge(study, lambda *_: float(rng.randrange(101)))
    rate(study, [join(study, 7)], lambda *_: 1)
    study.memberships.filter(seed=7).update(excluded_at=datetime(2026, 3, 1, tzinfo=UTC), exclusion_reason="A secret.")
    study.memberships.update(prolific_session="5f3a-session")
    User.objects.filter(memberships__study=study).update(last_name="Lovelace", email="ada@example.org")
    return study


@cache
def judged_bundle() -> bytes:
    """Made once for all tests that only look at it."""
    return bundle_of(judged())


def compared() -> Study:
    study = pair_study()
    # A tie, and an answer that goes the other way.
    first, second, *_ = Score.objects.filter(metric="natural").order_by("pk")
    Score.objects.filter(pk=first.pk).update(value=0)
    Score.objects.filter(pk=second.pk).update(value=-second.value)
    return study


def chatted() -> Study:
    study = chatted_study(plan=ChatPlan(practice=False, asks_preference=True))
    for member, choice in zip(study.memberships.order_by("pk"), ("first", "same"), strict=True):
        SystemPreference.objects.create(
            membership=member, first_id="chat-tuned", second_id="chat-plain", choice=choice, comment="Quicker."
        )
    return study


def compared_widely() -> Study:
    """Two pairs of versions by three raters, of whom one left some out, and one who is excluded."""
    rng = random.Random(8)
    pairs = [("beta", "gamma"), ("gamma", "stephanie")]
    study = compared_study(
        pairs, 4, lambda rater, position: None if rater == 2 and position % 3 == 0 else rng.choice((-1, 0, 1, 1))
    )
    study.memberships.filter(seed=1).update(excluded_at=datetime(2026, 3, 1, tzinfo=UTC), exclusion_reason="Left.")
    return study


def planned(study: Study) -> Study:
    """With a plan of its first question and pair; the tables say what of them was planned."""
    for_scores = study.kind != Study.Kind.PAIRS
    return with_plan(study, **({} if for_scores else {"family": None, "population": None}))


@pytest.mark.parametrize(
    "made",
    [
        judged_bundle,
        lambda: bundle_of(compared()),
        lambda: bundle_of(chatted()),
        lambda: bundle_of(compared_widely()),
        lambda: bundle_of(planned(scored())),
        lambda: bundle_of(planned(compared())),
        lambda: bundle_of(planned(chatted())),
    ],
)
def test_a_python_without_django_computes_every_cell_again(made: Callable[[], bytes], tmp_path: Path) -> None:
    code, found = replicated_apart(unpacked(made(), tmp_path))
    assert (found["files"], found["different"], found["different_figures"], code) == ([], [], [], 0)
    assert found["tables"] == len(list((tmp_path / "tables").glob("*.json"))) > 3
    assert found["cells"] > found["figures"] > 0


def test_the_report_of_a_judged_study_has_tables_of_judges_in_its_bundle() -> None:
    files = files_of(judged_bundle())
    tables = ("table-1", "judges", "prediction-powered", "learning", "naturalness", "distinct", "exclusions")
    assert {"data/judgements.csv", *(f"tables/{slug}.json" for slug in tables)} <= files.keys()
    assert [row["model"] for row in json.loads(files["materials/models.json"])] == ["judge-1"]
    assert [row["stage"] for row in json.loads(files["materials/prompts.json"])] == ["judge"]


def test_a_model_carries_the_day_on_which_its_endpoint_shuts_it_down() -> None:
    study = judged()
    [stage] = RunStage.objects.all()
    rows = json.loads(material_files(study)["materials/models.json"])
    assert [row["shutdown"] for row in rows] == [None]
    told: dict[str, Any] = {"day": date(2027, 1, 6), "told_at": datetime(2026, 3, 1, tzinfo=UTC)}
    Shutdown.objects.create(address=rows[0]["address"], model="another", **told)
    Shutdown.objects.create(address="https://elsewhere.example/v1", model=stage.model, **told)
    assert [row["shutdown"] for row in json.loads(material_files(study)["materials/models.json"])] == [None]
    Shutdown.objects.create(address=rows[0]["address"], model=stage.model, **told)
    assert [row["shutdown"] for row in json.loads(material_files(study)["materials/models.json"])] == ["2027-01-06"]


def test_version_means_and_the_day_on_which_a_judge_will_be_gone_are_computed_again(tmp_path: Path) -> None:
    study = scored(versions=("alpha", "beta", "gamma", "stephanie"))
    run = judge(study, lambda background, version, metric: float(10 * background + 7 * len(version)))
    address = run.run_stages.get().endpoint.base_url
    Shutdown.objects.create(
        address=address, model="judge-1", day=date(2027, 1, 6), told_at=datetime(2026, 3, 1, tzinfo=UTC)
    )
    folder = unpacked(bundle_of(study), tmp_path)
    Shutdown.objects.all().delete()
    assert replicate(folder).different == []
    stored = json.loads((folder / "tables/judge-versions.json").read_text())
    again = recomputed_tables(Bundle(folder))["judge-versions"]
    assert list(again.notes) == stored["notes"]
    assert "The endpoint of judge judge-1 announced that it shuts judge-1 down on 6 January 2027." in again.notes


def test_one_changed_score_names_the_cells_that_a_fresh_report_has_otherwise(tmp_path: Path) -> None:
    study = scored(versions=("alpha", "beta", "gamma"))
    before = study_tables(study, findings_of(study))
    folder = unpacked(bundle_of(study), tmp_path)
    rows = rows_of((folder / "data/ratings.csv").read_bytes())
    place = random.Random(2).randrange(len(rows))
    changed = str(1 + int(rows[place]["value"]) % 5)
    # The rows are in the order of ratings and their scores.
    score = Score.objects.order_by("rating_id", "pk")[place]
    assert (score.metric, str(score.value)) == (rows[place]["metric"], rows[place]["value"])
    rows[place]["value"] = changed
    write(folder / "data/ratings.csv", rows)
    Score.objects.filter(pk=score.pk).update(value=int(changed))
    # Ratings never change, so what was found is kept by their keys.
    caches["results"].clear()
    after = study_tables(study, findings_of(study))
    expected = [one for slug in before for one in table_differences(before[slug], after[slug])]
    assert replicate(folder).different == expected != []
    assert altered_files(folder) == ["data/ratings.csv: changed since the bundle was made"]


def rows_of(content: bytes) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(content.decode(), newline="")))


def write(path: Path, rows: list[dict[str, str]]) -> None:
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, rows[0])
        writer.writeheader()
        writer.writerows(rows)


class RandomStudiesTest(TestCase):
    """Whatever raters score, and whatever they leave out."""

    @settings(max_examples=many(15), deadline=None)
    @given(st.integers(0, 2**32), st.integers(1, 4), st.sampled_from([0.0, 0.3, 0.8]), st.booleans())
    def test_every_cell_of_any_study_is_computed_again(
        self, seed: int, raters: int, missing: float, is_constant: bool
    ) -> None:
        score = scorer(seed, missing, is_constant)
        study = scored(name=f"S{seed}", raters=raters, score=score)
        if not Rating.objects.exists():
            return
        with pytest.MonkeyPatch.context() as patch, TemporaryDirectory() as folder:
            patch.setattr(report_files, "drawable", lambda found: {})
            assert replicate(unpacked(bundle_of(study), Path(folder))).different == []


def scorer(seed: int, missing: float, is_constant: bool) -> Scorer:
    rng = random.Random(seed)
    left_out: dict[tuple[int, int, str], bool] = {}

    def score(rater: int, background: int, version: str, metric: str) -> int | None:
        if left_out.setdefault((rater, background, version), rng.random() < missing):
            return None
        return 1 + rater if is_constant else rng.randint(1, 5)

    return score


@pytest.mark.parametrize(
    ("withdrawal", "counts_screened_out"), [(Study.Withdrawal.KEEP, True), (Study.Withdrawal.REMOVE, False)]
)
def test_whoever_was_left_out_is_in_the_tables_of_exclusions(
    withdrawal: str, counts_screened_out: bool, tmp_path: Path
) -> None:
    study = rated_study(backgrounds=3, versions=("alpha", "beta"))
    first, *_ = study.memberships.order_by("pk")
    for seed in (11, 12, 13, 14):
        rate(study, [join(study, seed)], scorer(seed, 0, is_constant=False))
    rate(study, [join(study, 15, simulated=True)], lambda *_: 5)
    at = datetime(2026, 3, 1, tzinfo=UTC)
    left = {11: "excluded_at", 12: "screened_out_at", 13: "withdrawn_at", 14: "excluded_at"}
    for seed, name in left.items():
        reason = {"exclusion_reason": "Hurried."} if name == "excluded_at" else {}
        study.memberships.filter(seed=seed).update(**{name: at}, **reason)
    study.memberships.filter(seed=14).update(withdrawn_at=at)
    # Another rater has the first one's places; a second showing to someone excluded stays one.
    first.assignments.update(slot=None)
    again = study.memberships.get(seed=11)
    item = study.items.earliest("pk")
    place = study.assignments.create(item=item, membership=again, position=9, state="submitted", is_repeat=True)
    rating = Rating.objects.create(assignment=place, seconds=4)
    Score.objects.create(rating=rating, metric="natural", value=1, scale_low=1, scale_high=5)
    Rating.objects.update(seconds=7.5)
    Study.objects.filter(pk=study.pk).update(withdrawal=withdrawal, counts_screened_out=counts_screened_out)
    study.refresh_from_db()
    folder = unpacked(bundle_of(study), tmp_path)
    columns = json.loads((folder / "tables/exclusions.json").read_text())["columns"]
    labels = ["Nobody left out", *(["Without screened-out raters"] if counts_screened_out else [])]
    assert [column["label"] for column in columns[3:]] == labels
    assert replicate(folder).different == []


# --- what is in it --------------------------------------------------------------------------------


def test_the_same_study_gives_the_same_bytes() -> None:
    study = judged()
    first = bundle_of(study)
    assert bundle_of(study) == first


def test_ratings_that_count_are_those_of_the_export_and_all_others_say_why_not() -> None:
    study = judged()
    practice = add_item(study, "training", expected={"natural": 4})
    rate_one(study, study.memberships.earliest("pk"), practice.pk)
    rate(study, [join(study, 8)], lambda *_: 2)
    study.memberships.filter(seed=8).update(screened_out_at=datetime(2026, 3, 1, tzinfo=UTC))
    files = files_of(bundle_of(study))
    rows, names = rows_of(files["data/ratings.csv"]), json.loads(files["study.json"])["raters"]
    assert {row["set_aside"] for row in rows} == {"", "training", "excluded", "screened out"}
    counted = sorted(
        (names[int(row["rater"]) - 1], row["item"], row["metric"], row["value"]) for row in rows if not row["set_aside"]
    )
    exported = rows_of("".join(ratings_csv(study)).encode())
    assert counted == sorted((row["rater"], row["item"], row["metric"], row["value"]) for row in exported)


def rate_one(study: Study, member: Membership, item: int) -> None:
    place = study.assignments.create(item_id=item, membership=member, position=0, state="submitted")
    Score.objects.create(
        rating=Rating.objects.create(assignment=place), metric="natural", value=2, scale_low=1, scale_high=5
    )


def test_orders_say_turn_block_and_side() -> None:
    study = pair_study()
    Study.objects.filter(pk=study.pk).update(selection={"conditions": ["a", "b"]})
    study.refresh_from_db()
    for turn, place in enumerate(study.assignments.filter(membership__seed=1).order_by("position")):
        study.assignments.filter(pk=place.pk).update(turn=turn)
    rows = [row for row in rows_of(files_of(bundle_of(study))["data/orders.csv"]) if row["rater"] == "2"]
    assert [(row["turn"], row["block"], row["turn_in_block"]) for row in rows] == [
        ("0", "0", "0"), ("1", "0", "1"), ("2", "1", "0"), ("3", "1", "1"),
    ]  # fmt: skip
    assert {row["left"] for row in rows} == {"second"}


def opened(study: Study) -> None:
    item = add_item(study, "gold", expected={"natural": 4})
    study.assignments.create(item=item, membership=study.memberships.earliest("pk"), position=0)


def practised(study: Study) -> None:
    item = add_item(study, "training", expected={"natural": 4})
    rate_one(study, study.memberships.earliest("pk"), item.pk)


def joined(study: Study) -> None:
    join(study, 9)


def excluded(study: Study) -> None:
    study.memberships.filter(seed=7).update(excluded_at=None, withdrawn_at=datetime(2026, 3, 2, tzinfo=UTC))


def closed(study: Study) -> None:
    Study.objects.filter(pk=study.pk).update(closed_at=datetime(2036, 3, 2, tzinfo=UTC))


@pytest.mark.parametrize("change", [opened, practised, joined, excluded, closed])
def test_what_is_kept_for_a_bundle_follows_what_no_table_shows(change: Callable[[Study], None]) -> None:
    study = judged()
    before = material_of(study)
    assert material_of(study) == before
    change(study)
    study.refresh_from_db()
    kept = material_of(study)
    caches["results"].clear()
    new = material_of(study)
    assert (kept.data, kept.changed_at) == (new.data, new.changed_at)
    assert (kept.data, kept.changed_at) != (before.data, before.changed_at)


def test_a_bundle_names_nobody() -> None:
    names = ("rater-", "Lovelace", "@example.org", "A secret.", "5f3a-session")
    for path, content in files_of(judged_bundle()).items():
        if not path.startswith("analysis/"):
            assert [name for name in names if name in content.decode()] == [], path


def test_only_what_raters_read_has_its_text() -> None:
    lines = files_of(judged_bundle())["data/dialogues.jsonl"].decode().splitlines()
    dialogues = {row["key"]: row for row in map(json.loads, lines)}
    assert dialogues["beta-1"]["messages"][0] == [1, "message 1 of 1 here."]
    assert (dialogues["beta-5"]["messages"], dialogues["beta-5"]["judged_as"]) == (None, "demo-model")
    assert dialogues["beta-5"]["background"] == dialogues["alpha-5"]["number"]


def test_a_cell_is_the_same_after_a_way_through_json() -> None:
    numbers = (3, 0.1, PValue(0.00001), Estimate(float("nan"), 3), Estimate(1.5, 2, 1.0, 2.0))
    cells = ("text", Label("β", "demo"), None, *numbers)
    table = Table("t", "A table.", tuple(Column(str(n)) for n in range(len(cells))), (cells,), ("A note.",))
    again = table_from(json.loads(json.dumps(table_json(table), allow_nan=False)))
    assert list(table_differences(table, again)) == []
    assert list(again.shown_rows) == list(table.shown_rows)


def test_what_differs_is_named_by_row_and_column() -> None:
    columns = (Column("Metric", numeric=False), Column("here", group="β"))
    one = Table("t", "A table.", columns, (("Natural", 1.5), ("Engaging", 2.0)))
    other = Table("t", "A table.", columns, (("Natural", 1.5 + 1e-9), ("Engaging", 2.1), ("Interesting", 1.0)))
    assert [found.sentence for found in table_differences(one, other)] == [
        "t · Engaging · β here: stored 2.000000, recomputed 2.100000",
        "t · Interesting · whole row: not stored",
    ]
    assert [found.sentence for found in table_differences(one, None)] == ["t · whole table: not recomputed"]


def test_the_crate_describes_every_file_and_has_what_is_required_of_it() -> None:
    files = files_of(judged_bundle())
    graph = {row["@id"]: row for row in json.loads(files["ro-crate-metadata.json"])["@graph"]}
    root, descriptor = graph["./"], graph["ro-crate-metadata.json"]
    assert (descriptor["about"], descriptor["conformsTo"]["@id"]) == ({"@id": "./"}, "https://w3id.org/ro/crate/1.1")
    assert datetime.fromisoformat(root["datePublished"])
    assert root["name"]
    assert root["description"].startswith("All data of a rating study")
    assert graph[root["license"]["@id"]]["name"] == "No licence recorded"
    parts = {part["@id"] for part in root["hasPart"]}
    assert parts == files.keys() - {"ro-crate-metadata.json", "manifest-sha256.txt"}
    assert all(graph[path]["contentSize"] == str(len(files[path])) for path in parts)


# --- the program ----------------------------------------------------------------------------------


def test_the_program_needs_nothing_but_the_standard_library_and_three_packages() -> None:
    used = {
        name.partition(".")[0]
        for module in program.followed(program.ENTRANCE)
        if (path := program.path_of(module))
        for name in program.imported(path)
    }
    assert used - sys.stdlib_module_names - set(program.OURS) <= set(program.NEEDED)


def test_the_second_program_shares_nothing_with_the_first_and_is_short() -> None:
    path = Path(program.__file__).with_name("check.py")
    used = {name.partition(".")[0] for name in program.imported(path)}
    assert used - sys.stdlib_module_names == {"pandas"}
    assert len(path.read_text().splitlines()) <= 135


def test_files_that_were_changed_taken_or_added_are_named(tmp_path: Path) -> None:
    folder = unpacked(judged_bundle(), tmp_path)
    assert altered_files(folder) == []
    (folder / "rubric.json").write_text("{}")
    (folder / "design.json").unlink()
    (folder / "analysis/numpy.py").write_text("")
    assert altered_files(folder) == [
        "analysis/numpy.py: not in the manifest",
        "design.json: missing",
        "rubric.json: changed since the bundle was made",
    ]


def test_a_text_that_is_not_that_of_its_value_is_named(tmp_path: Path) -> None:
    folder = unpacked(judged_bundle(), tmp_path)
    path = folder / "tables/raters.json"
    table = json.loads(path.read_text())
    table["shown"][0][1] = "9"
    path.write_text(json.dumps(table))
    assert [(one.table, one.stored) for one in replicate(folder).different] == [("raters", "9")]


# --- commands and page ----------------------------------------------------------------------------


def run_replicate(*arguments: object) -> int:
    with pytest.raises(SystemExit) as ended:
        call_command("replicate", *map(str, arguments))
    return int(str(ended.value.code))


def test_the_commands_write_a_bundle_and_compute_it_again(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    study, path = scored(backgrounds=2), tmp_path / "b.zip"
    bundle_of(study)
    assert str(path) in said_by("study", "bundle", study.name, "--out", path)
    assert path.stat().st_mode & 0o777 == 0o600
    with pytest.raises(CommandError, match="exists"):
        said_by("study", "bundle", study.name, "--out", path)
    call_command("replicate", str(path), "--own-program")
    assert "cells that differ: 0. Figures checked in another way" in capfd.readouterr().out
    folder = unpacked(path.read_bytes(), tmp_path / "open")
    (folder / "rubric.json").write_text("{}")
    assert run_replicate(folder, "--json") == 1
    assert json.loads(capfd.readouterr().out)["files"] == ["rubric.json: changed since the bundle was made"]
    (folder / "study.json").write_text('{"format": "another"}')
    assert run_replicate(folder, "--own-program") == 2
    assert "The bundle cannot be read." in capfd.readouterr().err


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_a_terminal_shows_how_far_a_bundle_is_and_a_file_does_not(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    study = scored(backgrounds=1)
    bundle_of(study)
    shown = {}
    for stream in (io.StringIO(), Terminal()):
        caches["results"].clear()
        monkeypatch.setattr(sys, "stderr", stream)
        said_by("study", "bundle", study.name, "--out", tmp_path / f"{len(shown)}.zip")
        shown[stream.isatty()] = stream.getvalue()
    assert not shown[False]
    # Which steps are drawn depends on how fast they are.
    assert " steps" in shown[True]
    assert " files" in shown[True]


@pytest.mark.parametrize("content", [b"", b"PK not really"])
def test_what_is_no_bundle_is_wrong_input(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "b.zip"
    path.write_bytes(content)
    for given_path in (path, tmp_path / "nothing.zip", tmp_path):
        with pytest.raises(CommandError) as refused:
            call_command("replicate", str(given_path))
        assert refused.value.returncode == 2


def test_the_report_links_the_bundle_and_making_it_is_recorded() -> None:
    study = judged()
    bundle_of(study)
    AuditEvent.objects.filter(verb=AuditVerb.RATINGS_EXPORTED).delete()
    client, address = logged_in(Role.RESEARCHER), reverse("study_bundle", args=[study.pk])
    assert f'href="{address}"' in client.get(reverse("study_report", args=[study.pk])).content.decode()
    response = client.get(address)
    assert response["Content-Disposition"] == 'attachment; filename="judged-bundle.zip"'
    assert "manifest-sha256.txt" in files_of(response.getvalue())
    event = AuditEvent.objects.get(verb=AuditVerb.RATINGS_EXPORTED)
    assert (event.actor and event.actor.get_username(), event.detail) == ("the-researcher", {"part": "bundle"})


def test_a_study_without_ratings_has_no_bundle_and_stays_blind() -> None:
    study = unrated_study(backgrounds=1)
    AuditEvent.objects.all().delete()
    Study.objects.filter(pk=study.pk).update(state="closed")
    client = logged_in(Role.ADMIN)
    response: Any = client.get(reverse("study_bundle", args=[study.pk]), follow=True)
    assert "no ratings that count" in response.content.decode()
    with pytest.raises(CommandError, match="no ratings that count"):
        said_by("study", "bundle", study.name, "--out", "unwritten.zip")
    assert not Path("unwritten.zip").exists()
    assert not AuditEvent.objects.filter(verb=AuditVerb.RATINGS_EXPORTED).exists()


def test_a_blind_study_that_is_being_rated_asks_first() -> None:
    study = scored(backgrounds=1)
    AuditEvent.objects.all().delete()
    answer = logged_in(Role.ADMIN).get(reverse("study_bundle", args=[study.pk]))
    assert (answer.status_code, answer["Location"]) == (302, reverse("study_report", args=[study.pk]))
