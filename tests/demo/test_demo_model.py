"""The demo model over real HTTP, through the client the product uses, and as a command."""

import asyncio
import json
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import openai
import pytest
from openai import AsyncOpenAI, OpenAI

from demo.model.completions import TOKEN_CHARACTERS
from demo.model.faults import DemoSettings
from dialogues.display import DEMO_LABEL, DEMO_MODEL
from tests.demo_server import DemoServer, running

PROJECT = Path(__file__).resolve().parents[2]


def asked(server: DemoServer, text: str = "Are you there?", **parameters: Any) -> Any:
    with OpenAI(base_url=server.base_url, api_key="any", max_retries=0, timeout=20) as client:
        return client.chat.completions.create(
            model="whatever", messages=[{"role": "user", "content": text}], **parameters
        )


def streamed(server: DemoServer, **parameters: Any) -> list[Any]:
    with OpenAI(base_url=server.base_url, api_key="any", max_retries=0, timeout=20) as client:
        messages: Any = [{"role": "user", "content": "Are you there?"}]
        return list(client.chat.completions.create(model="m", messages=messages, stream=True, **parameters))


def faulty(server: DemoServer, **faults: float) -> None:
    server.settings = replace(server.settings, faults=faults)


def test_every_reply_names_the_demo_rules_as_its_author(demo_model: DemoServer) -> None:
    reply = asked(demo_model)
    assert (reply.model, reply.system_fingerprint) == (DEMO_MODEL, DEMO_MODEL)
    assert DEMO_LABEL in reply.choices[0].message.content
    assert reply.choices[0].finish_reason == "stop"
    usage = reply.usage
    assert usage.total_tokens == usage.prompt_tokens + usage.completion_tokens > 0


def test_the_model_list_has_the_one_model(demo_model: DemoServer) -> None:
    with OpenAI(base_url=demo_model.base_url, api_key="any") as client:
        assert [model.id for model in client.models.list()] == [DEMO_MODEL]


def test_the_same_request_gets_the_same_reply_and_another_seed_another(demo_model: DemoServer) -> None:
    background = '<background>\n{"theme": "x", "person_1": ["I ski."], "person_2": ["I bake."]}\n</background>'
    first = asked(demo_model, background).choices[0].message.content
    assert asked(demo_model, background).choices[0].message.content == first
    demo_model.settings = replace(demo_model.settings, seed=8)
    assert asked(demo_model, background).choices[0].message.content != first


def test_a_stream_carries_the_same_text_and_the_usage_that_was_asked_for(demo_model: DemoServer) -> None:
    whole = asked(demo_model).choices[0].message.content
    chunks = streamed(demo_model, stream_options={"include_usage": True})
    assert "".join(choice.delta.content or "" for chunk in chunks for choice in chunk.choices) == whole
    assert [choice.finish_reason for chunk in chunks for choice in chunk.choices][-1] == "stop"
    assert chunks[-1].usage.completion_tokens > 0
    assert all(chunk.usage is None for chunk in streamed(demo_model))


def test_a_model_that_takes_its_time_streams_token_by_token(demo_model: DemoServer) -> None:
    text = "".join(chunk.choices[0].delta.content or "" for chunk in streamed(demo_model))
    demo_model.settings = DemoSettings(seed=7, token_seconds=0.001)
    pieces = [chunk.choices[0].delta.content or "" for chunk in streamed(demo_model)]
    assert "".join(pieces) == text
    assert max(map(len, pieces)) == TOKEN_CHARACTERS


def test_a_reader_who_leaves_a_stream_disturbs_nobody(demo_model: DemoServer, caplog: pytest.LogCaptureFixture) -> None:
    with OpenAI(base_url=demo_model.base_url, api_key="any") as client:
        messages: Any = [{"role": "user", "content": "Are you there?"}]
        with client.chat.completions.create(model="m", messages=messages, stream=True) as stream:
            next(iter(stream))
    assert asked(demo_model).choices[0].finish_reason == "stop"
    assert [record.message for record in caplog.records if record.levelname == "ERROR"] == []


def test_a_token_limit_cuts_the_reply_and_says_so(demo_model: DemoServer) -> None:
    choice = asked(demo_model, max_tokens=8).choices[0]
    assert choice.finish_reason == "length"
    assert 0 < len(choice.message.content) < 40


@pytest.mark.parametrize(
    ("fault", "error", "status", "code"),
    [
        ("rate_limited", openai.RateLimitError, 429, "rate_limit_exceeded"),
        ("quota", openai.RateLimitError, 429, "insufficient_quota"),
        ("server_error", openai.InternalServerError, 500, "server_error"),
        ("unavailable", openai.InternalServerError, 503, "unavailable"),
        ("unauthorized", openai.AuthenticationError, 401, "unauthorized"),
        ("bad_request", openai.BadRequestError, 400, "bad_request"),
    ],
)
def test_an_http_fault_is_an_error_as_a_provider_would_send_it(
    demo_model: DemoServer, fault: str, error: type[openai.APIStatusError], status: int, code: str
) -> None:
    faulty(demo_model, **{fault: 1})
    with pytest.raises(error) as caught:
        asked(demo_model)
    assert (caught.value.status_code, caught.value.code) == (status, code)
    assert caught.value.response.headers.get("retry-after") == (
        "1" if fault in {"rate_limited", "unavailable"} else None
    )
    assert demo_model.stats()["outcomes"] == {fault: 1}


def test_a_cut_connection_leaves_the_client_without_an_answer(demo_model: DemoServer) -> None:
    faulty(demo_model, cut=1)
    with pytest.raises(openai.APIConnectionError):
        asked(demo_model)


def test_a_stalled_answer_ends_with_the_clients_patience(demo_model: DemoServer) -> None:
    faulty(demo_model, stall=1)
    with pytest.raises(openai.APITimeoutError):
        asked(demo_model, timeout=0.3)


def test_truncated_filtered_blank_and_empty_replies_are_shaped_as_providers_shape_them(demo_model: DemoServer) -> None:
    faulty(demo_model, truncated=1)
    assert asked(demo_model).choices[0].finish_reason == "length"
    faulty(demo_model, filtered=1)
    assert asked(demo_model).choices[0].finish_reason == "content_filter"
    faulty(demo_model, blank=1)
    assert asked(demo_model).choices[0].message.content == ""
    faulty(demo_model, empty=1)
    assert asked(demo_model).choices == []


def test_a_repeated_request_draws_its_fault_anew_and_a_second_run_draws_the_same(demo_model: DemoServer) -> None:
    def outcomes(server: DemoServer) -> list[bool]:
        faulty(server, blank=0.5)
        return [asked(server).choices[0].message.content == "" for _ in range(12)]

    first = outcomes(demo_model)
    assert set(first) == {True, False}
    with running(DemoSettings(seed=7)) as again:
        assert outcomes(again) == first


def test_stats_count_requests_and_answers_given_twice(demo_model: DemoServer) -> None:
    for text in ("one", "two", "two"):
        asked(demo_model, text)
    faulty(demo_model, server_error=1)
    with pytest.raises(openai.InternalServerError):
        asked(demo_model, "one")
    stats = demo_model.stats()
    assert stats["requests"] == 4
    assert stats["outcomes"] == {"ok": 3, "server_error": 1}
    assert (stats["answered_again"], stats["in_flight"]) == (1, 0)


def test_four_hundred_requests_at_once_are_all_answered(demo_model: DemoServer) -> None:
    demo_model.settings = replace(demo_model.settings, latency=0.5)

    async def all_at_once() -> list[str | None]:
        async with AsyncOpenAI(
            # All begin at once, so on a busy machine the last one waits for all others.
            base_url=demo_model.base_url,
            api_key="any",
            max_retries=0,
            timeout=120,
            http_client=openai.DefaultAioHttpClient(),
        ) as client:
            replies = await asyncio.gather(
                *(
                    client.chat.completions.create(model="m", messages=[{"role": "user", "content": f"request {n}"}])
                    for n in range(400)
                )
            )
        return [reply.id for reply in replies]

    assert len(set(asyncio.run(all_at_once()))) == 400
    assert demo_model.stats()["outcomes"] == {"ok": 400}
    assert demo_model.stats()["in_flight"] == 0


@pytest.mark.parametrize(
    "body", [b"{", b"[]", b"{}", b'{"messages": []}', b'{"messages": ["x"]}', b"\xff", b"[" * 100_000]
)
def test_a_body_that_is_no_request_is_refused_with_a_reason(demo_model: DemoServer, body: bytes) -> None:
    with OpenAI(base_url=demo_model.base_url, api_key="any", max_retries=0) as client:
        answer = client._client.post(f"{demo_model.base_url}/chat/completions", content=body)
    assert answer.status_code == 400
    assert answer.json()["error"]["message"]
    assert demo_model.stats()["in_flight"] == 0


def test_content_in_parts_is_read_as_text(demo_model: DemoServer) -> None:
    with OpenAI(base_url=demo_model.base_url, api_key="any") as client:
        reply = client.chat.completions.create(
            model="m", messages=[{"role": "user", "content": [{"type": "text", "text": "three short words"}]}]
        )
    assert "has 3 words" in (reply.choices[0].message.content or "")


@contextmanager
def command(*arguments: str) -> Iterator[subprocess.Popen[str]]:
    process = subprocess.Popen(
        [sys.executable, "manage.py", "demo_model", *arguments],
        cwd=PROJECT, env=os.environ.copy(), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
    try:
        yield process
    finally:
        if process.poll() is None:
            process.kill()
        process.communicate()


@pytest.mark.parametrize("stop", [signal.SIGTERM, signal.SIGINT])
def test_the_command_says_where_it_listens_and_stops_cleanly(stop: signal.Signals) -> None:
    with command("--port", "0", "--latency", "0", "--jitter", "0") as process:
        assert process.stdout is not None
        line = process.stdout.readline()
        address = line.split()[3].rstrip(",")
        assert DEMO_LABEL in line
        with OpenAI(base_url=address, api_key="any", max_retries=0) as client:
            health = client._client.get(address.replace("/v1", "/healthz"))
        assert json.loads(health.text)["status"] == "ok"
        process.send_signal(stop)
        _, problems = process.communicate(timeout=20)
        assert (process.returncode, problems) == (0, "")


def test_a_taken_port_is_one_line_and_exit_code_one() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with command("--port", str(port)) as process:
            _, problems = process.communicate(timeout=30)
    assert process.returncode == 1
    assert problems.splitlines() == [
        f"CommandError: Port {port} on 127.0.0.1 is taken. Choose another with --port, or stop what uses it."
    ]


@pytest.mark.parametrize(
    ("arguments", "problem"),
    [
        (("--fault", "nonsense=1"), "unknown fault 'nonsense'"),
        (("--error-rate", "1.5"), "between 0 and 1"),
        (("--latency", "-1"), "--latency must lie between 0 and 3600 seconds"),
        (("--port", "99999"), "Cannot listen on 127.0.0.1 port 99999"),
    ],
)
def test_a_wrong_option_says_what_to_write(arguments: tuple[str, ...], problem: str) -> None:
    with command(*arguments) as process:
        _, problems = process.communicate(timeout=30)
    assert process.returncode == 1
    assert problem in problems
    assert len(problems.splitlines()) == 1


def test_an_address_beyond_loopback_is_served_only_when_named_and_with_a_warning() -> None:
    with command("--host", "0.0.0.0", "--port", "0") as process:
        assert process.stdout is not None
        assert "http://0.0.0.0:" in process.stdout.readline()
        process.send_signal(signal.SIGTERM)
        _, problems = process.communicate(timeout=20)
    assert "0.0.0.0 is not loopback" in problems
