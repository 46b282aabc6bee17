"""Requests to an ASGI application, without a server."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

from asgiref.testing import ApplicationCommunicator


def scope(address: str, method: str = "GET", cookie: str = "") -> dict[str, Any]:
    return {
        "type": "http", "method": method, "path": address, "raw_path": address.encode(), "query_string": b"",
        "headers": [(b"host", b"localhost"), (b"cookie", cookie.encode())], "scheme": "http",
        "client": ("127.0.0.1", 1), "server": ("localhost", 80),
    }  # fmt: skip


def asked(to: Callable[..., Awaitable[None]], address: str, *parts: bytes, cookie: str = "") -> tuple[int, bytes]:
    """Status and body of one whole answer; `parts` are what the request's body comes in."""

    async def talk() -> tuple[int, bytes]:
        client = ApplicationCommunicator(to, scope(address, "POST" if parts else "GET", cookie))
        for part in parts or (b"",):
            await client.send_input(
                {"type": "http.request", "body": part, "more_body": part is not (parts or (b"",))[-1]}
            )
        start, body = await client.receive_output(10), b""
        while (message := await client.receive_output(10)).get("more_body"):
            body += message["body"]
        await client.wait(10)
        return start["status"], body + message.get("body", b"")

    return asyncio.run(talk())
