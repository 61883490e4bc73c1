"""Reads a request's body without ever holding more than is allowed: limits, gzip, back-pressure."""

import asyncio
import zlib
from collections.abc import Callable, MutableMapping
from contextlib import suppress
from typing import Any

from services.ingest.settings import Limits
from services.web.asgi import Problem, Receive, Scope, header

_GZIP = ("gzip", "x-gzip")  # one and the same (RFC 9110, 8.4.1.3)
_GZIP_WINDOW = 16 + zlib.MAX_WBITS


class Sent:
    """What a client sends. `whole`: its body has come to its end."""

    def __init__(self, scope: Scope, receive: Receive) -> None:
        self._scope, self._receive = scope, receive
        self.whole = False

    async def receive(self) -> MutableMapping[str, Any]:
        message = await self._receive()
        self.whole = not message.get("more_body", False)
        return message

    async def throw_away(self, within_s: float) -> None:
        """What still comes, before an answer that ends the connection: closed in the middle of its body, most clients
        would never see it. On a connection that stays the server does so by itself."""
        if not _ends_with_its_answer(self._scope) or header(self._scope, b"expect"):
            return  # who waits to be asked for a body sends none where the answer comes instead
        with suppress(TimeoutError):
            async with asyncio.timeout(within_s):
                while not self.whole:
                    await self.receive()


def _ends_with_its_answer(scope: Scope) -> bool:
    options = header(scope, b"connection").lower().split(",")
    return scope["http_version"] == "1.0" or "close" in map(str.strip, options)


class Disconnected(Exception):  # noqa: N818 - an outcome, nobody's mistake
    """The client went away before its body was complete: nobody waits for an answer."""


class InFlight:
    """What this process holds at once. Beyond it clients are told to wait: memory is the first thing to run out."""

    def __init__(self, limits: Limits) -> None:
        self._limits = limits
        self.requests = self.bytes = 0

    def enter(self) -> None:
        """Raises `Problem` 503."""
        if self.requests >= self._limits.max_requests_in_flight:
            raise _busy()
        self.requests += 1

    def hold(self, count: int) -> None:
        """Raises `Problem` 503."""
        if self.bytes + count > self._limits.max_bytes_in_flight:
            raise _busy()
        self.bytes += count

    def leave(self, held: int) -> None:
        self.requests -= 1
        self.bytes -= held


class Body:
    """`held`: the bytes to be given back to `InFlight`."""

    def __init__(self, in_flight: InFlight, limits: Limits) -> None:
        self._in_flight, self._limits = in_flight, limits
        self.held = 0

    async def read(self, scope: Scope, receive: Receive) -> bytes:
        """The body, decompressed. Raises `Problem` 400, 408, 413, 415, 503, and `Disconnected`."""
        encoding = header(scope, b"content-encoding").lower()
        if encoding not in ("", "identity", *_GZIP):
            raise Problem(415, "Content-Encoding gzip or none is expected", {"accept-encoding": "gzip"})
        declared = header(scope, b"content-length")
        if declared.isdigit() and int(declared) > self._limits.max_body_bytes:
            raise self._too_large()
        take = _Gunzip(self._limits.max_body_bytes, self._too_large) if encoding in _GZIP else None
        try:
            async with asyncio.timeout(self._limits.body_timeout_s):
                body = await self._chunks(receive, take)
        except TimeoutError:
            raise Problem(408, "the body did not arrive in time", {"connection": "close"}) from None
        return body if take is None else take.finish()

    async def _chunks(self, receive: Receive, gunzip: "_Gunzip | None") -> bytes:
        chunks: list[bytes] = []
        size = 0
        while True:
            message = await receive()
            if message["type"] == "http.disconnect":
                raise Disconnected
            chunk = message.get("body", b"")
            size += len(chunk)
            if size > self._limits.max_body_bytes:
                raise self._too_large()
            self._hold(len(chunk))
            if gunzip is None:
                chunks.append(chunk)
            else:
                self._hold(gunzip.feed(chunk))
            if not message.get("more_body", False):
                return b"".join(chunks)

    def _hold(self, count: int) -> None:
        self._in_flight.hold(count)
        self.held += count

    def _too_large(self) -> Problem:
        return Problem(413, f"a body has at most {self._limits.max_body_bytes} bytes")


class _Gunzip:
    """Decompresses chunk by chunk and stops at the limit: a gzip bomb costs no more than an honest body of that
    size."""

    def __init__(self, limit: int, too_large: Callable[[], Problem]) -> None:
        self._limit, self._too_large = limit, too_large
        self._inflate = zlib.decompressobj(_GZIP_WINDOW)
        self._chunks: list[bytes] = []
        self._size = 0

    def feed(self, packed: bytes) -> int:
        """The number of bytes that came out. Several gzip members in a row are one body (RFC 1952)."""
        before = self._size
        while packed:
            if self._inflate.eof:
                self._inflate = zlib.decompressobj(_GZIP_WINDOW)
            try:
                chunk = self._inflate.decompress(packed, self._limit - self._size + 1)
            except zlib.error:
                raise Problem(400, "the body is not valid gzip") from None
            self._chunks.append(chunk)
            self._size += len(chunk)
            if self._size > self._limit:
                raise self._too_large()
            packed = self._inflate.unused_data  # below the limit everything of a member is consumed
        return self._size - before

    def finish(self) -> bytes:
        if not self._inflate.eof:
            raise Problem(400, "the gzip body is truncated")
        return b"".join(self._chunks)


def _busy() -> Problem:
    return Problem(503, "too much is in flight: try again", {"retry-after": "1"})
