"""What rules have said that say nothing any more: it is taken back at once, and says why."""

from msgspec.structs import replace

from schemas.changes import ProfileChange
from schemas.codec import decode_alert, encode_change
from schemas.topics import PROFILE_CHANGES
from services.alerts.attend import DESK
from services.alerts.current import Current
from services.alerts.domain.rules import Desk
from services.alerts.evaluate import Evaluate
from services.alerts.learn import heed
from services.alerts.ports import OPEN, AlertFilter, RuleSwitch
from services.alerts.retract import WATCHED_MS, Retract
from services.log import Batch, Record
from tests.alerts.told import CEL, COMPLAINT, DAY, MISSED, NOON, OUTFLOW, SAVINGS, moment, rules, statement
from tests.alerts.web.branch import LEAVING, Branch

NOW = NOON + DAY
SILENCED = MISSED._replace(declared=replace(MISSED.declared, enabled=False))


def batch_of(change: ProfileChange) -> Batch:
    record = Record(0, change.changed_at, change.customer_id.encode(), encode_change(change))
    return Batch(PROFILE_CHANGES.name, "topic", 0, 0, 1, [record])


async def switched_off(branch: Branch) -> Retract:
    await branch.store.switch(RuleSwitch("R4", False, "Li Na", NOW, "the file is late"))
    await heed(branch.store, branch.current)
    branch.current.take(rules(SILENCED, OUTFLOW, SAVINGS, COMPLAINT), Desk())
    return Retract(branch.store, branch.current)


async def test_what_a_rule_said_is_withdrawn_with_who_switched_it_off_and_why() -> None:
    branch = Branch()
    alert, claimed = await branch.leaving("c1"), await branch.leaving("c2")
    manager = await branch.sign_in("manager")
    await manager.post(f"/v1/alerts/{claimed.alert_id}/claim")
    retract = await switched_off(branch)
    assert {one.alert_id for one in await retract.apply(NOW)} == {alert.alert_id, claimed.alert_id}
    told = {
        one.alert_id: one for row in await branch.store.outbox(DESK, 10) for one in [decode_alert(row.message.value)]
    }
    assert told[alert.alert_id].state == "withdrawn"
    assert told[alert.alert_id].history[-1].note == "R4 was switched off by Li Na: the file is late"
    assert told[claimed.alert_id].state == "claimed"
    assert told[claimed.alert_id].history[-1].note.endswith("the file is late; the case is yours to close")
    assert await retract.apply(NOW + 1) == []


async def test_what_other_rules_said_in_the_same_alert_stands() -> None:
    branch = Branch()
    await branch.hear(statement(1, moments=[moment("a", NOON)], **LEAVING))
    (alert,) = await (await switched_off(branch)).apply(NOW)
    assert (alert.state, alert.reason.en, alert.history[-1].action) == ("routed", "R1 holds", "evidence_ended")


async def test_another_worker_may_raise_for_a_while_by_the_former_rules() -> None:
    branch = Branch()
    retract = await switched_off(branch)
    assert await retract.apply(NOW) == []
    other = Evaluate(branch.store, CEL, Current(rules(MISSED), Desk(), lambda day: True))
    await other.apply([batch_of(statement(1, "c3", **LEAVING))])
    assert [one.customer_id for one in await retract.apply(NOW + WATCHED_MS)] == ["c3"]


async def test_a_rule_that_is_no_more_says_so_with_the_customers_next_change() -> None:
    branch = Branch()
    alert = await branch.leaving("c1")
    branch.current.take(rules(OUTFLOW), Desk())
    await branch.hear(statement(2, "c1", **LEAVING))
    found = await branch.store.alert(alert.alert_id)
    assert found is not None
    assert found.history[-1].note == "R4 is no rule any more"


async def test_a_switched_off_rule_that_is_switched_on_again_raises_anew() -> None:
    branch = Branch()
    await branch.leaving("c1")
    await (await switched_off(branch)).apply(NOW)
    await branch.store.switch(RuleSwitch("R4", True, "Li Na", NOW + 1, "it has come"))
    await heed(branch.store, branch.current)
    branch.current.take(rules(MISSED), Desk())
    await branch.hear(statement(2, "c1", **LEAVING))
    assert [one.state for one in await branch.store.find(AlertFilter(state=(OPEN,)), None, 9)] == ["routed"]
