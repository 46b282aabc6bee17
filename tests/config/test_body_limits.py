"""A body over a limit is refused with 413 in the form of what was asked, before it fills memory or disk."""

import asyncio
import json
from collections.abc import Mapping
from typing import Any

import pytest
from django.test import Client

from annotation.people import api_tokens
from annotation.roles import Role
from config.handler import ThreadedHandler, largest_body
from tests.people import make_user

MB = 2**20


@pytest.fixture
def token(db: None, settings: Any) -> str:
    settings.DATA_UPLOAD_MAX_MEMORY_SIZE = MB
    return api_tokens.issue(user=make_user(Role.RESEARCHER), name="script", by=None)[1]


def posted(path: str, body: Any, kind: str, token: str = "") -> Any:
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    return Client(raise_request_exception=False).post(path, body, content_type=kind, headers=headers)


def test_too_much_json_for_the_api_is_refused_in_json(token: str) -> None:
    answer = posted("/api/runs/", json.dumps({"name": "x" * 2 * MB}), "application/json", token)
    assert answer.status_code == 413
    assert "1 MB in a form or as JSON" in answer.json()["detail"]


def test_json_within_the_limit_is_read(token: str) -> None:
    answer = posted("/api/runs/", json.dumps({"name": "x" * (MB // 2)}), "application/json", token)
    assert answer.status_code == 400


def test_a_form_that_is_too_large_is_refused_on_a_page(token: str) -> None:
    answer = posted("/login/", b"username=" + b"x" * 2 * MB, "application/x-www-form-urlencoded")
    assert answer.status_code == 413
    assert "That was too much at once" in answer.content.decode()
    assert "1 MB in a form" in answer.content.decode()


def test_a_form_of_too_many_fields_is_refused_on_a_page(token: str) -> None:
    fields = "&".join(f"f{number}=1" for number in range(1200))
    assert posted("/login/", fields, "application/x-www-form-urlencoded").status_code == 413


def test_another_bad_request_stays_one(db: None) -> None:
    assert (
        Client(raise_request_exception=False).get("/login/", headers={"host": "elsewhere.example"}).status_code == 400
    )


def served(path: str, kind: str, chunks: int, size: int = MB) -> tuple[list[Mapping[str, Any]], int]:
    """What the server's own handler sends back, and how many pieces of the body it took."""
    sent: list[Mapping[str, Any]] = []
    taken = 0

    async def receive() -> Mapping[str, Any]:
        nonlocal taken
        taken += 1
        return {"type": "http.request", "body": b"x" * size, "more_body": taken < chunks}

    async def send(message: Mapping[str, Any]) -> None:
        sent.append(message)

    scope = {
        "type": "http", "method": "POST", "path": path, "query_string": b"", "root_path": "", "scheme": "http",
        "headers": [(b"host", b"localhost"), (b"content-type", kind.encode())], "server": ("localhost", 80),
        "client": ("127.0.0.1", 1), "http_version": "1.1",
    }  # fmt: skip
    asyncio.run(ThreadedHandler().handle(scope, receive, send))
    return sent, taken


@pytest.mark.parametrize(
    ("path", "kind", "told"),
    [
        ("/api/runs/", "application/json", '{"detail": "More was sent'),
        ("/rate/item/x/submit/", "application/json; charset=utf-8", '{"detail": "More was sent'),
        ("/login/", "application/x-www-form-urlencoded", "That was too much at once"),
        ("/corpora/import/", "multipart/form-data; boundary=x", "That was too much at once"),
    ],
)
def test_a_body_that_goes_on_and_on_is_cut_off_before_it_fills_the_disk(
    settings: Any, path: str, kind: str, told: str
) -> None:
    settings.MAX_UPLOAD_MB, settings.DATA_UPLOAD_MAX_MEMORY_SIZE = 2, MB
    sent, taken = served(path, kind, chunks=1000)
    assert sent[0]["status"] == 413
    assert told in b"".join(message.get("body", b"") for message in sent).decode()
    assert taken == 4


def test_a_body_of_just_the_largest_size_is_read(settings: Any) -> None:
    settings.MAX_UPLOAD_MB, settings.DATA_UPLOAD_MAX_MEMORY_SIZE = 1, MB

    async def receive() -> Mapping[str, Any]:
        return {"type": "http.request", "body": b"x" * largest_body(), "more_body": False}

    body = asyncio.run(ThreadedHandler().read_body(receive))
    assert len(body.read()) == 2 * MB
    body.close()
