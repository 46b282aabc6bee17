"""A study of ratings that were collected elsewhere: what is made of a file, and that it counts like any study."""

import json
from itertools import product
from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.db import IntegrityError, transaction
from django.urls import reverse

from annotation.imported.gathering import RatingsRefusedError
from annotation.models import Assignment, Membership, Profile, Rating, Score, Study
from annotation.rating import membership_changes
from annotation.reports.exports import ratings_csv
from annotation.reports.loading import findings_of
from annotation.roles import Role
from dialogues.audit import AuditVerb
from dialogues.models import AuditEvent, Corpus, Dialogue, Rubric, Version
from tests.annotation.imported_files import csv_file, imported, json_file
from tests.annotation.rated_study import rated_study
from tests.people import logged_in

pytestmark = pytest.mark.django_db

REFERENCE = Path(__file__).parents[2].parent / "shared" / "data" / "agreement" / "reference.json"
# Krippendorff (2011), "Computing Krippendorff's Alpha-Reliability", data C: four observers, twelve units.
OBSERVED = (
    (1, 2, 3, 3, 2, 1, 4, 1, 2, None, None, None),
    (1, 2, 3, 3, 2, 2, 4, 1, 2, 5, None, 3),
    (None, 3, 3, 3, 2, 3, 4, 2, 2, 5, 1, None),
    (1, 2, 3, 3, 2, 4, 4, 1, 2, 5, 1, None),
)


def long_rows(table: Any) -> list[tuple[str, str, str, object]]:
    return [
        (f"observer {rater}", f"unit {unit}", "Category", "" if value is None else value)
        for rater, values in enumerate(table)
        for unit, value in enumerate(values)
    ]


def test_published_agreement_comes_out_of_imported_ratings(tmp_path: Path) -> None:
    found = findings_of(imported(csv_file(tmp_path, long_rows(OBSERVED))).study).agreement["category"].estimates
    assert round(found["alpha_ordinal"].value or 0, 3) == 0.815
    assert round(found["alpha_interval"].value or 0, 3) == 0.849


@pytest.mark.skipif(not REFERENCE.exists(), reason="the reference tables are not there")
@pytest.mark.parametrize("name", ["krippendorff_c", "two_of_three"])
def test_reference_tables_come_out_of_imported_ratings(name: str, tmp_path: Path) -> None:
    reference = json.loads(REFERENCE.read_text())[name]
    study = imported(csv_file(tmp_path, long_rows(reference["data"]))).study
    found = findings_of(study).agreement["category"].estimates
    for level in {"ordinal", "interval"} & reference["alpha"].keys():
        assert round(found[f"alpha_{level}"].value or 0, 3) == reference["alpha"][level]


@pytest.mark.skipif(not REFERENCE.exists(), reason="the reference tables are not there")
def test_reference_correlations_come_out_of_imported_ratings(tmp_path: Path) -> None:
    reference = json.loads(REFERENCE.read_text())["shrout_fleiss_1979"]
    table = list(zip(*reference["data_targets_by_judges"], strict=True))
    found = findings_of(imported(csv_file(tmp_path, long_rows(table))).study).agreement["category"].estimates
    assert round(found["icc_2,1"].value or 0, 2) == reference["icc"]["2,1"]


def test_an_imported_study_is_closed_and_marked_and_says_where_it_came_from(tmp_path: Path) -> None:
    path = csv_file(tmp_path, long_rows(OBSERVED))
    study = imported(path).study
    assert (study.is_imported, study.state, study.takes_raters) == (True, Study.State.CLOSED, False)
    assert study.rubric.frozen_at is not None
    assert (study.rubric.scale_low, study.rubric.scale_high) == (1, 5)
    event = AuditEvent.objects.get(verb=AuditVerb.RATINGS_IMPORTED)
    assert event.subject == f"study:{study.pk}"
    assert event.detail["file_name"] == "ratings.csv"
    assert len(event.detail["sha256"]) == 64
    assert event.detail["set_aside"] == {"not_rated": 7}


def test_no_name_of_a_rater_is_stored_and_nobody_can_log_in_as_one(tmp_path: Path) -> None:
    rows = [("mary@example.org", "a", "Fun", 1), ("bob", "a", "Fun", 2)]
    study = imported(csv_file(tmp_path, rows)).study
    names = set(Profile.objects.filter(is_imported=True).values_list("pseudonym", flat=True))
    assert names == {f"imported-{study.pk}-1", f"imported-{study.pk}-2"}
    for user in User.objects.filter(profile__is_imported=True):
        assert not user.is_active
        assert not user.has_usable_password()
    assert not User.objects.filter(username__icontains="mary").exists()
    assert "mary" not in json.dumps(list(AuditEvent.objects.values_list("detail", flat=True)))


def test_versions_are_made_and_items_of_one_name_share_a_background(tmp_path: Path) -> None:
    rows = [(rater, item, version, "Fun", 1) for rater, item, version in product("rs", "ab", ("GPT 4", "Human"))]
    study = imported(csv_file(tmp_path, rows, ("rater", "item", "version", "metric", "value"))).study
    assert set(study.versions.values_list("slug", "name")) == {("gpt-4", "GPT 4"), ("human", "Human")}
    assert study.selection["items"] == 4
    assert study.items.values("background").distinct().count() == 2
    assert set(study.corpus.dialogues.filter(version="gpt-4").values_list("origin__key", flat=True)) == {"a", "b"}


def test_two_systems_whose_names_look_alike_stay_two(tmp_path: Path) -> None:
    rows = [("r", "a", "GPT 4", "Fun", 1), ("r", "a", "gpt-4", "Fun", 2)]
    study = imported(csv_file(tmp_path, rows, ("rater", "item", "version", "metric", "value"))).study
    assert set(study.versions.values_list("slug", flat=True)) == {"gpt-4", "gpt-4-2"}


def test_versions_that_are_here_are_found_and_names_without_a_slug_stay_apart(tmp_path: Path) -> None:
    known = Version.objects.create(slug="a-version-whose-slug-is-as-long-as-it-is", symbol="long", name="Long")
    header = ("rater", "item", "version", "metric", "value")
    study = imported(csv_file(tmp_path, [("r", "a", known.pk, "Fun", 1), ("r", "a", "中文", "Fun", 1)], header)).study
    other = imported(
        csv_file(tmp_path, [("r", "a", "русский", "Fun", 1), ("r", "a", "中文", "Fun", 1)], header), "Other"
    )
    assert known in study.versions.all()
    assert set(other.study.versions.values_list("name", flat=True)) == {"русский", "中文"}
    assert study.versions.get(name="中文") == other.study.versions.get(name="中文")


def test_systems_with_long_names_are_told_apart_in_tables(tmp_path: Path) -> None:
    rows = [("r", "a", f"Transformer with knowledge {number}", "Fun", 1) for number in range(3)]
    study = imported(csv_file(tmp_path, rows, ("rater", "item", "version", "metric", "value"))).study
    symbols = set(study.versions.values_list("symbol", flat=True))
    assert len(symbols) == 3
    assert all(len(symbol) <= 20 for symbol in symbols)


def test_an_own_export_comes_back_as_it_was(tmp_path: Path) -> None:
    before = rated_study(backgrounds=3, comment="= a remark")
    path = tmp_path / "ratings.csv"
    path.write_text("".join(ratings_csv(before)), encoding="utf-8", newline="")
    after = imported(path).study
    assert _scores(after) == _scores(before)
    assert after.items.values("background").distinct().count() == 3
    assert set(Rating.objects.for_study(after).values_list("comment", flat=True)) == {"= a remark"}
    assert findings_of(after).agreement.keys() == findings_of(before).agreement.keys()
    for key, value in findings_of(before).agreement.items():
        ordinal = findings_of(after).agreement[key].estimates["alpha_ordinal"].value
        assert ordinal == pytest.approx(value.estimates["alpha_ordinal"].value)


def test_an_own_export_finds_the_dialogues_of_its_corpus(tmp_path: Path) -> None:
    before = rated_study(backgrounds=2)
    path = tmp_path / "ratings.csv"
    path.write_text("".join(ratings_csv(before)), encoding="utf-8", newline="")
    dialogues = Dialogue.objects.count()
    after = imported(path, corpus=before.corpus.name).study
    assert Dialogue.objects.count() == dialogues
    assert set(after.items.values_list("dialogue", "background")) == set(
        before.items.values_list("dialogue", "background")
    )


def test_a_simulated_export_stays_simulated(tmp_path: Path) -> None:
    path = tmp_path / "ratings.csv"
    path.write_text("".join(ratings_csv(rated_study(backgrounds=2, simulated=True))), encoding="utf-8", newline="")
    study = imported(path).study
    assert (study.is_imported, study.is_simulated) == (True, True)
    assert findings_of(study).ratings == 24


def test_simulated_scores_and_peoples_are_not_mixed(tmp_path: Path) -> None:
    rows = [("r", "a", "Fun", 1, "True"), ("s", "a", "Fun", 1, "False")]
    with pytest.raises(RatingsRefusedError, match="never mixed"):
        imported(csv_file(tmp_path, rows, ("rater", "item", "metric", "value", "simulated")))


def test_missing_dialogues_of_the_corpus_are_named(tmp_path: Path) -> None:
    Corpus.objects.create(name="Chats")
    with pytest.raises(RatingsRefusedError, match="has no dialogue a, b") as refused:
        imported(csv_file(tmp_path, [("r", "a", "Fun", 1), ("r", "b", "Fun", 2)]), corpus="Chats")
    assert not Study.objects.exists()
    assert "column dialogue" in str(refused.value)


def test_comments_seconds_and_scales_are_kept(tmp_path: Path) -> None:
    header = ("rater", "item", "metric", "value", "comment", "score_comment", "seconds", "scale_low", "scale_high")
    rows = [("r", "a", "Fun", 1, "odd", "why", "3,5", 0, 7), ("r", "a", "Sense", 2, "odd", "", "3,5", 1, 3)]
    study = imported(csv_file(tmp_path, rows, header, ";")).study
    rating = Rating.objects.for_study(study).get()
    assert (rating.comment, rating.seconds) == ("odd", 3.5)
    scales = Score.objects.filter(rating=rating).values_list("metric", "value", "scale_low", "scale_high", "comment")
    assert set(scales) == {("fun", 1, 0, 7, "why"), ("sense", 2, 1, 3, "")}
    assert (study.rubric.scale_low, study.rubric.scale_high) == (0, 7)


def test_a_score_given_twice_is_refused_with_both_rows(tmp_path: Path) -> None:
    path = csv_file(tmp_path, [("r", "a", "Fun", 1), ("s", "a", "Fun", 1), ("r", "a", "Fun", 2)])
    with pytest.raises(RatingsRefusedError, match="One row is bad") as refused:
        imported(path)
    (bad,) = refused.value.report.bad
    assert (bad.row, bad.key) == (4, "a")
    assert "row 2" in bad.reason
    study = imported(path, skip_bad=True).study
    assert sorted(Score.objects.filter(rating__assignment__study=study).values_list("value", flat=True)) == [1, 1]


def test_what_fails_leaves_nothing_behind(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fails(*args: object, **kwargs: object) -> None:
        raise OSError("the disk is full")

    before = [model.objects.count() for model in (Version, Rubric, User)]
    monkeypatch.setattr("annotation.imported.imported_study.AuditEvent.record", fails)
    with pytest.raises(OSError, match="full"):
        imported(csv_file(tmp_path, long_rows(OBSERVED)))
    for model in (Study, Corpus, Dialogue, Membership, Assignment, Rating, Score, AuditEvent):
        assert not model.objects.exists()
    assert [model.objects.count() for model in (Version, Rubric, User)] == before


def test_a_taken_name_is_refused(tmp_path: Path) -> None:
    path = csv_file(tmp_path, [("r", "a", "Fun", 1)])
    imported(path)
    with pytest.raises(RatingsRefusedError, match="already exists"):
        imported(path)
    Corpus.objects.create(name="Chats")
    with pytest.raises(RatingsRefusedError, match="never adds to one"):
        imported(path, "Chats")


def test_an_imported_rater_can_be_excluded_and_withdrawn_and_stays_marked(tmp_path: Path) -> None:
    study = imported(csv_file(tmp_path, long_rows(OBSERVED))).study
    first, second = study.memberships.order_by("pk")[:2]
    membership_changes.exclude(membership=first, reason="An outlier.", by=None)
    assert len(findings_of(study).raters) == 3
    membership_changes.withdraw(membership=second, by=None)
    assert Profile.objects.get(user__memberships=second).is_imported


def test_the_database_refuses_an_imported_study_that_takes_raters(tmp_path: Path) -> None:
    study = imported(csv_file(tmp_path, [("r", "a", "Fun", 1)])).study
    with pytest.raises(IntegrityError), transaction.atomic():
        Study.objects.filter(pk=study.pk).update(state="open")


def test_hostile_names_are_text(tmp_path: Path) -> None:
    script = "<script>alert(1)</script>"
    rows = [("=1+1", f"{script}/../x", script, script, 3), ("'; DROP", f"{script}/../x", "عربي", script, 2)]
    study = imported(csv_file(tmp_path, rows, ("rater", "item", "metric", "version", "value"))).study
    assert [row["key"] for row in study.rubric.metrics] == ["script_alert_1_script", "metric_2"]
    client = logged_in(Role.RESEARCHER)
    for page in ("study", "study_report", "study_design", "study_raters", "study_disagreement"):
        response = client.get(reverse(page, args=[study.pk]))
        assert response.status_code == 200
        assert script not in response.content.decode()


def test_ten_thousand_items_are_imported_in_stretches(tmp_path: Path) -> None:
    rows = [(rater, item, "Fun", (item + rater) % 5) for item in range(10_000) for rater in range(2)]
    study = imported(csv_file(tmp_path, rows)).study
    assert Score.objects.filter(rating__assignment__study=study).count() == 20_000
    found = findings_of(study)
    assert (found.items, found.ratings) == (10_000, 20_000)


def test_texts_of_the_file_become_dialogues(tmp_path: Path) -> None:
    scores = {"Natural": [3, 2, 3], "Overall": [5, 4, None]}
    responses = [{"response": "Fine, and you?", "model": "Retrieval", **scores}]
    path = json_file(tmp_path, [{"context": "Hello\nHow are you?\n", "fact": "Greetings.", "responses": responses}])
    study = imported(path).study
    dialogue = study.items.get().dialogue
    assert [text for _, text in dialogue.messages] == ["Hello", "How are you?", "Fine, and you?"]
    assert dialogue.origin is not None
    assert [text for _, text in dialogue.origin.messages] == ["Hello", "How are you?"]
    assert (study.items.get().theme, study.selection["without_text"]) == ("Greetings.", 0)


def _scores(study: Study) -> set[tuple[Any, ...]]:
    rows = Score.objects.filter(rating__assignment__study=study).values_list(
        "rating__assignment__item__dialogue__key",
        "rating__assignment__item__background__key",
        "rating__assignment__item__dialogue__version",
        "metric",
        "value",
        "scale_low",
        "scale_high",
    )
    return set(rows)
