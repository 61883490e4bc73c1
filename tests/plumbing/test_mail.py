"""Plain mail through a relay."""

import pytest

from services.failures import Rejected, Unavailable
from services.mail import Mail, Relay, send_mail
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


async def test_an_unknown_address_is_refused_for_good() -> None:
    async with mail_relay() as relay:
        with pytest.raises(Rejected, match="550"):
            await send_mail(Relay(relay.url, insecure=True), MAIL._replace(to="nobody@bank.example"))


async def test_a_busy_mailbox_is_tried_again() -> None:
    async with mail_relay() as relay:
        with pytest.raises(Unavailable, match="451"):
            await send_mail(Relay(relay.url, insecure=True), MAIL._replace(to="later@bank.example"))


async def test_a_relay_that_is_away_is_tried_again() -> None:
    async with mail_relay() as relay:
        gone = relay.url
    with pytest.raises(Unavailable, match="cannot be reached"):
        await send_mail(Relay(gone, insecure=True), MAIL)
