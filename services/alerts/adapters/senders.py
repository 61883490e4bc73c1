"""Messages by the kind of destination: webhooks and group bots over HTTP, mail by a relay. Secrets come from the
environment, by the names that a destination gives, when they are needed."""

from collections.abc import Callable, Mapping
from typing import NamedTuple

import msgspec

from services.alerts.delivery.ports import Parcel
from services.alerts.domain.destinations import Destination, url_with
from services.alerts.domain.messages import (
    Message,
    digest,
    dingtalk,
    mail_text,
    notice_message,
    single,
    test_message,
    webhook_body,
    webhook_notice,
    webhook_test,
    wecom,
)  # fmt: skip
from services.failures import Rejected, Unavailable
from services.outbound.mail import Mail, Relay, send_mail
from services.outbound.posting import HttpSender, Posting
from services.outbound.signatures import dingtalk_signed, webhook_headers

_JSON = {"content-type": "application/json"}
_BUSY: Mapping[int, float] = {-1: 5.0, 45009: 60.0, 130101: 600.0, 410100: 600.0}
"""Error codes of WeCom and DingTalk that pass, with the seconds to wait: busy, or too many messages."""


class BotAnswer(msgspec.Struct):
    errcode: int = 0


class DestinationSender(NamedTuple):
    """See `Sender`. `link`: where a person opens an alert."""

    http: HttpSender
    environment: Mapping[str, str]
    link: Callable[[], str]

    async def send(self, destination: Destination, parcel: Parcel, now: int) -> None:
        if destination.kind == "webhook":
            body = _body(parcel, destination)
            return await self._webhook(destination, parcel.message_id, body, now)
        if parcel.notice is not None:
            message = notice_message(destination, parcel.notice)
        elif destination.digest_at:
            message = digest(destination, parcel.news)
        else:
            message = single(destination, parcel.news[0], self.link())
        return await self._tell(destination, parcel.message_id, parcel.person, message, now)

    async def test(self, destination: Destination, now: int) -> None:
        message_id = f"msg_test_{now}"
        if destination.kind == "webhook":
            return await self._webhook(destination, message_id, webhook_test(destination, now), now)
        person = min({destination.address, *destination.people.values()} - {""}, default="")
        return await self._tell(destination, message_id, person, test_message(destination), now)

    async def _webhook(self, destination: Destination, message_id: str, body: bytes, now: int) -> None:
        headers = webhook_headers(self._secret(destination), message_id, now // 1000, body)
        await self.http.post(Posting(self._url(destination), headers, body, destination.networks))

    async def _tell(self, destination: Destination, message_id: str, person: str, message: Message, now: int) -> None:
        url = self._url(destination)
        if destination.kind == "mail":
            mail = Mail(destination.sender, person, message.title, mail_text(message), message_id, now)
            return await send_mail(Relay(url, destination.insecure), mail)
        if destination.kind == "dingtalk" and destination.secret:
            url = dingtalk_signed(url, self._secret(destination), now)
        body = wecom(message) if destination.kind == "wecom" else dingtalk(message)
        _judge(await self.http.post(Posting(url, _JSON, body, destination.networks)))
        return None

    def _url(self, destination: Destination) -> str:
        try:
            return url_with(destination, self.environment)
        except KeyError as error:
            raise Unavailable(f"the environment variable {error.args[0]} of its URL is not set") from None

    def _secret(self, destination: Destination) -> str:
        found = self.environment.get(destination.secret, "")
        if not found:
            raise Unavailable(f"the environment variable {destination.secret} is not set")
        return found


def _body(parcel: Parcel, destination: Destination) -> bytes:
    if parcel.notice is not None:
        return webhook_notice(parcel.notice, destination.language)
    return webhook_body(parcel.news[0], destination.language)


def _judge(answer: bytes) -> None:
    """Group bots answer 200 to everything; what they mean stands in `errcode`."""
    try:
        code = msgspec.json.decode(answer, type=BotAnswer).errcode
    except msgspec.DecodeError:
        raise Unavailable("its answer is not one of a group bot") from None
    if code in _BUSY:
        raise Unavailable(f"the group bot is busy ({code})", _BUSY[code])
    if code:
        raise Rejected("refused", f"the group bot refuses it ({code})")
