"""The only way to language models: an async client that maps every error to `Trouble`. Nothing else imports openai.

Nothing is retried here. An error says whether the request may have been paid for; the ledger decides what follows.
"""

import asyncio
import ssl
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from time import time
from typing import Any, BinaryIO, NoReturn
from urllib.parse import urlsplit

import aiohttp
import httpx2
import openai
from aiohttp.abc import AbstractResolver, ResolveResult
from aiohttp.resolver import DefaultResolver
from django.conf import settings
from openai._vendor.httpx_aiohttp import AiohttpTransport

from generation.endpoints import addresses
from generation.endpoints.answers import CallError, Refusal, Reply, Trouble, read_reply, refused, storable
from generation.endpoints.batch_lines import CHAT, BatchInfo, BatchPage, id_of, read_batch, read_page
from generation.endpoints.capped import AnswerRefusedError, cap
from generation.endpoints.keys import without_secret
from generation.endpoints.offers import Offer, read_offers
from generation.endpoints.streamed import StreamedAnswer
from generation.models import Endpoint
from generation.prompts import ChatMessage

__all__ = ["CallError", "Client", "Reply", "Target", "Trouble", "classify", "read_reply", "storable"]
CONNECT_SECONDS = 10
FILE_SECONDS = 300  # for a file to go up or come down
LARGEST_REPLY = 8 * 2**20  # bytes of one HTTP answer
LARGEST_FILE = 2**30  # bytes of a file of results
LONGEST_MESSAGE = 1000  # letters of an error that are kept
# Not every layer wraps the errors of the one below: a server that does not speak HTTP raises an error of aiohttp.
FAILURES = (openai.APIError, httpx2.HTTPError, aiohttp.ClientError, TimeoutError)
CLIENTS_KEPT = 32


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

    def without_key(self, text: str) -> str:
        """What a server sent, without the key that we sent it."""
        return without_secret(text, self.api_key)


class _AddressRefusedError(OSError):
    """A name resolves to an address that an endpoint may not have."""


class _GuardedResolver(AbstractResolver):
    """Resolves names when connecting, and refuses addresses that an endpoint may not have."""

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


@cache
def _trust() -> ssl.SSLContext:
    """The machine's certificates, read once a process: reading them takes longer than the rest of making a client."""
    return httpx2.create_ssl_context()


class _GuardedTransport(AiohttpTransport):
    """aiohttp (three times the throughput of the default transport), with guarded names and capped answers."""

    def __init__(self, target: Target) -> None:
        super().__init__(verify=_trust())
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
        # Only files of results may be large.
        most = LARGEST_FILE if request.url.path.endswith("/content") else LARGEST_REPLY
        cap(response, most)
        return response


class Client:
    """Chats with one target; make one for each process and endpoint, inside the event loop that uses it."""

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
        self._create = self._openai.chat.completions.with_raw_response.create

    async def chat(self, messages: Sequence[ChatMessage], parameters: Mapping[str, Any]) -> Reply:
        """One request, one reply; `parameters` include the model. Raises CallError."""
        # As extra body: openai's walk through every message by its type would nearly double the CPU time of a call.
        body: dict[str, Any] = {**parameters, "messages": list(messages)}
        try:
            async with asyncio.timeout(self.target.timeout):
                raw = await self._create(model=body["model"], messages=(), extra_body=body)
        except FAILURES as error:
            self._raise_as_trouble(error)
        answer = read_reply(self.target.without_key(raw.http_response.text), raw.http_response.headers, time())
        if isinstance(answer, CallError):
            raise answer
        return answer

    async def stream(
        self, messages: Sequence[ChatMessage], parameters: Mapping[str, Any], take: Callable[[str], None]
    ) -> Reply:
        """Like `chat`, but the reply's text is handed to `take` piece by piece as it comes. Cancel it to break off.

        An endpoint that answers in one piece gives one piece. Raises CallError.
        """
        usage = {"stream": True, "stream_options": {"include_usage": True}}
        body: dict[str, Any] = {**parameters, **usage, "messages": list(messages)}
        create = self._openai.chat.completions.with_streaming_response.create
        received = StreamedAnswer(take)
        try:
            async with asyncio.timeout(self.target.timeout):
                async with create(model=body["model"], messages=(), extra_body=body) as raw:
                    async for text in raw.iter_text():
                        received.add(text)
        except FAILURES as error:
            self._raise_as_trouble(error)
        answer = read_reply(self.target.without_key(received.finish()), raw.headers, time())
        if isinstance(answer, CallError):
            raise answer
        if not received.told and answer.text:
            take(answer.text)
        return answer

    async def offers(self) -> list[Offer]:
        """The models that the endpoint says it offers; raises CallError."""
        return read_offers(await self._asked(self._openai.models.with_raw_response.list, self.target.timeout))

    async def upload(self, name: str, lines: BinaryIO) -> str:
        """Upload a file of batch requests; returns its id. Raises CallError."""
        create = self._openai.files.with_raw_response.create
        body = await self._asked(lambda: create(file=(name, lines), purpose="batch"))
        return id_of(body) or self._unexpected(body)

    async def create_batch(self, file_id: str, metadata: Mapping[str, str]) -> BatchInfo:
        """Create a batch from an uploaded file; from then on its requests may be paid for. Raises CallError."""
        create = self._openai.batches.with_raw_response.create
        body = await self._asked(
            lambda: create(input_file_id=file_id, endpoint=CHAT, completion_window="24h", metadata=dict(metadata))
        )
        return read_batch(body) or self._unexpected(body)

    async def batch(self, batch_id: str) -> BatchInfo:
        """How far a batch is. Raises CallError."""
        body = await self._asked(lambda: self._openai.batches.with_raw_response.retrieve(batch_id))
        return read_batch(body) or self._unexpected(body)

    async def batches(self, *, after: str = "", most: int = 100) -> BatchPage:
        """The account's batches, newest first, from behind the one named. Raises CallError."""
        place: dict[str, Any] = {"after": after} if after else {}
        body = await self._asked(lambda: self._openai.batches.with_raw_response.list(limit=most, **place))
        return read_page(body) or self._unexpected(body)

    async def cancel_batch(self, batch_id: str) -> BatchInfo:
        """Cancel a batch; what was answered until then is paid for and can be fetched. Raises CallError."""
        body = await self._asked(lambda: self._openai.batches.with_raw_response.cancel(batch_id))
        return read_batch(body) or self._unexpected(body)

    async def download(self, file_id: str, into: BinaryIO) -> None:
        """Fetch a file of results. Raises CallError."""
        try:
            async with asyncio.timeout(FILE_SECONDS):
                async with self._openai.files.with_streaming_response.content(file_id, timeout=FILE_SECONDS) as found:
                    async for chunk in found.iter_bytes():
                        into.write(chunk)
        except FAILURES as error:
            self._raise_as_trouble(error)

    async def close(self) -> None:
        await self._openai.close()

    async def _asked(self, send: Callable[[], Awaitable[Any]], seconds: int = FILE_SECONDS) -> str:
        """The body of an answer, without the key."""
        try:
            async with asyncio.timeout(seconds):
                raw = await send()
        except FAILURES as error:
            self._raise_as_trouble(error)
        return self.target.without_key(raw.http_response.text)

    def _unexpected(self, body: str) -> NoReturn:
        """An answer with the right status and the wrong shape: the server may have done what was asked."""
        raise CallError(Trouble.AMBIGUOUS, f"The endpoint answered, but not as the Batch API does: {body[:200]}")

    def _raise_as_trouble(self, error: Exception) -> NoReturn:
        found = classify(error)
        # A status line may hold any byte, and the message goes into the ledger.
        found.message = storable(self.target.without_key(found.message))[:LONGEST_MESSAGE]
        raise found from None


def classify(error: Exception) -> CallError:
    """Map an exception of openai or aiohttp to a CallError."""
    if isinstance(error, openai.APIStatusError):
        headers = error.response.headers
        return refused(Refusal(error.status_code, error.body or error.message, headers, time()))
    # Innermost cause first: aiohttp wraps what our own resolver raised.
    for cause in reversed(_chain(error)):
        if isinstance(cause, (_AddressRefusedError, AnswerRefusedError)):
            return CallError(Trouble.REJECTED, str(cause))
        if isinstance(cause, (aiohttp.ClientConnectorError, aiohttp.ConnectionTimeoutError)):
            return CallError(Trouble.PROVIDER, f"The endpoint could not be reached: {cause}")
    detail = next((str(cause) for cause in reversed(_chain(error)) if str(cause)), type(error).__name__)
    if isinstance(error, TimeoutError):
        detail = "no answer within the endpoint's time limit"
    return CallError(Trouble.AMBIGUOUS, f"The connection broke after the request was sent: {detail}")


def _chain(error: BaseException) -> list[BaseException]:
    found: list[BaseException] = []
    current: BaseException | None = error
    while current is not None and current not in found:
        found.append(current)
        current = current.__cause__ or current.__context__
    return found


class Clients:
    """Clients made once and kept from task to task; they belong to the event loop that first sends with them."""

    def __init__(self) -> None:
        self._kept: dict[Target, Client] = {}

    def get(self, target: Target) -> Client:
        """The same client as long as address, key and limits stay, else a new one. Raises CallError."""
        client = self._kept.pop(target, None) or Client(target)
        self._kept[target] = client  # the last used stands last
        return client

    async def close_oldest(self) -> None:
        """Keep the CLIENTS_KEPT last used; call it while nothing is in flight."""
        for target in list(self._kept)[:-CLIENTS_KEPT]:
            await self._kept.pop(target).close()

    async def close(self) -> None:
        while self._kept:
            _, client = self._kept.popitem()
            await client.close()


def target_of(endpoint: Endpoint) -> Target:
    """The client's view of an endpoint; raises KeysMissingError if the stored key cannot be decrypted."""
    return Target(
        base_url=endpoint.base_url,
        api_key=endpoint.api_key(),
        timeout=endpoint.timeout_seconds,
        connections=endpoint.max_in_flight + 1,
        allowed_hosts=tuple(settings.ENDPOINT_ALLOWED_HOSTS),
    )
