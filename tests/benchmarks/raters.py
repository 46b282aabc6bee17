"""Raters as lean as they come, so that they leave the cores to the server: `python -m` with JSON.

Each opens an item, thinks for `think` seconds (none unless told), submits six scores, goes on where the answer says. A
connection is kept, except over a think, after which a server may have closed it.
"""

import asyncio
import json
import random
import re
import sys
import time
from dataclasses import dataclass, field
from typing import Any

SUBMISSION = re.compile(rb'name="submission_id" value="([^"]+)"')
SUBMIT_TO = re.compile(rb'(?:data-submit-url|action)="([^"]+submit/[^"]*)"')
CSRF = "c" * 32
REDIRECTS = (301, 302)
CONNECT_STEP = 0.01


@dataclass
class Page:
    """One browser's connection."""

    port: int
    session: str
    think: float = 0
    reader: Any = None
    writer: Any = None
    next_ms: list[float] = field(default_factory=list)
    submit_ms: list[float] = field(default_factory=list)
    errors: int = 0

    async def connect(self) -> None:
        self.reader, self.writer = await asyncio.open_connection("127.0.0.1", self.port)

    async def rate(self, start: str, until: float, scores: dict[str, int]) -> None:
        address = start
        while time.monotonic() < until:
            began = time.monotonic()
            status, head, body = await self.ask("GET", address)
            while status in REDIRECTS:
                status, head, body = await self.ask("GET", location(head))
            shown = time.monotonic()
            found, to = SUBMISSION.search(body), SUBMIT_TO.search(body)
            if status != 200 or not found or not to:
                self.errors += 1
                return
            if self.think:
                await self.rest()
            submitting = time.monotonic()
            sent = {"submission_id": found[1].decode(), "scores": scores}
            status, head, body = await self.ask("POST", to[1].decode(), json.dumps(sent))
            if status != 200:
                self.errors += 1
                return
            self.next_ms.append((shown - began) * 1000)
            self.submit_ms.append((time.monotonic() - submitting) * 1000)
            address = json.loads(body)["next"]
        self.writer.close()

    async def rest(self) -> None:
        self.writer.close()
        await asyncio.sleep(self.think * random.uniform(0.5, 1.5))
        await self.connect()

    async def ask(self, method: str, address: str, body: str = "") -> tuple[int, bytes, bytes]:
        lines = [
            f"{method} {address} HTTP/1.1",
            "Host: localhost",
            f"Cookie: sessionid={self.session}; csrftoken={CSRF}",
            *([f"X-CSRFToken: {CSRF}", "Content-Type: application/json"] if body else []),
            f"Content-Length: {len(body)}",
        ]
        self.writer.write(("\r\n".join(lines) + "\r\n\r\n" + body).encode())
        head: bytes = await self.reader.readuntil(b"\r\n\r\n")
        length = re.search(rb"(?i)content-length: (\d+)", head)
        answer = await self.reader.readexactly(int(length[1]) if length else 0)
        return int(head.split(b" ", 2)[1]), head, answer


def location(head: bytes) -> str:
    found = re.search(rb"(?i)\r\nlocation: (\S+)", head)
    assert found, head
    return found[1].decode()


async def run(job: dict[str, Any]) -> dict[str, Any]:
    """All raters at once for `seconds`; `raters` are [session, where to begin]."""
    pages = [(Page(job["port"], session, job.get("think", 0)), start) for session, start in job["raters"]]
    for page, _ in pages:
        await page.connect()
        # Of many connections at once one of the server's processes may take all, and be measured alone.
        await asyncio.sleep(CONNECT_STEP)
    began = time.monotonic()
    await asyncio.gather(*(page.rate(start, began + job["seconds"], job["scores"]) for page, start in pages))
    return {
        "seconds": time.monotonic() - began,
        "next": [value for page, _ in pages for value in page.next_ms],
        "submit": [value for page, _ in pages for value in page.submit_ms],
        "errors": sum(page.errors for page, _ in pages),
    }


if __name__ == "__main__":
    print(json.dumps(asyncio.run(run(json.load(sys.stdin)))))
