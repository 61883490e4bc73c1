"""A connection on which nothing is asked is closed, and so is one whose request has no end of header lines: uvicorn
alone waits for ever once anything but a whole request has come, and keeps all of it."""

import asyncio
from http import HTTPStatus

import msgspec

from services.web.one_write import OneWriteProtocol

HEAD_WITHIN_S = 30
"""So long the head of a request may take to come: since the connection was made, since the last answer, and since its
first byte."""
MAX_HEAD_BYTES = 64 * 1024
"""Of the request line with all header lines, and of what follows a body; a read of the socket more may come."""


class PatientProtocol(OneWriteProtocol):
    """Counts the time only while no request waits for its answer: how long a body may take, the app says. An answer may
    come before the body that it refuses; what still comes of that is no request, either."""

    _timer: asyncio.TimerHandle | None = None
    _kept = 0
    """Bytes that have come since the last head, piece of a body, or end of a request."""

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # as uvicorn has it
        super().connection_made(transport)
        self.timeout_keep_alive = HEAD_WITHIN_S  # after an answer uvicorn counts, until the next byte
        self._begin()

    def connection_lost(self, exc: Exception | None) -> None:
        self._stop()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        self._kept += len(data)
        super().data_received(data)
        if self._kept > MAX_HEAD_BYTES:
            self._refuse(HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE, f"header lines may take {MAX_HEAD_BYTES} bytes")
        elif self._awaits_answer:
            self._stop()
        elif self._timer is None:
            self._begin()

    def on_headers_complete(self) -> None:
        self._kept = 0
        super().on_headers_complete()

    def on_body(self, body: bytes) -> None:
        self._kept = 0
        super().on_body(body)

    def on_message_complete(self) -> None:
        self._kept = 0
        super().on_message_complete()

    def send_400_response(self, msg: str) -> None:
        self._refuse(HTTPStatus.BAD_REQUEST, "this cannot be read as an HTTP request")

    @property
    def _awaits_answer(self) -> bool:
        return self.cycle is not None and not self.cycle.response_complete

    def _refuse(self, status: HTTPStatus, detail: str) -> None:
        """No app hears of it; the answer has the form of all that goes wrong. Nothing is said amid another answer."""
        if not self._awaits_answer and not self.transport.is_closing():
            body = msgspec.json.encode(
                {"type": "about:blank", "title": status.phrase, "status": status.value, "detail": detail}
            )
            head = f"content-type: application/problem+json\r\ncontent-length: {len(body)}\r\nconnection: close\r\n\r\n"
            self.transport.write(f"HTTP/1.1 {status.value} {status.phrase}\r\n{head}".encode() + body)
        self.transport.close()

    def _begin(self) -> None:
        self._timer = self.loop.call_later(HEAD_WITHIN_S, self.transport.close)

    def _stop(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
