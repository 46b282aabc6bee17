"""The web process's own handler: threads that last, streams that keep none, clients that leave."""

import asyncio
import threading
from collections.abc import AsyncIterator, Iterator
from typing import Any

import pytest
from asgiref.testing import ApplicationCommunicator
from django.contrib.auth.decorators import login_not_required
from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from django.urls import path, reverse
from django.utils import translation
from django.views.decorators.csrf import csrf_exempt

from annotation.models import Rating
from config.asgi import application
from config.handler import ThreadedHandler
from tests.annotation.rated_study import rated_study
from tests.config.asgi import asked, scope
from tests.waiting import until

seen: list[Any] = []


@csrf_exempt
@login_not_required
def plain(request: HttpRequest) -> HttpResponse:
    seen.append(threading.current_thread().name)
    return HttpResponse(request.body, headers={"X-Language": translation.get_language()})


@login_not_required
def rows(request: HttpRequest) -> StreamingHttpResponse:
    def drawn() -> Iterator[str]:
        try:
            for number in range(1000):
                seen.append(threading.current_thread().name)
                yield f"{number}\n"
        finally:
            seen.append("closed")

    return StreamingHttpResponse(drawn())


@login_not_required
def events(request: HttpRequest) -> StreamingHttpResponse:
    async def told() -> AsyncIterator[str]:
        try:
            while True:
                yield "event\n"
                await asyncio.sleep(0.01)  # a stream of its own pace
        finally:
            seen.append("closed")

    return StreamingHttpResponse(told())


@login_not_required
def broken(request: HttpRequest) -> HttpResponse:
    raise ZeroDivisionError


urlpatterns = [path("plain/", plain), path("rows/", rows), path("events/", events), path("broken/", broken)]
handler500 = "config.outage.server_error"


@pytest.fixture(autouse=True)
def _two_threads(settings: Any) -> None:
    settings.WEB_THREADS = 2
    seen.clear()


@pytest.mark.urls(__name__)
class TestHandler:
    def test_requests_share_the_threads_and_bodies_come_whole(self) -> None:
        handler = ThreadedHandler()
        answers = [asked(handler, "/plain/", b"one, ", b"two") for _ in range(6)]
        assert answers == [(200, b"one, two")] * 6
        assert {name.rsplit("_", 1)[0] for name in seen} == {"web"}
        assert len(set(seen)) <= 2

    def test_a_broken_view_is_told_so_and_the_next_is_served(self) -> None:
        handler = ThreadedHandler()
        assert asked(handler, "/broken/")[0] == 500
        assert asked(handler, "/plain/")[0] == 200

    def test_rows_are_drawn_by_one_thread_which_is_none_of_the_shared_ones(self) -> None:
        status, body = asked(ThreadedHandler(), "/rows/")
        assert (status, body.count(b"\n")) == (200, 1000)
        assert seen.pop() == "closed"
        assert {name.rsplit("_", 1)[0] for name in seen} == {"stream"}
        assert len(set(seen)) == 1

    @pytest.mark.parametrize("address", ["/rows/", "/events/"])
    def test_a_client_that_leaves_ends_its_stream(self, address: str) -> None:
        async def leave() -> None:
            client = ApplicationCommunicator(ThreadedHandler(), scope(address))
            await client.send_input({"type": "http.request", "body": b""})
            assert (await client.receive_output(10))["status"] == 200
            await client.receive_output(10)
            await client.send_input({"type": "http.disconnect"})
            await client.wait(10)
            await asyncio.to_thread(until, lambda: "closed" in seen, "the stream closes", seconds=10)

        asyncio.run(leave())
        assert seen[-1] == "closed"

    def test_a_client_that_leaves_before_its_body_has_come_is_not_answered(self) -> None:
        async def leave() -> bool:
            client = ApplicationCommunicator(ThreadedHandler(), scope("/plain/", "POST"))
            await client.send_input({"type": "http.request", "body": b"one", "more_body": True})
            await client.send_input({"type": "http.disconnect"})
            await client.wait(10)
            return await client.receive_nothing()

        assert asyncio.run(leave())
        assert not seen

    def test_only_http_is_served(self) -> None:
        with pytest.raises(ValueError, match="Only HTTP"):
            asyncio.run(ApplicationCommunicator(ThreadedHandler(), {"type": "websocket"}).wait(10))


@pytest.mark.django_db(transaction=True)
def test_an_export_comes_whole_through_the_whole_application(admin: Any) -> None:
    study = rated_study(backgrounds=2)
    cookie = f"sessionid={admin.cookies['sessionid'].value}"
    status, body = asked(application, reverse("study_ratings_csv", args=[study.pk]), cookie=cookie)
    assert status == 200
    assert len(body.splitlines()) == 1 + Rating.objects.count() * 6
