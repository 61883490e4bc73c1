"""What the topic tells of an alert is all that a reader needs, in both languages."""

import msgspec
import pytest

from schemas import alerts as wire
from schemas.codec import decode_alert
from services.alerts.adapters.memory import MemoryAlertStore
from services.alerts.domain.alert import Alert, Evidence, Outcome, Step
from services.alerts.domain.rules import Text
from services.alerts.outbox import message_of, write
from tests.alerts.told import NOON, terms

ALERT = Alert(
    alert_id="al_1", customer_id="c_1", situation="leaving", kind="retention", state="closed", revision=4, severity=3,
    grade="A", owner="M-1", claimed_by="Mei", title=Text("Money leaves", "资金转出"), reason=Text("half of it", "一半"),
    suggested=Text("call today", "今天致电"), opened_at=10, due_at=20,
    evidence=[
        Evidence(
            key="R1", rule="R1", rule_version=2, name=Text("Money leaves", "资金转出"), kind="retention", occurred_at=9,
            seen_at=10, statement=3, event_id="e_1", text=Text("40,000", "4万"), values={"percent": 50.0}, ended_at=15,
        )
    ],
    history=[Step(at=10, actor="system", action="open", state="new", note="R1")],
    outcome=Outcome(result="sold", product="deposit", amount_minor=100, currency="CNY"),
)  # fmt: skip


def test_a_message_carries_the_whole_alert_under_its_customer() -> None:
    topic, key, value = message_of(ALERT)
    told = decode_alert(value)
    assert (topic, key) == ("alerts", b"c_1")
    for name in ("alert_id", "revision", "situation", "kind", "state", "severity", "grade", "owner", "claimed_by",
                 "opened_at", "due_at", "waiting"):  # fmt: skip
        assert getattr(told, name) == getattr(ALERT, name), name
    assert told.title == wire.Text("Money leaves", "资金转出")
    assert (told.reason.zh, told.suggested.en) == ("一半", "call today")
    assert told.rules == [wire.RuleReference(id="R1", version=2)]
    assert told.history == [wire.Step(at=10, actor="system", action="open", state="new", note="R1")]
    assert told.outcome == wire.Outcome(result="sold", product="deposit", amount_minor=100, currency="CNY")


def test_evidence_is_told_with_what_was_seen_and_whether_it_still_holds() -> None:
    (evidence,) = decode_alert(message_of(ALERT).value).evidence
    assert (evidence.rule_id, evidence.event_id, evidence.occurred_at, evidence.ended_at) == ("R1", "e_1", 9, 15)
    assert (evidence.text.en, evidence.values) == ("40,000", {"percent": 50.0})


def test_an_open_alert_has_no_outcome() -> None:
    assert decode_alert(message_of(msgspec.structs.replace(ALERT, outcome=None)).value).outcome is None


@pytest.mark.parametrize(("before", "revision"), [(0, NOON), (4, NOON), (NOON, NOON + 1), (NOON + 9, NOON + 10)])
async def test_a_revision_is_the_time_it_was_written_and_always_later_than_the_one_before(
    before: int, revision: int
) -> None:
    store, alert = MemoryAlertStore(), msgspec.structs.replace(ALERT, revision=before)
    async with store.working() as tx:
        await write(tx, "desk", [alert], terms(), NOON)
    kept = await store.alert("al_1")
    assert kept is not None
    [row] = await store.outbox("desk", 10)
    assert (kept.revision, decode_alert(row.message.value).revision) == (revision, revision)
