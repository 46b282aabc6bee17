"""Classify an endpoint's refusals: an HTTP status, or an error inside an answer, and its words. Pure."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from email.utils import mktime_tz, parsedate_tz
from enum import StrEnum
from typing import Any

from generation.endpoints.shapes import mapping

LONGEST_RETRY_AFTER = 3600.0  # seconds; a longer one is cut to this
LONGEST_WORDS = 500  # letters of a refusal that are kept
UNNAMED = 502  # status of an error that does not name its kind: the provider's fault


class Trouble(StrEnum):
    """What went wrong, in the categories that decide what to do next."""

    RATE_LIMITED = "rate_limited"  # not paid, come back later
    QUOTA = "quota"  # the account is out of money
    AUTH = "auth"  # the key is missing, wrong or not allowed
    PROVIDER = "provider"  # not answered and not paid: try again
    AMBIGUOUS = "ambiguous"  # sent, no answer: may have been paid
    REJECTED = "rejected"  # the request itself is refused
    FILTERED = "filtered"  # moderation objects to the text of this request


class CallError(Exception):
    """A request that brought no reply."""

    def __init__(self, trouble: Trouble, message: str, retry_after: float | None = None, *, status: int = 0) -> None:
        super().__init__(message)
        self.trouble = trouble
        self.message = message
        self.retry_after = retry_after  # seconds
        self.status = status  # of HTTP, or what an error inside an answer says; 0 where none came

    @property
    def is_failure(self) -> bool:
        """Whether it counts against the endpoint; a filtered request does not."""
        return self.trouble is not Trouble.FILTERED


@dataclass(frozen=True, slots=True)
class Refusal:
    """An error as its server words it: an object, a text or nothing. `inside`: it came in an answer with status 200."""

    status: int
    error: object = None
    headers: Mapping[str, str] | None = None
    now: float = 0.0  # Unix time at which it came
    inside: bool = False


# Names of errors, with the HTTP statuses that mean the same.
_STATUSES: Mapping[str, int] = {
    "rate_limit_exceeded": 429, "rate_limit_error": 429, "rate_limited": 429, "too_many_requests": 429,
    "insufficient_quota": 402, "billing_hard_limit_reached": 402, "insufficient_credits": 402,
    "invalid_api_key": 401, "authentication_error": 401, "unauthorized": 401,
    "permission_error": 403, "permission_denied": 403, "access_denied": 403, "content_filter": 403,
    "invalid_request_error": 400, "bad_request": 400, "badrequesterror": 400, "invalid_request": 400,
    "context_length_exceeded": 400, "not_found_error": 404, "model_not_found": 404, "not_found": 404,
}  # fmt: skip
_NUMBERS = frozenset(map(str, range(400, 600)))
_MODERATED = ("content_filter", "content_policy_violation", "invalid_prompt", "moderation_blocked",
              "data_inspection_failed", "datainspectionfailed", "responsibleaipolicyviolation")  # fmt: skip
# How providers without an error code word it.
_MODERATED_WORDS = ("requires moderation", "input was flagged", "prompt was flagged", "content management policy",
                    "content filter", "content policy", "usage policies", "safety system")  # fmt: skip


def refused(refusal: Refusal) -> CallError:
    """The CallError for a refusal."""
    found = _refused(refusal)
    found.status = refusal.status
    return found


def status_in(error: object) -> int:
    """The HTTP status that an error inside an answer stands for."""
    told = mapping(error)
    for name in ("code", "status", "status_code", "type"):
        value = told.get(name)
        spelled = str(value)[:40].casefold() if isinstance(value, int | str) else ""
        if spelled in _NUMBERS:
            return int(spelled)
        if spelled in _STATUSES:
            return _STATUSES[spelled]
    return UNNAMED


def retry_after(headers: Mapping[str, str], now: float) -> float | None:
    """Seconds to wait, from `retry-after-ms` or `Retry-After` (seconds or a date); None if neither is usable.

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


def _refused(refusal: Refusal) -> CallError:
    status = refusal.status
    words = f"{_heading(refusal)}: {storable(_words(refusal.error))[:LONGEST_WORDS]}"
    if 300 <= status < 400:
        return CallError(Trouble.REJECTED, f"HTTP {status}: the endpoint redirects; redirects are not followed.")
    trouble = _trouble(status, mapping(refusal.error))
    may_wait = trouble in (Trouble.RATE_LIMITED, Trouble.PROVIDER)
    return CallError(trouble, words, retry_after(refusal.headers or {}, refusal.now) if may_wait else None)


def _heading(refusal: Refusal) -> str:
    if not refusal.inside:
        return f"HTTP {refusal.status}"
    code = mapping(refusal.error).get("code")
    return f"Error {code} inside the answer" if isinstance(code, int) else "Error inside the answer"


def _trouble(status: int, error: Mapping[str, Any]) -> Trouble:
    if status == 402 or (status == 429 and "insufficient_quota" in (error.get("code"), error.get("type"))):
        return Trouble.QUOTA
    if status == 429:
        return Trouble.RATE_LIMITED
    if status in (400, 403, 422, 451) and _is_moderated(error):
        return Trouble.FILTERED
    if status in (401, 403):
        return Trouble.AUTH
    return Trouble.PROVIDER if status in (408, 409) or status >= 500 else Trouble.REJECTED


def _is_moderated(error: Mapping[str, Any]) -> bool:
    """Whether an error objects to the text of the request, and not to the account or the request's form."""
    inner, more = mapping(error.get("innererror")), mapping(error.get("metadata"))
    names = (error.get("code"), error.get("type"), inner.get("code"))
    if any(isinstance(name, str) and name.casefold() in _MODERATED for name in names):
        return True
    words = _words(error).casefold()
    return bool(more.get("reasons") or more.get("flagged_input")) or any(part in words for part in _MODERATED_WORDS)


def _words(error: object) -> str:
    """What the provider says: the message, why it was flagged, and the words of the provider behind a gateway."""
    if isinstance(error, str):
        return error or "no reason given"
    told = mapping(error)
    message = next((told[name] for name in ("message", "msg", "detail") if isinstance(told.get(name), str)), "")
    more = mapping(told.get("metadata"))
    reasons = more.get("reasons")
    listed = ", ".join(map(str, reasons[:10])) if isinstance(reasons, list) else ""
    raw = more.get("raw")
    parts = (message or "no reason given", f"({listed})" if listed else "", raw if isinstance(raw, str) else "")
    return " ".join(filter(None, parts))
