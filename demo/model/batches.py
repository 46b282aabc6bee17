"""The demo model's Batch API: files, and batches whose lines are answered after a while, in any order."""

import asyncio
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from itertools import count
from random import Random
from time import time
from typing import Any

from aiohttp import BodyPartReader, web

from demo.model.completions import error_body
from demo.model.faults import DemoSettings

LARGEST_FILE = 200 * 2**20  # bytes
MOST_LINES = 50_000
KEPT = 200  # batches; the oldest is forgotten first
AT_ONCE = 50  # lines answered before other requests get a turn
DAY = 24 * 3600

# A request's body → (HTTP status, the answer's body).
Answer = Callable[[dict[str, Any]], tuple[int, dict[str, Any]]]


@dataclass(slots=True)
class _Batch:
    id: str
    input_file: str
    metadata: dict[str, str]
    created_at: int
    due: float
    cancelled: bool = False
    status: str = "in_progress"
    output_file: str | None = None
    error_file: str | None = None
    counts: dict[str, int] = field(default_factory=dict)
    lock: asyncio.Lock = field(default_factory=asyncio.Lock)

    def as_json(self) -> dict[str, Any]:
        return {
            "id": self.id,
            "object": "batch",
            "endpoint": "/v1/chat/completions",
            "completion_window": "24h",
            "input_file_id": self.input_file,
            "output_file_id": self.output_file,
            "error_file_id": self.error_file,
            "status": self.status,
            "created_at": self.created_at,
            "expires_at": self.created_at + DAY,
            "request_counts": self.counts,
            "metadata": self.metadata,
            "errors": {"data": [{"message": "The input is not valid."}]} if self.status == "failed" else None,
        }


class DemoBatches:
    """Files and batches since the server started; `settings` is called every time."""

    def __init__(self, settings: Callable[[], DemoSettings], answer: Answer) -> None:
        self._settings, self._answer = settings, answer
        self._files: dict[str, bytes] = {}
        self._batches: dict[str, _Batch] = {}
        self._numbers = count(1)

    def add_routes(self, app: web.Application) -> None:
        app.router.add_post("/v1/files", self._upload)
        app.router.add_get("/v1/files/{id}/content", self._content)
        app.router.add_post("/v1/batches", self._create)
        app.router.add_get("/v1/batches", self._list)
        app.router.add_get("/v1/batches/{id}", self._retrieve)
        app.router.add_post("/v1/batches/{id}/cancel", self._cancel)

    @property
    def created(self) -> int:
        return len(self._batches)

    async def _upload(self, request: web.Request) -> web.Response:
        self._admit(request)
        content = b""
        async for part in await request.multipart():
            if isinstance(part, BodyPartReader) and part.name == "file":
                content = bytes(await part.read())
        if not content or len(content) > LARGEST_FILE:
            raise _bad_request("a file of requests is between 1 byte and 200 MB")
        return web.json_response({"id": self._store(content), "object": "file", "purpose": "batch"})

    async def _content(self, request: web.Request) -> web.Response:
        self._admit(request)
        return web.Response(body=_found(self._files, request), content_type="application/octet-stream")

    async def _create(self, request: web.Request) -> web.Response:
        self._admit(request)
        try:
            body = await request.json()
            file_id, metadata = str(body["input_file_id"]), dict(body.get("metadata") or {})
        except (ValueError, TypeError, KeyError):
            raise _bad_request("a batch needs the id of its input file") from None
        if file_id not in self._files:
            raise _bad_request(f"there is no file {file_id}")
        settings = self._settings().batches
        batch = _Batch(f"batch_{next(self._numbers)}", file_id, metadata, int(time()), time() + settings.seconds)
        self._batches[batch.id] = batch
        if len(self._batches) > KEPT:
            self._batches.pop(next(iter(self._batches)))
        await asyncio.sleep(settings.silence)
        return web.json_response(batch.as_json())

    async def _list(self, request: web.Request) -> web.Response:
        self._admit(request)
        newest = list(reversed(self._batches.values()))
        ids = [batch.id for batch in newest]
        after = request.query.get("after", "")
        start = ids.index(after) + 1 if after in ids else 0
        limit = max(1, min(100, int(request.query.get("limit", "20"))))
        page = newest[start : start + limit]
        more = start + limit < len(newest)
        return web.json_response({"object": "list", "data": [batch.as_json() for batch in page], "has_more": more})

    async def _retrieve(self, request: web.Request) -> web.Response:
        self._admit(request)
        batch = _found(self._batches, request)
        async with batch.lock:
            if batch.status == "in_progress" and time() >= batch.due:
                await self._finish(batch)
        return web.json_response(batch.as_json())

    async def _cancel(self, request: web.Request) -> web.Response:
        self._admit(request)
        batch = _found(self._batches, request)
        batch.cancelled, batch.due = True, 0.0
        return web.json_response({**batch.as_json(), "status": "cancelling"})

    async def _finish(self, batch: _Batch) -> None:
        settings = self._settings().batches
        if settings.invalid:
            batch.status = "failed"
            return
        lines = [json.loads(line) for line in self._files[batch.input_file].splitlines()][:MOST_LINES]
        rng = Random(batch.id)  # noqa: S311
        rng.shuffle(lines)
        answered = 0 if batch.cancelled else round(len(lines) * settings.answered)
        good: list[str] = []
        bad: list[str] = []
        for number, line in enumerate(lines):
            result = self._result(line) if number < answered else _unanswered(line, batch.cancelled)
            (good if (result["response"] or {}).get("status_code") == 200 else bad).append(json.dumps(result))
            if number % AT_ONCE == 0:
                await asyncio.sleep(0)
        batch.output_file = self._store("\n".join(good).encode()) if good else None
        batch.error_file = self._store("\n".join(bad).encode()) if bad else None
        batch.counts = {"total": len(lines), "completed": len(good), "failed": len(bad)}
        batch.status = "cancelled" if batch.cancelled else "completed" if answered == len(lines) else "expired"

    def _result(self, line: Mapping[str, Any]) -> dict[str, Any]:
        status, body = self._answer(line["body"])
        response = {"status_code": status, "request_id": "", "body": body}
        return {"id": "", "custom_id": line["custom_id"], "response": response, "error": None}

    def _store(self, content: bytes) -> str:
        name = f"file-{next(self._numbers)}"
        self._files[name] = content
        if len(self._files) > 3 * KEPT:
            self._files.pop(next(iter(self._files)))
        return name

    def _admit(self, request: web.Request) -> None:
        words = self._settings().key_refusal(request.headers.get("Authorization", ""))
        if words:
            raise web.HTTPUnauthorized(text=json.dumps(error_body(401, "invalid_api_key", words)))
        if not self._settings().batches.offered:
            raise web.HTTPNotFound(text=json.dumps(error_body(404, "not_found", "No Batch API here.")))


def _unanswered(line: Mapping[str, Any], cancelled: bool) -> dict[str, Any]:
    code = "batch_cancelled" if cancelled else "batch_expired"
    error = {"code": code, "message": "This request was not run before the batch ended."}
    return {"id": "", "custom_id": line["custom_id"], "response": None, "error": error}


def _found(rows: Mapping[str, Any], request: web.Request) -> Any:
    try:
        return rows[request.match_info["id"]]
    except KeyError:
        raise web.HTTPNotFound(text=json.dumps(error_body(404, "not_found", "There is no such object."))) from None


def _bad_request(message: str) -> web.HTTPBadRequest:
    return web.HTTPBadRequest(text=json.dumps(error_body(400, "invalid_request", message)))
