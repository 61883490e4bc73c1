"""What leaves the house, in the receiver's form. To people, and so through other companies' servers, go titles and ids
alone; a webhook, signed and to a system of the bank, tells the alert as the API does, without what people wrote."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

import msgspec

from schemas.alerts import Alert, Outcome, Step
from schemas.events import Money
from schemas.instants import instant
from schemas.money import format_money
from services.alerts.domain.alert import OPEN_STATES, SYSTEM
from services.alerts.domain.destinations import Destination, Happening
from services.alerts.domain.notices import Notice, sentence, to_do
from services.alerts.domain.rules import Language
from services.alerts.domain.wording import said

MAX_WECOM, MAX_DINGTALK = 4_096, 20_000
"""Bytes that the group bots take."""
MAX_TITLE = 200
_QUOTED = "> "
_MARKUP = str.maketrans("[]<>`*\n\r", "()()'.  ")
HEADLINES: Mapping[Language, Mapping[Happening, str]] = {
    "en": {
        "opened": "A new alert", "routed": "An alert for {owner}", "raised": "An alert has become more serious",
        "reminded": "An alert is still waiting", "escalated": "An alert was not answered in time",
        "withdrawn": "An alert was withdrawn", "expired": "An alert has expired", "closed": "An alert was closed",
    },
    "zh": {
        "opened": "新告警", "routed": "告警已分派给 {owner}", "raised": "告警级别上升", "reminded": "告警待处理",
        "escalated": "告警超时未处理", "withdrawn": "告警已撤回", "expired": "告警已过期", "closed": "告警已关闭",
    },
}  # fmt: skip
_WORDS: Mapping[Language, Mapping[str, str]] = {
    "en": {
        "severity": "Severity", "customer": "Customer", "owner": "Owner", "due": "Answer by", "alert": "Alert",
        "open": "Open", "digest": "Alerts of the day: {count}", "more": "and {count} more", "ended": "ended",
        "retention": "Retention", "upsell": "Opportunities", "guard": "Care", "test": "Counterpoint reaches you here",
        "tested": "This is a test of the destination {id}. Nothing is to be done.",
    },
    "zh": {
        "severity": "级别", "customer": "客户", "owner": "负责人", "due": "处理期限", "alert": "告警编号",
        "open": "查看", "digest": "今日告警 {count} 条", "more": "另有 {count} 条", "ended": "已结束",
        "retention": "挽留", "upsell": "商机", "guard": "关怀", "test": "Counterpoint 测试消息",
        "tested": "目标 {id} 连接测试\uff0c无需处理",
    },
}  # fmt: skip


class News(NamedTuple):
    """What has happened to an alert; `at` in ms."""

    alert: Alert
    happening: Happening
    at: int


class Message(NamedTuple):
    """To a person. `lines` in the order of their weight: what has no room is left out from the end."""

    title: str
    lines: Sequence[str]
    link: str = ""
    link_text: str = ""
    more: str = ""


def single(destination: Destination, news: News, link: str) -> Message:
    alert, words = news.alert, _WORDS[destination.language]
    headline = HEADLINES[destination.language][news.happening].format(owner=alert.owner or "-")
    rows = [
        (words["severity"], str(alert.severity)), (words["customer"], alert.customer_id), (words["owner"], alert.owner),
        (words["due"], _local(alert.due_at, destination.zone)), (words["alert"], alert.alert_id),
    ]  # fmt: skip
    lines = [headline, *(f"{name}: {value}" for name, value in rows if value)]
    return Message(
        _title(alert, destination.language), lines, link.replace("{alert_id}", alert.alert_id), words["open"]
    )


def digest(destination: Destination, news: Iterable[News]) -> Message:
    """Each alert once, as it last stood: by kind, the gravest first, what has ended last."""
    words, newest = _WORDS[destination.language], {}
    for one in sorted(news, key=lambda one: (len(one.alert.history), one.at)):
        newest[one.alert.alert_id] = one.alert
    lines: list[str] = []
    for kind in ("guard", "retention", "upsell"):
        ours = [alert for alert in newest.values() if alert.kind == kind]
        if ours:
            lines.append(f"{words[kind]} ({len(ours)})")
            lines += [_digest_line(alert, destination) for alert in sorted(ours, key=_weight)]
    return Message(words["digest"].format(count=len(newest)), lines, more=words["more"])


def _weight(alert: Alert) -> tuple[bool, int, int, str]:
    return _has_ended(alert), -alert.severity, alert.due_at or alert.opened_at, alert.alert_id


def _has_ended(alert: Alert) -> bool:
    return alert.state not in OPEN_STATES


def _digest_line(alert: Alert, destination: Destination) -> str:
    words = _WORDS[destination.language]
    due = words["ended"] if _has_ended(alert) else _local(alert.due_at, destination.zone)
    told = (_title(alert, destination.language), alert.customer_id, alert.owner, due, alert.alert_id)
    return f"- [{alert.severity}] " + " / ".join(part for part in told if part)


def notice_message(destination: Destination, notice: Notice) -> Message:
    why = notice.note if notice.actor == SYSTEM else f"{notice.actor}: {notice.note}"
    lines = [line for line in (to_do(notice, destination.language), why) if line]
    return Message(sentence(notice, destination.language)[:MAX_TITLE], lines)


def test_message(destination: Destination) -> Message:
    words = _WORDS[destination.language]
    return Message(words["test"], [words["tested"].format(id=destination.id)])


def _title(alert: Alert, language: Language) -> str:
    return " ".join(said(alert.title, language).split())[:MAX_TITLE]


def _local(at: int, zone: str) -> str:
    return datetime.fromtimestamp(at / 1000, UTC).astimezone(ZoneInfo(zone)).strftime("%Y-%m-%d %H:%M") if at else ""


def mail_text(message: Message) -> str:
    end = [f"{message.link_text}: {message.link}"] if message.link else []
    return "\n".join([message.title, "", *message.lines, *end, ""])


def wecom(message: Message) -> bytes:
    return msgspec.json.encode({"msgtype": "markdown", "markdown": {"content": _markdown(message, MAX_WECOM)}})


def dingtalk(message: Message) -> bytes:
    told = {"title": _plain(message.title), "text": _markdown(message, MAX_DINGTALK)}
    return msgspec.json.encode({"msgtype": "markdown", "markdown": told})


def _markdown(message: Message, most: int) -> str:
    """Fits into that many bytes. What came from a channel cannot pass for markup."""
    end = f"\n\n[{message.link_text}]({message.link})" if message.link else ""
    lines = [f"**{_plain(message.title)}**", *(_QUOTED + _plain(line) for line in message.lines)]
    kept = len(lines)
    while True:
        left = len(lines) - kept
        more = [_QUOTED + message.more.format(count=left)] if left else []
        text = "\n\n".join([*lines[:kept], *more]) + end
        if len(text.encode()) <= most or kept == 1:
            return text
        kept -= 1


def _plain(text: str) -> str:
    return text.translate(_MARKUP)


def webhook_body(news: News, language: Language) -> bytes:
    """An event of Standard Webhooks: type, timestamp, data."""
    return _event(f"alert.{news.happening}", news.at, as_data(news.alert, language))


def webhook_notice(notice: Notice, language: Language) -> bytes:
    """`rule.throttled`, `rule.paused`, `rule.stopped`, and the same with `_ended`."""
    data = {
        "rule": notice.rule, "name": said(notice.name, language), "owner": notice.owner or None,
        "seen": notice.seen, "among": notice.among, "actor": notice.actor,
        "why": notice.note if notice.actor == SYSTEM and notice.note else None,
        "said": sentence(notice, language), "to_do": to_do(notice, language),
    }  # fmt: skip
    return _event(f"rule.{notice.matter}{'' if notice.began else '_ended'}", notice.at, data)


def webhook_test(destination: Destination, now: int) -> bytes:
    return _event("delivery.test", now, {"destination": destination.id})


def _event(kind: str, at: int, data: Mapping[str, Any]) -> bytes:
    return msgspec.json.encode({"type": kind, "timestamp": instant(at), "data": data})


def as_data(alert: Alert, language: Language) -> dict[str, Any]:
    versions = {one.id: {"id": one.id, "version": one.version} for one in alert.rules}
    return {
        "alert_id": alert.alert_id, "revision": alert.revision, "customer_id": alert.customer_id, "kind": alert.kind,
        "situation": alert.situation, "severity": alert.severity, "grade": alert.grade,
        "title": said(alert.title, language), "reason": said(alert.reason, language),
        "suggested": said(alert.suggested, language), "state": alert.state, "owner": alert.owner or None,
        "opened_at": instant(alert.opened_at), "due_at": instant(alert.due_at) if alert.due_at else None,
        "rules": list(versions.values()),
        "evidence": [
            {"rule": versions.get(one.rule_id), "text": said(one.text, language),
             "occurred_at": instant(one.occurred_at), "event_id": one.event_id or None, "values": one.values}
            for one in alert.evidence if not one.ended_at
        ],
        "outcome": _outcome(alert.outcome) if alert.outcome else None,
        "history": [_step(one) for one in alert.history],
    }  # fmt: skip


def _step(one: Step) -> dict[str, str]:
    told = {"at": instant(one.at), "actor": one.actor, "action": one.action, "state": one.state}
    if one.to:
        told["to"] = one.to
    return told | {"note": one.note} if one.actor == SYSTEM else told


def _outcome(outcome: Outcome) -> dict[str, Any]:
    amount = format_money(Money(outcome.amount_minor, outcome.currency)) if outcome.currency else None
    return {"result": outcome.result, "product": outcome.product, "amount": amount}
