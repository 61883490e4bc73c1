"""Destinations, and alerts as the topic tells them, for tests of delivery."""

from typing import Any

import msgspec

from schemas.alerts import Alert, Evidence, Outcome, RuleReference, Step, Text
from schemas.codec import encode_alert
from services.alerts.domain.destinations import Destination
from services.log import Batch, Record

NOON = 1_795_406_400_000  # Monday 2026-11-23, 12:00 in Shanghai
MINUTE, HOUR, DAY = 60_000, 3_600_000, 86_400_000
SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
STEPS = ("routed", "raised", "escalated")
STATES = {
    "open": "new", "hold": "new", "withdraw": "withdrawn", "expire": "expired", "outcome": "closed",
    "claim": "claimed",
}  # fmt: skip


def destination(destination_id: str = "crm", **given: Any) -> Destination:
    plain = {"kind": "webhook", "url": "https://crm.bank.example/hook", "secret": "CRM_SECRET", "steps": STEPS}
    return msgspec.convert({"id": destination_id, **plain, **given}, Destination)


def mail(destination_id: str = "managers", **given: Any) -> Destination:
    plain = {"url": "smtps://mail.bank.example", "sender": "a@bank.example", "address": "b@bank.example", "secret": ""}
    return destination(destination_id, **{"kind": "mail", **plain, **given})


def alert(*actions: str, alert_id: str = "al_1", at: int = NOON, **given: Any) -> Alert:
    steps = [Step(at=at, actor="system", action=one, state=STATES.get(one, "routed"), note=one) for one in actions]
    plain: dict[str, Any] = {
        "customer_id": "c_1", "kind": "retention", "situation": "leaving", "severity": 2, "owner": "M-1",
        "title": Text("Salary stopped", "工资中断"), "reason": Text("No salary of 9,000 came", "工资 9,000 未到账"),
        "suggested": Text("Call and ask", "致电了解"), "opened_at": NOON, "due_at": NOON + 4 * HOUR,
        "rules": [RuleReference(id="R4", version=3)],
        "evidence": [Evidence(rule_id="R4", occurred_at=NOON, text=Text("None", "无"), values={"missed": 1.0})],
        "state": steps[-1].state if steps else "new", "revision": len(steps),
    }  # fmt: skip
    return Alert(alert_id=alert_id, history=steps, **{**plain, **given})


def closed(**given: Any) -> Alert:
    outcome = Outcome(result="sold", reason="met Ms Li", product="fund", amount_minor=5_000_000, currency="CNY")
    told = alert("open", "route", **given)
    steps = [*told.history, Step(at=NOON, actor="ada", action="outcome", state="closed", note="met Ms Li")]
    return msgspec.structs.replace(told, history=steps, state="closed", outcome=outcome, revision=3)


def batch(*alerts: Alert, start: int = 0) -> Batch:
    records = [Record(start + n, NOON, one.customer_id.encode(), encode_alert(one)) for n, one in enumerate(alerts)]
    return Batch("alerts", "topic-1", 0, start, start + len(records), records)
