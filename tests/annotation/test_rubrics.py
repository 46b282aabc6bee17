"""A researcher's own questions: made, changed while unused, copied; frozen once somebody has scored by them."""

from typing import Any

import pytest
from django.db import DatabaseError, transaction
from django.test import Client
from django.urls import reverse

from annotation.design import drafting, launch, rubrics
from core.fingerprint import StaleError
from dialogues import reference
from dialogues.models import FrozenRubricError, Rubric
from dialogues.rubric import PAPER_SIX, Metric, Scale, problems_of
from tests.annotation.setting import ALL, corpus, draft

pytestmark = pytest.mark.django_db
PRESETS = [slug for slug, *_ in reference.RUBRICS]
KIND = Metric("kind", "Kind", "How kind they are.", "cruel", "kind", ("cruel", "so so", "kind"))


def own(name: str = "Mine", metrics: tuple[Metric, ...] = (KIND,)) -> Rubric:
    return rubrics.make_rubric(name=name, metrics=metrics, scale=Scale(0, 2), by=None)


def posted(*rows: dict[str, Any], **head: Any) -> dict[str, Any]:
    data: dict[str, Any] = {"name": "Mine", "scale_low": 0, "scale_high": 2, **head}
    data |= {"metrics-TOTAL_FORMS": len(rows), "metrics-INITIAL_FORMS": 0}
    for place, row in enumerate(rows):
        data |= {f"metrics-{place}-{name}": value for name, value in row.items()}
    return data


def question(name: str, **more: Any) -> dict[str, Any]:
    return {"name": name, "definition": "About it.", "low": "none", "high": "all", **more}


def test_own_questions_are_made_in_the_order_given_and_can_be_chosen(researcher: Client) -> None:
    rows = [question("Depth", ORDER=2), question("Warm tone", ORDER=1, points="cold\r\nmild\r\nwarm")]
    answer = researcher.post(reverse("rubric_new"), posted(*rows))
    assert answer.status_code == 302
    made = Rubric.objects.get(name="Mine")
    assert [metric.key for metric in made.metric_list()] == ["warm_tone", "depth"]
    assert made.metric_list()[0].points == ("cold", "mild", "warm")
    assert (made.slug, made.scale) == ("mine", Scale(0, 2))
    one = draft(of=corpus(1), rubric=made)
    launch.launch(study=one, by=None)


@pytest.mark.parametrize(
    ("rows", "head", "said"),
    [
        ([question("A", points="x\ny")], {}, "The scale has 3 points; here are 2 words."),
        ([question("A"), question("a")], {}, "Two questions have the key"),
        ([question("Ä", key="Ä")], {}, "A key begins with a letter"),
        ([question("你好")], {}, "No key can be made from this name"),
        ([], {}, "at least one question"),
        ([question("A")], {"scale_low": 5, "scale_high": 5}, "A scale ascends"),
        ([question("A")], {"scale_low": 0, "scale_high": 90}, "A scale ascends"),
        ([question("A", definition="")], {}, "This field is required"),
    ],
)
def test_what_cannot_be_asked_is_shown_again_with_a_reason(
    researcher: Client, rows: list[dict[str, Any]], head: dict[str, Any], said: str
) -> None:
    page = researcher.post(reverse("rubric_new"), posted(*rows, **head))
    assert page.status_code == 422
    assert said in page.content.decode()
    assert Rubric.objects.count() == len(PRESETS)


def test_another_empty_question_is_added_without_saving(researcher: Client) -> None:
    page = researcher.post(reverse("rubric_new"), posted(question("Depth"), more="1"))
    assert page.status_code == 200
    text = page.content.decode()
    assert "Question 2" in text
    assert 'value="Depth"' in text
    assert "This field is required" not in text
    assert Rubric.objects.count() == len(PRESETS)


def test_a_question_that_is_marked_goes(researcher: Client) -> None:
    row = own(metrics=(KIND, Metric("depth", "Depth", "d", "l", "h")))
    rows = [question("Kind", key="kind"), question("", key="", definition="", DELETE="on")]
    data = posted(*rows, seen=rubrics.shown(row)) | {"metrics-INITIAL_FORMS": 2}
    assert researcher.post(reverse("rubric_edit", args=[row.pk]), data).status_code == 302
    row.refresh_from_db()
    assert [metric.key for metric in row.metric_list()] == ["kind"]


def test_somebody_elses_change_is_shown_beside(researcher: Client) -> None:
    row = own()
    seen = rubrics.shown(row)
    rubrics.change_rubric(rubric=row, seen=seen, name="Theirs", metrics=(KIND,), scale=Scale(0, 2), by=None)
    page = researcher.post(reverse("rubric_edit", args=[row.pk]), posted(question("Kind"), seen=seen))
    assert page.status_code == 409
    assert "Theirs" in page.content.decode()
    row.refresh_from_db()
    assert row.name == "Theirs"
    with pytest.raises(StaleError):
        rubrics.change_rubric(rubric=row, seen=seen, name="X", metrics=(KIND,), scale=Scale(0, 2), by=None)


def test_launch_freezes_the_rubric_for_everybody(researcher: Client) -> None:
    row = own()
    launch.launch(study=draft(of=corpus(1), rubric=row), by=None)
    row.refresh_from_db()
    assert row.frozen_at is not None
    row.name = "Other"
    for act in (
        row.save,
        row.delete,
        lambda: rubrics.change_rubric(rubric=row, seen="", name="X", metrics=(KIND,), scale=Scale(0, 2), by=None),
        lambda: rubrics.delete_rubric(rubric=row, by=None),
    ):
        with pytest.raises(FrozenRubricError):
            act()
    page = researcher.get(reverse("rubric_edit", args=[row.pk]), follow=True)
    assert "cannot change" in page.content.decode()


@pytest.mark.parametrize("slug", PRESETS)
def test_a_preset_is_copied_never_changed(researcher: Client, slug: str) -> None:
    preset = Rubric.objects.get(slug=slug)
    with pytest.raises(FrozenRubricError):
        preset.save()
    answer = researcher.post(reverse("rubric_clone", args=[preset.pk]))
    copy = Rubric.objects.exclude(slug__in=PRESETS).get()
    assert answer.headers["Location"] == reverse("rubric_edit", args=[copy.pk])
    assert (copy.metrics, copy.frozen_at) == (preset.metrics, None)


def test_the_database_itself_refuses_to_change_a_frozen_rubric() -> None:
    for change in ({"metrics": []}, {"scale_high": 7}, {"name": "x"}, {"frozen_at": None}):
        with pytest.raises(DatabaseError), transaction.atomic():
            Rubric.objects.filter(slug="paper-six").update(**change)
    Rubric.objects.filter(pk=own().pk).update(name="Still free")


def test_a_rubric_in_use_by_a_draft_is_not_deleted(researcher: Client) -> None:
    row = own()
    draft(of=corpus(1), rubric=row)
    page = researcher.post(reverse("rubric_delete", args=[row.pk]), follow=True)
    assert "A study uses these questions" in page.content.decode()
    free = own("Free")
    assert researcher.post(reverse("rubric_delete", args=[free.pk])).status_code == 302
    assert not Rubric.objects.filter(pk=free.pk).exists()


def test_two_rubrics_of_one_name_have_slugs_of_their_own() -> None:
    assert [own("My scale").slug, own("My scale").slug, own("你好").slug] == ["my-scale", "my-scale-2", "rubric"]


def test_a_metric_can_be_asked_about_some_versions_only_and_that_is_warned_of(researcher: Client) -> None:
    narrow = Metric("on_topic", "On-topic", "d", "l", "h", asked_for=("beta", "gamma"))
    row = own(metrics=(KIND, narrow))
    assert [metric.key for metric in row.metrics_for("alpha")] == ["kind"]
    assert [metric.key for metric in row.metrics_for("beta")] == ["kind", "on_topic"]
    assert [metric.key for metric in row.metrics_for("alpha", "beta")] == ["kind"]
    assert "no longer blind" in researcher.get(reverse("rubric", args=[row.pk])).content.decode()
    one = draft(of=corpus(1), rubric=row)
    assert "tells raters which dialogues those are" in researcher.get(one.get_absolute_url()).content.decode()


def test_a_version_about_which_nothing_is_asked_forbids_the_launch() -> None:
    row = own(metrics=(Metric("on_topic", "On-topic", "d", "l", "h", asked_for=ALL[1:]),))
    with pytest.raises(drafting.DesignError, match="asks nothing about alpha"):
        launch.launch(study=draft(of=corpus(1), rubric=row), by=None)


def test_the_presets_have_no_problems() -> None:
    assert problems_of(PAPER_SIX, Scale(1, 5)) == []
    assert problems_of((KIND, KIND), Scale(1, 5)) != []
