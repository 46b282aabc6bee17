"""The researcher's list of restructurings, and the ways that lead to it."""

import pytest
from django.contrib.auth.models import User
from django.test import Client
from pytest_django import DjangoAssertNumQueries

from annotation.restructuring import review
from dialogues.models import Corpus, Dialogue
from tests.annotation import handed_in, setting
from tests.annotation.restructured import gamma
from tests.people import client_of

pytestmark = pytest.mark.django_db
OVERVIEW = "/restructurings/"


def listed(html: str) -> list[str]:
    """The tokens of the listed restructurings, in their order."""
    rows = html.split('<th scope="row"><a href="/restructurings/')[1:]
    return [row.split("/")[0] for row in rows]


def test_the_list_shows_what_changed_in_figures_and_narrows_by_state_person_and_corpus(
    browser: Client, rey: User
) -> None:
    ann, bob = setting.user("ann"), setting.user("bob")
    first, second = setting.corpus(1), setting.corpus(1, name="Others")
    one = handed_in.submitted(first.dialogues.get(version="gamma"), ann)
    other = handed_in.approved(second.dialogues.get(version="gamma"), ann, rey)
    third = handed_in.asked(second.dialogues.get(version="gamma"), bob)
    html = browser.get(OVERVIEW).content.decode()
    assert listed(html) == [third.token, other.token, one.token]
    assert "4 → 5" in html
    assert "100.0 %" in html
    for query, expected in {
        "state=approved": [other.token],
        f"annotator={ann.pk}": [other.token, one.token],
        f"corpus={second.pk}&state=open": [third.token],
        "state=returned": [],
        "state=nonsense&annotator=x": [third.token, other.token, one.token],
    }.items():
        assert listed(browser.get(f"{OVERVIEW}?{query}").content.decode()) == expected, query
    assert "No restructuring matches" in browser.get(f"{OVERVIEW}?state=returned").content.decode()


def test_an_empty_list_says_what_to_do(browser: Client) -> None:
    assert "Nothing has been restructured yet" in browser.get(OVERVIEW).content.decode()


def test_a_page_of_the_list_takes_a_handful_of_queries(
    browser: Client, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    corpus = Corpus.objects.create(name="Chats")
    people = [setting.user(f"person-{number}") for number in range(15)]
    for number in range(4):
        dialogue = setting.dialogue(corpus, f"g{number}", "gamma", "words")
        for person in people:
            handed_in.asked(dialogue, person)
    browser.get(OVERVIEW)
    with django_assert_max_num_queries(10):
        html = browser.get(f"{OVERVIEW}?page=2").content.decode()
    assert len(listed(html)) == 25


def test_a_review_page_takes_as_many_queries_for_a_long_log_as_for_a_short_one(
    browser: Client, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    steps = [{"op": "reword", "at": 0, "text": f"hello {number}"} for number in range(60)]
    row = handed_in.submitted(gamma(), setting.user("ann"), *steps)
    browser.get(f"{OVERVIEW}{row.token}/")
    with django_assert_max_num_queries(12):
        assert "60 operations" in browser.get(f"{OVERVIEW}{row.token}/").content.decode()


def test_the_dialogue_page_offers_to_restructure_it_and_says_who_restructured(browser: Client, rey: User) -> None:
    dialogue = gamma()
    html = browser.get(dialogue.get_absolute_url()).content.decode()
    assert f'href="/restructurings/ask/?dialogue={dialogue.pk}"' in html
    assert "restructure 1 dialogue<" in browser.get(f"/restructurings/ask/?dialogue={dialogue.pk}").content.decode()
    row = handed_in.approved(dialogue, setting.user("ann"), rey)
    assert row.result is not None
    shown = browser.get(row.result.get_absolute_url()).content.decode()
    assert f'href="/restructurings/{row.token}/">See how' in shown
    assert "Restructured by <bdi>rater-" in shown


def test_home_leads_to_what_waits_for_review_and_to_ones_own(browser: Client, rey: User) -> None:
    dialogue = gamma()
    assert "Restructure dialogues by hand" in browser.get("/").content.decode()
    handed_in.submitted(dialogue, setting.user("ann"))
    handed_in.asked(dialogue, rey)
    html = browser.get("/").content.decode()
    assert "1 restructuring waits for review" in html
    assert "You were asked to restructure 1 dialogue" in html


def test_a_rater_is_shown_the_way_only_while_they_have_been_asked(rey: User) -> None:
    ann = setting.user("ann")
    client = client_of(ann)
    assert "Restructure" not in client.get("/rate/").content.decode()
    row = handed_in.asked(gamma(), ann)
    assert 'href="/restructure/"' in client.get("/rate/").content.decode()
    review.take_back(restructuring=row, by=rey)
    assert "Restructure" not in client.get("/rate/").content.decode()


def test_a_log_that_does_not_replay_still_shows_the_text(browser: Client) -> None:
    row = handed_in.submitted(gamma(), setting.user("ann"))
    Dialogue.objects.filter(pk=row.original_id).update(messages=[[1, "x"], [2, "y"]])
    answer = browser.get(f"{OVERVIEW}{row.token}/")
    assert answer.status_code == 200
    assert row.messages[0][1] in answer.content.decode()


def test_a_corpus_whose_dialogues_were_restructured_is_not_deleted_and_the_page_says_why(admin: Client) -> None:
    row = handed_in.submitted(gamma(), setting.user("ann"))
    answer = admin.post(f"/corpora/{row.original.corpus_id}/delete/")
    assert answer.status_code == 409
    assert "restructuring “d0.gamma by ann”" in answer.content.decode()
    assert Corpus.objects.exists()
