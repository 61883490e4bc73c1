"""A connection whose request does not begin, or whose head comes byte by byte, is closed: uvicorn alone waits for ever,
and each costs a socket."""

import asyncio

from services.web.one_write import OneWriteProtocol

HEAD_WITHIN_S = 30.0


class PatientProtocol(OneWriteProtocol):
    """Counts the time only while a head is awaited or incomplete; uvicorn counts the pause between two requests, and
    the app the time of a body."""

    _in_head = True
    _timer: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # as uvicorn has it
        super().connection_made(transport)
        self._timer = self.loop.call_later(HEAD_WITHIN_S, self.transport.close)

    def connection_lost(self, exc: Exception | None) -> None:
        self._stop()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        super().data_received(data)
        if not self._in_head:
            self._stop()
        elif self._timer is None:
            self._timer = self.loop.call_later(HEAD_WITHIN_S, self.transport.close)

    def on_message_begin(self) -> None:
        self._in_head = True
        super().on_message_begin()

    def on_headers_complete(self) -> None:
        self._in_head = False
        super().on_headers_complete()

    def _stop(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
