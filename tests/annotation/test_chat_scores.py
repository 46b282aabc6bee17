"""A chat outside studies is scored from its page, and its scores go where the chat goes."""

import json
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.urls import reverse

from annotation.chats import recording, scoring
from annotation.models import Chat, ChatRating
from annotation.roles import Role
from dialogues.models import Rubric
from generation.models import Endpoint
from tests.annotation.chatting import chat_with
from tests.people import client_of, make_user

pytestmark = pytest.mark.django_db

FOUR = {"interesting": 4, "informative": 3, "natural": 5, "engaging": 4}
SENT: dict[str, Any] = {**{f"score-{key}": value for key, value in FOUR.items()}, "comment": "Warm."}


@pytest.fixture
def person() -> User:
    return make_user(Role.RESEARCHER)


@pytest.fixture
def chat(person: User) -> Chat:
    made = chat_with(Endpoint.objects.create(name="M", base_url="http://127.0.0.1:9", model="m"), person)
    recording.send(made.pk, "hi <b>there</b>", "a")
    recording.end(made.pk, "person")
    return made


def page_of(chat: Chat) -> str:
    return reverse("chat_score", args=[chat.token])


def test_an_ended_chat_is_scored_by_the_four_metrics_of_table_6(chat: Chat, person: User) -> None:
    browser = client_of(person)
    html = browser.get(page_of(chat)).content.decode()
    assert "hi &lt;b&gt;there&lt;/b&gt;" in html
    assert browser.post(page_of(chat), SENT).headers["Location"] == chat.get_absolute_url()
    kept = ChatRating.objects.get()
    assert (kept.rubric.slug, kept.scores, kept.comment, kept.by) == ("chat-four", FOUR, "Warm.", person)
    assert "4.0" in browser.get(reverse("chats")).content.decode()


def test_scores_that_are_changed_are_a_row_of_their_own_and_all_are_downloaded(chat: Chat, person: User) -> None:
    browser = client_of(person)
    browser.post(page_of(chat), SENT)
    browser.post(page_of(chat), {**SENT, "score-natural": 1, "comment": ""})
    said = b"".join(browser.get(reverse("chat_download", args=[chat.token])).streaming_content)  # type: ignore[attr-defined]
    head = json.loads(said.splitlines()[0])
    assert [one["scores"]["natural"] for one in head["scores"]] == [5, 1]
    assert [(one["rubric"], one["scale"], one["comment"]) for one in head["scores"]] == [
        ("chat-four", [1, 5], "Warm."),
        ("chat-four", [1, 5], ""),
    ]
    last = Chat.objects.get(pk=chat.pk).last_rating
    assert last is not None
    assert last.mean == 3.0


@pytest.mark.parametrize("missing", [{"score-natural": ""}, {"score-natural": "6"}, {"comment": "x" * 5001}])
def test_what_cannot_be_kept_is_refused_and_what_was_chosen_stays(
    chat: Chat, person: User, missing: dict[str, str]
) -> None:
    page = client_of(person).post(page_of(chat), {**SENT, **missing})
    assert page.status_code == 422
    assert 'value="4" required id="id_score-interesting_3" checked' in page.content.decode()
    assert not ChatRating.objects.exists()


def test_an_open_chat_is_not_scored(person: User) -> None:
    chat = chat_with(Endpoint.objects.create(name="M", base_url="http://127.0.0.1:9", model="m"), person)
    browser = client_of(person)
    assert "End the chat first" in browser.get(page_of(chat)).content.decode()
    assert browser.post(page_of(chat), SENT).status_code == 422
    assert not ChatRating.objects.exists()


def test_another_rubric_can_be_chosen_and_never_changes_afterwards(chat: Chat, person: User) -> None:
    four = Rubric.objects.get(slug="chat-four")
    own = Rubric.objects.create(slug="own", name="Own", metrics=four.metrics[:1], scale_low=0, scale_high=10)
    address = f"{page_of(chat)}?rubric=own"
    key = own.metric_list()[0].key
    assert client_of(person).post(address, {f"score-{key}": 9}).status_code == 302
    assert ChatRating.objects.get().rubric == own
    own.refresh_from_db()
    assert own.frozen_at is not None
    assert client_of(person).get(f"{page_of(chat)}?rubric=none").status_code == 404


@pytest.mark.parametrize("scores", [{}, {**FOUR, "more": 1}, {**FOUR, "natural": True}, {**FOUR, "natural": 0}])
def test_a_caller_cannot_keep_other_scores_than_the_rubric_asks_for(
    chat: Chat, person: User, scores: dict[str, int]
) -> None:
    rubric = Rubric.objects.get(slug="chat-four")
    with pytest.raises(scoring.ScoringError, match="whole number from 1 to 5"):
        scoring.score(chat=chat, rubric=rubric, scores=scores, comment="", by=person)


def test_scores_go_with_the_chat(chat: Chat, person: User) -> None:
    browser = client_of(person)
    browser.post(page_of(chat), SENT)
    browser.post(reverse("chat_delete", args=[chat.token]))
    assert not ChatRating.objects.exists()


def test_another_researcher_finds_no_such_chat(chat: Chat) -> None:
    assert client_of(make_user(Role.RESEARCHER, "other")).get(page_of(chat)).status_code == 404
