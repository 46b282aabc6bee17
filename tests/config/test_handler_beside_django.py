"""The web process's own handler answers as Django's does: the same requests go through both."""

import asyncio
import io
import re
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from typing import Any

import django
import pytest
from asgiref.testing import ApplicationCommunicator
from django.contrib.auth.decorators import login_not_required
from django.core import signals
from django.core.handlers.asgi import ASGIHandler
from django.http import FileResponse, HttpRequest, HttpResponse, HttpResponseNotModified, StreamingHttpResponse
from django.shortcuts import redirect
from django.urls import path, reverse
from django.views.decorators.csrf import csrf_exempt

from config import urls
from config.handler import ThreadedHandler
from tests.waiting import until

# The handler overrides methods of Django's. Before a release is added here, read what its ASGIHandler changed.
TRIED_WITH = [(5, 2)]
BOUNDARY = "limit"
LARGE = 3 * 2**20  # more than stays in memory


@csrf_exempt
@login_not_required
def echo(request: HttpRequest) -> HttpResponse:
    """All that a view learns of a request."""
    files = {name: (file.name, file.content_type, len(file.read())) for name, file in request.FILES.items()}
    body = "" if files else str(len(request.body))
    told: list[Any] = [request.method, request.path, dict(request.GET.lists()), dict(request.POST.lists()), files, body]
    told += [request.COOKIES, request.get_host(), request.is_secure(), request.META["REMOTE_ADDR"], reverse("echo")]
    return HttpResponse(repr([*told, sorted(request.headers.items())]))


@login_not_required
def cookies(request: HttpRequest) -> HttpResponse:
    response = HttpResponse("set", headers={"X-Many": "1, 2", "Vary": "Cookie"}, status=201)
    response.set_cookie("one", "ü and ; more", max_age=60, httponly=True, samesite="Lax")
    response.set_cookie("two", "2")
    response.delete_cookie("three")
    return response


@login_not_required
def away(request: HttpRequest) -> HttpResponse:
    return redirect("echo")


@login_not_required
def unchanged(request: HttpRequest) -> HttpResponse:
    return HttpResponseNotModified()


@login_not_required
def long(request: HttpRequest) -> HttpResponse:
    return HttpResponse(b"x" * 200_000)


@login_not_required
def file(request: HttpRequest) -> FileResponse:
    return FileResponse(io.BytesIO(b"x" * 200_000), as_attachment=True, filename="rätings.csv")


@login_not_required
def rows(request: HttpRequest) -> StreamingHttpResponse:
    return StreamingHttpResponse(f"{number}\n" for number in range(100))


@login_not_required
def events(request: HttpRequest) -> StreamingHttpResponse:
    async def told() -> AsyncIterator[str]:
        for number in range(100):
            yield f"{number}\n"
            await asyncio.sleep(0)  # as a real stream does, it gives way to others

    return StreamingHttpResponse(told(), content_type="text/event-stream")


@login_not_required
def endless(request: HttpRequest) -> StreamingHttpResponse:
    async def told() -> AsyncIterator[str]:
        while True:
            yield "event\n"
            await asyncio.sleep(0.01)  # a stream of its own pace

    return StreamingHttpResponse(told())


@login_not_required
def broken(request: HttpRequest) -> HttpResponse:
    raise ZeroDivisionError


urlpatterns = [
    path("echo/", echo, name="echo"),
    path("echo/é/", echo),
    path("cookies/", cookies),
    path("away/", away),
    path("unchanged/", unchanged),
    path("long/", long),
    path("file/", file),
    path("rows/", rows),
    path("events/", events),
    path("endless/", endless),
    path("broken/", broken),
    *urls.urlpatterns,
]
handler400 = "config.outage.bad_request"
handler404 = "config.outage.not_found"
handler500 = "config.outage.server_error"

pytestmark = pytest.mark.urls(__name__)


def scope(method: str, address: str, headers: Mapping[str, str]) -> dict[str, Any]:
    route, _, query = address.partition("?")
    sent = {"host": "localhost", **headers}
    return {
        "type": "http", "method": method, "path": route, "raw_path": route.encode(), "query_string": query.encode(),
        "headers": [(name.encode(), value.encode("latin-1")) for name, value in sent.items()], "scheme": "http",
        "client": ("192.0.2.7", 1), "server": ("localhost", 80), "root_path": "", "http_version": "1.1",
    }  # fmt: skip


def answered(
    handler: ASGIHandler, method: str, address: str, headers: Mapping[str, str], parts: Sequence[bytes]
) -> tuple[int, list[tuple[bytes, bytes]], bytes]:
    """Status, headers and the whole body."""

    async def talk() -> list[dict[str, Any]]:
        client = ApplicationCommunicator(handler, scope(method, address, headers))
        for number, part in enumerate(parts, start=1):
            await client.send_input({"type": "http.request", "body": part, "more_body": number < len(parts)})
        messages = [await client.receive_output(30)]
        while len(messages) == 1 or messages[-1].get("more_body"):
            messages.append(await client.receive_output(30))
        await client.wait(30)
        return messages

    start, *bodies = asyncio.run(talk())
    found = sorted((name, _comparable(value)) for name, value in start["headers"])
    return start["status"], found, b"".join(message.get("body", b"") for message in bodies)


def _comparable(value: bytes) -> bytes:
    """A content policy names its directives in any order; a cookie's end depends on the second."""
    value = re.sub(rb"expires=[^;]+", b"expires=", value)
    return b"; ".join(sorted(value.split(b"; "))) if b"default-src" in value else value


def upload() -> bytes:
    head = f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="corpus"; filename="ü.csv"\r\nContent-Type: text/csv'
    return f"{head}\r\n\r\n".encode() + b"x" * LARGE + f"\r\n--{BOUNDARY}--\r\n".encode()


FORM = {"content-type": "application/x-www-form-urlencoded"}
MULTIPART = {"content-type": f"multipart/form-data; boundary={BOUNDARY}"}
REQUESTS: dict[str, tuple[str, str, dict[str, str], list[bytes]]] = {
    "headers and query": ("GET", "/echo/?a=1&a=2&b=%C3%BC", {"x-one": "é", "accept": "text/html"}, [b""]),
    "cookies sent": ("GET", "/echo/", {"cookie": "one=1; two=%20"}, [b""]),
    "cookies set": ("GET", "/cookies/", {}, [b""]),
    "HEAD": ("HEAD", "/long/", {}, [b""]),
    "HEAD of a stream": ("HEAD", "/rows/", {}, [b""]),
    "OPTIONS": ("OPTIONS", "/echo/", {}, [b""]),
    "another letter": ("GET", "/echo/é/", {}, [b""]),
    "no such address": ("GET", "/nowhere/", {}, [b""]),
    "no such address of the API": ("GET", "/api/nowhere/", {}, [b""]),
    "an address without its slash": ("GET", "/echo", {}, [b""]),
    "NUL in the address": ("GET", "/echo/\0/", {}, [b""]),
    "another host": ("GET", "/echo/", {"host": "elsewhere.example"}, [b""]),
    "redirect": ("GET", "/away/", {}, [b""]),
    "not modified": ("GET", "/unchanged/", {}, [b""]),
    "long answer": ("GET", "/long/", {}, [b""]),
    "file": ("GET", "/file/", {}, [b""]),
    "stream": ("GET", "/rows/", {}, [b""]),
    "event stream": ("GET", "/events/", {}, [b""]),
    "form": ("POST", "/echo/", FORM, [b"a=1&a=2", b"&b=%C3%BC"]),
    "broken form": ("POST", "/echo/", MULTIPART, [b"no boundary"]),
    "upload": ("POST", "/echo/", MULTIPART, [upload()[start : start + 65_536] for start in range(0, LARGE, 65_536)]),
    "empty body": ("POST", "/echo/", {"content-type": "application/json", "content-length": "0"}, [b""]),
    "long body": ("PUT", "/echo/", {"content-type": "application/json"}, [b"x" * LARGE]),
    "error": ("GET", "/broken/", {}, [b""]),
}


def test_the_handler_was_tried_with_this_django() -> None:
    assert django.VERSION[:2] in TRIED_WITH


# Django's handler would read a plain stream to its end before it sends the first row, and warns of that.
@pytest.mark.filterwarnings("ignore:StreamingHttpResponse must consume synchronous iterators")
@pytest.mark.parametrize("name", REQUESTS)
def test_the_answer_is_djangos(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("django.middleware.csrf.get_random_string", lambda length, allowed_chars: "c" * length)
    ours, theirs = answered(ThreadedHandler(), *REQUESTS[name]), answered(ASGIHandler(), *REQUESTS[name])
    assert dict(ours[1]) == dict(theirs[1])
    assert ours == theirs


@pytest.mark.parametrize("handler", [ThreadedHandler, ASGIHandler])
def test_a_client_that_leaves_before_its_body_has_come_is_not_answered(handler: type[ASGIHandler]) -> None:
    async def leave() -> bool:
        client = ApplicationCommunicator(handler(), scope("POST", "/echo/", {}))
        await client.send_input({"type": "http.request", "body": b"one", "more_body": True})
        await client.send_input({"type": "http.disconnect"})
        await client.wait(30)
        return bool(await client.receive_nothing())

    assert asyncio.run(leave())


@pytest.fixture
def finished() -> Iterator[list[object]]:
    """One entry for each request that was ended, as databases and caches are told."""
    seen: list[object] = []

    def note(**_: object) -> None:
        seen.append(None)

    signals.request_finished.connect(note)
    yield seen
    signals.request_finished.disconnect(note)


@pytest.mark.parametrize("handler", [ThreadedHandler, ASGIHandler])
def test_a_client_that_leaves_ends_its_stream(handler: type[ASGIHandler], finished: list[object]) -> None:
    async def leave() -> None:
        client = ApplicationCommunicator(handler(), scope("GET", "/endless/", {}))
        await client.send_input({"type": "http.request", "body": b""})
        assert (await client.receive_output(30))["status"] == 200
        await client.receive_output(30)
        await client.send_input({"type": "http.disconnect"})
        await client.wait(30)
        await asyncio.to_thread(until, lambda: finished, "the request is finished", seconds=30)

    asyncio.run(leave())
    assert len(finished) == 1
