"""Plain mail through a bank's own relay. Knows no alert."""

import asyncio
import smtplib
import socket
import ssl
from contextlib import suppress
from datetime import UTC, datetime
from email.message import EmailMessage
from email.utils import format_datetime, parseaddr
from typing import Any, NamedTuple
from urllib.parse import unquote, urlsplit

from services.failures import Rejected, Unavailable

TIMEOUT_S, LONGEST_S = 10.0, 60.0
"""For an answer, and for a conversation: a relay that sends a byte now and then would hold it for ever."""
_PORTS = {"smtp": 587, "smtps": 465}


class Mail(NamedTuple):
    """`message_id` without brackets, the same when it is sent again; `at` in ms."""

    sender: str
    to: str
    subject: str
    text: str
    message_id: str
    at: int


class Relay(NamedTuple):
    """`smtp://user:password@host:port` (STARTTLS demanded unless `insecure`), or `smtps://`. User and port may be
    missing."""

    url: str
    insecure: bool = False


async def send_mail(relay: Relay, mail: Mail) -> None:
    """Raises `Unavailable`, `Rejected`; neither repeats an address or the relay's URL."""
    begun: list[smtplib.SMTP] = []
    try:
        async with asyncio.timeout(LONGEST_S):
            await asyncio.to_thread(_send, begun, relay, _composed(mail))
    except TimeoutError:
        raise Unavailable(f"the relay has not taken it within {LONGEST_S:g} s") from None
    finally:
        for server in begun:
            _hang_up(server)


def _hang_up(server: smtplib.SMTP) -> None:
    """So that the thread ends that speaks with it, where nobody waits for it any longer."""
    if server.sock is not None:
        with suppress(OSError):
            server.sock.shutdown(socket.SHUT_RDWR)


def _composed(mail: Mail) -> EmailMessage:
    message = EmailMessage()
    message["From"], message["To"] = mail.sender, mail.to
    message["Subject"] = " ".join(mail.subject.split())
    message["Date"] = format_datetime(datetime.fromtimestamp(mail.at / 1000, UTC))
    message["Message-ID"] = f"<{mail.message_id}@{parseaddr(mail.sender)[1].rpartition('@')[2]}>"
    message["Auto-Submitted"] = "auto-generated"  # so that nobody's absence note answers
    message.set_content(mail.text, cte="quoted-printable")  # not every relay takes eight bits
    return message


def _send(begun: list[smtplib.SMTP], relay: Relay, message: EmailMessage) -> None:
    try:
        with _connected(begun, relay) as server:
            server.send_message(message)
    except smtplib.SMTPRecipientsRefused as error:
        code = max((code for code, _ in error.recipients.values()), default=550)
        raise _refusal(code) from None
    except smtplib.SMTPNotSupportedError:
        raise Rejected("no_tls", "the relay offers no STARTTLS: use smtps://, or say `insecure`") from None
    except smtplib.SMTPAuthenticationError as error:
        raise Unavailable(f"the relay refuses user and password ({error.smtp_code})") from None
    except smtplib.SMTPResponseException as error:
        raise _refusal(error.smtp_code) from None
    except (smtplib.SMTPException, OSError) as error:
        raise Unavailable(f"the relay cannot be reached ({type(error).__name__})") from None


def _refusal(code: int) -> Exception:
    message = f"the relay answers {code}"
    return Rejected("refused", message) if code >= 500 else Unavailable(message)


class _Conversation(smtplib.SMTP):
    """`smtplib` connects, and listens, where it is made: so `begun` learns of it before."""

    def __init__(self, begun: list[smtplib.SMTP], host: str, port: int, **tls: Any) -> None:
        begun.append(self)
        super().__init__(host, port, timeout=TIMEOUT_S, **tls)


class _TlsConversation(_Conversation, smtplib.SMTP_SSL): ...


def _connected(begun: list[smtplib.SMTP], relay: Relay) -> smtplib.SMTP:
    parts = urlsplit(relay.url)
    host, port = parts.hostname or "", parts.port or _PORTS.get(parts.scheme, 0)
    if parts.scheme == "smtps":
        server: smtplib.SMTP = _TlsConversation(begun, host, port, context=ssl.create_default_context())
    else:
        server = _Conversation(begun, host, port)
    try:
        if parts.scheme == "smtp" and not relay.insecure:
            server.starttls(context=ssl.create_default_context())
        if parts.username:
            server.login(unquote(parts.username), unquote(parts.password or ""))
    except BaseException:
        server.close()
        raise
    return server
