"""Messages over HTTP: where they may go, and what an answer means."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from services.failures import Rejected, Unavailable
from services.outbound.posting import MAX_ANSWER, HttpSender, Posting, Resolve, resolved
from tests.certificates import make_certificates, server_side
from tests.receivers import LOOPBACK, Reply, receiver


@asynccontextmanager
async def sending(resolve: Resolve = resolved, timeout_s: float = 5.0) -> AsyncIterator[HttpSender]:
    sender = HttpSender(resolve, timeout_s)
    try:
        yield sender
    finally:
        await sender.close()


def to(url: str, networks: Sequence[str] = LOOPBACK) -> Posting:
    return Posting(url, {"content-type": "application/json"}, b'{"a":1}', networks)


async def test_a_message_arrives_whole_and_its_answer_comes_back() -> None:
    async with receiver(Reply(body=b"thanks")) as there, sending() as sender:
        assert await sender.post(to(there.url)) == b"thanks"
        [request] = there.requests
    assert (request.target, request.body, request.headers["content-type"]) == ("/hook", b'{"a":1}', "application/json")


@pytest.mark.parametrize("status", [401, 403, 404, 408, 409, 425, 429, 500, 502, 503])
async def test_a_receiver_in_trouble_is_tried_again(status: int) -> None:
    async with receiver(Reply(status)) as there, sending() as sender:
        with pytest.raises(Unavailable, match=str(status)):
            await sender.post(to(there.url))


@pytest.mark.parametrize("status", [300, 399, 400, 410, 413, 415, 422])
async def test_a_message_that_is_refused_is_not_tried_again(status: int) -> None:
    async with receiver(Reply(status)) as there, sending() as sender:
        with pytest.raises(Rejected, match=str(status)) as raised:
            await sender.post(to(there.url))
    assert raised.value.reason == ("redirected" if status < 400 else "refused")


@pytest.mark.parametrize(("said", "seconds"), [("120", 120.0), ("9999999", 3600.0), ("Wed, 21 Oct 2026", 0.0)])
async def test_a_receiver_may_say_when_to_come_again(said: str, seconds: float) -> None:
    async with receiver(Reply(503, {"retry-after": said})) as there, sending() as sender:
        with pytest.raises(Unavailable) as raised:
            await sender.post(to(there.url))
    assert raised.value.retry_after == seconds


async def test_a_receiver_that_never_answers_is_given_up() -> None:
    async with receiver(Reply(never=True)) as there, sending(timeout_s=0.2) as sender:
        with pytest.raises(Unavailable, match="no answer"):
            await sender.post(to(there.url))


async def test_a_redirect_is_not_followed() -> None:
    async with receiver() as inside, sending() as sender:
        async with receiver(Reply(302, {"location": inside.url})) as there:
            with pytest.raises(Rejected) as raised:
                await sender.post(to(there.url))
        assert (raised.value.reason, inside.requests) == ("redirected", [])


async def test_an_endless_answer_is_cut() -> None:
    async with receiver(Reply(body=b"x" * 3 * MAX_ANSWER)) as there, sending() as sender:
        assert len(await sender.post(to(there.url))) == MAX_ANSWER


async def test_nobody_waits_for_more_of_an_answer_than_is_read() -> None:
    endless = Reply(headers={"content-length": str(9 * MAX_ANSWER)}, body=b"x" * MAX_ANSWER)
    async with receiver(endless) as there, sending() as sender:
        assert len(await sender.post(to(there.url))) == MAX_ANSWER


async def test_no_proxy_of_the_environment_gets_the_message(monkeypatch: pytest.MonkeyPatch) -> None:
    """It would connect to wherever it likes, and has judged nothing."""
    async with receiver() as there, receiver() as proxy:
        for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"):
            monkeypatch.setenv(name, f"http://127.0.0.1:{proxy.port}")
        async with sending() as sender:
            await sender.post(to(there.url))
        assert (len(there.requests), proxy.requests) == (1, [])


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "2130706433", "0x7f.1", "[::1]", "[::ffff:127.0.0.1]"])
async def test_an_address_of_this_machine_is_refused_however_it_is_written(host: str) -> None:
    async with receiver() as there, sending() as sender:
        with pytest.raises(Rejected) as raised:
            await sender.post(to(f"http://{host}:{there.port}/", ()))
        assert (raised.value.reason, there.requests) == ("private_address", [])


async def test_a_name_is_resolved_once_and_the_judged_address_is_the_one_connected_to() -> None:
    """A name under somebody else's control may answer otherwise each time."""
    asked = []

    async def rebinding(host: str, port: int) -> list[str]:
        asked.append(host)
        return ["127.0.0.1"] if len(asked) == 1 else ["169.254.169.254"]

    async with receiver() as there, sending(rebinding) as sender:
        await sender.post(to(f"http://crm.bank.example:{there.port}/hook"))
        assert there.requests[0].headers["host"] == f"crm.bank.example:{there.port}"
    assert asked == ["crm.bank.example"]


@pytest.mark.parametrize(("url", "port"), [
    ("https://crm.bank.example/", 443), ("http://crm.bank.example/", 80), ("https://crm.bank.example:8443/", 8443),
])  # fmt: skip
async def test_a_name_is_looked_up_for_the_port_of_its_url_and_one_without_address_may_get_one(
    url: str, port: int
) -> None:
    asked = []

    async def nowhere(host: str, port: int) -> list[str]:
        asked.append((host, port))
        return []

    async with sending(nowhere) as sender:
        with pytest.raises(Unavailable, match="no address"):
            await sender.post(to(url))
    assert asked == [("crm.bank.example", port)]


async def test_each_name_is_verified_by_the_certificate_that_its_own_connection_shows(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Two names may lead to one address, and what was verified for the first says nothing of the second."""
    directory = tmp_path / "certificates"
    make_certificates(directory, {"crm": "DNS:crm.bank.example"})
    monkeypatch.setenv("SSL_CERT_FILE", str(directory / "authority.pem"))

    async def home(host: str, port: int) -> list[str]:
        return ["127.0.0.1"]

    kept = Reply(headers={"connection": "keep-alive"})
    async with receiver(kept, server_side(directory, "crm")) as there, sending(home) as sender:
        await sender.post(to(f"https://crm.bank.example:{there.port}/hook"))
        with pytest.raises(Unavailable, match=r"cannot be reached \(SSLCertVerificationError\)"):
            await sender.post(to(f"https://other.example:{there.port}/hook"))
        assert len(there.requests) == 1


async def test_one_private_address_among_several_is_enough_to_refuse() -> None:
    async def mixed(host: str, port: int) -> list[str]:
        return ["93.184.215.14", "10.0.0.7"]

    async with sending(mixed) as sender:
        with pytest.raises(Rejected, match="not public"):
            await sender.post(to("https://crm.bank.example/", ()))


async def test_nothing_listens_there() -> None:
    async with receiver() as there:
        gone = there.url
    async with sending() as sender:
        with pytest.raises(Unavailable, match=r"cannot be reached \(ConnectionRefusedError\)"):
            await sender.post(to(gone))


@pytest.mark.parametrize("url", ["ftp://crm.bank.example/", "http://", "crm.bank.example", "http://a:b:c/"])
async def test_what_is_no_url_of_http_is_refused_without_repeating_it(url: str) -> None:
    async with sending() as sender:
        with pytest.raises(Rejected) as raised:
            await sender.post(to(url + "?key=hunter2"))
    assert "hunter2" not in str(raised.value)
