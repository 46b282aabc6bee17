"""Browse corpora and dialogues, and delete a corpus."""

from datetime import UTC, datetime
from pathlib import Path

import pytest
from django.test import Client
from django.utils.html import escape
from pytest_django import DjangoAssertNumQueries, Settings

from annotation.models import Study
from annotation.roles import Role
from dialogues.audit import AuditVerb
from dialogues.models import AuditEvent, Corpus, Dialogue, Rubric
from tests.dialogues.files import bring_in, line
from tests.people import make_user

pytestmark = pytest.mark.django_db

SHORT = [[1, "yes"]]
LONG = [[1, "a b c d e f"], [1, "a b c d e f"], [1, "a b c d e f"]]
FAMILY = (
    line("a", traits_1=["i bake ."], traits_2=["i swim ."], messages=[[1, "hello there ."], [2, "hi !"]])
    + line("a/γ1", version="gamma", origin="a", theme="A walk by the sea.", written_by="model-1", messages=LONG)
    + line("a/γ2", version="gamma", origin="a", written_by="rules", demo=True, messages=SHORT)
    + line("b", messages=[[1, "привет “мир”"], [2, 'say "ok"']])
)


@pytest.fixture
def corpus(tmp_path: Path) -> Corpus:
    return bring_in(tmp_path, FAMILY, name="Chats", description="Two backgrounds.").corpus


def keys(client: Client, corpus: Corpus, **query: str) -> list[str]:
    page = client.get(corpus.get_absolute_url(), query)
    return [dialogue.key for dialogue in page.context["page"]]


def url(key: str) -> str:
    return Dialogue.objects.get(key=key).get_absolute_url()


def test_an_empty_installation_says_what_to_do_next(researcher: Client) -> None:
    page = researcher.get("/corpora/")
    assert "No corpus yet" in page.text
    assert 'href="/corpora/import/"' in page.text


def test_the_list_shows_versions_with_counts(researcher: Client, corpus: Corpus) -> None:
    (row,) = researcher.get("/corpora/").context["rows"]
    assert [(found["version"].slug, found["count"]) for found in row["versions"]] == [("alpha", 2), ("gamma", 2)]


@pytest.mark.parametrize(
    ("query", "count"),
    [
        ({"q": "chat"}, 1),
        ({"q": "backgrounds"}, 1),
        ({"q": "zzz"}, 0),
        ({"version": "gamma"}, 1),
        ({"version": "beta"}, 0),
    ],
)
def test_the_list_is_searched_and_filtered(
    researcher: Client, corpus: Corpus, query: dict[str, str], count: int
) -> None:
    assert len(researcher.get("/corpora/", query).context["rows"]) == count


def test_a_filter_that_makes_no_sense_filters_nothing(researcher: Client, corpus: Corpus) -> None:
    for query in (
        {"version": "%00"},
        {"q": "a\x00"},
        {"page": "zero"},
        {"sort": "password"},
        {"sort": "-corpus__name"},
    ):
        assert researcher.get("/corpora/", query).status_code == 200
        assert researcher.get(corpus.get_absolute_url(), query).status_code == 200


def test_the_corpus_page_sums_each_version(researcher: Client, corpus: Corpus) -> None:
    summary = researcher.get(corpus.get_absolute_url()).context["summary"]
    gamma = summary[1]
    assert (gamma["version_id"], gamma["dialogues"], gamma["messages"], gamma["turns"]) == ("gamma", 2, 4, 2)
    assert (gamma["acmc"], gamma["words_per_message"]) == (2, 19 / 4)


def test_dialogues_are_found_by_key_and_by_what_was_said(researcher: Client, corpus: Corpus) -> None:
    assert keys(researcher, corpus, q="γ1") == ["a/γ1"]
    assert keys(researcher, corpus, q="hello there") == ["a"]
    assert keys(researcher, corpus, q='say "ok"') == ["b"]
    assert keys(researcher, corpus, q="привет “мир”") == ["b"]
    assert keys(researcher, corpus, q="a%") == []


def test_dialogues_are_filtered_and_sorted(researcher: Client, corpus: Corpus) -> None:
    assert keys(researcher, corpus, version="gamma") == ["a/γ1", "a/γ2"]
    assert keys(researcher, corpus, sort="-acmc")[0] == "a/γ1"
    assert keys(researcher, corpus, sort="words")[0] == "a/γ2"
    assert keys(researcher, corpus, sort="-words")[0] == "a/γ1"
    assert keys(researcher, corpus, sort="messages") == ["a/γ2", "a", "b", "a/γ1"]


def test_the_cost_of_a_page_does_not_grow_with_the_corpus(
    researcher: Client, tmp_path: Path, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    corpus = bring_in(tmp_path, "".join(map(line, range(300))), name="Many").corpus
    with django_assert_max_num_queries(16):
        page = researcher.get(corpus.get_absolute_url(), {"page": "3", "sort": "-acmc"})
    assert len(page.context["page"]) == 50


def test_versions_of_a_background_stand_side_by_side(researcher: Client, corpus: Corpus) -> None:
    page = researcher.get(url("a"))
    assert [column["dialogue"].key for column in page.context["columns"]] == ["a", "a/γ2"]
    assert page.context["characters"]["traits_2"] == ["i swim ."]


def test_every_writing_of_a_version_can_be_chosen_and_names_its_writer(researcher: Client, corpus: Corpus) -> None:
    first = Dialogue.objects.get(key="a/γ1")
    page = researcher.get(url("a"), {"gamma": str(first.pk)})
    assert [column["dialogue"].key for column in page.context["columns"]] == ["a", "a/γ1"]
    assert page.context["theme"] == "A walk by the sea."
    assert "Written by <bdi>model-1</bdi>" in page.text
    labels = [label for _, label in page.context["beside"].fields["gamma"].choices]
    assert [label.split(",")[0] for label in labels] == ["not shown", "model-1", "rules"]


def test_a_writing_is_dated_in_the_local_time_zone(researcher: Client, corpus: Corpus, settings: Settings) -> None:
    Dialogue.objects.filter(key="a/γ1").update(created_at=datetime(2026, 5, 31, 23, 30, tzinfo=UTC))
    settings.TIME_ZONE = "Asia/Tokyo"
    page = researcher.get(url("a"))
    assert any("1 Jun 2026" in label for _, label in page.context["beside"].fields["gamma"].choices)


def test_a_version_can_be_put_aside_but_never_all(researcher: Client, corpus: Corpus) -> None:
    page = researcher.get(url("a"), {"gamma": ""})
    assert [column["dialogue"].key for column in page.context["columns"]] == ["a"]
    page = researcher.get(url("a"), {"gamma": "", "alpha": "999999"})
    assert [column["dialogue"].key for column in page.context["columns"]] == ["a"]


def test_what_demo_rules_wrote_says_so(researcher: Client, corpus: Corpus) -> None:
    assert "demo rules, not a language model" in researcher.get(url("a/γ2"), {"alpha": ""}).text
    assert "demo rules, not a language model" not in researcher.get(url("b")).text


def test_a_dialogue_is_shown_as_stored_or_as_raters_see_it(researcher: Client, corpus: Corpus) -> None:
    assert "hello there ." in researcher.get(url("a")).text
    tidy = researcher.get(url("a"), {"tidy": "1"}).text
    assert "Hello there." in tidy
    assert "I bake." in tidy


def test_text_of_a_dialogue_is_text_and_never_markup(researcher: Client, tmp_path: Path) -> None:
    payload = "<img src=x onerror=alert(1)>"
    corpus = bring_in(
        tmp_path,
        line(payload, messages=[[1, payload]], traits_1=[payload], theme=payload, written_by=payload),
        name=payload,
        description=payload,
        licence=payload,
    ).corpus
    pages = [corpus.get_absolute_url(), url(payload), "/corpora/"]
    for page in [researcher.get(where).text for where in pages]:
        assert payload not in page
        assert escape(payload) in page


def test_strangers_are_sent_to_log_in_and_raters_are_told_why_not(client: Client, corpus: Corpus) -> None:
    pages = ["/corpora/", corpus.get_absolute_url(), url("a"), f"/corpora/{corpus.pk}/delete/"]
    assert {client.get(page).status_code for page in pages} == {302}
    client.force_login(make_user(Role.RATER))
    answers = [client.get(page) for page in pages]
    assert {answer.status_code for answer in answers} == {403}
    assert "Your role cannot see corpora" in answers[0].text


def test_what_is_not_there_is_404(researcher: Client) -> None:
    for page in ("/corpora/99/", "/corpora/dialogues/99/"):
        assert researcher.get(page).status_code == 404


def test_an_admin_deletes_a_corpus_and_the_deletion_is_recorded(admin: Client, corpus: Corpus) -> None:
    where = f"/corpora/{corpus.pk}/delete/"
    assert "4 dialogues" in admin.get(where).text
    assert Corpus.objects.exists()
    assert admin.post(where).url == "/corpora/"
    assert not Corpus.objects.exists()
    assert not Dialogue.objects.exists()
    event = AuditEvent.objects.filter(verb=AuditVerb.CORPUS_DELETED).get()
    assert (event.detail["name"], event.detail["dialogues"]) == ("Chats", 4)


def test_a_corpus_that_a_study_is_built_on_is_kept_and_the_study_is_named(admin: Client, corpus: Corpus) -> None:
    rubric = Rubric.objects.get(slug="paper-six")
    Study.objects.create(name="Pilot", corpus=corpus, rubric=rubric, seed=1)
    where = f"/corpora/{corpus.pk}/delete/"
    assert "study “Pilot”" in admin.get(where).text
    assert admin.post(where).status_code == 409
    assert Corpus.objects.exists()


def test_a_researcher_cannot_delete(researcher: Client, corpus: Corpus) -> None:
    assert researcher.post(f"/corpora/{corpus.pk}/delete/").status_code == 403
    assert f"/corpora/{corpus.pk}/delete/" not in researcher.get(corpus.get_absolute_url()).text
