"""The annotator's pages over HTTP: the list, the editor, what is sent to it."""

import json
import uuid
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries

from annotation.models import Operation, Restructuring
from annotation.restructuring import drafts
from annotation.restructuring.drafts import Sent
from annotation.restructuring.proposals import proposers
from dialogues.models import Dialogue
from generation import example_sets
from generation.models import Run
from tests.annotation.restructured import CHAT, asked, gamma
from tests.annotation.setting import user
from tests.demo_server import DemoServer
from tests.generation.runs import NOWHERE, endpoint_at
from tests.generation.runs import work as run_calls

pytestmark = pytest.mark.django_db
SPLIT = {"op": "split", "at": 0, "offset": 9}


@pytest.fixture
def work(client: Client) -> Restructuring:
    row = asked()
    client.force_login(row.annotator)
    return row


def post(client: Client, work: Restructuring, body: Any) -> Any:
    return client.post(f"{work.get_absolute_url()}operations/", json.dumps(body), content_type="application/json")


def operation(body: Any, number: int = 1) -> dict[str, Any]:
    return {"id": f"6f2a1c9e-8d5b-4a53-9c3e-{number:012}", "body": body, "age": 20}


def test_a_list_of_many_is_read_in_few_queries(
    client: Client, work: Restructuring, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    original = work.original
    others = [user(f"other-{number}") for number in range(3)]
    for person in others:
        asked(person, original)
    for number in range(60):
        asked(work.annotator, gamma(key=f"d{number + 1}"))
    Restructuring.objects.filter(pk=work.pk).update(state="returned", review="Again, please")
    with django_assert_max_num_queries(8):
        text = client.get("/restructure/").content.decode()
    assert text.count('<li class="card">') == 48
    assert text.index("Again, please") < text.index("Dialogue 2<")
    assert "1–48 of 61" in text


def test_an_empty_list_says_what_will_be_there(rater: Client) -> None:
    assert "Nothing to restructure yet" in rater.get("/restructure/").content.decode()


def test_a_conflict_is_answered_with_what_happened(client: Client, work: Restructuring) -> None:
    assert post(client, work, {"version": 0, "operations": [operation(SPLIT)]}).json() == {"version": 1}
    answer = post(client, work, {"version": 0, "operations": [operation(SPLIT, 2)]})
    assert answer.status_code == 409
    assert answer.json()["operations"] == [SPLIT]
    assert answer.json()["messages"][0] == [1, "hi there,"]


@pytest.mark.parametrize(
    "body",
    [
        {}, [], {"version": 0}, {"version": -1, "operations": []}, {"version": 0, "operations": [3]},
        {"version": 0, "operations": [{"id": "x", "body": SPLIT, "age": 0}]},
        {"version": 0, "operations": [operation({"op": "merge", "at": 1})]},
        {"version": 0, "operations": [operation({"op": "split", "at": 10**30, "offset": 1})]},
        {"version": 0, "operations": [{**operation(SPLIT), "age": -1}]},
        {"version": 7, "operations": [operation(SPLIT)]},
        {"version": 0, "operations": [operation(SPLIT, number) for number in range(2001)]},
    ],
)  # fmt: skip
def test_what_cannot_be_kept_is_refused_with_a_reason(client: Client, work: Restructuring, body: Any) -> None:
    answer = post(client, work, body)
    assert answer.status_code == 400
    assert answer.json()
    assert not Operation.objects.exists()


def test_an_age_beyond_any_clock_is_two_days(client: Client, work: Restructuring) -> None:
    assert post(client, work, {"version": 0, "operations": [{**operation(SPLIT), "age": 10**18}]}).status_code == 200


def test_a_session_that_ended_is_told_so_and_not_sent_to_a_log_in_page(client: Client, work: Restructuring) -> None:
    client.logout()
    answer = post(client, work, {"version": 0, "operations": []})
    assert answer.status_code == 403
    assert "detail" in answer.json()


def test_a_plain_form_on_an_old_page_shows_both_texts(client: Client, work: Restructuring) -> None:
    texts = [text for _, text in CHAT]
    address = work.get_absolute_url()
    assert client.post(address, {"version": 0, "text": ["hey", *texts[1:]]}).status_code == 302
    repeat = client.post(address, {"version": 0, "text": ["hey", *texts[1:]]})
    assert repeat.status_code == 302
    stale = client.post(address, {"version": 0, "text": ["howdy", *texts[1:]]})
    assert stale.status_code == 409
    assert "howdy" in stale.content.decode()
    assert ">\nhey<" in stale.content.decode()
    assert Operation.objects.count() == 1


def test_a_proposal_that_nobody_made_is_refused(client: Client, work: Restructuring) -> None:
    address = f"{work.get_absolute_url()}proposals/"
    assert client.get(address, {"by": "rules"}).json()["texts"][1] == [
        "pretty good, thanks.", "just got back from a run!",
    ]  # fmt: skip
    for by in ("", "me", "dialogue:", "dialogue:d0.gamma"):
        assert client.get(address, {"by": by}).status_code == 400


@pytest.mark.django_db(transaction=True)
def test_a_researcher_has_a_model_split_it_and_finds_its_proposal(client: Client, demo_model: DemoServer) -> None:
    researcher = user("rey", "researcher")
    client.force_login(researcher)
    work = asked(researcher)
    example_sets.load_all()
    endpoint = endpoint_at(demo_model.base_url)
    assert "Ask a model to split it" in client.get(work.get_absolute_url()).content.decode()
    for _ in range(2):
        planned = client.post(f"{work.get_absolute_url()}ask-model/", {"endpoint": endpoint.pk})
    run = Run.objects.get()
    assert planned.headers["Location"] == run.get_absolute_url()
    assert demo_model.stats()["requests"] == 0
    client.post(f"{run.get_absolute_url()}start/")
    run_calls(run)
    assert len(proposers(work.original, user("ruth", "researcher"))) == 1
    (proposer,) = proposers(work.original, researcher)[1:]
    page = client.get(work.get_absolute_url()).content.decode()
    assert "The model that you asked, split 1" in page
    (written,) = Dialogue.objects.filter(version="stephanie")
    assert written.key not in page
    texts = client.get(f"{work.get_absolute_url()}proposals/", {"by": proposer.key}).json()["texts"]
    assert len(texts) == len(CHAT)
    assert any(len(parts) > 1 for parts in texts)
    at = next(at for at, parts in enumerate(texts) if len(parts) > 1)
    taken = {"op": "accept", "at": at, "texts": texts[at], "by": proposer.key}
    kept = drafts.save_operations(
        researcher, work.token, version=0, operations=[Sent(uuid.uuid4(), taken)], now=timezone.now()
    )
    assert len(kept.messages) > len(CHAT)


def test_who_may_not_spend_money_is_offered_no_model(client: Client, work: Restructuring) -> None:
    endpoint_at(NOWHERE)
    assert "Ask a model" not in client.get(work.get_absolute_url()).content.decode()
    assert client.post(f"{work.get_absolute_url()}ask-model/", {"endpoint": 1}).status_code == 403
    assert not Run.objects.exists()
