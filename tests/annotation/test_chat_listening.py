"""How a process hears of what another one wrote in a chat."""

import asyncio
import threading
from collections.abc import Awaitable, Callable

import pytest
from asgiref.sync import sync_to_async
from django.contrib.auth.models import User
from django.db import connection, connections

from annotation.chats import driving, listening, notices, recording, watching
from annotation.models import Chat
from annotation.roles import Role
from generation.models import Endpoint
from tests.annotation.chatting import chat_with
from tests.annotation.streaming_model import StreamingModel
from tests.people import make_user

pytestmark = pytest.mark.django_db(transaction=True)
needs_postgresql = pytest.mark.skipif(
    connection.vendor != "postgresql", reason="only PostgreSQL tells other connections; set DATABASE_URL"
)


@pytest.fixture
def person() -> User:
    return make_user(Role.RESEARCHER)


@pytest.fixture
def chat(model: StreamingModel, person: User) -> Chat:
    return chat_with(Endpoint.objects.create(name="M", base_url=model.base_url, model="m"), person)


@pytest.fixture
def elsewhere(monkeypatch: pytest.MonkeyPatch) -> Callable[..., Awaitable[object]]:
    """Call a function in another thread that takes itself for another process."""
    here, thread = listening._this_process(), threading.local()
    # By thread, because the listener hears of it before the call returns.
    monkeypatch.setattr(listening, "_this_process", lambda: getattr(thread, "process", here))

    def called(function: Callable[..., object], *arguments: object) -> object:
        thread.process = "another:1"
        try:
            return function(*arguments)
        finally:
            del thread.process
            connections.close_all()

    return sync_to_async(called, thread_sensitive=False)


@needs_postgresql
def test_what_another_process_tells_is_heard(chat: Chat, elsewhere: Callable[..., Awaitable[object]]) -> None:
    async def heard() -> None:
        listener = listening.Listener()
        listens = asyncio.create_task(listener.listen(lambda: _announced(0)))
        with notices.waiting(chat.pk) as news:
            async with asyncio.timeout(20):
                while not listener.hears:
                    await asyncio.sleep(0.01)
                await elsewhere(listening.announce, chat.pk)
                await news.wait()
        listens.cancel()
        await asyncio.wait([listens])

    asyncio.run(heard())


@needs_postgresql
def test_a_connection_that_breaks_is_made_anew(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(listening, "AGAIN", 0.05)
    heard: list[int] = []
    monkeypatch.setattr(notices, "wake", heard.append)

    async def broken() -> None:
        listener = listening.Listener()
        listens = asyncio.create_task(listener.listen(lambda: _announced(0)))
        async with asyncio.timeout(20):
            for _ in range(2):
                while not listener.hears:
                    await asyncio.sleep(0.01)
                await sync_to_async(_end_listeners, thread_sensitive=False)()
                while listener.hears:
                    await asyncio.sleep(0.01)
        listens.cancel()
        await asyncio.wait([listens])

    asyncio.run(broken())


def _end_listeners() -> None:
    """End the connections that wait for notices, as a restart of the server does."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE query LIKE 'LISTEN %%' "
            "AND datname = current_database()"
        )
    connections.close_all()


@needs_postgresql
def test_where_a_probe_does_not_come_back_nobody_believes_to_hear(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(listening, "PROBE", 0.2)

    async def unheard() -> None:
        listener = listening.Listener()
        listens = asyncio.create_task(listener.listen(_silence))
        await asyncio.sleep(0.6)
        assert not listener.hears
        listens.cancel()
        await asyncio.wait([listens])

    asyncio.run(unheard())


def test_every_event_is_told_to_other_processes(chat: Chat, monkeypatch: pytest.MonkeyPatch) -> None:
    told: list[int] = []
    monkeypatch.setattr(listening, "announce", told.append)
    recording.send(chat.pk, "hi", "a")
    recording.sign(chat.pk, "ended")
    assert told == [chat.pk, chat.pk]


def test_a_process_hears_only_what_others_tell(chat: Chat, monkeypatch: pytest.MonkeyPatch) -> None:
    woken: list[int] = []
    monkeypatch.setattr(notices, "wake", woken.append)
    listening.hear(f"{listening._this_process()} {chat.pk}")
    assert woken == []
    listening.hear(f"another host:7 {chat.pk}")
    assert woken == [chat.pk]
    listening.hear("what no process of ours tells")
    assert woken == [chat.pk]


def test_tests_and_commands_keep_no_connection_for_it() -> None:
    assert not listening.can_listen()


def test_a_process_that_only_shows_a_chat_looks_out_for_news_of_it(chat: Chat, fresh: list[driving.Drivers]) -> None:
    async def opened() -> None:
        stream = watching.stream(chat.pk, 0)
        await anext(stream)
        opened_next = asyncio.ensure_future(anext(stream))
        async with asyncio.timeout(20):
            while not fresh:
                await asyncio.sleep(0.01)
        opened_next.cancel()
        await asyncio.wait([opened_next])

    asyncio.run(opened())
    assert len(fresh) == 1


@pytest.fixture
def fresh(monkeypatch: pytest.MonkeyPatch) -> list[driving.Drivers]:
    """A process in which nobody has chatted yet."""
    made: list[driving.Drivers] = []
    monkeypatch.setattr(driving, "_drivers", made)
    return made


async def _announced(chat_pk: int) -> None:
    def told() -> None:
        listening.announce(chat_pk)
        connections.close_all()

    await sync_to_async(told, thread_sensitive=False)()


async def _silence() -> None:
    """Announces nothing."""
