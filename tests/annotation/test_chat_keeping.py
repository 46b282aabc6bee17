"""A chat that has ended becomes a dialogue of a corpus, and goes with the chat."""

import pytest
from django.contrib.auth.models import User
from django.urls import reverse

from annotation.chats import recording
from annotation.models import Chat
from annotation.roles import Role
from dialogues.models import Dialogue
from generation.models import Endpoint, LiveCall
from tests.annotation.chatting import chat_with, said, say, settled
from tests.annotation.setting import corpus
from tests.annotation.streaming_model import StreamingModel
from tests.people import client_of, make_user

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def person(transactional_db: None) -> User:
    return make_user(Role.RESEARCHER)


@pytest.fixture
def chat(model: StreamingModel, person: User) -> Chat:
    model.scenes = [["Hi <b>&<|msg|>\N{WAVING HAND SIGN} you?"]]
    endpoint = Endpoint.objects.create(name="A model with a rather long name", base_url=model.base_url, model="m")
    return chat_with(endpoint, person)


def test_a_chat_that_has_ended_becomes_a_dialogue_once_and_is_forgotten_whole(chat: Chat, person: User) -> None:
    browser, address = client_of(person), reverse("chat_keep", args=[chat.token])
    say(chat, "hello")
    settled(chat)
    sent = {"corpus": corpus(1).pk, "system": "A model"}
    assert "End the chat first" in browser.get(address).content.decode()
    assert browser.post(address, sent).status_code == 422
    recording.end(chat.pk, "person")
    assert browser.post(address, {**sent, "system": ""}).status_code == 422
    browser.post(address, sent)
    kept = Dialogue.objects.get(chat=chat)
    assert [text for _, text in kept.messages] == [text for _, text in said(chat)]
    assert (kept.version.name, kept.written_by, kept.origin) == ("A model", "m", None)
    assert all(kept.times)
    assert browser.post(address, sent).headers["Location"] == kept.get_absolute_url()
    assert browser.get(kept.get_absolute_url()).status_code == 200
    browser.post(reverse("chat_delete", args=[chat.token]))
    assert not Dialogue.objects.filter(pk=kept.pk).exists()
    assert [(call.messages, call.raw_reply, call.state) for call in LiveCall.objects.all()] == [([], "", "done")]


def test_a_chat_in_which_nobody_answered_is_no_dialogue(chat: Chat, person: User) -> None:
    recording.end(chat.pk, "person")
    page = client_of(person).get(reverse("chat_keep", args=[chat.token]))
    assert "One side said nothing" in page.content.decode()
