"""What rules have said that say nothing any more: it is taken back at once, and says why."""

import pytest
from msgspec.structs import replace

from schemas.changes import ProfileChange
from schemas.codec import decode_alert, encode_change
from schemas.topics import PROFILE_CHANGES
from services.alerts.attend import Attend
from services.alerts.current import Current
from services.alerts.domain.alert import Alert
from services.alerts.domain.compiled import Rule
from services.alerts.domain.editions import Signatures, Signed
from services.alerts.domain.rules import Desk
from services.alerts.evaluate import Evaluate
from services.alerts.outbox import DESK
from services.alerts.ports import OPEN, AlertFilter
from services.alerts.record import record
from services.alerts.retract import WATCHED_MS, Retract
from services.log import Batch, Record
from tests.alerts.told import CEL, COMPLAINT, DAY, MISSED, NOON, OUTFLOW, SAVINGS, moment, rule, rules, statement
from tests.alerts.web.branch import LEAVING, RULES, Branch

NOW = NOON + DAY
SILENCED = MISSED._replace(declared=replace(MISSED.declared, enabled=False))


def batch_of(change: ProfileChange) -> Batch:
    record = Record(0, change.changed_at, change.customer_id.encode(), encode_change(change))
    return Batch(PROFILE_CHANGES.name, "topic", 0, 0, 1, [record])


async def read_anew(branch: Branch, *now: Rule) -> Retract:
    """By a worker that is told of the former rules as well; a person switched some of them."""
    switched = Signed("Li Na", "the file is late")
    signatures = Signatures({}, {}, "root", {"R4": switched, "G1": switched})
    for declared in (RULES, rules(*now)):
        branch.current.written_down(await record(branch.store, declared, signatures, NOW))
        branch.current.take(declared, Desk())
    return Retract(branch.store, branch.current)


async def switched_off(branch: Branch) -> Retract:
    return await read_anew(branch, SILENCED, OUTFLOW, SAVINGS, COMPLAINT)


async def the(branch: Branch, situation: str, customer_id: str = "c1") -> Alert:
    (found,) = await branch.store.find(AlertFilter(customer=(customer_id,), situation=(situation,)), None, 9)
    return found


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
    async with branch.store.working() as tx:
        standing = (await tx.lock(["c1"]))["c1"]
    assert (list(standing.firings), list(standing.cooled)) == (["R1|a"], ["R1"]), "it is not raised once more"


async def test_another_worker_may_raise_for_a_while_by_the_former_rules() -> None:
    branch = Branch()
    retract = await switched_off(branch)
    assert await retract.apply(NOW) == []
    other = Evaluate(branch.store, CEL, Current(rules(MISSED), Desk(), lambda day: True))
    await other.apply([batch_of(statement(1, "c3", **LEAVING))])
    assert [one.customer_id for one in await retract.apply(NOW + WATCHED_MS)] == ["c3"]
    await other.apply([batch_of(statement(1, "c4", **LEAVING))._replace(start=1, until=2)])
    assert await retract.apply(NOW + WATCHED_MS + 1) == []


async def test_what_a_removed_rule_said_is_withdrawn_at_once_with_who_removed_it() -> None:
    branch = Branch()
    await branch.leaving("c1")
    await (await read_anew(branch, OUTFLOW, SAVINGS, COMPLAINT)).apply(NOW)
    withdrawn = await the(branch, "leaving")
    assert (withdrawn.state, withdrawn.history[-1].note) == ("withdrawn", "R4 was removed by root")


async def test_a_rule_that_was_removed_while_nothing_ran_is_taken_back_at_the_next_start() -> None:
    branch = Branch()
    await branch.leaving("c1")
    await read_anew(branch, OUTFLOW)
    started = Current(rules(OUTFLOW), Desk(), lambda day: True)
    started.written_down(await record(branch.store, rules(OUTFLOW), Signatures({}, {}, "other", {}), NOW + DAY))
    await Retract(branch.store, started).apply(NOW + DAY)
    assert (await the(branch, "leaving")).history[-1].note == "R4 was removed by root"


@pytest.mark.parametrize("gone", [True, False])
async def test_what_a_guard_held_back_is_let_go_at_once_with_who_and_why(gone: bool) -> None:
    branch = Branch()
    await branch.hear(statement(1, balance_total=5e3, complaint_open=True))
    assert (await the(branch, "growth")).waiting == "G1"
    off = COMPLAINT._replace(declared=replace(COMPLAINT.declared, enabled=False))
    retract = await read_anew(branch, MISSED, OUTFLOW, SAVINGS, *([] if gone else [off]))
    assert [one.waiting for one in await retract.apply(NOW)] == [""]
    released = (await the(branch, "growth")).history[-1]
    why = "G1 was removed by root" if gone else "G1 was switched off by Li Na: the file is late"
    assert (released.action, released.note) == ("release", why)
    assert await retract.apply(NOW + 1) == []
    await Attend(branch.store, branch.current).apply(NOW + 2)
    assert (await the(branch, "growth")).state == "routed"


@pytest.mark.parametrize("gone", [True, False])
async def test_what_a_guard_has_worded_is_worded_as_before_at_once(gone: bool) -> None:
    consent = rule("G3", kind="guard", situation=None, when=("fraud_case",), wording="service_only")
    off = consent._replace(declared=replace(consent.declared, enabled=False))
    branch = Branch(rules(MISSED, consent))
    await branch.leaving("c1", fraud_case=True)
    assert (await the(branch, "leaving")).wording == "service_only"
    for declared in (rules(MISSED, consent), rules(MISSED, *([] if gone else [off]))):
        signatures = Signatures({}, {}, "root", {})
        branch.current.written_down(await record(branch.store, declared, signatures, NOW))
        branch.current.take(declared, Desk())
    retract = Retract(branch.store, branch.current)
    assert [one.wording for one in await retract.apply(NOW)] == [""]
    assert await retract.apply(NOW + 1) == []


async def test_what_another_guard_holds_back_as_well_stays_held_back() -> None:
    branch, other = Branch(), rule("G9", kind="guard", situation=None, when=("fraud_case",), blocks=("upsell",))
    branch.current.take(rules(SAVINGS, COMPLAINT, other), Desk())
    await branch.hear(statement(1, balance_total=5e3, complaint_open=True, fraud_case=True))
    await (await read_anew(branch, SAVINGS, other)).apply(NOW)
    assert (await the(branch, "growth")).waiting == "G9"


async def test_what_waited_for_an_alert_that_is_taken_back_goes_on_at_once() -> None:
    branch = Branch()
    await branch.leaving("c1", balance_total=5e3)
    assert (await the(branch, "growth")).waiting == "retention_first"
    await (await switched_off(branch)).apply(NOW)
    assert (await the(branch, "growth")).waiting == ""


async def test_a_switched_off_rule_that_is_switched_on_again_raises_anew() -> None:
    branch = Branch()
    await branch.leaving("c1")
    await (await switched_off(branch)).apply(NOW)
    await read_anew(branch, MISSED)
    await branch.hear(statement(2, "c1", **LEAVING))
    assert [one.state for one in await branch.store.find(AlertFilter(state=(OPEN,)), None, 9)] == ["routed"]
