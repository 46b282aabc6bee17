"""A check finds out by trying what an endpoint can do: some honour a schema, ignore it, refuse it or are down."""

import asyncio
from collections.abc import Callable, Coroutine
from dataclasses import replace
from typing import Any

import pytest

from demo.model.faults import BatchSettings, DemoSettings
from generation.endpoints import checking, structured
from generation.endpoints.client import CallError, Client, Target, Trouble
from generation.endpoints.structured import Form
from generation.prompts import reply_schema
from tests.demo_server import DemoServer


def asked(server: DemoServer, question: Callable[[Client], Coroutine[Any, Any, Any]]) -> Any:
    async def run() -> Any:
        client = Client(Target(server.base_url, "none", 10, 2, ("127.0.0.1",)))
        try:
            return await question(client)
        finally:
            await client.close()

    return asyncio.run(run())


def form_of(server: DemoServer) -> Form:
    found: Form = asked(server, lambda client: checking.structured_form(client, "demo-rules", "max_tokens"))
    return found


def test_a_server_that_heeds_a_schema_is_known_by_its_answer(demo_model: DemoServer) -> None:
    assert form_of(demo_model) is Form.JSON_SCHEMA
    assert demo_model.stats()["requests"] == 1


@pytest.mark.parametrize("manners", ["ignore", "refuse"])
def test_a_server_that_ignores_or_refuses_every_spelling_honours_none(demo_model: DemoServer, manners: Any) -> None:
    demo_model.settings = DemoSettings(schemas=manners)
    assert form_of(demo_model) is Form.NONE


@pytest.mark.parametrize("spoken", structured.TRIED)
def test_each_spelling_is_found_where_a_server_speaks_that_one_alone(demo_model: DemoServer, spoken: Form) -> None:
    demo_model.settings = DemoSettings(spellings=(spoken,))
    assert form_of(demo_model) is spoken


def test_an_outage_is_not_taken_for_an_answer(demo_model: DemoServer) -> None:
    demo_model.settings = DemoSettings(faults={"unavailable": 1.0})
    with pytest.raises(CallError) as caught:
        form_of(demo_model)
    assert caught.value.trouble is Trouble.PROVIDER


def test_the_batch_api_is_found_where_it_is_and_only_there(demo_model: DemoServer) -> None:
    assert asked(demo_model, checking.offers_batches) is True
    demo_model.settings = replace(demo_model.settings, batches=BatchSettings(offered=False))
    assert asked(demo_model, checking.offers_batches) is False


@pytest.mark.parametrize("form", structured.TRIED)
def test_a_server_finds_the_schema_that_a_request_was_given(form: Form) -> None:
    schema = reply_schema("pair")
    assert structured.schema_in(structured.parameters(form, "pair", schema)) == (form, schema)


@pytest.mark.parametrize("form", [Form.NONE, Form.UNKNOWN])
def test_nothing_is_added_to_a_request_that_the_server_would_not_understand(form: Form) -> None:
    assert structured.parameters(form, "pair", reply_schema("pair")) == {}


@pytest.mark.parametrize(
    "text", ["", "slate-4711", '{"pebble": "slate"}', '```json\n{"pebble": "slate-4711"}\n```', "[1]"]
)
def test_only_the_bare_object_counts_as_heeding(text: str) -> None:
    assert not structured.is_probe_answer(text)
