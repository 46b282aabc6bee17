"""The one client against a server that misbehaves: every fault has its name."""

import asyncio
import json
import socket
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from generation.endpoints.client import CallError, Client, Reply, Target, Trouble, read_reply, storable
from generation.prompts import ChatMessage

QUESTION: list[ChatMessage] = [{"role": "user", "content": "hello"}]
GOOD = {
    "model": "m-1",
    "choices": [{"message": {"role": "assistant", "content": "hi"}, "finish_reason": "stop"}],
    "usage": {"prompt_tokens": 5, "completion_tokens": 2},
}
KEY = "sk-canary-77aa"


class Handler(BaseHTTPRequestHandler):
    """Answers as the first part of the path says."""

    seen: list[str] = []

    def log_message(self, *args: object) -> None:
        pass

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["Content-Length"]))
        self.seen.append(self.path)
        getattr(self, self.path.split("/")[1])()

    def answer(self, status: int, body: object, **headers: str) -> None:
        raw = body if isinstance(body, bytes) else json.dumps(body).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(raw)))
        for name, value in headers.items():
            self.send_header(name.replace("_", "-"), value)
        self.end_headers()
        self.wfile.write(raw)

    def good(self) -> None:
        self.answer(200, GOOD)

    def rate(self) -> None:
        self.answer(429, {"error": {"message": "slow down", "code": "rate_limit_exceeded"}}, Retry_After="7")

    def rate_ms(self) -> None:
        self.answer(429, {"error": {"message": "slow down"}}, retry_after_ms="1500", Retry_After="7")

    def rate_bare(self) -> None:
        self.answer(429, b"what?")

    def quota(self) -> None:
        self.answer(429, {"error": {"message": "no money", "code": "insufficient_quota"}})

    def auth(self) -> None:
        self.answer(401, {"error": {"message": f"bad key {KEY}"}})

    def forbidden(self) -> None:
        self.answer(403, {"error": {"message": "not you"}})

    def busy(self) -> None:
        self.answer(503, {"error": {"message": "busy"}})

    def wrong(self) -> None:
        self.answer(400, {"error": {"message": "bad request"}})

    def echo(self) -> None:
        self.answer(200, {"choices": [{"message": {"content": f"your key is {KEY}"}}]})

    def odd_line(self) -> None:
        self.wfile.write(b"HTTP/1.1 \x00\xff nonsense\r\n\r\n")

    def redirect(self) -> None:
        self.answer(307, {}, Location="/good/chat/completions")

    def cut(self) -> None:
        self.send_response(200)
        self.send_header("Content-Length", "1000")
        self.end_headers()
        self.wfile.write(b'{"choices"')
        self.wfile.flush()
        self.connection.shutdown(socket.SHUT_RDWR)

    def silent(self) -> None:
        threading.Event().wait(3)

    def huge(self) -> None:
        self.send_response(200)
        self.end_headers()
        try:
            for _ in range(50):
                self.wfile.write(b"x" * 2**20)
        except OSError:
            pass


@pytest.fixture
def address() -> Iterator[str]:
    Handler.seen = []
    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{server.server_address[1]}"
    server.shutdown()
    server.server_close()
    thread.join()


def ask(url: str, allowed: tuple[str, ...] = ("127.0.0.1",)) -> Reply:
    async def run() -> Reply:
        client = Client(Target(url, KEY, 1, 2, allowed))
        try:
            return await client.chat(QUESTION, {"model": "m-1"})
        finally:
            await client.close()

    return asyncio.run(run())


def trouble_at(url: str, allowed: tuple[str, ...] = ("127.0.0.1",)) -> CallError:
    with pytest.raises(CallError) as caught:
        ask(url, allowed)
    return caught.value


def test_a_good_answer_is_read(address: str) -> None:
    assert ask(f"{address}/good") == Reply("hi", "stop", "m-1", 5, 2, is_demo=False)


@pytest.mark.parametrize(
    ("fault", "trouble"),
    [
        ("quota", Trouble.QUOTA),
        ("auth", Trouble.AUTH),
        ("forbidden", Trouble.AUTH),
        ("busy", Trouble.PROVIDER),
        ("wrong", Trouble.REJECTED),
        ("redirect", Trouble.REJECTED),
        ("cut", Trouble.AMBIGUOUS),
        ("silent", Trouble.AMBIGUOUS),
        ("huge", Trouble.REJECTED),
        ("odd_line", Trouble.AMBIGUOUS),
    ],
)
def test_every_fault_has_its_name_and_is_asked_once(address: str, fault: str, trouble: Trouble) -> None:
    assert trouble_at(f"{address}/{fault}").trouble is trouble
    assert Handler.seen == [f"/{fault}/chat/completions"]


@pytest.mark.parametrize(("fault", "seconds"), [("rate", 7.0), ("rate_ms", 1.5), ("rate_bare", None)])
def test_a_rate_limit_says_how_long_to_wait(address: str, fault: str, seconds: float | None) -> None:
    error = trouble_at(f"{address}/{fault}")
    assert (error.trouble, error.retry_after) == (Trouble.RATE_LIMITED, seconds)


def test_the_key_is_in_no_error_and_in_no_reply(address: str) -> None:
    assert KEY not in trouble_at(f"{address}/auth").message
    assert ask(f"{address}/echo").text == "your key is [key]"


def test_an_error_made_of_odd_bytes_can_be_stored(address: str) -> None:
    message = trouble_at(f"{address}/odd_line").message
    assert message == storable(message)


def test_a_closed_port_is_known_not_to_have_been_paid(unused_port: int) -> None:
    assert trouble_at(f"http://127.0.0.1:{unused_port}/v1").trouble is Trouble.PROVIDER


@pytest.fixture
def unused_port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return int(free.getsockname()[1])


def test_a_private_address_is_refused_before_anything_is_sent(address: str) -> None:
    assert trouble_at(f"{address}/good", allowed=()).trouble is Trouble.REJECTED
    assert Handler.seen == []


def test_a_public_name_that_resolves_inside_is_refused_when_connecting(
    address: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = socket.getaddrinfo

    def rebound(host: str, *args: object, **kwargs: object) -> object:
        return real("127.0.0.1" if host == "api.example.org" else host, *args, **kwargs)  # type: ignore[arg-type]

    monkeypatch.setattr(socket, "getaddrinfo", rebound)
    error = trouble_at(address.replace("127.0.0.1", "api.example.org") + "/good", allowed=())
    assert error.trouble is Trouble.REJECTED
    assert "loopback" in error.message
    assert Handler.seen == []


@pytest.mark.parametrize(
    ("body", "finish"),
    [
        ("not json", "malformed"),
        ("[]", "malformed"),
        pytest.param("[" * 200_000, "malformed", id="deep"),
        ("{}", "no_choices"),
        ('{"choices": []}', "no_choices"),
        ('{"choices": [7], "usage": 3, "model": 4}', "no_choices"),
        ('{"choices": [{"message": {"content": null}, "finish_reason": null}]}', ""),
        ('{"choices": [{"message": "x", "finish_reason": 5}], "usage": {"prompt_tokens": "many"}}', ""),
    ],
)
def test_a_body_of_any_shape_is_a_reply(body: str, finish: str) -> None:
    reply = read_reply(body)
    assert reply.finish_reason == finish
    assert (reply.prompt_tokens, reply.completion_tokens) == (0, 0)


def test_text_that_a_database_cannot_hold_is_made_storable() -> None:
    body = json.dumps({"choices": [{"message": {"content": "a\x00b\ud800c"}}]})
    assert read_reply(body).text == "ab?c"
