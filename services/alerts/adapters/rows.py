"""How alerts lie in rows: the whole alert as JSON, and beside it what is searched and counted by."""

from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

import msgspec

from services.alerts.domain.alert import Alert, State
from services.alerts.domain.editions import Edition
from services.alerts.domain.notices import Notice
from services.alerts.domain.standing import Standing

alert_of = msgspec.json.Decoder(Alert).decode
notice_of = msgspec.json.Decoder(Notice).decode
edition_of = msgspec.json.Decoder(Edition).decode
standing_of = msgspec.json.Decoder(Standing).decode


class AlertRow(NamedTuple):
    alert_id: str
    customer_id: str
    situation: str
    kind: str
    state: State
    severity: int
    owner: str
    escalated_to: str
    rank: float
    opened_at: int
    routed_day: int
    look_at: int
    waiting: str
    worded_by: str
    is_open: bool
    rules: str
    due_at: int
    body: bytes


class RuleRow(NamedTuple):
    """A rule that speaks in an alert, since `said_at`. `result`: how that ended, and where, in whose hands and when;
    empty and 0 while nobody has said so."""

    alert_id: str
    rule: str
    version: int
    said_at: int
    result: str
    branch: str
    owner: str
    ended_at: int


class NoticeRow(NamedTuple):
    rule: str
    matter: str
    at: int
    body: bytes


class EditionRow(NamedTuple):
    rule: str
    at: int
    body: bytes


def row_of(alert: Alert, look_at: int) -> AlertRow:
    return AlertRow(
        alert.alert_id, alert.customer_id, alert.situation, alert.kind, alert.state, alert.severity, alert.owner,
        alert.escalated_to, alert.rank, alert.opened_at, alert.routed_day, look_at, alert.waiting, alert.worded_by,
        alert.is_open, spoken(rule for rule, _ in alert.rules), alert.due_at,
        msgspec.json.encode(alert),
    )  # fmt: skip


def spoken(rules: Iterable[str]) -> str:
    """Their ids with a blank before and behind each, so that one is found whole."""
    return f" {' '.join(rules)} "


def rules_of(alert: Alert) -> list[RuleRow]:
    ended = (alert.outcome.result, alert.branch, alert.owner, alert.ended_at) if alert.outcome else ("", "", "", 0)
    said_at: dict[str, int] = {}
    for one in alert.evidence:
        said_at.setdefault(one.rule, one.seen_at)
    return [RuleRow(alert.alert_id, rule, version, said_at[rule], *ended) for rule, version in alert.rules]


def notice_row(notice: Notice) -> NoticeRow:
    return NoticeRow(notice.rule, notice.matter, notice.at, msgspec.json.encode(notice))


def edition_row(edition: Edition) -> EditionRow:
    return EditionRow(edition.name, edition.at, msgspec.json.encode(edition))


def standing_row(customer_id: str, standing: Standing) -> tuple[str, bytes]:
    return customer_id, msgspec.json.encode(standing)


def by_customer(customer_ids: Sequence[str], bodies: Sequence[Any]) -> dict[str, list[Alert]]:
    """`bodies` of those customers' alerts, oldest first."""
    found: dict[str, list[Alert]] = {one: [] for one in customer_ids}
    for body in bodies:
        alert = alert_of(body)
        found[alert.customer_id].append(alert)
    return found
