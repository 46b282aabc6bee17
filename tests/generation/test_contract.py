"""One client, two servers: what the product relies on holds for the demo model and for a real endpoint.

The second half runs where LIVE_OPENAI_BASE_URL names an endpoint (LIVE_OPENAI_MODEL one of its models,
LIVE_OPENAI_API_KEY its key). It sends about ten short requests and, where batches are offered, one that it cancels.
"""

import ast
import asyncio
import io
import os
import time
from collections.abc import Callable, Coroutine, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar
from urllib.parse import urlsplit

import pytest
from django.conf import settings

from demo.model.faults import BatchSettings, DemoSettings
from generation.endpoints import checking, structured
from generation.endpoints.batch_lines import LABEL, request_line
from generation.endpoints.client import CallError, Client, Target, Trouble
from generation.prompts import ChatMessage
from tests.demo_server import running

T = TypeVar("T")

LIVE = os.environ.get("LIVE_OPENAI_BASE_URL", "")
QUESTION: list[ChatMessage] = [{"role": "user", "content": "Name three rivers, in one line."}]
DEMO_KEY = "demo-key-1234"


@dataclass(frozen=True, slots=True)
class Server:
    """An endpoint under test; `strict` where it is known to turn away other keys and models."""

    base_url: str
    key: str
    model: str
    length_parameter: str
    strict: bool

    def ask(self, question: Callable[[Client], Coroutine[Any, Any, T]], key: str | None = None) -> T:
        async def run() -> T:
            client = Client(self.target(key))
            try:
                return await question(client)
            finally:
                await client.close()

        return asyncio.run(run())

    def target(self, key: str | None) -> Target:
        host = urlsplit(self.base_url).hostname or ""
        return Target(self.base_url, self.key if key is None else key, 120, 2, (host,))

    def parameters(self, most: int = 200, **more: Any) -> dict[str, Any]:
        return {"model": self.model, self.length_parameter: most, **more}


def live() -> Server:
    environ = os.environ
    model = environ.get("LIVE_OPENAI_MODEL", "")
    if not model:
        pytest.skip("LIVE_OPENAI_MODEL names no model of the live endpoint")
    length = environ.get("LIVE_OPENAI_LENGTH_PARAMETER", "max_tokens")
    return Server(LIVE, environ.get("LIVE_OPENAI_API_KEY", ""), model, length, strict=False)


@pytest.fixture(
    params=[
        "demo",
        pytest.param(
            "live",
            marks=[
                pytest.mark.enable_socket,
                pytest.mark.skipif(not LIVE, reason="LIVE_OPENAI_BASE_URL names no live endpoint"),
            ],
        ),
    ]
)
def server(request: pytest.FixtureRequest) -> Iterator[Server]:
    if request.param == "live":
        yield live()
        return
    manners = DemoSettings(seed=7, models=("demo-rules",), api_keys=(DEMO_KEY,), batches=BatchSettings(seconds=0.0))
    with running(manners) as demo:
        yield Server(demo.base_url, DEMO_KEY, "demo-rules", "max_tokens", strict=True)


def test_a_question_is_answered_and_what_it_took_is_counted(server: Server) -> None:
    reply = server.ask(lambda client: client.chat(QUESTION, server.parameters()))
    assert reply.text.strip()
    assert reply.finish_reason == "stop"
    assert reply.model
    assert reply.prompt_tokens > 0
    assert reply.completion_tokens > 0


def test_every_parameter_that_a_run_sends_is_taken(server: Server) -> None:
    messages: list[ChatMessage] = [{"role": "system", "content": "You are brief."}, *QUESTION]
    reply = server.ask(lambda client: client.chat(messages, server.parameters(seed=11, temperature=1.0)))
    assert reply.text.strip()


def test_a_reply_stops_at_the_length_it_may_have_and_says_so(server: Server) -> None:
    reply = server.ask(lambda client: client.chat(QUESTION, server.parameters(most=4)))
    assert reply.finish_reason == "length"
    assert reply.completion_tokens <= 8


def refusal_of(server: Server, parameters: dict[str, Any], why_not: str, key: str | None = None) -> CallError:
    """The error of a request that should be refused; a live endpoint may be of a kind that refuses no such thing."""
    try:
        server.ask(lambda client: client.chat(QUESTION, parameters), key=key)
    except CallError as error:
        return error
    assert not server.strict
    pytest.skip(why_not)


def test_a_model_that_does_not_exist_is_refused_by_name(server: Server) -> None:
    parameters = {**server.parameters(), "model": "no-such-model-4711"}
    error = refusal_of(server, parameters, "this endpoint answers whatever model it is asked for")
    assert error.trouble in (Trouble.REJECTED, Trouble.AUTH)
    assert "no-such-model-4711" in error.message


def test_a_wrong_key_is_refused_and_not_repeated(server: Server) -> None:
    wrong = "sk-wrong-key-never-given-out"
    error = refusal_of(server, server.parameters(), "this endpoint asks for no key", key=wrong)
    assert error.trouble is Trouble.AUTH
    assert wrong not in error.message


def test_the_list_of_models_has_the_one_that_is_asked(server: Server) -> None:
    assert server.model in [offer.model for offer in server.ask(lambda client: client.offers())]


def test_a_schema_that_the_probe_found_honoured_is_kept_to(server: Server) -> None:
    form = server.ask(lambda client: checking.structured_form(client, server.model, server.length_parameter))
    if form is structured.Form.NONE:
        assert not server.strict
        pytest.skip("this endpoint keeps to no schema")
    wanted = structured.parameters(form, "pebble", structured.PROBE_SCHEMA)
    reply = server.ask(lambda client: client.chat(QUESTION, server.parameters(1024, **wanted)))
    assert structured.is_probe_answer(reply.text)


def test_a_batch_is_found_by_its_label_and_gives_back_what_it_was_given(server: Server) -> None:
    if not server.ask(checking.offers_batches):
        assert not server.strict
        pytest.skip("this endpoint offers no batches")
    label = f"contract-{time.time_ns()}"
    line = request_line(5, 1, QUESTION, server.parameters())

    async def made(client: Client) -> tuple[str, str]:
        file_id = await client.upload(f"{label}.jsonl", io.BytesIO(line))
        batch = await client.create_batch(file_id, {LABEL: label})
        newest = await client.batches(most=20)
        found = next(info for info in newest.batches if info.label == label)
        return batch.id, found.id

    made_id, found_id = server.ask(made)
    assert made_id == found_id
    batch = server.ask(lambda client: client.batch(made_id))
    assert batch.label == label
    if not batch.ended:
        batch = server.ask(lambda client: client.cancel_batch(made_id))
        assert batch.status in ("cancelling", "cancelled", "completed", "finalizing")
        return
    into = io.BytesIO()
    server.ask(lambda client: client.download(batch.output_file, into))
    assert b'"call-5-1"' in into.getvalue()


def python_files() -> Iterator[Path]:
    for app in ("config", "annotation", "generation", "dialogues"):
        yield from sorted((Path(settings.BASE_DIR) / app).rglob("*.py"))


def imported(path: Path) -> set[str]:
    """The top-level packages that a file imports, wherever in it."""
    found: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            found |= {name.name.partition(".")[0] for name in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            found.add(node.module.partition(".")[0])
    return found


def test_one_file_alone_imports_openai() -> None:
    assert [path.name for path in python_files() if "openai" in imported(path)] == ["client.py"]


def test_the_library_itself_never_tries_again() -> None:
    client = Client(Target("https://api.example.org/v1", "none", 1, 1, ()))
    assert client._openai.max_retries == 0
    asyncio.run(client.close())
