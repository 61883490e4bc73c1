"""Plain mail through a relay."""

import asyncio
import socket
from pathlib import Path

import pytest

from services.failures import Rejected, Unavailable
from services.outbound.mail import Mail, Relay, send_mail
from tests.certificates import make_certificates, server_side
from tests.receivers import mail_relay

MAIL = Mail(
    "Counterpoint <alerts@bank.example>", "ada@bank.example", "Salary stopped\nBcc: x", "工资中断\n.\nend\n", "msg_1",
    1_795_406_400_000,
)  # fmt: skip


async def test_a_mail_arrives_as_it_was_written() -> None:
    async with mail_relay() as relay:
        await send_mail(Relay(relay.url, insecure=True), MAIL)
        [mail] = relay.mails
    assert (mail["From"], mail["To"]) == (MAIL.sender, MAIL.to)
    assert (mail["Subject"], mail["Message-ID"]) == ("Salary stopped Bcc: x", "<msg_1@bank.example>")
    assert mail["Date"] == "Mon, 23 Nov 2026 04:00:00 +0000"
    assert (mail["Bcc"], mail["Auto-Submitted"]) == (None, "auto-generated")
    assert mail.get_content().replace("\r\n", "\n") == MAIL.text


async def test_a_relay_gets_user_and_password() -> None:
    async with mail_relay() as relay:
        await send_mail(Relay(relay.url.replace("//", "//ada:p%40ss@"), insecure=True), MAIL)
        assert relay.login == ":ada:p@ss"


async def test_a_wrong_password_may_be_mended_and_is_not_repeated() -> None:
    async with mail_relay() as relay:
        with pytest.raises(Unavailable) as raised:
            await send_mail(Relay(relay.url.replace("//", "//ada:wrong@"), insecure=True), MAIL)
    assert "wrong" not in str(raised.value)


async def test_a_relay_without_tls_gets_nothing_unless_that_is_allowed() -> None:
    async with mail_relay() as relay:
        with pytest.raises(Rejected, match="STARTTLS"):
            await send_mail(Relay(relay.url), MAIL)
        assert relay.mails == []


@pytest.fixture(scope="module")
def certificates(tmp_path_factory: pytest.TempPathFactory) -> Path:
    directory = tmp_path_factory.mktemp("mail") / "certificates"
    make_certificates(directory, {"relay": "IP:127.0.0.1"})
    return directory


async def test_a_password_and_a_mail_go_by_tls_once_the_relay_has_been_verified(
    certificates: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", str(certificates / "authority.pem"))
    async with mail_relay(starttls=server_side(certificates, "relay")) as relay:
        await send_mail(Relay(relay.url.replace("//", "//ada:secret@")), MAIL)
        assert (relay.over_tls, relay.login, len(relay.mails)) == (True, ":ada:secret", 1)


async def test_a_relay_that_speaks_tls_from_the_beginning_is_asked_for_none_again(
    certificates: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", str(certificates / "authority.pem"))
    async with mail_relay(tls=server_side(certificates, "relay")) as relay:
        await send_mail(Relay(relay.url.replace("smtp:", "smtps:")), MAIL)
        assert len(relay.mails) == 1


async def test_a_relay_that_nobody_vouches_for_gets_neither_password_nor_mail(certificates: Path) -> None:
    tls = server_side(certificates, "relay")
    async with mail_relay(starttls=tls) as asked, mail_relay(tls=tls) as begun:
        for url in (asked.url, begun.url.replace("smtp:", "smtps:")):
            with pytest.raises(Unavailable, match="cannot be reached"):
                await send_mail(Relay(url.replace("//", "//ada:secret@")), MAIL)
        assert (asked.login, asked.mails, begun.login, begun.mails) == ("", [], "", [])


async def test_a_user_may_have_no_password() -> None:
    async with mail_relay() as relay:
        await send_mail(Relay(relay.url.replace("//", "//ada@"), insecure=True), MAIL)
        assert relay.login == ":ada:"


@pytest.mark.parametrize(("scheme", "port"), [("smtp", 587), ("smtps", 465)])
async def test_a_relay_without_a_port_is_sought_where_mail_is_handed_in(
    scheme: str, port: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    sought = []

    def connecting(place: tuple[str, int], *_: object) -> socket.socket:
        sought.append(place)
        raise ConnectionRefusedError

    monkeypatch.setattr(socket, "create_connection", connecting)
    with pytest.raises(Unavailable):
        await send_mail(Relay(f"{scheme}://mail.bank.example"), MAIL)
    assert sought == [("mail.bank.example", port)]


@pytest.mark.parametrize(("to", "code"), [("nobody", "550"), ("500", "500")])
async def test_an_unknown_address_is_refused_for_good(to: str, code: str) -> None:
    async with mail_relay() as relay:
        with pytest.raises(Rejected, match=code):
            await send_mail(Relay(relay.url, insecure=True), MAIL._replace(to=f"{to}@bank.example"))


async def test_a_busy_mailbox_is_tried_again() -> None:
    async with mail_relay() as relay:
        with pytest.raises(Unavailable, match="451"):
            await send_mail(Relay(relay.url, insecure=True), MAIL._replace(to="later@bank.example"))


async def test_a_relay_that_is_away_is_tried_again() -> None:
    async with mail_relay() as relay:
        gone = relay.url
    with pytest.raises(Unavailable, match="cannot be reached"):
        await send_mail(Relay(gone, insecure=True), MAIL)


async def test_a_relay_that_sends_a_byte_now_and_then_is_hung_up_on(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("services.outbound.mail.LONGEST_S", 0.3)
    hung_up = asyncio.Event()

    async def drip(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"220-")
        while not reader.at_eof():
            writer.write(b"x")
            await asyncio.sleep(0.01)
        writer.close()
        hung_up.set()

    server = await asyncio.start_server(drip, "127.0.0.1", 0)
    async with server:
        with pytest.raises(Unavailable, match="has not taken it"):
            await send_mail(Relay(f"smtp://127.0.0.1:{server.sockets[0].getsockname()[1]}", insecure=True), MAIL)
        await hung_up.wait()
