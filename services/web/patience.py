"""A connection on which nothing is asked is closed: uvicorn alone waits for ever once anything but a whole request has
come, and each costs a socket."""

import asyncio

from services.web.one_write import OneWriteProtocol

HEAD_WITHIN_S = 30
"""So long the head of a request may take to come: since the connection was made, since the last answer, and since its
first byte."""
_UNREADABLE = (
    b'{"type":"about:blank","title":"Bad Request","status":400,"detail":"this cannot be read as an HTTP request"}'
)


class PatientProtocol(OneWriteProtocol):
    """Counts the time only while no request waits for its answer: how long a body may take, the app says. An answer may
    come before the body that it refuses; what still comes of that is no request, either."""

    _timer: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # as uvicorn has it
        super().connection_made(transport)
        self.timeout_keep_alive = HEAD_WITHIN_S  # after an answer uvicorn counts, until the next byte
        self._begin()

    def connection_lost(self, exc: Exception | None) -> None:
        self._stop()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        super().data_received(data)
        if self.cycle is not None and not self.cycle.response_complete:
            self._stop()
        elif self._timer is None:
            self._begin()

    def send_400_response(self, msg: str) -> None:
        """To what cannot be read as a request, which no app hears of, in the form of all that goes wrong."""
        head = f"content-type: application/problem+json\r\ncontent-length: {len(_UNREADABLE)}\r\nconnection: close\r\n"
        self.transport.write(b"HTTP/1.1 400 Bad Request\r\n" + head.encode() + b"\r\n" + _UNREADABLE)
        self.transport.close()

    def _begin(self) -> None:
        self._timer = self.loop.call_later(HEAD_WITHIN_S, self.transport.close)

    def _stop(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
