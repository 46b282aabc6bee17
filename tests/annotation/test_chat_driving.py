"""What a chat does about bursts, interruptions, and models that fail; each with a real model server and database."""

from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.utils import timezone

from annotation.chats import driving, recording, watching
from annotation.models import Chat, ChatEvent
from annotation.roles import Role
from generation.models import Endpoint, LiveCall
from tests.annotation.chatting import chat_with, kinds, said, say, settled
from tests.annotation.streaming_model import CUT, Gate, StreamingModel
from tests.people import make_user
from tests.waiting import until

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def endpoint(model: StreamingModel) -> Endpoint:
    return Endpoint.objects.create(name="M", base_url=model.base_url, model="m", price_in=1, price_out=1)


@pytest.fixture
def person() -> User:
    return make_user(Role.RESEARCHER)


def test_a_burst_is_answered_once_in_bubbles(model: StreamingModel, endpoint: Endpoint, person: User) -> None:
    model.scenes = [["Hi", "!<|m", "sg|>How are", " you?"]]
    chat = chat_with(endpoint, person, silence=0.3)
    say(chat, "hey")
    say(chat, "you there?")
    found = settled(chat)
    assert found[:4] == ["sent", "sent", "asked", "first_token"]
    assert sorted(found[4:]) == ["bubble_ready", "bubble_ready", "bubble_shown", "bubble_shown", "replied"]
    assert found[-1] == "replied"
    assert said(chat) == [("person", "hey"), ("person", "you there?"), ("model", "Hi!"), ("model", "How are you?")]
    assert model.asked == [[{"role": "user", "content": "hey<|msg|>you there?"}]]


def test_typing_keeps_the_model_silent(model: StreamingModel, endpoint: Endpoint, person: User) -> None:
    chat = chat_with(endpoint, person, silence=0.4)
    say(chat, "hey")
    recording.sign(chat.pk, "typing")
    say(chat, "so")
    settled(chat)
    assert len(model.asked) == 1
    typed, sent = (ChatEvent.objects.filter(chat=chat, kind=kind).last() for kind in ("typing", "asked"))
    assert sent.at - typed.at >= timedelta(seconds=0.4)


def test_who_types_for_ever_is_answered_at_last(model: StreamingModel, endpoint: Endpoint, person: User) -> None:
    chat = chat_with(endpoint, person, silence=60.0, longest_silence=0.3)
    say(chat, "hey")
    settled(chat)
    assert len(model.asked) == 1


def test_a_message_before_the_first_bubble_breaks_the_reply_off(
    model: StreamingModel, endpoint: Endpoint, person: User
) -> None:
    gate = Gate()
    model.scenes = [["not", gate, " shown"], ["Both."]]
    chat = chat_with(endpoint, person)
    say(chat, "one")
    assert gate.reached.wait(10)
    say(chat, "two")
    found = settled(chat)
    gate.open()
    assert said(chat) == [("person", "one"), ("person", "two"), ("model", "Both.")]
    assert found.count("aborted") == 1
    assert model.asked[1] == [{"role": "user", "content": "one<|msg|>two"}]
    states = LiveCall.objects.order_by("pk").values_list("state", "raw_reply")
    assert list(states) == [("aborted", "not"), ("done", "Both.")]


@pytest.mark.parametrize(
    ("interruption", "history"),
    [
        ("stop", ["one", "First.", "two", "Again."]),
        ("wait", ["one", "First.", "Second.", "two", "Again."]),
    ],
)
def test_a_message_between_bubbles_stops_the_rest_or_waits(
    model: StreamingModel, endpoint: Endpoint, person: User, interruption: str, history: list[str]
) -> None:
    gate = Gate()
    model.scenes = [["First.<|msg|>", gate, "Second."], ["Again."]]
    chat = chat_with(endpoint, person, interruption=interruption)
    say(chat, "one")
    until(lambda: "bubble_shown" in kinds(chat), "the first bubble")
    say(chat, "two")
    if interruption == "stop":
        until(lambda: "aborted" in kinds(chat), "the end of the reply")
    gate.open()
    settled(chat)
    assert [text for _, text in said(chat)] == history
    told = [text for message in model.asked[1] for text in message["content"].split("<|msg|>")]
    assert told == history[:-1]


def test_a_stopped_reply_is_not_asked_for_again_until_the_person_speaks(
    model: StreamingModel, endpoint: Endpoint, person: User
) -> None:
    gate = Gate()
    model.scenes = [["no", gate], ["Yes."]]
    chat = chat_with(endpoint, person)
    say(chat, "one")
    assert gate.reached.wait(10)
    recording.sign(chat.pk, "stopped")
    settled(chat)
    gate.open()
    assert said(chat) == [("person", "one")]
    say(chat, "two")
    settled(chat)
    assert said(chat)[-1] == ("model", "Yes.")


def test_a_reply_that_is_cut_keeps_its_whole_bubbles_and_drops_the_begun_one(
    model: StreamingModel, endpoint: Endpoint, person: User
) -> None:
    gate = Gate()
    model.scenes = [["Whole.<|msg|>Beg", gate, CUT], ["More."]]
    chat = chat_with(endpoint, person)
    say(chat, "one")
    until(lambda: "bubble_shown" in kinds(chat), "the first bubble")
    gate.open()
    assert settled(chat)[-1] == "failed"
    assert said(chat) == [("person", "one"), ("model", "Whole.")]
    assert LiveCall.objects.get().state == LiveCall.State.AMBIGUOUS
    say(chat, "two")
    settled(chat)
    assert said(chat)[-1] == ("model", "More.")


@pytest.mark.parametrize("scene", [[CUT], [400], [401], ["", "  "], [{"message": "broken", "code": 400}]])
def test_a_person_whose_reply_failed_can_ask_again_and_has_lost_nothing(
    model: StreamingModel, endpoint: Endpoint, person: User, scene: list[object]
) -> None:
    model.scenes = [scene, ["Here."]]
    chat = chat_with(endpoint, person)
    say(chat, "one")
    assert settled(chat)[-1] == "failed"
    recording.sign(chat.pk, "retried")
    driving.drivers().ensure(chat.pk)
    settled(chat)
    assert said(chat) == [("person", "one"), ("model", "Here.")]


def test_a_busy_endpoint_is_asked_again_after_a_pause(model: StreamingModel, endpoint: Endpoint, person: User) -> None:
    model.scenes = [[429], [503], ["Now."]]
    chat = chat_with(endpoint, person)
    say(chat, "one")
    settled(chat)
    assert said(chat)[-1] == ("model", "Now.")
    assert kinds(chat).count("failed") == 2
    chat.budget.refresh_from_db()
    assert chat.budget.reserved == 0


def test_a_chat_beyond_its_budget_ends_and_is_kept(model: StreamingModel, endpoint: Endpoint, person: User) -> None:
    chat = chat_with(endpoint, person, budget="0.0000")
    say(chat, "one")
    assert settled(chat)[-1] == "ended"
    assert Chat.objects.get(pk=chat.pk).state == Chat.State.ENDED
    assert said(chat) == [("person", "one")]
    assert not model.asked
    with pytest.raises(recording.ChatEndedError):
        say(chat, "two")


def test_what_a_dead_process_left_open_is_broken_off_and_asked_again(
    model: StreamingModel, endpoint: Endpoint, person: User
) -> None:
    chat = chat_with(endpoint, person)
    recording.send(chat.pk, "one", "a")
    assert recording.claim(chat.pk, "dead", timezone.now())
    recording.tell(chat.pk, "dead", "asked")
    driving.drivers().ensure(chat.pk)
    until(lambda: chat.pk not in driving.drivers().at_work, "the other process was respected")
    assert not model.asked
    Chat.objects.filter(pk=chat.pk).update(driver_until=timezone.now())
    assert recording.is_left(chat)
    driving.drivers().ensure(chat.pk)
    assert settled(chat)[2:4] == ["aborted", "asked"]
    assert said(chat) == [("person", "one"), ("model", "ok")]
    with pytest.raises(recording.DriverLostError):
        recording.tell(chat.pk, "dead", "bubble_shown", text="late")


def test_a_message_that_is_sent_twice_is_there_once(model: StreamingModel, endpoint: Endpoint, person: User) -> None:
    chat = chat_with(endpoint, person)
    assert say(chat, "one", "a").pk == say(chat, "one", "a").pk
    settled(chat)
    assert kinds(chat).count("sent") == 1


def test_what_is_sent_while_a_process_lets_go_of_the_chat_is_answered(
    model: StreamingModel, endpoint: Endpoint, person: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    chat = chat_with(endpoint, person)
    released: list[bool] = []

    def letting_go(*args: Any) -> bool:
        released.append(release(*args))
        if len(released) == 1:
            say(chat, "and")
        return released[-1]

    release = recording.release
    monkeypatch.setattr(recording, "release", letting_go)
    say(chat, "hi")
    until(lambda: len(said(chat)) == 4, "the second answer, without a page that calls")
    assert said(chat)[2:] == [("person", "and"), ("model", "ok")]


def test_a_page_calls_until_somebody_answers(endpoint: Endpoint, person: User, monkeypatch: pytest.MonkeyPatch) -> None:
    chat = chat_with(endpoint, person)
    recording.send(chat.pk, "hi", "a")
    called: list[int] = []
    monkeypatch.setattr(driving.drivers(), "ensure", called.append)
    first = watching._look(chat.pk, 0, -1)
    second = watching._look(chat.pk, 1, first.seen)
    assert [event.number for event in first.events] == [1]
    assert second.events == []
    assert called == [chat.pk, chat.pk]
