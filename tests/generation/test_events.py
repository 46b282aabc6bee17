"""A run's progress as it happens, over Server-Sent Events from a real ASGI server."""

import asyncio
import json
from typing import Any

import pytest
from asgiref.testing import ApplicationCommunicator
from django.db import connections
from django.test import Client

from config.asgi import application
from generation.models import Call, Run
from generation.watching import events
from tests.generation.runs import NOWHERE, endpoint_at, small_corpus, started

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def run() -> Run:
    return started(small_corpus(2), endpoint_at(NOWHERE))


def data(chunk: str) -> Any:
    return json.loads(chunk.partition("data: ")[2])


def test_the_first_event_is_everything_and_the_next_comes_with_a_change(run: Run) -> None:
    async def watch() -> tuple[Any, Any]:
        stream = events.stream(run.pk)
        assert (await anext(stream)).startswith("retry:")
        first = data(await anext(stream))
        await asyncio.to_thread(fail_one)
        second = data(await asyncio.wait_for(anext(stream), 20))
        await stream.aclose()  # type: ignore[attr-defined]
        return first, second

    def fail_one() -> None:
        Call.objects.filter(pk=Call.objects.filter(run=run).first().pk).update(state="failed", outcome="rejected")  # type: ignore[union-attr]
        connections.close_all()

    first, second = asyncio.run(watch())
    assert (first["failed"], second["failed"]) == (0, 1)
    assert second["causes"][0]["label"] == "Request rejected by the endpoint"


def test_whoever_comes_anew_is_told_how_it_stands_now_and_not_a_moment_ago(run: Run) -> None:
    async def first_of_a_stream() -> Any:
        stream = events.stream(run.pk)
        await anext(stream)
        found = data(await anext(stream))
        await stream.aclose()  # type: ignore[attr-defined]
        return found

    def pause() -> None:
        run.pause("By hand.", Run.PauseCause.HAND)
        connections.close_all()

    async def watch() -> tuple[Any, Any]:
        before = await first_of_a_stream()
        await asyncio.to_thread(pause)
        return before, await first_of_a_stream()

    before, after = asyncio.run(watch())
    assert (before["state"], after["state"]) == ("running", "paused")


def test_a_run_that_is_gone_ends_the_stream() -> None:
    async def watch() -> list[str]:
        return [chunk async for chunk in events.stream(987654)]

    assert asyncio.run(watch())[-1].startswith("event: end")


def test_a_finished_run_is_told_once_and_holds_no_line(run: Run) -> None:
    Run.objects.update(state=Run.State.FINISHED)

    async def watch() -> list[str]:
        return [chunk async for chunk in events.stream(run.pk)]

    _, told, end = asyncio.run(asyncio.wait_for(watch(), 20))
    assert data(told)["state"] == "finished"
    assert end.startswith("event: end")


def test_many_watchers_cost_one_reading_a_second(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    readings: list[int] = []
    real = events._snapshot

    def counted(pk: int) -> events.Snapshot | None:
        readings.append(pk)
        return real(pk)

    monkeypatch.setattr(events, "_snapshot", counted)
    monkeypatch.setattr(events, "_latest", {})

    async def first_two(pk: int) -> None:
        stream = events.stream(pk)
        await anext(stream)
        await anext(stream)
        await stream.aclose()  # type: ignore[attr-defined]

    async def crowd() -> None:
        await asyncio.gather(*(first_two(run.pk) for _ in range(50)))

    asyncio.run(crowd())
    # Whoever comes while one is being read shares the next.
    assert len(readings) <= 3


def test_the_view_streams_through_the_whole_application_without_waiting_for_the_end(
    run: Run, researcher: Client
) -> None:
    cookie = researcher.cookies["sessionid"].value

    async def watch() -> tuple[dict[bytes, bytes], bytes]:
        scope = {
            "type": "http", "method": "GET", "path": f"/generation/runs/{run.pk}/events/", "raw_path": b"", "headers":
            [(b"host", b"localhost"), (b"cookie", f"sessionid={cookie}".encode())], "query_string": b"",
            "scheme": "http", "client": ("127.0.0.1", 1), "server": ("localhost", 80),
        }  # fmt: skip
        server = ApplicationCommunicator(application, scope)
        await server.send_input({"type": "http.request", "body": b""})
        start = await server.receive_output(30)
        assert start["status"] == 200
        body = b""
        while b"sentence" not in body:
            body += (await server.receive_output(30))["body"]
        await server.send_input({"type": "http.disconnect"})
        await server.wait(30)
        return dict(start["headers"]), body

    headers, body = asyncio.run(watch())
    assert headers[b"Content-Type"] == b"text/event-stream"
    assert headers[b"X-Accel-Buffering"] == b"no"
    assert "0 of 2 dialogues" in data(body.decode())["sentence"]


def test_a_rater_gets_no_events(run: Run, rater: Client) -> None:
    assert rater.get(f"/generation/runs/{run.pk}/events/").status_code == 403
