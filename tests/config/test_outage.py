"""While the database is away, people and scripts are told so, and to come again."""

import asyncio
from collections.abc import Callable
from typing import Any

import pytest
from django.db import OperationalError, connection
from django.test import AsyncClient, Client

from annotation.roles import Role
from tests.people import logged_in


def gone(*_: Any, **__: Any) -> None:
    raise OperationalError("terminating connection due to administrator command")


def broken(*_: Any, **__: Any) -> None:
    raise RuntimeError("something else")


@pytest.fixture
def rater(db: None) -> Client:
    return logged_in(Role.RATER, raise_request_exception=False)


def test_a_page_says_that_the_database_is_away(rater: Client) -> None:
    with connection.execute_wrapper(gone):
        answer = rater.get("/rate/")
    assert (answer.status_code, answer["Retry-After"]) == (503, "5")
    assert "The database does not answer just now" in answer.content.decode()


def test_a_pages_script_is_told_in_json(rater: Client) -> None:
    with connection.execute_wrapper(gone):
        answer = rater.post("/rate/item/any/submit/", {}, content_type="application/json")
    assert answer.status_code == 503
    assert "send it again" in answer.json()["detail"]


def test_so_it_is_where_requests_are_served_asynchronously(monkeypatch: pytest.MonkeyPatch) -> None:
    async def asked(failing: Callable[..., None]) -> int:
        monkeypatch.setattr("django.contrib.auth.get_user", failing)
        return int((await AsyncClient(raise_request_exception=False).get("/rate/")).status_code)

    assert asyncio.run(asked(gone)) == 503
    assert asyncio.run(asked(broken)) == 500


def test_any_other_failure_is_still_one_of_ours(rater: Client) -> None:
    with connection.execute_wrapper(broken):
        answer = rater.get("/rate/")
    assert answer.status_code == 500
    assert "Something broke on our side" in answer.content.decode()
