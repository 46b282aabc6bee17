"""The formats of OpenAI's Batch API: the lines of its files and the shape of its objects. Pure.

A batch is a JSONL file of requests, each with a `custom_id`. Its results come back in any order in up to two files, one
of answers and one of errors; only that id tells which request a line answers.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from core.numbers import whole_number
from generation.endpoints.answers import CallError, Refusal, Reply, Trouble, count, read_reply, refused, text
from generation.endpoints.shapes import mapping
from generation.prompts import ChatMessage

CHAT: Final = "/v1/chat/completions"
LABEL = "stephanie_batch"  # the metadata field with our own name for the batch
ENDED = ("completed", "expired", "cancelled", "failed")
# Error codes of lines that were neither run nor paid.
_NOT_RUN = ("batch_expired", "batch_cancelled", "request_timeout")


@dataclass(frozen=True, slots=True)
class BatchInfo:
    """What a provider reports about a batch; times are Unix times."""

    id: str
    status: str
    label: str = ""
    created_at: int = 0
    expires_at: int | None = None
    output_file: str = ""
    error_file: str = ""
    total: int = 0
    completed: int = 0
    failed: int = 0
    problem: str = ""

    @property
    def ended(self) -> bool:
        return self.status in ENDED


@dataclass(frozen=True, slots=True)
class BatchPage:
    """A part of the list of batches, newest first."""

    batches: Sequence[BatchInfo]
    has_more: bool


@dataclass(frozen=True, slots=True)
class ResultLine:
    """One result: which call and attempt it answers, and what came of it."""

    call: int
    attempt: int
    result: Reply | CallError


def custom_id(call: int, attempt: int) -> str:
    return f"call-{call}-{attempt}"


def request_line(call: int, attempt: int, messages: Sequence[ChatMessage], parameters: Mapping[str, Any]) -> bytes:
    """One line of an input file, with its line break."""
    body = {**parameters, "messages": list(messages)}
    line = {"custom_id": custom_id(call, attempt), "method": "POST", "url": CHAT, "body": body}
    return json.dumps(line, separators=(",", ":")).encode() + b"\n"


def read_line(raw: bytes) -> ResultLine | None:
    """One line of a file of results; None if it does not name its call."""
    try:
        document = json.loads(raw)
    except (ValueError, RecursionError):
        return None
    if not isinstance(document, dict):
        return None
    match text(document.get("custom_id")).split("-"):
        case ["call", given_call, given_attempt]:
            call, attempt = whole_number(given_call), whole_number(given_attempt)
            if call is not None and attempt is not None:
                return ResultLine(call, attempt, _result(document))
    return None


def read_batch(body: str) -> BatchInfo | None:
    """A batch object, or None."""
    try:
        return _info(json.loads(body))
    except (ValueError, RecursionError):
        return None


def read_page(body: str) -> BatchPage | None:
    """The list of batches; None if the body is none, for example because the server has no such list."""
    try:
        document = json.loads(body)
    except (ValueError, RecursionError):
        return None
    rows = document.get("data") if isinstance(document, dict) else None
    if not isinstance(rows, list):
        return None
    found = [info for info in map(_info, rows) if info is not None]
    return BatchPage(found, has_more=bool(document.get("has_more")) and bool(found))


def id_of(body: str) -> str:
    """The `id` of an object, or ""."""
    try:
        document = json.loads(body)
    except (ValueError, RecursionError):
        return ""
    return text(document.get("id"))[:200] if isinstance(document, dict) else ""


def _info(row: object) -> BatchInfo | None:
    if not isinstance(row, dict) or not text(row.get("id")):
        return None
    counts, metadata = mapping(row.get("request_counts")), mapping(row.get("metadata"))
    return BatchInfo(
        id=text(row["id"])[:200],
        status=text(row.get("status")),
        label=text(metadata.get(LABEL)),
        created_at=_moment(row.get("created_at")) or 0,
        expires_at=_moment(row.get("expires_at")),
        output_file=text(row.get("output_file_id"))[:200],
        error_file=text(row.get("error_file_id"))[:200],
        total=count(counts.get("total")),
        completed=count(counts.get("completed")),
        failed=count(counts.get("failed")),
        problem=_problem(row.get("errors")),
    )


def _result(document: Mapping[str, Any]) -> Reply | CallError:
    response, error = document.get("response"), document.get("error")
    status, body = count(mapping(response).get("status_code")), mapping(response).get("body")
    if status == 200:
        return read_reply(body if isinstance(body, str) else json.dumps(body, ensure_ascii=False))
    if status:
        return refused(Refusal(status, mapping(body).get("error")))
    code, words = text(mapping(error).get("code")), text(mapping(error).get("message"))
    trouble = Trouble.PROVIDER if code in _NOT_RUN else Trouble.REJECTED
    return CallError(trouble, f"The batch did not answer this call: {words or code or 'no reason given'}"[:1000])


def _problem(errors: object) -> str:
    rows = mapping(errors).get("data")
    words = [text(row.get("message")) for row in rows if isinstance(row, dict)] if isinstance(rows, list) else []
    return "; ".join(filter(None, words))[:500]


def _moment(value: object) -> int | None:
    # A time that a datetime can hold; NaN and infinity fail the comparison.
    return int(value) if isinstance(value, (int, float)) and 1 < value < 2**35 else None
