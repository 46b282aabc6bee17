"""What a page costs its line."""

from dataclasses import dataclass, field
from typing import Any

from playwright.sync_api import Page


@dataclass
class Meter:
    """Requests that reach the server, and the bytes that come back: heads and bodies, compressed as they are."""

    requests: list[str] = field(default_factory=list)
    received: int = 0
    _cached: set[str] = field(default_factory=set)

    @classmethod
    def of(cls, page: Page) -> "Meter":
        meter = cls()
        session = page.context.new_cdp_session(page)
        session.send("Network.enable")
        session.on("Network.requestWillBeSent", meter._sent)
        session.on("Network.requestServedFromCache", lambda event: meter._cached.add(event["requestId"]))
        session.on("Network.loadingFinished", meter._finished)
        session.on("Network.responseReceived", meter._answered)
        return meter

    def _sent(self, event: dict[str, Any]) -> None:
        self.requests.append(event["requestId"] + event["request"]["url"])
        if "redirectResponse" in event:
            self.received += int(event["redirectResponse"]["encodedDataLength"])

    def _answered(self, event: dict[str, Any]) -> None:
        if event["response"].get("fromDiskCache"):
            self._cached.add(event["requestId"])

    def _finished(self, event: dict[str, Any]) -> None:
        if event["requestId"] not in self._cached:
            self.received += int(event["encodedDataLength"])

    @property
    def sent(self) -> int:
        return sum(not any(name.startswith(cached + "http") for cached in self._cached) for name in self.requests)

    def start(self) -> None:
        self.requests.clear()
        self._cached.clear()
        self.received = 0
