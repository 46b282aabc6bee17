"""The one door to language models: an async chat client with one vocabulary of errors. Only here is openai imported.

Nothing is retried here. An error says whether the request can have been paid for; the ledger decides what follows.
"""

import asyncio
import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from email.utils import mktime_tz, parsedate_tz
from enum import StrEnum
from time import time
from typing import Any, NoReturn, cast
from urllib.parse import urlsplit

import aiohttp
import httpx2
import openai
from aiohttp.abc import AbstractResolver, ResolveResult
from aiohttp.resolver import DefaultResolver
from openai._vendor.httpx_aiohttp import AiohttpTransport

from generation import addresses
from generation.prompts import ChatMessage

CONNECT_SECONDS = 10
LARGEST_REPLY = 8 * 2**20  # bytes of one HTTP answer
LONGEST_MESSAGE = 1000  # letters of an error that are kept
SHORTEST_SECRET = 8  # letters; a shorter key is a placeholder such as "none", and hiding it would garble replies
LONGEST_RETRY_AFTER = 3600.0  # seconds; a longer wish is cut to this
DEMO_MODEL = "demo-rules"
# Not every layer wraps what the one below raises: a server that does not speak HTTP is aiohttp's own error.
FAILURES = (openai.APIError, httpx2.HTTPError, aiohttp.ClientError, TimeoutError)


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

    def __init__(self, trouble: Trouble, message: str, retry_after: float | None = None) -> None:
        super().__init__(message)
        self.trouble = trouble
        self.message = message
        self.retry_after = retry_after  # seconds


@dataclass(frozen=True, slots=True)
class Target:
    """Where to send and how; two equal targets can share a client."""

    base_url: str
    api_key: str
    timeout: int  # seconds for a whole call
    connections: int
    allowed_hosts: tuple[str, ...]

    def __repr__(self) -> str:
        return f"Target({self.base_url!r})"


@dataclass(frozen=True, slots=True)
class Reply:
    """What came back; `text` is the first choice's content, or the body itself where it was no chat completion."""

    text: str
    finish_reason: str
    model: str
    prompt_tokens: int
    completion_tokens: int
    is_demo: bool


class _AddressRefusedError(OSError):
    """A name that resolves to where an endpoint may not be."""


class _TooLargeError(httpx2.ReadError):
    """An answer that goes on and on; asking again would bring it again."""


class _GuardedResolver(AbstractResolver):
    """Resolves names, and refuses what an endpoint's address may not be, at the moment of connecting."""

    def __init__(self) -> None:
        self._inner = DefaultResolver()

    async def resolve(self, host: str, port: int = 0, family: Any = 0) -> list[ResolveResult]:
        found = await self._inner.resolve(host, port, family)
        for result in found:
            problem = addresses.ip_problem(result["host"])
            if problem:
                raise _AddressRefusedError(f"{host} resolves to {problem}")
        return found

    async def close(self) -> None:
        await self._inner.close()


class _CappedStream(httpx2.AsyncByteStream):
    def __init__(self, inner: httpx2.AsyncByteStream) -> None:
        self._inner = inner

    async def __aiter__(self) -> Any:
        size = 0
        async for chunk in self._inner:
            size += len(chunk)
            if size > LARGEST_REPLY:
                raise _TooLargeError(f"The answer is larger than {LARGEST_REPLY // 2**20} MB.")
            yield chunk

    async def aclose(self) -> None:
        await self._inner.aclose()


class _GuardedTransport(AiohttpTransport):
    """aiohttp underneath (three times the throughput of the default), guarded names, capped answers."""

    def __init__(self, target: Target) -> None:
        super().__init__()
        self._target = target
        self.client = self._session

    def _session(self) -> aiohttp.ClientSession:
        return aiohttp.ClientSession(connector=self._connector(self._target), cookie_jar=aiohttp.DummyCookieJar())

    def _connector(self, target: Target) -> aiohttp.TCPConnector:
        parts = urlsplit(target.base_url)
        trusted = addresses.is_allowed(parts, parts.port, target.allowed_hosts)
        return aiohttp.TCPConnector(
            limit=target.connections,
            ssl=self.ssl_context,
            resolver=None if trusted else _GuardedResolver(),
            keepalive_timeout=30,
        )

    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        response = await super().handle_async_request(request)
        response.stream = _CappedStream(cast(httpx2.AsyncByteStream, response.stream))
        return response


class Client:
    """Chat with one target; make one a process and endpoint, inside the event loop that uses it."""

    def __init__(self, target: Target) -> None:
        """Raises CallError (REJECTED) for an address that an endpoint may not have."""
        problem = addresses.problem(target.base_url, target.allowed_hosts)
        if problem:
            raise CallError(Trouble.REJECTED, problem)
        self.target = target
        timeout = httpx2.Timeout(target.timeout, connect=CONNECT_SECONDS, pool=CONNECT_SECONDS)
        self._http = httpx2.AsyncClient(transport=_GuardedTransport(target), timeout=timeout, follow_redirects=False)
        self._openai = openai.AsyncOpenAI(
            api_key=target.api_key or "none",
            base_url=target.base_url,
            max_retries=0,
            timeout=timeout,
            http_client=self._http,
            default_headers={"Accept-Encoding": "identity"},
        )

    async def chat(self, messages: Sequence[ChatMessage], parameters: Mapping[str, Any]) -> Reply:
        """One request, one reply; `parameters` include the model. Raises CallError."""
        create = self._openai.chat.completions.with_raw_response.create
        body: dict[str, Any] = {**parameters, "messages": list(messages)}
        try:
            async with asyncio.timeout(self.target.timeout):
                raw = await create(**body)
        except FAILURES as error:
            self._raise_as_trouble(error)
        return read_reply(self._without_key(raw.http_response.text))

    async def model_names(self) -> list[str]:
        """What the endpoint says it offers; raises CallError."""
        try:
            async with asyncio.timeout(self.target.timeout):
                page = await self._openai.models.list()
        except FAILURES as error:
            self._raise_as_trouble(error)
        return [model.id for model in page.data or []]

    async def close(self) -> None:
        await self._openai.close()

    def _raise_as_trouble(self, error: Exception) -> NoReturn:
        found = classify(error)
        # A status line may hold any byte, and the words go into the ledger.
        found.message = storable(self._without_key(found.message))[:LONGEST_MESSAGE]
        raise found from None

    def _without_key(self, text: str) -> str:
        """Some servers send the key back to whoever they answer."""
        key = self.target.api_key
        return text.replace(key, "[key]") if len(key) >= SHORTEST_SECRET else text


def read_reply(body: str) -> Reply:
    """The parts of a chat completion that matter, whatever shape the body has; never raises."""
    try:
        document = json.loads(body)
    except (ValueError, RecursionError):
        document = None
    if not isinstance(document, dict):
        return Reply(storable(body), "malformed", "", 0, 0, is_demo=False)
    choice = _first(document.get("choices"))
    message = choice.get("message")
    content = message.get("content") if isinstance(message, dict) else None
    usage = document.get("usage")
    usage = usage if isinstance(usage, dict) else {}
    model = _text(document.get("model"))
    return Reply(
        text=storable(content) if isinstance(content, str) else "",
        finish_reason=(_text(choice.get("finish_reason")) if choice else "no_choices")[:40],
        model=model[:200],
        prompt_tokens=_count(usage.get("prompt_tokens")),
        completion_tokens=_count(usage.get("completion_tokens")),
        is_demo=DEMO_MODEL in (model, _text(document.get("system_fingerprint"))),
    )


def classify(error: Exception) -> CallError:
    """openai's and aiohttp's exceptions in our vocabulary."""
    if isinstance(error, openai.APIStatusError):
        return _status_trouble(error)
    # The last cause first: aiohttp wraps what our own resolver raised.
    for cause in reversed(_chain(error)):
        if isinstance(cause, (_AddressRefusedError, _TooLargeError)):
            return CallError(Trouble.REJECTED, str(cause))
        if isinstance(cause, (aiohttp.ClientConnectorError, aiohttp.ConnectionTimeoutError)):
            return CallError(Trouble.PROVIDER, f"The endpoint could not be reached: {cause}")
    detail = next((str(cause) for cause in reversed(_chain(error)) if str(cause)), type(error).__name__)
    if isinstance(error, TimeoutError):
        detail = "no answer within the endpoint's time limit"
    return CallError(Trouble.AMBIGUOUS, f"The connection broke after the request was sent: {detail}")


def storable(text: str) -> str:
    """Without NUL and lone surrogates, which a database cannot hold."""
    return text.replace("\x00", "").encode("utf-8", "replace").decode()


def _status_trouble(error: openai.APIStatusError) -> CallError:
    status, words = error.status_code, f"HTTP {error.status_code}: {storable(error.message)[:500]}"
    if status == 402 or (status == 429 and "insufficient_quota" in (error.code, error.type)):
        return CallError(Trouble.QUOTA, words)
    if status == 429:
        return CallError(Trouble.RATE_LIMITED, words, _retry_after(error.response.headers))
    if status in (401, 403):
        return CallError(Trouble.AUTH, words)
    if status in (408, 409) or status >= 500:
        return CallError(Trouble.PROVIDER, words, _retry_after(error.response.headers))
    if 300 <= status < 400:
        return CallError(Trouble.REJECTED, f"HTTP {status}: the endpoint redirects; redirects are not followed.")
    return CallError(Trouble.REJECTED, words)


def _retry_after(headers: Mapping[str, str]) -> float | None:
    """Seconds to wait, from `retry-after-ms` or `Retry-After` (seconds or a date); None where neither is usable."""
    for name, divisor in (("retry-after-ms", 1000), ("retry-after", 1)):
        try:
            seconds = float(headers.get(name, "")) / divisor
        except ValueError:
            continue
        if math.isfinite(seconds):
            return min(max(seconds, 0.0), LONGEST_RETRY_AFTER)
    date = parsedate_tz(headers.get("retry-after", ""))
    return min(max(mktime_tz(date) - time(), 0.0), LONGEST_RETRY_AFTER) if date else None


def _chain(error: BaseException) -> list[BaseException]:
    found: list[BaseException] = []
    current: BaseException | None = error
    while current is not None and current not in found:
        found.append(current)
        current = current.__cause__ or current.__context__
    return found


def _first(choices: object) -> dict[str, Any]:
    return choices[0] if isinstance(choices, list) and choices and isinstance(choices[0], dict) else {}


def _text(value: object) -> str:
    return storable(value) if isinstance(value, str) else ""


def _count(value: object) -> int:
    return value if isinstance(value, int) and not isinstance(value, bool) and 0 <= value < 2**31 else 0
