"""Each channel in its own form, and what group bots mean by their answers."""

import json
from collections.abc import AsyncIterator
from typing import Any

import pytest
import pytest_asyncio

from services.alerts.adapters.senders import DestinationSender
from services.alerts.delivery.ports import Parcel
from services.alerts.domain.destinations import Destination
from services.alerts.domain.messages import News
from services.failures import Rejected, Unavailable
from services.outbound.posting import HttpSender
from services.outbound.signatures import dingtalk_signed, webhook_headers
from tests.alerts.destined import NOON, SECRET, alert, destination, mail
from tests.receivers import LOOPBACK, Receiver, Reply, mail_relay, receiver

FINE = Reply(body=b'{"errcode": 0, "errmsg": "ok"}')
PARCEL = Parcel("msg_1", "b@bank.example", [News(alert("open", "route"), "routed", NOON)])


@pytest_asyncio.fixture
async def sender() -> AsyncIterator[DestinationSender]:
    http = HttpSender()
    yield DestinationSender(
        http, {"CRM_SECRET": SECRET, "KEY": "k", "SIGN": "s"}, lambda: "https://bank.example/{alert_id}"
    )
    await http.close()


def bot(there: Receiver, kind: str, **given: Any) -> Destination:
    url = f"{there.url}?access_token=${{KEY}}"
    plain: dict[str, Any] = {"kind": kind, "url": url, "secret": "", "networks": LOOPBACK, "insecure": True}
    return destination("team", **{**plain, **given})


async def test_a_webhook_is_signed_over_what_is_sent(sender: DestinationSender) -> None:
    async with receiver() as there:
        await sender.send(destination(url=there.url, networks=LOOPBACK), PARCEL, NOON)
        [request] = there.requests
    signed = webhook_headers(SECRET, "msg_1", NOON // 1000, request.body)
    assert {name: request.headers[name] for name in signed} == signed
    assert json.loads(request.body)["type"] == "alert.routed"


async def test_a_wecom_bot_gets_its_form_and_key(sender: DestinationSender) -> None:
    async with receiver(FINE) as there:
        await sender.send(bot(there, "wecom"), PARCEL, NOON)
        [request] = there.requests
    assert request.target == "/hook?access_token=k"
    assert json.loads(request.body)["msgtype"] == "markdown"
    assert "https://bank.example/al_1" in json.loads(request.body)["markdown"]["content"]


async def test_a_dingtalk_bot_gets_a_signature_where_it_wants_one(sender: DestinationSender) -> None:
    async with receiver(FINE) as there:
        await sender.send(bot(there, "dingtalk", secret="SIGN"), PARCEL, NOON)
        await sender.send(bot(there, "dingtalk"), PARCEL, NOON)
        assert [one.target for one in there.requests] == [
            dingtalk_signed("/hook?access_token=k", "s", NOON), "/hook?access_token=k",
        ]  # fmt: skip
    for request in there.requests:
        assert "https://bank.example/al_1" in json.loads(request.body)["markdown"]["text"]


@pytest.mark.parametrize(("code", "seconds"), [(-1, 5.0), (45009, 60.0), (130101, 600.0)])
async def test_a_busy_bot_is_left_in_peace_for_a_while(sender: DestinationSender, code: int, seconds: float) -> None:
    async with receiver(Reply(body=json.dumps({"errcode": code}).encode())) as there:
        with pytest.raises(Unavailable) as raised:
            await sender.send(bot(there, "wecom"), PARCEL, NOON)
    assert raised.value.retry_after == seconds


async def test_a_bot_that_refuses_does_so_for_good(sender: DestinationSender) -> None:
    async with receiver(Reply(body=b'{"errcode": 93000, "errmsg": "invalid webhook url"}')) as there:
        with pytest.raises(Rejected, match="93000"):
            await sender.send(bot(there, "wecom"), PARCEL, NOON)


async def test_a_page_that_is_no_answer_of_a_bot_is_no_delivery(sender: DestinationSender) -> None:
    async with receiver(Reply(body=b"<html>sign in to the network")) as there:
        with pytest.raises(Unavailable):
            await sender.send(bot(there, "dingtalk"), PARCEL, NOON)


async def test_a_mail_goes_to_the_person(sender: DestinationSender) -> None:
    async with mail_relay() as relay:
        await sender.send(mail(url=relay.url, insecure=True), PARCEL, NOON)
        [told] = relay.mails
    assert (told["To"], told["Subject"], told["Message-ID"]) == (
        "b@bank.example",
        "Salary stopped",
        "<msg_1@bank.example>",
    )


async def test_a_digest_names_what_is_in_it(sender: DestinationSender) -> None:
    async with mail_relay() as relay:
        await sender.send(mail(url=relay.url, insecure=True, digest_at="08:30"), PARCEL, NOON)
    assert relay.mails[0]["Subject"] == "Alerts of the day: 1"


@pytest.mark.parametrize("given", [{"secret": "NOBODY"}, {"url": "https://x.example/?key=${NOBODY}"}])
async def test_a_secret_that_is_not_there_yet_is_waited_for(sender: DestinationSender, given: dict[str, str]) -> None:
    with pytest.raises(Unavailable, match="variable NOBODY"):
        await sender.send(destination(**given), PARCEL, NOON)


async def test_a_test_arrives_on_every_channel(sender: DestinationSender) -> None:
    async with receiver(FINE) as there, mail_relay() as relay:
        await sender.test(destination(url=there.url, networks=LOOPBACK), NOON)
        await sender.test(bot(there, "wecom"), NOON)
        await sender.test(mail(url=relay.url, insecure=True), NOON)
        assert json.loads(there.requests[0].body)["type"] == "delivery.test"
        assert "test of the destination team" in there.requests[1].body.decode()
        assert relay.mails[0]["To"] == "b@bank.example"
