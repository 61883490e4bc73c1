"""How a body is read: no more of it than is allowed, and to its end where its sender would else miss the answer."""

import gzip
import tracemalloc
from collections.abc import MutableMapping
from typing import Any

import pytest

from services.ingest.channels.body import Body, InFlight, Sent
from services.ingest.settings import Limits
from services.web.asgi import Problem, Receive, Scope


class Client:
    """Sends these parts; `asked`: how often for another one."""

    def __init__(self, *parts: MutableMapping[str, Any]) -> None:
        self.parts, self.asked = list(parts), 0

    async def receive(self) -> MutableMapping[str, Any]:
        self.asked += 1
        return {"type": "http.request", **self.parts.pop(0)}


def scope(version: str = "1.1", **headers: str) -> Scope:
    given = [(name.replace("_", "-").encode(), value.encode()) for name, value in headers.items()]
    return {"type": "http", "http_version": version, "headers": given}


async def read(receive: Receive, limits: Limits, **headers: str) -> bytes:
    return await Body(InFlight(limits), limits).read(scope(**headers), receive)


def test_no_more_requests_are_in_flight_than_are_allowed_however_many_have_come_and_gone() -> None:
    in_flight = InFlight(Limits(max_requests_in_flight=2))
    for _ in range(3):
        in_flight.enter()
        in_flight.enter()
        with pytest.raises(Problem):
            in_flight.enter()
        in_flight.leave(0)
        in_flight.leave(0)


def test_bytes_are_refused_before_they_are_too_many_and_what_is_refused_is_not_held() -> None:
    in_flight = InFlight(Limits(max_bytes_in_flight=10))
    in_flight.hold(6)
    with pytest.raises(Problem):
        in_flight.hold(5)
    in_flight.hold(4)
    in_flight.leave(6)
    in_flight.hold(6)


async def test_a_part_that_does_not_say_that_more_follows_is_the_last_one() -> None:
    client = Client({"body": b"[", "more_body": True}, {"body": b"]"})
    sent = Sent(scope(), client.receive)
    assert await read(sent.receive, Limits()) == b"[]"
    assert sent.whole


@pytest.mark.parametrize("room", [0, 1, 1_000])
async def test_a_gzip_bomb_is_never_unpacked_however_little_room_is_left_where_it_begins(room: int) -> None:
    honest = b" " * 50_000
    client = Client({"body": gzip.compress(honest) + gzip.compress(b" " * 20_000_000)})
    tracemalloc.start()
    try:
        with pytest.raises(Problem):
            await read(client.receive, Limits(max_body_bytes=len(honest) + room), content_encoding="gzip")
        _, most = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert most < 1_000_000


@pytest.mark.parametrize(("given", "asked"), [
    (scope(connection="close"), 2), (scope(connection="keep-alive, Close"), 2), (scope("1.0"), 2),
    (scope(), 0), (scope(connection="keep-alive"), 0),
    (scope(connection="close", expect="100-continue"), 0),
])  # fmt: skip
async def test_what_still_comes_is_read_where_the_connection_ends_with_the_answer_and_the_sender_was_not_asked_to_wait(
    given: Scope, asked: int
) -> None:
    client = Client({"body": b"a", "more_body": True}, {"body": b"b"}, {"body": b"of the next request"})
    await Sent(given, client.receive).throw_away(60.0)
    assert client.asked == asked
