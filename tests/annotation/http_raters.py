"""Rater processes over HTTP at one database while workers are killed and leases run out: by hand, the long form

    python -m tests.annotation.http_raters [--raters 32] [--submissions 2000] [--kills 6]

and as a test the short one. Each process rates as a browser does, in studies of one, two and three raters an item,
sends every submit twice, and goes on where it was when the server comes back. On whatever DATABASE_URL names.
"""

import argparse
import json
import os
import re
import subprocess
import sys
import time
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx2

ROOT = Path(__file__).resolve().parents[2]
OVERLAPS = (1, 2, 3)
CSRF = "c" * 32
PATIENCE = 120
SUBMISSION = re.compile(r'name="submission_id" value="([^"]+)"')
SCORES = dict.fromkeys(("interesting", "informative", "natural", "engaging", "on_topic", "on_persona"), 4)


@dataclass
class Rater:
    """One browser. `start` is when all of them send their first request."""

    url: str
    session: str
    tokens: list[str]
    start: float
    leaves_behind: bool

    def work(self) -> dict[str, Any]:
        cookies = {"sessionid": self.session, "csrftoken": CSRF}
        self.statuses: Counter[int] = Counter()
        self.kept: list[str] = []
        with httpx2.Client(
            base_url=self.url, cookies=cookies, headers={"X-CSRFToken": CSRF}, timeout=30
        ) as self.browser:
            time.sleep(max(0.0, self.start - time.time()))  # all raters begin in the same instant
            for token in self.tokens:
                address = f"/rate/{token}/"
                while address := self._one(address, token):
                    pass
        return {"kept": self.kept, "statuses": {str(status): n for status, n in self.statuses.items()}}

    def _one(self, address: str, token: str) -> str:
        """Rate what the address shows and give the next one; "" where there is nothing more."""
        page = self._answered("GET", address)
        while page.status_code == 302:
            address = page.headers["Location"]
            page = self._answered("GET", address)
        found = SUBMISSION.search(page.text) if page.status_code == 200 else None
        if found is None:
            # Somebody else has it since the lease ran out; or all is rated.
            return f"/rate/{token}/" if page.status_code == 404 else ""
        if self.leaves_behind:
            # A closed laptop: the item is held, and somebody else gets it once its lease is over.
            return ""
        for _ in range(2):
            sent = {"submission_id": found[1], "scores": SCORES}
            reply = self._answered("POST", f"{address}submit/", sent)
        if reply.status_code == 200:
            self.kept.append(reply.json()["id"])
            return str(reply.json()["next"])
        return f"/rate/{token}/"

    def _answered(self, method: str, address: str, body: dict[str, Any] | None = None) -> httpx2.Response:
        """Until the server, which may be killed meanwhile, has answered."""
        deadline = time.monotonic() + PATIENCE
        while time.monotonic() < deadline:
            try:
                reply = self.browser.request(method, address, json=body)
            except httpx2.TransportError:
                self.statuses[0] += 1
                time.sleep(0.1)  # as a browser does: not at once again
            else:
                self.statuses[reply.status_code] += 1
                return reply
        raise TimeoutError(f"no answer to {address} within {PATIENCE} s")


def rate_over_http(url: str, raters: list[tuple[str, list[str]]], *, leavers: int = 0) -> list[subprocess.Popen[str]]:
    """Start a process for each rater; the last `leavers` open one item and go. All begin in the same instant."""
    start = time.time() + 1 + 0.15 * len(raters)
    processes = []
    for number, (session, tokens) in enumerate(raters):
        job = {"url": url, "session": session, "tokens": tokens, "start": start}
        job["leaves_behind"] = number >= len(raters) - leavers
        command = [sys.executable, "-m", "tests.annotation.http_raters", "--rater", json.dumps(job)]
        process = subprocess.Popen(command, cwd=ROOT, text=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        processes.append(process)
    return processes


def results(processes: list[subprocess.Popen[str]]) -> list[dict[str, Any]]:
    found = []
    for process in processes:
        out, err = process.communicate(timeout=1200)
        assert process.returncode == 0, err
        found.append(json.loads(out))
    return found


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rater", help="the job of one rater, as JSON")
    parser.add_argument("--raters", type=int, default=32)
    parser.add_argument("--submissions", type=int, default=2000)
    parser.add_argument("--kills", type=int, default=6)
    options = parser.parse_args()
    if options.rater:
        print(json.dumps(Rater(**json.loads(options.rater)).work()))
        return 0
    import pytest

    os.environ |= {
        "HTTP_RATERS": str(options.raters),
        "HTTP_SUBMISSIONS": str(options.submissions),
        "HTTP_KILLS": str(options.kills),
    }
    return int(pytest.main(["-q", "-s", "tests/annotation/test_http_raters.py"]))


if __name__ == "__main__":
    sys.exit(main())
