"""Receivers on this machine: HTTP servers that answer, fail, redirect or never answer, and a mail relay."""

import asyncio
import base64
import ssl
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default
from typing import NamedTuple

LOOPBACK = ("127.0.0.0/8",)


class Request(NamedTuple):
    target: str
    headers: Mapping[str, str]
    body: bytes


class Reply(NamedTuple):
    """`never`: the connection stays open and silent."""

    status: int = 200
    headers: Mapping[str, str] = {}
    body: bytes = b""
    never: bool = False


class Receiver:
    """`reply` may be replaced while it runs."""

    def __init__(self, reply: Reply) -> None:
        self.reply, self.port = reply, 0
        self.requests: list[Request] = []
        self.arrived = asyncio.Event()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/hook"

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """A connection is kept where the reply says `connection: keep-alive`."""
        try:
            await self._answer(reader, writer)
            while self.reply.headers.get("connection") == "keep-alive":
                await self._answer(reader, writer)
        except (ConnectionError, asyncio.IncompleteReadError):
            pass  # the sender hung up: it has seen enough
        finally:
            writer.close()

    async def _answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = (await reader.readuntil(b"\r\n\r\n")).decode().split("\r\n")
        headers = {name.lower(): value for name, _, value in (line.partition(": ") for line in head[1:] if line)}
        body = await reader.readexactly(int(headers.get("content-length", "0")))
        self.requests.append(Request(head[0].split()[1], headers, body))
        self.arrived.set()
        if self.reply.never:
            await reader.read()
            return
        told = {"content-length": str(len(self.reply.body)), "connection": "close", **self.reply.headers}
        lines = [f"HTTP/1.1 {self.reply.status} X", *(f"{name}: {value}" for name, value in told.items()), "", ""]
        writer.write("\r\n".join(lines).encode() + self.reply.body)
        await writer.drain()


@asynccontextmanager
async def receiver(
    reply: Reply = Reply(),  # noqa: B008 - a frozen value
    tls: ssl.SSLContext | None = None,
) -> AsyncIterator[Receiver]:
    told = Receiver(reply)
    server = await asyncio.start_server(told.serve, "127.0.0.1", 0, ssl=tls)
    told.port = server.sockets[0].getsockname()[1]
    try:
        yield told
    finally:
        server.close()


class MailRelay:
    """Takes mail for anybody but `nobody@…` (550), `later@…` (451) and `500@…`; `login` once somebody has logged in.
    `starttls`: it offers STARTTLS; `over_tls` once that was done."""

    def __init__(self, starttls: ssl.SSLContext | None = None) -> None:
        self.port, self.login = 0, ""
        self._starttls, self.over_tls = starttls, False
        self.mails: list[EmailMessage] = []

    @property
    def url(self) -> str:
        return f"smtp://127.0.0.1:{self.port}"

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        def say(*lines: str) -> None:
            writer.write("".join(f"{line}\r\n" for line in lines).encode())

        answers: Mapping[str, Callable[[str], str]] = {
            "EHLO": lambda rest: f"250-sink{tls}\r\n250 AUTH PLAIN", "MAIL": lambda rest: "250 ok",
            "RCPT": self._recipient, "AUTH": self._authenticate, "QUIT": lambda rest: "221 bye",
            "RSET": lambda rest: "250 ok",
        }  # fmt: skip
        tls = "\r\n250-STARTTLS" if self._starttls else ""
        say("220 sink")
        while line := (await reader.readline()).decode().strip():
            verb, _, rest = line.partition(" ")
            if verb.upper() == "DATA":
                say("354 go on")
                raw = (await reader.readuntil(b"\r\n.\r\n")).removesuffix(b".\r\n").replace(b"\r\n..", b"\r\n.")
                self.mails.append(message_from_bytes(raw, policy=default))
                say("250 taken")
                continue
            if verb.upper() == "STARTTLS" and self._starttls:
                say("220 go on")
                await writer.start_tls(self._starttls)
                self.over_tls = True
                continue
            say(answers[verb.upper()](rest) if verb.upper() in answers else "502 unknown")
            if verb.upper() == "QUIT":
                break
        writer.close()

    def _recipient(self, rest: str) -> str:
        refused = {"nobody@": "550 unknown", "later@": "451 later", "500@": "500 what"}
        return next((answer for name, answer in refused.items() if name in rest), "250 ok")

    def _authenticate(self, rest: str) -> str:
        self.login = base64.b64decode(rest.split()[-1]).decode().replace("\0", ":")
        return "535 no" if self.login.endswith(":wrong") else "235 ok"


@asynccontextmanager
async def mail_relay(
    starttls: ssl.SSLContext | None = None, tls: ssl.SSLContext | None = None
) -> AsyncIterator[MailRelay]:
    relay = MailRelay(starttls)
    server = await asyncio.start_server(relay.serve, "127.0.0.1", 0, ssl=tls)
    relay.port = server.sockets[0].getsockname()[1]
    try:
        yield relay
    finally:
        server.close()
