"""Chats at an endpoint that has other work, or says: later. The engine, the models and the database are real."""

from datetime import timedelta
from threading import Thread
from time import monotonic
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.utils import timezone

from annotation.chats import driving, recording, watching
from annotation.models import Chat, ChatEvent
from annotation.roles import Role
from demo.model.faults import DemoSettings
from generation.live import calls
from generation.models import Call, Endpoint, LiveCall, Run, Stage
from tests.annotation.chatting import chat_with, kinds, said, say, settled
from tests.annotation.streaming_model import Gate, StreamingModel
from tests.demo_server import DemoServer
from tests.generation.runs import endpoint_at, small_corpus, started, work_apart
from tests.people import make_user
from tests.waiting import until

pytestmark = pytest.mark.django_db(transaction=True)
HOUR = timedelta(hours=1)


@pytest.fixture
def endpoint(model: StreamingModel) -> Endpoint:
    return endpoint_at(model.base_url)


@pytest.fixture
def person() -> User:
    return make_user(Role.RESEARCHER)


class BusyRun:
    """A run of many calls, by a runner in a thread of its own."""

    def __init__(self, endpoint: Endpoint, size: int) -> None:
        self.run = started(small_corpus(size), endpoint, stages=[Stage.THEME])
        self._thread: Thread = work_apart(self.run)

    def count(self, *states: str) -> int:
        return self.run.calls.filter(state__in=states).count()

    @property
    def sent(self) -> int:
        return self.run.calls.exclude(state=Call.State.TODO).count()

    def end(self) -> None:
        self.run.pause("Enough.", Run.PauseCause.HAND)
        self._thread.join(60)


def test_a_run_that_fills_the_endpoint_makes_no_chat_wait_and_gives_way(demo_model: DemoServer, person: User) -> None:
    demo_model.settings = DemoSettings(latency=0.1)
    busy = BusyRun(endpoint_at(demo_model.base_url, max_in_flight=4), 400)
    try:
        until(lambda: demo_model.stats()["in_flight"] == 4, "the run fills the endpoint")
        chats = [chat_with(busy.run.endpoints[0], person) for _ in range(3)]
        for chat in chats:
            say(chat, "hi")
        assert all("failed" not in settled(chat) for chat in chats)
        assert all(said(chat)[-1][0] == "model" for chat in chats)
        assert busy.count(Call.State.TODO), "the run is not done yet"
        until(lambda: demo_model.stats()["in_flight"] <= 3, "the run has given way")
        most, answered = 0, busy.count(Call.State.DONE)
        while busy.count(Call.State.DONE) < answered + 20:
            most = max(most, demo_model.stats()["in_flight"])
        assert most == 3, "one place of four is kept for whoever writes next"
    finally:
        busy.end()


def test_a_run_pays_back_what_chats_take_beyond_the_rate(demo_model: DemoServer, person: User) -> None:
    began = monotonic()
    busy = BusyRun(endpoint_at(demo_model.base_url, requests_per_minute=60), 100)
    try:
        until(lambda: busy.sent >= 6, "the run has used what the bucket held")
        chats = [chat_with(busy.run.endpoints[0], person) for _ in range(8)]
        for chat in chats:
            say(chat, "hi")
        assert all("failed" not in settled(chat) for chat in chats)
        sent = busy.sent
        until(lambda: busy.sent > sent, "the run goes on")
        total = demo_model.stats()["requests"]
        assert total <= 6 + (monotonic() - began) + 1
    finally:
        busy.end()


def test_a_chat_waits_as_long_as_the_endpoint_said_and_says_so(
    model: StreamingModel, endpoint: Endpoint, person: User
) -> None:
    until_then = timezone.now() + timedelta(seconds=2)
    endpoint.block_until(until_then)
    chat = chat_with(endpoint, person)
    say(chat, "hi")
    assert settled(chat)[:4] == ["sent", "failed", "retried", "asked"]
    failed, asked = (ChatEvent.objects.get(chat=chat, kind=kind) for kind in ("failed", "asked"))
    assert asked.at >= until_then
    told = watching.shown(failed)
    assert told is not None
    assert (told["words"], told["again"]) == ("The other side is busy just now.", True)
    assert len(model.asked) == LiveCall.objects.count() == 1


def test_one_chats_refusal_holds_the_others_back(model: StreamingModel, endpoint: Endpoint, person: User) -> None:
    model.scenes = [[429]]
    say(chat := chat_with(endpoint, person), "hi")
    settled(chat)
    refused = LiveCall.objects.get(trouble="rate_limited")
    endpoint.refresh_from_db()
    assert endpoint.blocked_until is not None
    assert refused.settled_at is not None
    assert endpoint.blocked_until > refused.settled_at


def test_an_endpoint_that_is_away_for_long_is_not_asked_until_the_person_says_so(
    model: StreamingModel, endpoint: Endpoint, person: User
) -> None:
    endpoint.block_until(timezone.now() + HOUR)
    chat = chat_with(endpoint, person)
    say(chat, "hi")
    assert settled(chat) == ["sent", "failed"]
    recording.sign(chat.pk, "retried")
    driving.drivers().ensure(chat.pk)
    assert settled(chat) == ["sent", "failed", "retried", "failed"]
    assert not model.asked
    assert not ChatEvent.objects.filter(chat=chat, kind="failed", detail__again=True).exists()
    Endpoint.objects.update(blocked_until=None)
    recording.sign(chat.pk, "retried")
    driving.drivers().ensure(chat.pk)
    settled(chat)
    assert said(chat) == [("person", "hi"), ("model", "ok")]


def test_who_ends_the_chat_while_it_waits_is_not_answered_any_more(
    model: StreamingModel, endpoint: Endpoint, person: User
) -> None:
    endpoint.block_until(timezone.now() + timedelta(seconds=60))
    chat = chat_with(endpoint, person)
    say(chat, "hi")
    until(lambda: "failed" in kinds(chat), "the chat waits")
    recording.sign(chat.pk, "ended")
    assert settled(chat) == ["sent", "failed", "ended"]
    assert not model.asked


def test_another_process_goes_on_where_one_died_while_it_waited(
    model: StreamingModel, endpoint: Endpoint, person: User
) -> None:
    chat = chat_with(endpoint, person)
    recording.send(chat.pk, "hi", "a")
    assert recording.claim(chat.pk, "dead", timezone.now())
    recording.tell(chat.pk, "dead", "failed", detail={"trouble": "rate_limited", "again": True})
    Chat.objects.filter(pk=chat.pk).update(driver_until=timezone.now())
    settled(chat)
    assert said(chat) == [("person", "hi"), ("model", "ok")]


def test_the_call_of_a_process_that_died_takes_no_place_any_more(model: StreamingModel, person: User) -> None:
    endpoint = endpoint_at(model.base_url, max_in_flight=1)
    chat = chat_with(endpoint, person)
    recording.send(chat.pk, "hi", "a")
    assert recording.claim(chat.pk, "dead", timezone.now())
    left = calls.open_call(
        chat.budget_id, endpoint, [{"role": "user", "content": "hi"}], {"model": "m"}, timezone.now()
    )
    recording.tell(chat.pk, "dead", "asked", call=left)
    Chat.objects.filter(pk=chat.pk).update(driver_until=timezone.now())
    settled(chat)
    assert said(chat) == [("person", "hi"), ("model", "ok")]
    left.refresh_from_db()
    assert left.state == LiveCall.State.AMBIGUOUS


def test_a_chat_beyond_the_endpoints_places_is_answered_as_soon_as_another_is(
    model: StreamingModel, person: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    turned_away: list[int] = []

    def watched(budget_pk: int, *args: Any) -> LiveCall:
        try:
            return open_call(budget_pk, *args)
        except calls.NoPlaceError:
            turned_away.append(budget_pk)
            raise

    open_call = calls.open_call
    monkeypatch.setattr(calls, "open_call", watched)
    endpoint = endpoint_at(model.base_url, max_in_flight=1)
    gate = Gate()
    model.scenes = [["first", gate]]
    first, second = (chat_with(endpoint, person) for _ in range(2))
    say(first, "hi")
    assert gate.reached.wait(10)
    say(second, "hi")
    until(lambda: second.budget_id in turned_away, "the second chat finds no place")
    assert len(model.asked) == 1
    gate.open()
    settled(first)
    assert "failed" not in settled(second)
    assert said(second) == [("person", "hi"), ("model", "ok")]
