"""Connections to PostgreSQL: a web process's threads and streams share a bounded pool, and nobody else has one."""

import asyncio
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from asgiref.testing import ApplicationCommunicator
from django.contrib.auth.decorators import login_not_required
from django.db import connection, transaction
from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from django.urls import path

from config.handler import ThreadedHandler, close_pools, open_pools
from tests.config.asgi import asked

RATERS, STREAMS, THREADS = 100, 10, 3

pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.skipif(connection.vendor != "postgresql", reason="SQLite has no pool"),
]


def backend() -> int:
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_backend_pid()")
        return int(cursor.fetchone()[0])


@login_not_required
def short(request: HttpRequest) -> HttpResponse:
    return HttpResponse(str(backend()))


@login_not_required
def rows(request: HttpRequest) -> StreamingHttpResponse:
    def drawn() -> Iterator[str]:
        with transaction.atomic():
            for _ in range(20):
                yield f"{backend()}\n"
                time.sleep(0.02)  # a slow stream

    return StreamingHttpResponse(drawn())


urlpatterns = [path("short/", short), path("rows/", rows)]


@pytest.fixture
def pooled(settings: Any) -> Iterator[ThreadedHandler]:
    settings.ROOT_URLCONF = __name__
    settings.MIDDLEWARE = []
    settings.WEB_THREADS = THREADS
    backend()  # this thread's connection comes from no pool
    open_pools()
    yield ThreadedHandler()
    close_pools()


def open_connections() -> int:
    """Without this thread's own."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM pg_stat_activity WHERE datname = current_database()")
        return int(cursor.fetchone()[0]) - 1


def test_server_side_cursors_are_planned_to_be_read_to_the_end(pooled: ThreadedHandler) -> None:
    with connection.cursor() as cursor:
        cursor.execute("SHOW cursor_tuple_fraction")
        assert cursor.fetchone() == ("1",)


def test_a_hundred_raters_and_ten_streams_share_a_bounded_number_of_connections(
    pooled: ThreadedHandler, settings: Any
) -> None:
    with ThreadPoolExecutor(STREAMS + RATERS) as people:
        answers = [people.submit(asked, pooled, "/rows/") for _ in range(STREAMS)]
        answers += [people.submit(asked, pooled, "/short/") for _ in range(RATERS)]
        most = 0
        while not all(answer.done() for answer in answers):
            most = max(most, open_connections())
    found = [answer.result() for answer in answers]
    assert [status for status, _ in found] == [200] * (STREAMS + RATERS)
    assert {len(body.split()) for _, body in found[:STREAMS]} == {20}
    assert STREAMS <= most <= settings.CONNECTION_POOL["max_size"]


def test_a_connection_that_the_server_ended_is_replaced(pooled: ThreadedHandler) -> None:
    _, first = asked(pooled, "/short/")
    assert asked(pooled, "/short/") == (200, first)
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_terminate_backend(%s)", [int(first)])
    status, second = asked(pooled, "/short/")
    assert (status, second != first) == (200, True)


def test_the_pool_lasts_from_the_servers_start_to_its_end() -> None:
    async def live() -> tuple[bool, bool]:
        server = ApplicationCommunicator(ThreadedHandler(), {"type": "lifespan"})
        await server.send_input({"type": "lifespan.startup"})
        await server.receive_output(10)
        pooled = "pool" in connection.settings_dict["OPTIONS"]
        await server.send_input({"type": "lifespan.shutdown"})
        await server.receive_output(10)
        await server.wait(10)
        return pooled, "pool" in connection.settings_dict["OPTIONS"]

    assert asyncio.run(live()) == (True, False)
