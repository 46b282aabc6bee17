"""What an endpoint's answers and refusals mean, in one vocabulary. Pure."""

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass
from email.utils import mktime_tz, parsedate_tz
from enum import StrEnum
from typing import Any

LONGEST_RETRY_AFTER = 3600.0  # seconds; a longer wish is cut to this
DEMO_MODEL = "demo-rules"


class Trouble(StrEnum):
    """What went wrong, in the terms that decide what to do next."""

    RATE_LIMITED = "rate_limited"  # not paid, come back later
    QUOTA = "quota"  # the account is out of money
    AUTH = "auth"  # the key is missing, wrong or not allowed
    PROVIDER = "provider"  # not answered and not paid: worth another attempt
    AMBIGUOUS = "ambiguous"  # sent, then silence: may have been paid
    REJECTED = "rejected"  # the request itself is refused


class CallError(Exception):
    """A request that brought no reply."""

    def __init__(self, trouble: Trouble, message: str, retry_after: float | None = None, *, status: int = 0) -> None:
        super().__init__(message)
        self.trouble = trouble
        self.message = message
        self.retry_after = retry_after  # seconds
        self.status = status  # of HTTP; 0 where none came


@dataclass(frozen=True, slots=True)
class Reply:
    """What came back; `text` is the first choice's content, or the body itself where it was no chat completion."""

    text: str
    finish_reason: str
    model: str
    prompt_tokens: int
    completion_tokens: int
    is_demo: bool


@dataclass(frozen=True, slots=True)
class Refusal:
    """An HTTP error as its server words it."""

    status: int
    message: str
    code: str | None = None
    kind: str | None = None
    headers: Mapping[str, str] | None = None
    now: float = 0.0  # Unix time at which it came


def read_reply(body: str) -> Reply:
    """The parts of a chat completion that matter, whatever shape the body has; never raises."""
    try:
        document = json.loads(body)
    except (ValueError, RecursionError):
        document = None
    return read_completion(document) or Reply(storable(body), "malformed", "", 0, 0, is_demo=False)


def read_completion(document: object) -> Reply | None:
    """The same from decoded JSON; None where it is no object."""
    if not isinstance(document, dict):
        return None
    choice = _first(document.get("choices"))
    message = choice.get("message")
    content = message.get("content") if isinstance(message, dict) else None
    usage = document.get("usage")
    usage = usage if isinstance(usage, dict) else {}
    model = text(document.get("model"))
    return Reply(
        text=storable(content) if isinstance(content, str) else "",
        finish_reason=(text(choice.get("finish_reason")) if choice else "no_choices")[:40],
        model=model[:200],
        prompt_tokens=count(usage.get("prompt_tokens")),
        completion_tokens=count(usage.get("completion_tokens")),
        is_demo=DEMO_MODEL in (model, text(document.get("system_fingerprint"))),
    )


def refused(refusal: Refusal) -> CallError:
    """An HTTP status and its words → what to do about it."""
    found = _refused(refusal)
    found.status = refusal.status
    return found


def _refused(refusal: Refusal) -> CallError:
    status, headers = refusal.status, refusal.headers or {}
    words = f"HTTP {status}: {storable(refusal.message)[:500]}"
    if status == 402 or (status == 429 and "insufficient_quota" in (refusal.code, refusal.kind)):
        return CallError(Trouble.QUOTA, words)
    if status == 429:
        return CallError(Trouble.RATE_LIMITED, words, retry_after(headers, refusal.now))
    if status in (401, 403):
        return CallError(Trouble.AUTH, words)
    if status in (408, 409) or status >= 500:
        return CallError(Trouble.PROVIDER, words, retry_after(headers, refusal.now))
    if 300 <= status < 400:
        return CallError(Trouble.REJECTED, f"HTTP {status}: the endpoint redirects; redirects are not followed.")
    return CallError(Trouble.REJECTED, words)


def retry_after(headers: Mapping[str, str], now: float) -> float | None:
    """Seconds to wait, from `retry-after-ms` or `Retry-After` (seconds or a date); None where neither is usable.

    `now` is a Unix time.
    """
    for name, divisor in (("retry-after-ms", 1000), ("retry-after", 1)):
        try:
            seconds = float(headers.get(name, "")) / divisor
        except ValueError:
            continue
        if math.isfinite(seconds):
            return min(max(seconds, 0.0), LONGEST_RETRY_AFTER)
    date = parsedate_tz(headers.get("retry-after", ""))
    return min(max(mktime_tz(date) - now, 0.0), LONGEST_RETRY_AFTER) if date else None


def storable(words: str) -> str:
    """Without NUL and lone surrogates, which a database cannot hold."""
    return words.replace("\x00", "").encode("utf-8", "replace").decode()


def text(value: object) -> str:
    """A storable text, or "" for anything else."""
    return storable(value) if isinstance(value, str) else ""


def count(value: object) -> int:
    """A whole number that a column holds, or 0."""
    return value if isinstance(value, int) and not isinstance(value, bool) and 0 <= value < 2**31 else 0


def _first(choices: object) -> dict[str, Any]:
    return choices[0] if isinstance(choices, list) and choices and isinstance(choices[0], dict) else {}
