"""Rating over HTTP: pages, the two answers for scripts, and the plain form for browsers without one."""

import uuid
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from annotation.models import Membership, Rating, Study
from annotation.monitoring import states
from tests.annotation.setting import SCORES, TWO, corpus, member, open_item, send, study, user
from tests.people import client_of

pytestmark = pytest.mark.django_db
FORM = {f"score-{key}": value for key, value in SCORES.items()}


@pytest.fixture
def ann() -> Membership:
    return member(study(of=corpus(2, TWO), versions=TWO), "ann")


def test_the_list_shows_the_raters_studies_with_their_progress_and_no_others(ann: Membership) -> None:
    study(of=corpus(1, name="Other"), public_name="Not for Ann")
    client = client_of(ann)
    text = client.get(reverse("rate")).content.decode()
    assert "Dialogue rating" in text
    assert "0 of 4" in text
    assert "Not for Ann" not in text


def test_demo_text_is_named_for_the_study_as_a_whole_and_never_on_one_of_its_dialogues() -> None:
    chats = corpus(1)
    chats.dialogues.filter(version="gamma").update(is_demo=True)
    ann = member(study(of=chats), "ann")
    client = client_of(ann)
    label = "demo rules, not a language model"
    assert label in client.get(reverse("rate")).content.decode()
    page: Any = client.get(reverse("rate_next", args=[ann.token]), follow=True)
    assert label not in page.content.decode()


def test_next_leads_to_an_item_with_theme_characters_and_six_questions(ann: Membership) -> None:
    client = client_of(ann)
    page: Any = client.get(reverse("rate_next", args=[ann.token]), follow=True)
    text = page.content.decode()
    assert text.count("<legend>") == 6
    assert "Two people talk about subject" in text
    assert "I like sport" in text
    assert "0 / 4" in text


def test_the_same_submission_ten_times_is_one_rating_and_one_answer(ann: Membership) -> None:
    client = client_of(ann)
    item = open_item(client, ann)
    answers = [
        send(client, "rate_submit", item.token, submission_id=str(item.submission_id), scores=SCORES) for _ in range(10)
    ]
    assert {answer.status_code for answer in answers} == {200}
    assert {answer.json()["id"] for answer in answers} == {str(item.submission_id)}
    assert [answer.json()["repeated"] for answer in answers] == [False] + [True] * 9
    assert Rating.objects.count() == 1


def test_a_second_tab_that_shows_the_same_item_sends_the_same_submission(ann: Membership) -> None:
    client = client_of(ann)
    first, second = open_item(client, ann), open_item(client, ann)
    one = send(client, "rate_submit", first.token, submission_id=str(first.submission_id), scores=SCORES)
    other = {**SCORES, "natural": 1}
    two = send(client, "rate_submit", second.token, submission_id=str(second.submission_id), scores=other)
    assert one.json()["id"] == two.json()["id"]
    assert two.json()["repeated"]
    assert Rating.objects.count() == 1


def test_a_draft_is_there_again_when_the_page_is_opened_anew(ann: Membership) -> None:
    client = client_of(ann)
    item = open_item(client, ann)
    saved = send(client, "rate_draft", item.token, version=0, scores={"natural": 2}, comment="half way", flag="")
    assert saved.json() == {"version": 1}
    again = open_item(client_of(ann), ann)
    assert again.token == item.token
    assert again.comment == "half way"
    natural = next(question for question in again.questions if question.key == "natural")
    assert [point.value for point in natural.points if point.chosen] == [2]


def test_a_stale_draft_is_answered_with_409_and_the_newer_one(ann: Membership) -> None:
    client = client_of(ann)
    item = open_item(client, ann)
    send(client, "rate_draft", item.token, version=0, scores={"natural": 2})
    stale = send(client, "rate_draft", item.token, version=0, scores={"natural": 5})
    assert stale.status_code == 409
    nothing = {"comment": "", "flag": "", "comments": {}, "evidence": {}}
    assert stale.json()["draft"] == {"scores": {"natural": 2}, **nothing}
    assert stale.json()["version"] == 1


def test_a_draft_from_a_tab_left_behind_is_shown_what_the_other_tab_submitted(ann: Membership) -> None:
    client = client_of(ann)
    item = open_item(client, ann)
    send(client, "rate_submit", item.token, submission_id=str(item.submission_id), scores=SCORES)
    stale = send(client, "rate_draft", item.token, version=0, scores={"natural": 1})
    assert stale.status_code == 409
    assert stale.json()["draft"]["scores"] == SCORES


@pytest.mark.parametrize(
    ("data", "says"),
    [
        ({"scores": {"natural": 6}}, "from 1 to 5"),
        ({"scores": {"natural": 0}}, "from 1 to 5"),
        ({"scores": {"is_current": 3}}, "is asked here"),
        ({"scores": {}, "flag": "nonsense"}, "reasons for the flag"),
        ({"scores": {}, "comment": "x" * 5001}, "at most 5,000"),
        ({"scores": {}, "comment": "nul \x00"}, ""),
        ({"scores": {"natural": "high"}}, ""),
        ({"scores": [1, 2]}, ""),
        ({"version": -1, "scores": {}}, ""),
    ],
)
def test_a_damaged_draft_is_refused_with_a_reason_and_changes_nothing(
    ann: Membership, data: dict[str, Any], says: str
) -> None:
    client = client_of(ann)
    item = open_item(client, ann)
    refused = send(client, "rate_draft", item.token, **{"version": 0, **data})
    assert refused.status_code == 400
    assert says in str(refused.json())
    assert open_item(client, ann).draft_version == 0


def test_an_incomplete_submission_names_what_is_missing(ann: Membership) -> None:
    client = client_of(ann)
    item = open_item(client, ann)
    refused = send(client, "rate_submit", item.token, submission_id=str(item.submission_id), scores={"natural": 3})
    assert refused.status_code == 400
    assert "Interesting" in refused.json()["detail"]
    assert not Rating.objects.exists()


def test_fields_that_are_not_asked_for_change_nothing(ann: Membership) -> None:
    client = client_of(ann)
    item = open_item(client, ann)
    extra = {"is_current": False, "assignment": 1, "seconds": 1, "state": "skipped", "membership": 5}
    send(client, "rate_submit", item.token, submission_id=str(item.submission_id), scores=SCORES, **extra)
    rating = Rating.objects.get()
    assert rating.is_current
    assert rating.assignment.state == "submitted"
    assert rating.assignment.membership == ann


def test_without_a_script_the_form_submits_and_goes_on(ann: Membership) -> None:
    client = client_of(ann)
    item = open_item(client, ann)
    url = reverse("rate_item", args=[item.token])
    data = {"submission_id": str(item.submission_id), **FORM, "comment": "line\r\nline"}
    gone = client.post(url, data)
    assert gone.status_code == 302
    assert client.post(url, data).status_code == 302
    assert Rating.objects.get().comment == "line\nline"


def test_without_a_script_an_incomplete_form_comes_back_with_what_was_chosen(ann: Membership) -> None:
    client = client_of(ann)
    item = open_item(client, ann)
    data = {"submission_id": str(item.submission_id), "score-natural": 2, "comment": "kept"}
    back: Any = client.post(reverse("rate_item", args=[item.token]), data)
    assert back.status_code == 422
    assert back.context["item"].comment == "kept"
    assert "Choose a point for Interesting" in back.content.decode()
    broken = client.post(reverse("rate_item", args=[item.token]), {"submission_id": "x", **FORM})
    assert broken.status_code == 422
    assert not Rating.objects.exists()


def test_a_rating_can_be_corrected_until_the_study_closes(ann: Membership) -> None:
    client = client_of(ann)
    item = open_item(client, ann)
    url = reverse("rate_item", args=[item.token])
    client.post(url, {"submission_id": str(item.submission_id), **FORM})
    again: Any = client.get(url)
    assert again.context["item"].is_submitted
    better = {"submission_id": str(again.context["item"].submission_id), **FORM, "score-natural": 1}
    client.post(url, better)
    assert Rating.objects.count() == 2
    assert Rating.objects.counted().get().scores.get(metric="natural").value == 1
    states.close(study=ann.study, by=None)
    late = client.post(url, {**better, "submission_id": str(uuid.uuid4()), "score-natural": 2})
    assert late.status_code == 422
    assert Rating.objects.count() == 2


def test_the_last_page_thanks_and_offers_what_was_skipped(ann: Membership) -> None:
    client = client_of(ann)
    skipped = open_item(client, ann)
    client.post(reverse("rate_skip", args=[skipped.token]), {"reason": "unreadable"})
    for _ in range(3):
        item = open_item(client, ann)
        send(client, "rate_submit", item.token, submission_id=str(item.submission_id), scores=SCORES)
    text = client.get(reverse("rate_next", args=[ann.token])).content.decode()
    assert "3 rated, 1 skipped. Thank you." in text
    assert reverse("rate_item", args=[skipped.token]) in text
    send(client, "rate_submit", skipped.token, submission_id=str(skipped.submission_id), scores=SCORES)
    assert "All 4 rated. Thank you." in client.get(reverse("rate_next", args=[ann.token])).content.decode()


def test_a_script_payload_is_shown_as_text(ann: Membership) -> None:
    payload = '<script>alert(1)</script>"><img src=x onerror=alert(1)>'
    Study.objects.filter(pk=ann.study_id).update(guidelines=payload, public_name=payload)
    client = client_of(ann)
    item = open_item(client, ann)
    send(client, "rate_draft", item.token, version=0, scores={}, comment=payload)
    for url in (reverse("rate"), reverse("rate_item", args=[item.token])):
        text = client.get(url).content.decode()
        assert "&lt;script&gt;" in text
        assert "<script>alert" not in text
        assert "<img src=x" not in text


def test_answers_for_scripts_demand_a_session_and_a_csrf_token(ann: Membership) -> None:
    item = open_item(client_of(ann), ann)
    for client in (Client(), client_of(ann, enforce_csrf_checks=True)):
        refused = send(client, "rate_draft", item.token, version=0, scores={})
        assert refused.status_code == 403
        assert refused.json()["detail"]


def test_strangers_and_other_raters_find_nothing_and_raters_are_kept_out_of_studies(ann: Membership) -> None:
    item = open_item(client_of(ann), ann)
    bob = member(study(of=corpus(1, name="Bobs")), "bob")
    for client in (client_of(bob), client_of(user("boss", "admin"))):
        assert client.get(reverse("rate_next", args=[ann.token])).status_code == 404
        assert client.get(reverse("rate_item", args=[item.token])).status_code == 404
        assert send(client, "rate_draft", item.token, version=0, scores={}).status_code == 404
        assert client.post(reverse("rate_skip", args=[item.token]), {"reason": "unreadable"}).status_code == 404
    assert Client().get(reverse("rate_item", args=[item.token])).status_code == 302
    kept_out = client_of(ann).get(reverse("study", args=[ann.study.pk]))
    assert kept_out.status_code == 403
    assert "Your role cannot see studies" in kept_out.content.decode()
