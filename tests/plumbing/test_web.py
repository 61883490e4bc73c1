"""The server as clients meet it on a real socket: it answers, tells its health, and stops without dropping anybody."""

import asyncio
import socket
from collections.abc import AsyncIterator, Iterable, Mapping

import httpx
import msgspec
import pytest
from litestar import Litestar, post
from litestar.params import JSONBody

from services.access import Access, User, create_user
from services.notifications import LocalNotifications
from services.web import live, patience, staff
from services.web.asgi import App, Receive, Response, Scope, Send, fixed, json_response, operations, routes, serve
from services.web.live import HEARTBEAT, Live
from services.web.one_write import OneWrite
from services.web.problems import handlers
from tests.ingest.bank import encoded, open_bank, transaction
from tests.patience import HANG_S
from tests.users import MemoryUserStore


async def _get(app: App, path: str, method: str = "GET") -> httpx.Response:
    transport = httpx.ASGITransport(app=app)
    async with httpx.AsyncClient(transport=transport, base_url="http://bank.test") as client:
        return await client.request(method, path)


def _health(found: Mapping[str, str | None]) -> App:
    async def check_log() -> str | None:
        return found["log"]

    return routes(operations({"log": check_log}, lambda: (b"x 1\n", "text/plain")))


async def test_ready_says_what_is_wrong() -> None:
    assert (await _get(_health({"log": None}), "/health/ready")).status_code == 200
    answer = await _get(_health({"log": "the log is away"}), "/health/ready")
    assert (answer.status_code, answer.json()["checks"]) == (503, {"log": "the log is away"})


async def test_live_and_metrics_need_no_check() -> None:
    app = _health({"log": "away"})
    assert (await _get(app, "/health/live")).status_code == 200
    assert (await _get(app, "/metrics")).text == "x 1\n"


async def test_an_unknown_path_and_a_wrong_method_are_problems() -> None:
    app = routes({"/a": fixed(json_response({})), **operations({}, lambda: (b"x 1\n", "text/plain"))})
    wrong = [await _get(app, path, "DELETE") for path in ("/a", "/health/live", "/health/ready", "/metrics")]
    assert {answer.headers["allow"] for answer in wrong} == {"GET, HEAD"}
    for answer, status in ((await _get(app, "/b"), 404), *((answer, 405) for answer in wrong)):
        assert answer.status_code == status
        assert answer.headers["content-type"] == "application/problem+json"
        assert answer.json()["status"] == status


async def test_a_server_told_to_stop_while_it_starts_leaves_nothing_behind() -> None:
    starting = asyncio.create_task(serve(routes({})))
    await asyncio.sleep(0)
    starting.cancel()
    await asyncio.wait([starting])
    assert starting.cancelled()
    assert not [task for task in asyncio.all_tasks() if task.get_name() == "web server"]


async def test_events_are_accepted_over_a_real_socket() -> None:
    bank = await open_bank()
    server = await serve(routes(bank.ingest.routes))
    try:
        async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{server.port}") as client:
            headers = {"authorization": f"Bearer {bank.key}", "content-type": "application/json"}
            answer = await client.post("/v1/events", content=encoded(transaction()), headers=headers)
            large = await client.post("/v1/events", content=b" " * (9 << 20), headers=headers)
    finally:
        await server.stop()
    assert answer.status_code == 202
    assert large.status_code == 413
    assert [event.id for event in bank.log.events()] == ["t-1"]


async def _spoken(port: int, *said: bytes) -> bytes:
    """All that comes back until the server closes the connection."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    try:
        for piece in said:
            writer.write(piece)
            await writer.drain()
        async with asyncio.timeout(HANG_S):
            return await reader.read()
    finally:
        writer.close()


@pytest.mark.parametrize("closing", ["1.1\r\nConnection: close", "1.1\r\nConnection: TE, Close", "1.0"])
async def test_why_a_body_is_refused_reaches_a_client_that_closes_after_it(closing: str) -> None:
    bank = await open_bank()
    server = await serve(routes(bank.ingest.routes))
    size = 9 << 20
    head = (
        f"POST /v1/events HTTP/{closing}\r\nHost: bank\r\nContent-Type: application/json\r\n"
        f"Content-Length: {size}\r\nAuthorization: Bearer "
    )
    try:
        large = await _spoken(server.port, f"{head}{bank.key}\r\n\r\n".encode(), *[b" " * (1 << 20)] * 9)
        unknown = await _spoken(server.port, f"{head}nobody\r\n\r\n".encode(), *[b" " * (1 << 20)] * 9)
    finally:
        await server.stop()
    assert large.startswith(b"HTTP/1.1 413 ")
    assert unknown.startswith(b"HTTP/1.1 401 ")


@pytest.mark.parametrize("said", [
    b"FOO / HTTP/1.1\r\n\r\n", b"GET /a b HTTP/1.1\r\n\r\n", b"GET /" + b"a" * 70_000 + b" HTTP/1.1\r\n\r\n",
    b"GET / HTTP/1.1\r\nHost : a\r\n\r\n", b"GET / HTTP/1.1\nHost: a\n\n", b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
])  # fmt: skip
async def test_what_cannot_be_read_as_a_request_is_a_problem_as_well(said: bytes) -> None:
    server = await serve(routes({}))
    try:
        answer = await _spoken(server.port, said)
    finally:
        await server.stop()
    head, _, body = answer.partition(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 400 ")
    assert b"application/problem+json" in head
    assert msgspec.json.decode(body)["status"] == 400


@pytest.mark.parametrize("said", [
    b"GET / HTTP/1.1\r\n" + b"a: b\r\n" * 11_000, b"GET / HTTP/1.1\r\nHost: " + b"a" * 66_000, b"GET /" + b"a" * 66_000,
], ids=["lines", "one line", "path"])  # fmt: skip
async def test_a_head_without_an_end_is_refused_before_it_fills_the_memory(said: bytes) -> None:
    server = await serve(routes({}))
    try:
        answer = await _spoken(server.port, said)
    finally:
        await server.stop()
    head, _, body = answer.partition(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 431 ")
    assert msgspec.json.decode(body)["detail"] == "header lines may take 65536 bytes"


@pytest.mark.parametrize(("lines", "answered"), [(1, True), (11_000, False)])
async def test_lines_without_an_end_after_a_body_end_the_connection(lines: int, answered: bool) -> None:
    begun = asyncio.Event()

    async def reads(scope: Scope, receive: Receive, send: Send) -> None:
        while (await receive()).get("more_body"):
            begun.set()
        await Response(200, b"done").send(send)

    server = await serve(routes({"/": reads}))
    reader, writer = await asyncio.open_connection("127.0.0.1", server.port)
    try:
        async with asyncio.timeout(HANG_S):
            writer.write(
                b"POST / HTTP/1.1\r\nHost: a\r\nConnection: close\r\nTransfer-Encoding: chunked\r\n\r\n1\r\na\r\n"
            )
            await begun.wait()
            writer.write(b"0\r\n" + b"a: b\r\n" * lines + b"\r\n" * answered)
            answer = await reader.read()
    finally:
        writer.close()
        await server.stop()
    assert answer.endswith(b"done") is answered


@pytest.mark.parametrize("said", [b"", b"GET / HT", b"GET / HTTP/1.1\r\nHost: a\r\n\r\nGET / HTTP/1.1\r\nHo"])
async def test_a_head_that_does_not_come_in_time_ends_its_connection(
    said: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(patience, "HEAD_WITHIN_S", 0.2)
    server = await serve(routes({"/": fixed(Response(200, b"done"))}))
    try:
        answered = await _spoken(server.port, said)
    finally:
        await server.stop()
    assert answered.count(b"200 OK") == said.count(b"\r\n\r\n")


async def test_a_client_that_was_refused_before_its_body_came_is_not_waited_for_for_ever(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(patience, "HEAD_WITHIN_S", 0.2)

    async def refuse(scope: Scope, receive: Receive, send: Send) -> None:
        await Response(401, b"refused").send(send)

    server = await serve(routes({"/": refuse}))
    reader, writer = await asyncio.open_connection("127.0.0.1", server.port)
    try:
        async with asyncio.timeout(HANG_S):
            writer.write(b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 9\r\n\r\n")
            answered = await reader.readuntil(b"refused")
            writer.write(b"1")
            rest = await reader.read()
    finally:
        writer.close()
        await server.stop()
    assert (answered[:13], rest) == (b"HTTP/1.1 401 ", b"")


@pytest.mark.parametrize("said", [b"GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n",
                                  b"GET / HTTP/1.1\r\nHost: a\r\n\r\nGET /"])  # fmt: skip
async def test_an_answer_may_take_longer_than_a_head_also_where_the_next_head_has_begun(
    said: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(patience, "HEAD_WITHIN_S", 0.05)

    async def slow(scope: Scope, receive: Receive, send: Send) -> None:
        await asyncio.sleep(0.2)
        await Response(200, b"done").send(send)

    server = await serve(routes({"/": slow}))
    try:
        answered = await _spoken(server.port, said)
    finally:
        await server.stop()
    assert answered.endswith(b"done")


async def test_a_request_in_hand_is_answered_before_the_server_stops() -> None:
    begun, let_go = asyncio.Event(), asyncio.Event()

    async def slow(scope: Scope, receive: Receive, send: Send) -> None:
        begun.set()
        await let_go.wait()
        await Response(200, b"done").send(send)

    server = await serve(routes({"/": slow}))
    async with httpx.AsyncClient() as client:
        asked = asyncio.create_task(client.get(f"http://127.0.0.1:{server.port}/"))
        await begun.wait()
        stopping = asyncio.create_task(server.stop())
        await asyncio.sleep(0)
        let_go.set()
        assert (await asked).content == b"done"
        await stopping


async def test_a_taken_port_is_an_error_at_once() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        with pytest.raises(OSError, match=r"cannot serve at 127\.0\.0\.1:\d+: .* in use"):
            await serve(routes({}), port=taken.getsockname()[1])


class _Wire(asyncio.Transport):
    """`pieces`: what each write took to the other side."""

    def __init__(self) -> None:
        super().__init__()
        self.pieces: list[bytes] = []

    def write(self, data: bytes | bytearray | memoryview) -> None:
        self.pieces.append(bytes(data))

    def writelines(self, list_of_data: Iterable[bytes | bytearray | memoryview]) -> None:
        self.write(b"".join(list_of_data))

    def close(self) -> None:
        self.pieces.append(b"(closed)")

    def is_closing(self) -> bool:
        return b"(closed)" in self.pieces


async def test_head_and_body_leave_in_one_write() -> None:
    wire = _Wire()
    writing = OneWrite(wire, asyncio.get_running_loop())
    for head, body in ((b"head 1", b"body 1"), (b"head 2", b"body 2")):
        writing.write(head)
        writing.write(body)
        await asyncio.sleep(0)
    assert wire.pieces == [b"head 1body 1", b"head 2body 2"]


async def test_what_was_written_for_somebody_who_is_gone_is_dropped() -> None:
    wire = _Wire()
    writing = OneWrite(wire, asyncio.get_running_loop())
    writing.write(b"an event")
    wire.close()
    await asyncio.sleep(0)
    assert wire.pieces == [b"(closed)"]


async def _screen(notifications: LocalNotifications, looks: list[int]) -> AsyncIterator[bytes]:
    """Of somebody whose token stands, where nothing is ever new; `looks` grows by each look."""

    async def look() -> AsyncIterator[bytes]:
        looks.append(len(looks))
        for event in list[bytes]():
            yield event

    users = MemoryUserStore()
    token, user = await create_user(users, "Li Wei", "agent", 0)
    return Live(notifications, Access(users, lambda: 0.0, lambda: 0), "topic", look).events(f"Bearer {token}", user)


async def test_a_screen_is_told_its_end_when_the_platform_stops() -> None:
    notifications = LocalNotifications()
    events = await _screen(notifications, [])
    assert await anext(events) == b": welcome\n\n"
    await notifications.close()
    async with asyncio.timeout(HANG_S):
        assert [one async for one in events] == []


async def test_where_nobody_tells_of_anything_it_is_looked_every_fifth_time_only(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(live, "WAKE_S", 0.001)
    looks = list[int]()
    events = await _screen(LocalNotifications(), looks)
    async with asyncio.timeout(HANG_S):
        while await anext(events) != HEARTBEAT:
            pass
    assert len(looks) == live.HEARTBEAT_EVERY // live.LOOK_EVERY


async def test_all_that_was_told_meanwhile_asks_for_one_look(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(live, "WAKE_S", 0.001)
    monkeypatch.setattr(live, "HEARTBEAT_EVERY", 3)
    notifications, looks = LocalNotifications(), list[int]()
    events = await _screen(notifications, looks)
    assert await anext(events) == b": welcome\n\n"
    await notifications.publish([("topic", b"%d" % number) for number in range(9)])
    async with asyncio.timeout(HANG_S):
        assert await anext(events) == HEARTBEAT
    assert len(looks) == 2


async def test_a_look_ends_whole_although_its_screen_is_closed_again_and_again() -> None:
    looking, go_on, looked = asyncio.Event(), asyncio.Event(), asyncio.Event()

    async def look() -> AsyncIterator[bytes]:
        looking.set()
        await go_on.wait()
        looked.set()
        yield b"event"

    access = Access(MemoryUserStore(), lambda: 0.0, lambda: 0)
    screen = Live(LocalNotifications(), access, "topic", look)
    events = screen.events("", User(user_id="u", name="Li Wei", role="agent"))
    assert await anext(events) == b": welcome\n\n"
    following = asyncio.ensure_future(anext(events))
    await looking.wait()
    while not following.done():
        following.cancel()
        await asyncio.sleep(0)
    go_on.set()
    async with asyncio.timeout(HANG_S):
        await looked.wait()


async def test_an_answer_is_written_before_its_connection_is_closed() -> None:
    wire = _Wire()
    writing = OneWrite(wire, asyncio.get_running_loop())
    writing.write(b"the last answer")
    writing.close()
    await asyncio.sleep(0)
    assert wire.pieces == [b"the last answer", b"(closed)"]


async def test_a_body_that_does_not_come_to_its_end_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(staff, "BODY_WITHIN_S", 0.2)

    @post("/steps", sync_to_thread=False)
    def step(data: JSONBody[dict[str, str]]) -> dict[str, str]:
        return data

    server = await serve(staff.mounted(Litestar([step], exception_handlers=handlers({}), openapi_config=None)))
    try:
        reader, writer = await asyncio.open_connection("127.0.0.1", server.port)
        head = b"POST /steps HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\ncontent-length: 99\r\n\r\n"
        writer.write(head + b'{"note": ')
        async with asyncio.timeout(HANG_S):
            answer = await reader.read()
        assert answer.startswith(b"HTTP/1.1 408")
        assert b"the body did not arrive in time" in answer
        writer.close()
    finally:
        await server.stop()
