"""How alerts lie in rows: the whole alert as JSON, and beside it what is searched and counted by."""

from collections.abc import Sequence
from typing import Any, NamedTuple

import msgspec

from services.alerts.domain.alert import Alert
from services.alerts.domain.standing import Standing

_alert = msgspec.json.Decoder(Alert).decode
_standing = msgspec.json.Decoder(Standing).decode


class AlertRow(NamedTuple):
    alert_id: str
    customer_id: str
    situation: str
    kind: str
    state: str
    severity: int
    owner: str
    rank: float
    opened_at: int
    routed_day: int
    look_at: int
    waiting: str
    is_open: bool
    body: bytes


class RuleRow(NamedTuple):
    """A rule that speaks in an alert. `result`: how that ended, empty while nobody has said so."""

    alert_id: str
    rule: str
    result: str


def row_of(alert: Alert, look_at: int) -> AlertRow:
    return AlertRow(
        alert.alert_id, alert.customer_id, alert.situation, alert.kind, alert.state, alert.severity, alert.owner,
        alert.rank, alert.opened_at, alert.routed_day, look_at, alert.waiting, alert.is_open,
        msgspec.json.encode(alert),
    )  # fmt: skip


def alert_of(body: bytes) -> Alert:
    return _alert(body)


def rules_of(alert: Alert) -> list[RuleRow]:
    result = alert.outcome.result if alert.outcome else ""
    return [RuleRow(alert.alert_id, rule, result) for rule, _ in alert.rules]


def standing_of(body: bytes) -> Standing:
    return _standing(body)


def standing_row(customer_id: str, standing: Standing) -> tuple[str, bytes]:
    return customer_id, msgspec.json.encode(standing)


def by_customer(customer_ids: Sequence[str], bodies: Sequence[Any]) -> dict[str, list[Alert]]:
    """`bodies` of those customers' alerts, oldest first."""
    found: dict[str, list[Alert]] = {one: [] for one in customer_ids}
    for body in bodies:
        alert = _alert(body)
        found[alert.customer_id].append(alert)
    return found
