"""The report page: who may see it, what it shows, and the pictures it is made of."""

import re

import pytest
from django.contrib.auth.models import Group, User
from django.test import Client
from django.urls import reverse
from pytest_django import DjangoAssertNumQueries

from annotation import triggers
from annotation.models import Study
from annotation.reports.figures import FIGURES
from annotation.reports.notes import SIMULATED
from annotation.roles import Role
from dialogues.models import Dialogue, Rubric
from tests.annotation.judged_study import judge
from tests.annotation.rated_study import rated_study, unrated_study
from tests.people import client_of, logged_in

pytestmark = [pytest.mark.django_db, pytest.mark.any_database]


def page(study: Study, role: Role = Role.RESEARCHER, query: str = "") -> str:
    response = logged_in(role).get(reverse("study_report", args=[study.pk]) + query)
    assert response.status_code == 200
    return response.content.decode()


def addresses(study: Study) -> list[str]:
    return [
        reverse("study_report", args=[study.pk]),
        reverse("study_table_csv", args=[study.pk, "agreement"]),
        reverse("study_table_tex", args=[study.pk, "agreement"]),
        reverse("study_figure", args=[study.pk, "means", "svg"]),
        reverse("study_ratings_csv", args=[study.pk]),
    ]


def test_a_rater_sees_nothing_of_a_report() -> None:
    study = rated_study(backgrounds=2)
    rater = study.memberships.get(seed=0).rater
    rater.groups.add(Group.objects.get(name=Role.RATER.value))
    client = client_of(rater)
    for address in addresses(study):
        response = client.get(address)
        assert response.status_code == 403, address
        assert "Stephanie −" not in response.content.decode()


def test_a_stranger_is_sent_to_log_in() -> None:
    study = rated_study(backgrounds=1)
    for address in addresses(study):
        response = Client().get(address)
        assert response.status_code == 302, address
        assert response["Location"].startswith(reverse("login"))


def test_a_report_is_read_never_posted() -> None:
    study, client = rated_study(backgrounds=1), logged_in(Role.ADMIN)
    assert {client.post(address).status_code for address in addresses(study)} == {405}


def test_a_study_that_does_not_exist_is_not_found() -> None:
    assert logged_in(Role.RESEARCHER).get(reverse("study_report", args=[404])).status_code == 404


def test_the_page_has_every_table_with_its_files() -> None:
    study = rated_study()
    html = page(study)
    for slug in ("table-3", "agreement", "agreement-by-version", "comparisons", "raters", "table-4", "table-5"):
        assert f'id="table-{slug}"' in html
        assert reverse("study_table_csv", args=[study.pk, slug]) in html
        assert reverse("study_table_tex", args=[study.pk, slug]) in html
    assert "72 ratings by 3 raters, of 24 of 24 dialogues on 6 backgrounds." in re.sub(r"\s+", " ", html)


def test_who_may_read_a_report_may_take_its_ratings_out() -> None:
    study = rated_study(backgrounds=1)
    address = reverse("study_ratings_csv", args=[study.pk])
    for role in (Role.RESEARCHER, Role.ADMIN):
        assert f'href="{address}?excel=semicolon"' in page(study, role)


def test_simulated_and_demo_are_marked_at_the_top() -> None:
    head = page(rated_study(simulated=True)).split("report-table")[0]
    assert "simulated ratings" in head
    assert "demo rules, not a language model" in head
    people = rated_study(name="Real")
    Dialogue.objects.update(is_demo=False)
    client_html = client_of(User.objects.get(username="the-researcher"))
    html = client_html.get(reverse("study_report", args=[people.pk])).content.decode()
    assert "simulated ratings" not in html
    assert "demo rules" not in html


def test_dashes_can_be_lifted_and_files_follow() -> None:
    study = rated_study()
    assert "?dashes=0" in page(study)
    lifted = logged_in(Role.ADMIN).get(reverse("study_report", args=[study.pk]), {"dashes": "0"}).content.decode()
    assert reverse("study_table_csv", args=[study.pk, "table-3"]) + "?dashes=0" in lifted
    assert "Print dashes as the paper does" in lifted


def test_the_papers_values_fold_away_beside_dashes_and_files_follow() -> None:
    study = rated_study(backgrounds=2)
    assert 'href="?paper=0"' in page(study)
    folded = logged_in(Role.ADMIN).get(reverse("study_report", args=[study.pk]), {"paper": "0", "dashes": "0"})
    html = folded.content.decode()
    assert "Show the paper’s values" in html
    assert 'href="?dashes=0"' in html
    assert 'href="?paper=0"' in html
    assert reverse("study_table_csv", args=[study.pk, "table-3"]) + "?dashes=0&amp;paper=0" in html
    assert "Paper, Table 3" not in html


def test_facts_about_all_ratings_are_said_once_and_marks_at_every_table() -> None:
    study = rated_study(simulated=True, backgrounds=2)
    Dialogue.objects.filter(version="gamma").update(is_demo=False, written_by="some-model-4")
    html = page(study)
    assert html.count("γ: written by some-model-4.") == 1
    assert html.count(SIMULATED) > 5


def test_contents_lead_to_every_table_and_figure() -> None:
    html = page(rated_study(backgrounds=2))
    anchors = re.findall(r'href="#((?:table|figure)-[^"]+)"', html)
    assert len(anchors) > 10
    for anchor in anchors:
        assert f'id="{anchor}"' in html


def test_nobody_has_rated_yet_says_what_to_do_and_still_shows_lengths() -> None:
    study = unrated_study()
    html = page(study)
    assert "No ratings yet" in html
    assert study.get_absolute_url() in html
    assert 'id="table-table-4"' in html
    assert 'id="table-table-3"' not in html
    assert "study_figure" not in html
    assert reverse("study_figure", args=[study.pk, "means", "svg"]) not in html


def test_a_study_without_items_says_that_it_is_not_launched() -> None:
    html = page(unrated_study(backgrounds=0))
    assert "has not been launched" in html
    assert "<table" not in html


def test_names_are_text_on_the_page_and_in_the_picture() -> None:
    study = rated_study(name="<script>alert(1)</script>", backgrounds=2)
    client = logged_in(Role.RESEARCHER)
    for address in (reverse("study_report", args=[study.pk]), reverse("study_figure", args=[study.pk, "means", "svg"])):
        text = client.get(address).content.decode()
        assert "<script>alert" not in text
        assert "&lt;script&gt;alert" in text


@pytest.mark.parametrize("slug", FIGURES)
def test_figures_come_as_svg_in_two_themes(slug: str) -> None:
    study, client = rated_study(simulated=True, backgrounds=3), logged_in(Role.RESEARCHER)
    judge(study, lambda *_: 60)
    address = reverse("study_figure", args=[study.pk, slug, "svg"])
    light, dark = client.get(address), client.get(address, {"theme": "dark"})
    assert light["Content-Type"] == "image/svg+xml"
    assert light.content.startswith(b"<svg")
    assert light.content != dark.content
    # Figures of texts say nothing of ratings.
    of_ratings = () if slug.startswith("distinct") else ("Natural", "Simulated ratings")
    for words in ("Stephanie", "demo rules, not a language model", *of_ratings):
        assert words in light.content.decode()


@pytest.mark.parametrize(("form", "magic"), [("svg", b"<svg"), ("pdf", b"%PDF"), ("png", b"\x89PNG")])
def test_a_figure_is_kept_as_a_file(form: str, magic: bytes) -> None:
    study = rated_study(simulated=True, backgrounds=2)
    response = logged_in(Role.RESEARCHER).get(reverse("study_figure", args=[study.pk, "means", form]), {"download": ""})
    assert response.content.startswith(magic)
    assert response["Content-Disposition"] == f'attachment; filename="pilot-simulated-means.{form}"'


def test_a_figure_that_does_not_exist_is_not_found() -> None:
    study, client = rated_study(backgrounds=1), logged_in(Role.RESEARCHER)
    unrated = unrated_study(name="Unrated")
    for pk, slug, form in ((study.pk, "nope", "svg"), (study.pk, "means", "exe"), (unrated.pk, "means", "svg")):
        assert client.get(reverse("study_figure", args=[pk, slug, form])).status_code == 404


def test_equal_scores_make_a_page_with_sentences_and_no_empty_figure() -> None:
    study = rated_study(score=lambda *_: 3)
    html = page(study)
    assert "undefined, because all scores are equal" in html
    assert 'id="figure-means"' in html
    assert 'id="figure-agreement-alpha"' not in html
    empty = logged_in(Role.ADMIN).get(reverse("study_figure", args=[study.pk, "agreement-alpha", "svg"]))
    assert empty.status_code == 404


def test_without_a_model_there_is_no_table_of_severity_and_its_figure_stands_below_the_raters() -> None:
    html = page(rated_study(backgrounds=1, raters=2))
    assert 'id="table-severity"' not in html
    assert html.index('id="table-raters"') < html.index('id="figure-by-rater"') < html.index('id="table-naturalness"')
    assert "such intervals are too narrow" not in html


def test_a_second_look_computes_nothing_anew(django_assert_max_num_queries: DjangoAssertNumQueries) -> None:
    study, client = rated_study(), logged_in(Role.RESEARCHER)
    address = reverse("study_report", args=[study.pk])
    client.get(address)
    # Session, user, permissions, study, the four queries that ask whether anything changed, whether judges scored, and
    # the five of the flow of raters and ratings.
    with django_assert_max_num_queries(17):
        assert client.get(address).status_code == 200


def test_another_scale_is_not_drawn_beside_the_papers() -> None:
    study, client = rated_study(backgrounds=2), logged_in(Role.RESEARCHER)
    figure = reverse("study_figure", args=[study.pk, "means", "svg"])
    assert "Diamonds: the paper" in client.get(figure).content.decode()
    with triggers.TRIGGERS.lifted():
        Rubric.objects.filter(pk=study.rubric_id).update(scale_low=0)
    assert "Diamonds: the paper" not in client.get(figure).content.decode()
    html = client.get(reverse("study_report", args=[study.pk])).content.decode()
    assert "Mean score from 0 to 5." in html
    assert "Without a value of the paper: Interesting, Informative" in html
    assert "(the paper" not in html.split("table-3")[0]
