"""People in many chats at once, each with an open page: `python -m tests.benchmarks.chat_clients` with JSON.

Each writes a burst of one to three messages, waits until it is answered, thinks, and goes on; without `seconds` to talk
the pages stay open and nobody writes. Prints for each chat what the server acknowledged and every event that its page
was told, with the time at which its line was there.
"""

import asyncio
import json
import random
import sys
import time
import uuid
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from typing import Any

import aiohttp

CSRF = "c" * 32
GAP = (0.3, 1.0)  # seconds between two messages of a burst
THINK = (1.0, 4.0)  # seconds from an answer to the next burst
LAST_ANSWER = 60.0  # seconds that the last answers may take
OPEN_STEP = 0.02  # seconds between two pages that open


@dataclass
class Page:
    """One person's chat."""

    base_url: str
    token: str
    session: str
    number: int
    acknowledged: dict[str, str] = field(default_factory=dict)  # id → text
    told: list[dict[str, Any]] = field(default_factory=list)
    errors: int = 0
    replied: asyncio.Event = field(default_factory=asyncio.Event)

    @property
    def cookies(self) -> dict[str, str]:
        return {"sessionid": self.session, "csrftoken": CSRF}

    async def follow(self, browser: aiohttp.ClientSession) -> None:
        """As an EventSource does: comes back with the last number where the line breaks."""
        while True:
            after = self.told[-1]["number"] if self.told else 0
            async with browser.get(f"/chats/{self.token}/events/?after={after}", cookies=self.cookies) as answer:
                async for line in lines_of(answer):
                    if line.startswith(b'data: {"number'):
                        self._take(json.loads(line[6:]))

    def _take(self, event: dict[str, Any]) -> None:
        self.told.append({**event, "there": time.time()})
        if event["kind"] in ("replied", "failed"):
            self.replied.set()

    async def talk(self, browser: aiohttp.ClientSession, until: float, rng: random.Random) -> None:
        await asyncio.sleep(rng.uniform(0, THINK[1]))
        while time.monotonic() < until:
            self.replied.clear()
            for _ in range(rng.randint(1, 3)):
                await self._send(browser)
                await asyncio.sleep(rng.uniform(*GAP))
            try:
                await asyncio.wait_for(self.replied.wait(), LAST_ANSWER)
            except TimeoutError:
                self.errors += 1
            await asyncio.sleep(rng.uniform(*THINK))

    async def _send(self, browser: aiohttp.ClientSession) -> None:
        message = {"id": str(uuid.uuid4()), "text": f"chat {self.number} message {len(self.acknowledged)}"}
        address, headers = f"/chats/{self.token}/messages/", {"X-CSRFToken": CSRF}
        async with browser.post(address, json=message, cookies=self.cookies, headers=headers) as answer:
            if answer.status == 200:
                self.acknowledged[message["id"]] = message["text"]
            else:
                self.errors += 1


async def lines_of(answer: aiohttp.ClientResponse) -> AsyncIterator[bytes]:
    begun = b""
    async for piece in answer.content.iter_any():
        *ended, begun = (begun + piece).split(b"\n")
        for line in ended:
            yield line


async def run(job: dict[str, Any]) -> list[dict[str, Any]]:
    """All chats at once; `chats` are [token, session]."""
    pages = [Page(job["base_url"], *chat, number) for number, chat in enumerate(job["chats"])]
    connector = aiohttp.TCPConnector(limit=0)
    options: dict[str, Any] = {"connector": connector, "cookie_jar": aiohttp.DummyCookieJar()}
    timeout = aiohttp.ClientTimeout(total=None)
    async with aiohttp.ClientSession(job["base_url"], timeout=timeout, **options) as browser:
        following = []
        for page in pages:
            following.append(asyncio.create_task(page.follow(browser)))
            await asyncio.sleep(OPEN_STEP)
        until = time.monotonic() + job["seconds"]
        if job["talk"]:
            await asyncio.gather(*(page.talk(browser, until, random.Random(page.number)) for page in pages))
        else:
            await asyncio.sleep(job["seconds"])
        for task in following:
            task.cancel()
        ended = await asyncio.gather(*following, return_exceptions=True)
    broken = sum(not isinstance(end, asyncio.CancelledError) for end in ended)
    return [
        {"token": p.token, "acknowledged": p.acknowledged, "told": p.told, "errors": p.errors, "broken": broken}
        for p in pages
    ]


if __name__ == "__main__":
    print(json.dumps(asyncio.run(run(json.load(sys.stdin)))))
