"""Plumbing of everything that speaks HTTP: answers and problem documents, health and metrics, a server to stop gently.

Bare ASGI, because the route that takes every event of the bank lives here; frameworks are mounted beside it.
"""

import asyncio
import math
import socket
from collections.abc import Awaitable, Callable, Iterator, Mapping, MutableMapping
from contextlib import contextmanager
from typing import Any

import msgspec
import structlog
import uvicorn

from services.web.patience import PatientProtocol

log = structlog.get_logger(__name__)

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]
App = Callable[[Scope, Receive, Send], Awaitable[None]]
Check = Callable[[], Awaitable[str | None]]
"""None when all is well, else what is wrong, in words fit for a stranger."""

JSON = "application/json"
NOTHING_HERE = "there is nothing at this path: /v1/openapi.json lists what there is"
PROBLEM_JSON = "application/problem+json"
TITLES = {
    300: "Multiple Choices", 400: "Bad Request", 401: "Unauthorized", 403: "Forbidden", 404: "Not Found",
    405: "Method Not Allowed", 408: "Request Timeout", 409: "Conflict", 412: "Precondition Failed",
    413: "Content Too Large", 415: "Unsupported Media Type", 422: "Unprocessable Content", 429: "Too Many Requests",
    500: "Internal Server Error", 503: "Service Unavailable",
}  # fmt: skip
_SOCKET_BACKLOG = 2048


class Response(msgspec.Struct, frozen=True):
    status: int
    body: bytes = b""
    content_type: str = JSON
    headers: Mapping[str, str] = {}

    async def send(self, send: Send, request_id: str = "") -> None:
        headers = {"content-type": self.content_type, "content-length": str(len(self.body)), **self.headers}
        if request_id:
            headers["x-request-id"] = request_id
        raw = [(name.lower().encode("latin-1"), value.encode("latin-1")) for name, value in headers.items()]
        await send({"type": "http.response.start", "status": self.status, "headers": raw})
        await send({"type": "http.response.body", "body": self.body})


class Problem(Exception):  # noqa: N818 - RFC 9457's word
    """An answer that is no success, as an RFC 9457 document. `more` are its extension members: those without
    content are left out."""

    def __init__(self, status: int, detail: str, headers: Mapping[str, str] | None = None, **more: Any) -> None:
        super().__init__(detail)
        self.status, self.detail, self.headers, self.more = status, detail, headers or {}, more

    def response(self) -> Response:
        document = {"type": "about:blank", "title": TITLES[self.status], "status": self.status, "detail": self.detail}
        more = {name: value for name, value in self.more.items() if value != ""}
        return Response(self.status, msgspec.json.encode(document | more), PROBLEM_JSON, self.headers)


def json_response(value: Any, status: int = 200) -> Response:
    return Response(status, msgspec.json.encode(value))


def header(scope: Scope, name: bytes) -> str:
    """The first header of this (lower-case) name, or ""."""
    for known, value in scope["headers"]:
        if known == name:
            text: str = value.decode("latin-1")
            return text
    return ""


def bearer_token(authorization: str) -> str:
    """The token of an Authorization header, "" where it has another scheme or none (RFC 6750)."""
    scheme, _, token = authorization.partition(" ")
    return token.strip() if scheme.lower() == "bearer" else ""


def retry_after(seconds: float) -> dict[str, str]:
    """The header, in whole seconds."""
    return {"retry-after": str(max(1, math.ceil(seconds)))}


def routes(exact: Mapping[str, App], otherwise: App | None = None) -> App:
    """Sends a request to the app of its path; the others to `otherwise`, or 404."""

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        target = exact.get(scope["path"], otherwise)
        if target is not None:
            await target(scope, receive, send)
        elif scope["type"] == "http":
            await Problem(404, NOTHING_HERE).response().send(send)

    return app


def fixed(response: Response) -> App:
    """Always the same answer to GET and HEAD."""

    async def answered() -> Response:
        return response

    return only_read(answered)


def only_read(answered: Callable[[], Awaitable[Response]]) -> App:
    """Answers GET and HEAD, and refuses what would change something. `answered` may raise `Problem`."""

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        try:
            if scope["method"] not in ("GET", "HEAD"):
                raise Problem(405, "only GET is served here", {"allow": "GET, HEAD"})
            await (await answered()).send(send)
        except Problem as problem:
            await problem.response().send(send)

    return app


def operations(ready: Mapping[str, Check], metrics: Callable[[], tuple[bytes, str]]) -> dict[str, App]:
    """`/health/live`, `/health/ready` (every check by name) and `/metrics` (body and content type)."""

    async def readiness() -> Response:
        found = await asyncio.gather(*(check() for check in ready.values()))
        wrong = {name: what for name, what in zip(ready, found, strict=True) if what is not None}
        if wrong:
            raise Problem(503, "not ready", {"retry-after": "1"}, checks=wrong)
        return json_response({"status": "ready"})

    async def measured() -> Response:
        body, content_type = metrics()
        return Response(200, body, content_type)

    return {
        "/health/live": fixed(json_response({"status": "live"})),
        "/health/ready": only_read(readiness),
        "/metrics": only_read(measured),
    }


class _Server(uvicorn.Server):
    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Signals belong to the composition root, which stops more than this server."""
        yield


class RunningServer:
    """An app being served in the running event loop. `port` is the one it is bound to."""

    def __init__(self, server: uvicorn.Server, task: "asyncio.Task[None]", host: str, port: int) -> None:
        self._server, self._task = server, task
        self.host, self.port = host, port

    async def stop(self) -> None:
        """Takes no new connection, lets requests in hand finish (open streams: up to the grace), and returns."""
        self._server.should_exit = True
        await self._task


async def serve(app: App, host: str = "127.0.0.1", port: int = 0, grace_s: int = 5) -> RunningServer:
    """Serves until stopped; returns once connections are accepted. Port 0 takes a free one. Raises OSError."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listening = socket.socket(family, socket.SOCK_STREAM)
    try:
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        # a stream goes out in many writes; without this the second one waits 40 ms for the client's acknowledgement
        listening.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        listening.bind((host, port))
        listening.listen(_SOCKET_BACKLOG)
    except OSError as error:
        listening.close()
        raise OSError(error.errno, f"cannot serve at {host}:{port}: {error.strerror}; name another port") from None
    config = uvicorn.Config(
        app, log_config=None, access_log=False, lifespan="off", ws="none", http=PatientProtocol, loop="none",
        server_header=False, proxy_headers=False, timeout_graceful_shutdown=grace_s, backlog=_SOCKET_BACKLOG,
    )  # fmt: skip
    server = _Server(config)
    task = asyncio.create_task(server.serve(sockets=[listening]), name="web server")
    running = RunningServer(server, task, host, int(listening.getsockname()[1]))
    try:
        await _until_started(server, task)
    except asyncio.CancelledError:
        await running.stop()
        raise
    log.info("serving", host=running.host, port=running.port)
    return running


async def _until_started(server: uvicorn.Server, task: "asyncio.Task[None]") -> None:
    while not server.started:
        if task.done():
            await task
            raise OSError("the web server ended before it accepted connections")
        await asyncio.sleep(0.005)
