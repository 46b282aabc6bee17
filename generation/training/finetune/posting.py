"""Events posted to the product's HTTP API while the trainer works; training never waits for the network."""

import sys
import threading
import time
import urllib.error
import urllib.request
from collections import deque

MOST_LINES = 200
PAUSE = 2.0
LONGEST_PAUSE = 60.0
# How long the end of a training waits for the last events to arrive.
PATIENCE = 60.0


def _opener() -> urllib.request.OpenerDirector:
    """It follows no redirect: urllib would ask the other address by GET, without the events and with the token."""
    made = urllib.request.OpenerDirector()
    for handler in (
        urllib.request.ProxyHandler,
        urllib.request.HTTPHandler,
        urllib.request.HTTPSHandler,
        urllib.request.HTTPDefaultErrorHandler,
        urllib.request.HTTPErrorProcessor,
    ):
        made.add_handler(handler())
    return made


class Poster:
    """Sends lines in their order from a thread of its own, again and again until they arrive.

    An address that refuses them for good (3xx and 4xx, but for 408 and 429) is given up; `problem` then says why, and
    so does the terminal at once.
    """

    def __init__(self, url: str, token: str) -> None:
        self.problem = ""
        self._url, self._token, self._opener = url, token, _opener()
        self._lines: deque[str] = deque()
        self._is_new, self._is_over = threading.Event(), threading.Event()
        self._thread = threading.Thread(target=self._work, daemon=True)
        self._thread.start()

    def __call__(self, line: str) -> None:
        self._lines.append(line)
        self._is_new.set()

    def close(self) -> str:
        """Wait for what is on its way; what did not arrive, as a sentence."""
        self._is_over.set()
        self._is_new.set()
        self._thread.join(PATIENCE)
        if not self._lines:
            return ""
        why = self.problem or "no answer came"
        return f"{len(self._lines):,} events were not reported to {self._url}: {why}. Upload events.jsonl instead."

    def _work(self) -> None:
        pause = PAUSE
        while not self.problem and (self._lines or not self._is_over.is_set()):
            self._is_new.wait()
            self._is_new.clear()
            while self._lines and not self.problem:
                lines = list(self._lines)[:MOST_LINES]
                if self._post("".join(lines)):
                    for _ in lines:
                        self._lines.popleft()
                    pause = PAUSE
                elif not self.problem:
                    time.sleep(pause)
                    pause = min(2 * pause, LONGEST_PAUSE)

    def _post(self, text: str) -> bool:
        headers = {"Authorization": f"Bearer {self._token}", "Content-Type": "application/x-ndjson"}
        request = urllib.request.Request(self._url, text.encode(), headers)  # noqa: S310 - checked to be http(s)
        try:
            with self._opener.open(request, timeout=30):
                return True
        except urllib.error.HTTPError as error:
            if error.code in (408, 429) or error.code >= 500:
                return False
            self._give_up(error)
        except (OSError, ValueError):
            pass
        return False

    def _give_up(self, error: urllib.error.HTTPError) -> None:
        elsewhere = error.headers.get("Location")
        self.problem = f"it answered {error.code} {error.reason}" + (f", see {elsewhere}" if elsewhere else "")
        sys.stderr.write(f"Nothing is reported to {self._url} any more: {self.problem}. The training goes on.\n")
