"""A model server that costs next to nothing: canned 2 kB chat completions after a fixed wait, counted by time.

    python -m tests.benchmarks.model_server [--latency 1.0] [--jitter 0.0]

Prints its port. `GET /replies` gives the moments (CLOCK_MONOTONIC, shared by all processes of a machine) at which
replies left since it was last asked, `GET /stats` how many requests came and how many were on their way at most.
Every reply is usable by the stage that asks, so a run goes through all its stages.
"""

import argparse
import asyncio
import json
import random
from time import monotonic, process_time
from typing import Any

import uvloop

REPLY_BYTES = 2000
TEXT = "the two meet again after a long week and talk about small things that went well or badly lately"
WORDS = TEXT.split()
TURNS = 12


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--latency", type=float, default=1.0, help="seconds before a reply")
    parser.add_argument("--jitter", type=float, default=0.0, help="seconds that are added at most")
    parser.add_argument("--port", type=int, default=0)
    options = parser.parse_args()
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(serve(Server(options.latency, options.jitter), options.port))


async def serve(server: "Server", port: int) -> None:
    listening = await asyncio.get_running_loop().create_server(
        lambda: Connection(server), "127.0.0.1", port, backlog=2048
    )
    print(listening.sockets[0].getsockname()[1], flush=True)
    await listening.serve_forever()


class Server:
    """What all connections share."""

    def __init__(self, latency: float, jitter: float) -> None:
        self.latency, self.jitter = latency, jitter
        self.replies = canned_replies()
        self.times: list[float] = []
        self.requests = self.in_flight = self.most_in_flight = 0

    def wait(self) -> float:
        return self.latency + self.jitter * random.random() if self.jitter else self.latency

    def report(self, path: bytes) -> bytes:
        if path == b"/replies":
            times, self.times = self.times, []
            return response(json.dumps(times).encode())
        stats = {"requests": self.requests, "most_in_flight": self.most_in_flight, "cpu": process_time()}
        self.most_in_flight = 0
        return response(json.dumps(stats).encode())


class Connection(asyncio.Protocol):
    """HTTP/1.1 with one request on its way a connection, which is what chat clients do."""

    def __init__(self, server: Server) -> None:
        self._server = server
        self._body = bytearray()
        self._transport: Any = None

    def connection_made(self, transport: Any) -> None:
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        self._body += data
        head_end = self._body.find(b"\r\n\r\n")
        if head_end < 0:
            return
        length = content_length(bytes(self._body[:head_end]))
        if len(self._body) < head_end + 4 + length:
            return
        whole, self._body = bytes(self._body), bytearray()
        if whole.startswith(b"GET "):
            self._transport.write(self._server.report(whole.split(b" ", 2)[1]))
            return
        server = self._server
        server.requests += 1
        server.in_flight += 1
        server.most_in_flight = max(server.most_in_flight, server.in_flight)
        asyncio.get_running_loop().call_later(server.wait(), self._answer, server.replies[task_of(whole)])

    def _answer(self, reply: bytes) -> None:
        self._server.in_flight -= 1
        self._server.times.append(monotonic())
        if not self._transport.is_closing():
            self._transport.write(reply)


def content_length(head: bytes) -> int:
    lowered = head.lower()
    at = lowered.find(b"content-length:")
    return int(lowered[at + 15 :].split(b"\r\n", 1)[0]) if at >= 0 else 0


def task_of(body: bytes) -> str:
    """Every prompt opens with its task line."""
    at = body.index(b"Task: ") + 6
    return body[at : at + 13].split(b"\\n", 1)[0].decode()


def canned_replies() -> dict[str, bytes]:
    single = [{"speaker": 1 + turn % 2, "text": words(turn, 14)} for turn in range(TURNS)]
    steps = [{"speaker": 1 + turn % 2, "text": words(turn + part, 7)} for turn in range(TURNS) for part in (0, 7)]
    split = [{**step, "text": part} for step in steps for part in halves(step["text"])]
    traits = [f"i like {words(number, 40)} ." for number in range(4)]
    return {
        "theme": chat_completion({"theme": words(0, 70), "traits_1": traits, "traits_2": traits}),
        "pair": chat_completion({"single_step": single[:8], "step_by_step": steps}),
        "further-split": chat_completion({"step_by_step": split}),
    }


def words(start: int, count: int) -> str:
    return " ".join(WORDS[(start + place) % len(WORDS)] for place in range(count))


def halves(text: str) -> list[str]:
    parts = text.split()
    return [" ".join(parts[:3]), " ".join(parts[3:])]


def chat_completion(content: dict[str, Any]) -> bytes:
    text = json.dumps(content)
    document = {
        "id": "chatcmpl-benchmark",
        "object": "chat.completion",
        "created": 0,
        "model": "benchmark",
        "choices": [{"index": 0, "message": {"role": "assistant", "content": text}, "finish_reason": "stop"}],
        "usage": {"prompt_tokens": 4000, "completion_tokens": 500, "total_tokens": 4500},
    }
    # White space inside JSON costs a reader nothing and brings every reply to the same size.
    body = json.dumps(document)
    return response(body.encode().ljust(REPLY_BYTES))


def response(body: bytes) -> bytes:
    head = f"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
    return head.encode() + body


if __name__ == "__main__":
    main()
