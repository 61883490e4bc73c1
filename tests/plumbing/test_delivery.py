"""Messages over HTTP: where they may go, what an answer means, and how they are signed."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

import pytest

from services.delivery import (
    MAX_ANSWER,
    HttpSender,
    Posting,
    Resolve,
    dingtalk_signed,
    may_be_reached,
    resolved,
    webhook_headers,
)  # fmt: skip
from services.failures import Rejected, Unavailable
from tests.receivers import LOOPBACK, Reply, receiver

SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"


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


@pytest.mark.parametrize("status", [400, 410, 413, 415, 422])
async def test_a_message_that_is_refused_is_not_tried_again(status: int) -> None:
    async with receiver(Reply(status)) as there, sending() as sender:
        with pytest.raises(Rejected, match=str(status)):
            await sender.post(to(there.url))


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
        with pytest.raises(Unavailable, match="cannot be reached"):
            await sender.post(to(gone))


@pytest.mark.parametrize("url", ["ftp://crm.bank.example/", "http://", "crm.bank.example", "http://a:b:c/"])
async def test_what_is_no_url_of_http_is_refused_without_repeating_it(url: str) -> None:
    async with sending() as sender:
        with pytest.raises(Rejected) as raised:
            await sender.post(to(url + "?key=hunter2"))
    assert "hunter2" not in str(raised.value)


@pytest.mark.parametrize(
    "address",
    ["10.0.0.1", "172.16.3.4", "192.168.1.1", "127.0.0.1", "169.254.169.254", "100.100.100.200", "0.0.0.1",
     "224.0.0.1", "255.255.255.255", "::1", "::", "fe80::1%eth0", "fd00:ec2::254", "ff02::1", "::ffff:10.0.0.1",
     "64:ff9b::7f00:1", "2002:7f00:1::", "2001:0:7f00:1::f5ff:fffe"],
)  # fmt: skip
def test_what_is_not_public_is_not_reached(address: str) -> None:
    assert not may_be_reached(address)


@pytest.mark.parametrize("address", ["93.184.215.14", "2606:2800:21f:cb07:6820:80da:af6b:8b2c", "64:ff9b::5db8:d70e"])
def test_what_is_public_is_reached(address: str) -> None:
    assert may_be_reached(address)


def test_a_network_that_is_allowed_is_reached_and_no_other() -> None:
    assert may_be_reached("10.1.2.3", ["10.1.2.0/24"])
    assert may_be_reached("fd12::7", ["10.1.2.0/24", "fd12::/16"])
    assert not may_be_reached("10.1.3.3", ["10.1.2.0/24"])


def test_a_signature_is_that_of_the_specification() -> None:
    """The vector of the reference libraries of Standard Webhooks."""
    headers = webhook_headers(SECRET, "msg_p5jXN8AQM9LWM0D4loKWxJek", 1_614_265_330, b'{"test": 2432232314}')
    assert headers["webhook-signature"] == "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="
    assert headers["webhook-id"] == "msg_p5jXN8AQM9LWM0D4loKWxJek"
    assert headers["webhook-timestamp"] == "1614265330"


def test_while_one_secret_replaces_another_both_sign() -> None:
    other = "whsec_" + "QUJD" * 8
    first, second = (webhook_headers(one, "m", 1, b"x")["webhook-signature"] for one in (SECRET, other))
    assert webhook_headers(f"{SECRET} {other}", "m", 1, b"x")["webhook-signature"] == f"{first} {second}"


@pytest.mark.parametrize("secret", ["whsec_c2hvcnQ=", "whsec_***", "whsec_" + "QUJD" * 40])
def test_a_secret_that_is_none_is_refused_and_not_repeated(secret: str) -> None:
    with pytest.raises(Rejected) as raised:
        webhook_headers(secret, "m", 1, b"x")
    assert secret not in str(raised.value)


def test_the_signature_of_a_dingtalk_robot() -> None:
    """Worked out with OpenSSL: `openssl dgst -sha256 -hmac 'this is secret'` over time, line feed and secret."""
    signed = dingtalk_signed("https://oapi.dingtalk.com/robot/send?access_token=t", "this is secret", 1_577_262_236_757)
    assert signed == (
        "https://oapi.dingtalk.com/robot/send?access_token=t&timestamp=1577262236757&sign="
        "hmPWwU%2B7lVdm3ZZz0r9tSfx0L4Q26jWOZr9%2BGs6EZQM%3D"
    )
    assert dingtalk_signed("https://robot.bank.example/send", "s", 1).startswith(
        "https://robot.bank.example/send?timestamp=1&sign="
    )
