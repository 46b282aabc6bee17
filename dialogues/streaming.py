"""Answers that are written out as they are read, so that memory stays flat whatever the size."""

from collections.abc import AsyncIterator, Iterator

from asgiref.sync import sync_to_async
from django.core.handlers.asgi import ASGIRequest
from django.http import HttpRequest, StreamingHttpResponse


def streamed(request: HttpRequest, chunks: Iterator[str], content_type: str) -> StreamingHttpResponse:
    """A response that holds one chunk in memory, whichever way the server runs."""
    content = _awaited(chunks) if isinstance(request, ASGIRequest) else chunks
    return StreamingHttpResponse(content, content_type=content_type)


async def _awaited(chunks: Iterator[str]) -> AsyncIterator[str]:
    step = sync_to_async(lambda: next(chunks, ""))
    while chunk := await step():
        yield chunk
