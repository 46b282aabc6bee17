"""An answer's size is counted after it is unpacked, whatever the server packs it with."""

import asyncio
import gzip
import json
import threading
import tracemalloc
import zlib
from collections.abc import Iterator
from functools import cache
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from hypothesis import given
from hypothesis import strategies as st

from generation.endpoints.capped import PIECE, _Inflater
from generation.endpoints.client import CallError, Client, Reply, Target, Trouble

BODY = json.dumps({"choices": [{"message": {"content": "hello"}, "finish_reason": "stop"}]}).encode()
MB = 2**20


def raw_deflate(body: bytes) -> bytes:
    packer = zlib.compressobj(wbits=-15)
    return packer.compress(body) + packer.flush()


PACKERS = {"gzip": gzip.compress, "x-gzip": gzip.compress, "deflate": zlib.compress}


@cache
def bomb(encoding: str) -> bytes:
    """About 300 kB that unpack to 300 MB."""
    window = {"gzip": 31, "deflate": 15}[encoding]
    packer = zlib.compressobj(9, wbits=window)
    return b"".join(packer.compress(bytes(MB)) for _ in range(300)) + packer.flush()


class Packing(BaseHTTPRequestHandler):
    """Answers with what the test puts here."""

    status, encoding, body = 200, "", b""

    def log_message(self, *args: object) -> None:
        pass

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["Content-Length"]))
        self.send_response(self.status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(self.body)))
        if self.encoding:
            self.send_header("Content-Encoding", self.encoding)
        self.end_headers()
        self.wfile.write(self.body)


@pytest.fixture
def server() -> Iterator[type[Packing]]:
    class Handler(Packing):
        url = ""

    running = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    running.daemon_threads = True
    thread = threading.Thread(target=running.serve_forever, args=(0.01,), daemon=True)
    thread.start()
    Handler.url = f"http://127.0.0.1:{running.server_address[1]}/v1"
    yield Handler
    running.shutdown()
    running.server_close()
    thread.join()


def ask(server: type[Packing], encoding: str, body: bytes, status: int = 200) -> Reply:
    server.encoding, server.body, server.status = encoding, body, status

    async def run() -> Reply:
        client = Client(Target(server.url, "", 30, 2, ("127.0.0.1",)))  # type: ignore[attr-defined]
        try:
            return await client.chat([{"role": "user", "content": "hello"}], {"model": "m"})
        finally:
            await client.close()

    return asyncio.run(run())


def refusal(server: type[Packing], encoding: str, body: bytes, status: int = 200) -> CallError:
    with pytest.raises(CallError) as caught:
        ask(server, encoding, body, status)
    return caught.value


@pytest.mark.parametrize("status", [200, 500])
@pytest.mark.parametrize("encoding", ["gzip", "deflate"])
def test_300_kilobytes_that_unpack_to_300_megabytes_are_refused(
    server: type[Packing], encoding: str, status: int
) -> None:
    assert len(bomb(encoding)) < MB
    tracemalloc.start()
    try:
        error = refusal(server, encoding, bomb(encoding), status)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert error.trouble is Trouble.REJECTED
    assert "larger than 8 MB" in error.message
    assert peak < 50 * MB


@pytest.mark.parametrize("encoding", PACKERS)
def test_a_small_packed_answer_is_read(server: type[Packing], encoding: str) -> None:
    assert ask(server, encoding, PACKERS[encoding](BODY)).text == "hello"


def test_deflate_without_its_header_is_read_too(server: type[Packing]) -> None:
    assert ask(server, "deflate", raw_deflate(BODY)).text == "hello"


@pytest.mark.parametrize("encoding", ["", "identity"])
def test_an_answer_as_it_is_is_read(server: type[Packing], encoding: str) -> None:
    assert ask(server, encoding, BODY).text == "hello"


@pytest.mark.parametrize("encoding", ["br", "zstd", "compress", "gzip, gzip"])
def test_what_cannot_be_unpacked_piece_by_piece_is_refused_in_words(server: type[Packing], encoding: str) -> None:
    error = refusal(server, encoding, gzip.compress(gzip.compress(BODY)))
    assert error.trouble is Trouble.REJECTED
    assert encoding in error.message
    assert "Switch compression off" in error.message


def test_what_is_not_packed_as_it_claims_is_refused_in_words(server: type[Packing]) -> None:
    error = refusal(server, "gzip", BODY)
    assert error.trouble is Trouble.REJECTED
    assert "claims to be compressed as gzip" in error.message


def test_half_a_packed_answer_is_a_broken_connection(server: type[Packing]) -> None:
    assert refusal(server, "gzip", gzip.compress(BODY)[:-12]).trouble is Trouble.AMBIGUOUS


@given(st.binary(max_size=3 * PIECE), st.integers(1, 40), st.sampled_from(["gzip", "deflate", "raw"]))
def test_pieces_are_small_and_make_up_the_whole(body: bytes, cuts: int, kind: str) -> None:
    body += body * 5
    packed = raw_deflate(body) if kind == "raw" else PACKERS[kind](body)
    inflater = _Inflater("deflate" if kind == "raw" else kind)
    step = len(packed) // cuts + 1
    pieces = [piece for at in range(0, len(packed), step) for piece in inflater.unpack(packed[at : at + step])]
    assert b"".join(pieces) == body
    assert max(map(len, pieces), default=0) <= PIECE
    assert inflater.is_done
