"""Limit the size of answers while they come in, counted after unpacking.

Our clients ask for unpacked answers (`Accept-Encoding: identity`), but a server may send what it likes: 300 kB of gzip
can hold 300 MB. The HTTP library would unpack each packet whole before we could count.
"""

import zlib
from collections.abc import AsyncIterator, Iterator

import httpx2

PIECE = 2**16  # bytes that are unpacked at a time
# How zlib is told what to expect: a gzip header, a zlib header.
WINDOW_BITS = {"gzip": 31, "x-gzip": 31, "deflate": 15}


class AnswerRefusedError(httpx2.ReadError):
    """An answer that we do not read to its end; asking again would bring the same."""


def cap(response: httpx2.Response, most: int) -> None:
    """Limit the unpacked body to `most` bytes; reading more raises AnswerRefusedError.

    So does an encoding that cannot be unpacked piece by piece.
    """
    encoding = response.headers.get("content-encoding", "identity").strip().lower()
    stream = response.stream
    assert isinstance(stream, httpx2.AsyncByteStream)
    response.stream = _CappedStream(stream, encoding or "identity", most)
    # The stream yields unpacked bytes, so these headers no longer hold.
    for name in ("content-encoding", "content-length") if encoding in WINDOW_BITS else ():
        response.headers.pop(name, None)


class _CappedStream(httpx2.AsyncByteStream):
    def __init__(self, inner: httpx2.AsyncByteStream, encoding: str, most: int) -> None:
        self._inner, self._encoding, self._most = inner, encoding, most

    async def __aiter__(self) -> AsyncIterator[bytes]:
        size = 0
        async for piece in self._unpacked():
            size += len(piece)
            if size > self._most:
                raise AnswerRefusedError(f"The answer is larger than {self._most // 2**20} MB.")
            yield piece

    async def _unpacked(self) -> AsyncIterator[bytes]:
        if self._encoding == "identity":
            async for chunk in self._inner:
                yield chunk
            return
        if self._encoding not in WINDOW_BITS:
            raise AnswerRefusedError(
                f"The answer is packed as {self._encoding[:40]!r}, although it was asked for unpacked. "
                "Switch compression off at the endpoint or at the proxy in front of it."
            )
        inflater = _Inflater(self._encoding)
        async for chunk in self._inner:
            for piece in inflater.unpack(chunk):
                yield piece
        if not inflater.is_done:
            raise httpx2.ReadError("The compressed answer broke off before its end.")

    async def aclose(self) -> None:
        await self._inner.aclose()


class _Inflater:
    def __init__(self, encoding: str) -> None:
        self._encoding, self._has_begun = encoding, False
        self._zlib = zlib.decompressobj(WINDOW_BITS[encoding])

    @property
    def is_done(self) -> bool:
        """Whether the end was reached; an empty body has none."""
        return self._zlib.eof or not self._has_begun

    def unpack(self, chunk: bytes) -> Iterator[bytes]:
        """Yield at most `PIECE` bytes at a time; raises AnswerRefusedError if the data is not packed as it claims."""
        self._choose(chunk)
        try:
            while not self._zlib.eof:
                piece = self._zlib.decompress(chunk, PIECE)
                yield piece
                chunk = self._zlib.unconsumed_tail
                # After a full piece, zlib may hold more output.
                if not chunk and len(piece) < PIECE:
                    return
        except zlib.error:
            raise AnswerRefusedError(f"The answer claims to be compressed as {self._encoding}, but is not.") from None

    def _choose(self, first: bytes) -> None:
        """Some servers send deflate without the header that the standard asks for, whose first byte ends in 8."""
        if self._encoding == "deflate" and not self._has_begun and first[:1] and first[0] & 15 != zlib.DEFLATED:
            self._zlib = zlib.decompressobj(-15)
        self._has_begun = self._has_begun or bool(first)
