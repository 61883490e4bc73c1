"""A person's step: one transaction, one winner, and the topic hears of it."""

import asyncio
from collections.abc import Sequence
from typing import Any

import pytest
from msgspec.structs import replace

from schemas.codec import decode_alert
from services.access import User
from services.alerts.adapters.memory_transaction import MemoryTransaction
from services.alerts.attend import Attend
from services.alerts.domain.alert import Alert, Outcome
from services.alerts.domain.lifecycle import IllegalStep, StepRequest
from services.alerts.domain.rules import Desk
from services.alerts.domain.standing import Standing
from services.alerts.outbox import DESK
from services.alerts.ports import AlertFilter
from services.failures import Rejected
from tests.alerts.told import DAY, HOUR, MISSED, NOON, rule, rules, statement
from tests.alerts.web.branch import LEAVING, Branch

CLAIM = StepRequest("claim")


def user(name: str, manager_id: str | None = None, **given: Any) -> User:
    return User(user_id=name, name=name, **{"role": "manager", "manager_id": manager_id, **given})


LI, WU, CHIEF, ADMIN = user("Li", "M-1"), user("Wu", "M-2"), user("Chief"), user("Root", "M-9", role="admin")


async def test_a_step_is_kept_and_told_to_the_topic() -> None:
    branch = Branch()
    alert = await branch.leaving()
    after = await branch.act.on(alert.alert_id, CLAIM, LI)
    kept = await branch.store.alert(alert.alert_id)
    assert kept == after
    assert (after.state, after.claimed_by, after.revision) == ("claimed", "Li", branch.clock.now_ms())
    assert after.revision > alert.revision
    told = [decode_alert(row.message.value) for row in await branch.store.outbox(DESK, 10)]
    assert [(one.alert_id, one.state, one.revision) for one in told] == [(alert.alert_id, "claimed", after.revision)]


async def test_of_two_who_claim_at_once_one_wins_and_the_other_is_told_who() -> None:
    branch = Branch()
    alert = await branch.leaving()
    said = await asyncio.gather(
        branch.act.on(alert.alert_id, CLAIM, CHIEF), branch.act.on(alert.alert_id, CLAIM, LI), return_exceptions=True
    )
    [lost] = [one for one in said if isinstance(one, IllegalStep)]
    kept = await branch.store.alert(alert.alert_id)
    assert kept is not None
    assert (lost.reason, lost.claimed_by) == ("already_claimed", kept.claimed_by)


async def test_a_refused_step_changes_and_tells_nothing() -> None:
    branch = Branch()
    alert = await branch.leaving()
    with pytest.raises(Rejected, match="M-1 answers for this customer"):
        await branch.act.on(alert.alert_id, CLAIM, WU)
    assert await branch.store.alert(alert.alert_id) == alert
    assert await branch.store.outbox(DESK, 10) == []


async def test_the_delegate_of_the_customers_owner_may_act_and_so_may_the_owner_beside_the_delegate() -> None:
    branch = Branch()
    alert = await branch.leaving(acting_owner="M-2")
    assert alert.owner == "M-2"
    assert (await branch.act.on(alert.alert_id, CLAIM, LI)).claimed_by == "Li"
    await branch.hear(statement(2, acting_owner="M-3", **LEAVING))
    await branch.sign_in("manager", "M-3", "Xu")
    for step in (StepRequest("reassign", to="M-3"), CLAIM, StepRequest("contact")):
        after = await branch.act.on(alert.alert_id, step, user("Xu", "M-3"))
    assert (after.state, after.claimed_by) == ("contacted", "Xu")


async def test_a_contact_is_to_be_followed_by_its_outcome_within_a_week_of_work() -> None:
    branch = Branch()
    alert = await branch.leaving()
    await branch.act.on(alert.alert_id, CLAIM, LI)
    after = await branch.act.on(alert.alert_id, StepRequest("contact"), LI)
    assert after.due_at == branch.clock.now_ms() + 7 * DAY
    await Attend(branch.store, branch.current).apply(after.due_at)
    reminded = await branch.store.alert(alert.alert_id)
    assert reminded is not None
    assert (reminded.state, reminded.history[-1].note) == ("contacted", "what came of the contact is to be noted")


@pytest.mark.parametrize("who", [CHIEF, ADMIN])
async def test_a_supervisor_and_an_administrator_act_on_every_portfolio(who: User) -> None:
    branch = Branch()
    alert = await branch.leaving()
    assert (await branch.act.on(alert.alert_id, CLAIM, who)).claimed_by == who.name


async def test_a_reassigned_alert_gets_its_time_anew_and_takes_a_place_of_the_new_owner() -> None:
    branch = Branch()
    alert = await branch.leaving()
    branch.clock.move_to(NOON + 3 * DAY)
    after = await branch.act.on(alert.alert_id, StepRequest("reassign", to="M-2"), LI)
    assert (after.owner, after.claimed_by, after.routed_at) == ("M-2", "", NOON + 3 * DAY)
    assert after.due_at > alert.due_at
    async with branch.store.working() as tx:
        assert await tx.routed_on(["M-2"], branch.current.terms.day_of(NOON + 3 * DAY)) == {"M-2": 1}


@pytest.mark.parametrize(("to", "why"), [
    ("M-22", "nobody is known as M-22; did you mean M-2?"),
    ("queue:BJ-7", "nobody is known as queue:BJ-7; did you mean queue:BJ-1?"),
    ("queue:", "nobody is known as queue:"),
    ("M-8", "M-8 works here no more"),
])  # fmt: skip
async def test_an_alert_is_given_to_nobody_unknown_and_it_is_said_who_could_have_it(to: str, why: str) -> None:
    branch = Branch()
    alert = await branch.leaving(branch="SZ-3")
    with pytest.raises(Rejected) as refused:
        await branch.act.on(alert.alert_id, StepRequest("reassign", to=to), CHIEF)
    assert (refused.value.reason, refused.value.field) == ("unknown_owner", "to")
    assert why in str(refused.value)
    assert "?;" not in str(refused.value)
    assert "a manager with customers or a token is expected, or a queue: `queue:SZ-3`" in str(refused.value)
    assert await branch.store.alert(alert.alert_id) == alert


async def test_an_alert_of_a_customer_without_a_branch_is_given_to_no_nameless_queue() -> None:
    branch = Branch()
    alert = await branch.leaving()
    with pytest.raises(Rejected, match="or a queue: `queue:BRANCH`"):
        await branch.act.on(alert.alert_id, StepRequest("reassign", to="queue:"), CHIEF)


async def test_an_alert_is_given_to_whoever_is_known_by_portfolio_desk_token_or_alerts_and_to_a_known_branch() -> None:
    branch = Branch()
    branch.current.take(branch.current.rules, Desk(superiors={"M-1": "M-9"}))
    await branch.sign_in("manager", "M-5", "Wu")
    await branch.hear(statement(1, "other", owner="M-6", **LEAVING))
    alert = await branch.leaving(branch="SZ-3")
    for to in ("M-2", "M-9", "M-5", "M-6", "queue:BJ-1", "queue:SZ-3"):
        assert (await branch.act.on(alert.alert_id, StepRequest("reassign", to=to), CHIEF)).owner == to


async def test_what_is_taken_up_before_its_turn_is_to_be_answered_in_its_time_as_well() -> None:
    branch = Branch()
    branch.current.take(branch.current.rules, Desk(capacities={"M-1": 0}))
    alert = await branch.leaving()
    assert (alert.waiting, alert.due_at) == ("capacity", 0)
    after = await branch.act.on(alert.alert_id, CLAIM, LI)
    assert after.due_at > after.routed_at == branch.clock.now_ms()
    assert await branch.store.due(after.due_at, 10) == ["c1"]


async def test_what_is_taken_up_before_its_turn_takes_a_place_of_the_day() -> None:
    branch = Branch()
    branch.current.take(branch.current.rules, Desk(capacities={"M-1": 1}))
    await branch.leaving()
    late = await branch.leaving("c2")
    assert late.waiting == "capacity"
    after = await branch.act.on(late.alert_id, CLAIM, LI)
    assert after.routed_day == branch.current.terms.day_of(branch.clock.now_ms())


async def test_what_was_pulled_back_and_is_taken_up_before_its_turn_has_its_time_to_answer_anew() -> None:
    branch = Branch()
    branch.current.take(branch.current.rules, Desk(capacities={"M-1": 1}))
    await branch.hear(statement(1, balance_total=5e3))
    await branch.hear(statement(2, balance_total=5e3, complaint_open=True))
    await branch.leaving("c2")
    await branch.hear(statement(3, balance_total=5e3))
    [sale] = await branch.store.find(AlertFilter(customer=("c1",)), None, 9)
    assert (sale.state, sale.waiting) == ("new", "capacity")
    branch.clock.move_to(NOON + 30 * DAY)
    after = await branch.act.on(sale.alert_id, CLAIM, LI)
    assert after.due_at > after.routed_at == NOON + 30 * DAY


async def test_what_somebody_gives_away_after_its_time_does_not_expire_before_the_other_could_take_it_up() -> None:
    branch = Branch()
    alert = await branch.leaving()
    await branch.act.on(alert.alert_id, CLAIM, LI)
    branch.clock.move_to(given_at := alert.expires_at + HOUR)
    after = await branch.act.on(alert.alert_id, StepRequest("reassign", to="M-2"), LI)
    month = alert.expires_at - alert.opened_at
    assert after.expires_at == given_at + month
    await branch.hear(statement(2, **{**LEAVING, "assets": 500_000.0}))
    await Attend(branch.store, branch.current).apply(given_at + DAY)
    kept = await branch.store.alert(alert.alert_id)
    assert kept is not None
    assert (kept.state, kept.expires_at) == ("routed", given_at + month)
    await Attend(branch.store, branch.current).apply(given_at + month)
    gone = await branch.store.alert(alert.alert_id)
    assert gone is not None
    assert gone.state == "expired"


async def test_a_sale_that_is_held_back_is_given_to_nobody_before_the_guard_lets_go() -> None:
    branch = Branch()
    await branch.hear(statement(1, balance_total=5e3))
    [sale] = await branch.store.find(AlertFilter(customer=("c1",)), None, 9)
    await branch.act.on(sale.alert_id, CLAIM, LI)
    await branch.hear(statement(2, balance_total=5e3, complaint_open=True))
    after = await branch.act.on(sale.alert_id, StepRequest("reassign", to="M-2"), LI)
    assert (after.state, after.waiting, after.owner) == ("new", "G1", "M-2")
    await branch.hear(statement(3, balance_total=5e3))
    [after] = await branch.store.find(AlertFilter(customer=("c1",)), None, 9)
    assert (after.state, after.owner) == ("routed", "M-2")


@pytest.mark.parametrize("last", [StepRequest("outcome", outcome=Outcome(result="saved")), StepRequest("false_alarm")])
async def test_what_somebody_has_closed_is_not_raised_again_within_its_cooldown_though_its_cause_was_over(
    last: StepRequest,
) -> None:
    branch = Branch()
    alert = await branch.leaving()
    await branch.act.on(alert.alert_id, CLAIM, LI)
    await branch.hear(statement(2))
    await branch.act.on(alert.alert_id, last, LI)
    for version, at, opened in [(3, NOON + 20 * DAY, 1), (4, NOON + 25 * DAY, 1), (6, NOON + 32 * DAY, 2)]:
        await branch.hear(statement(version, at=at, **LEAVING))
        assert len(await branch.store.find(AlertFilter(customer=("c1",)), None, 9)) == opened
        await branch.hear(statement(version + 1, at=at + DAY))


async def test_who_takes_it_up_has_no_more_time_to_answer_than_was_given() -> None:
    branch = Branch()
    alert = await branch.leaving()
    branch.clock.move_to(branch.clock.now_ms() + HOUR)
    after = await branch.act.on(alert.alert_id, CLAIM, LI)
    assert (after.routed_at, after.due_at) == (alert.routed_at, alert.due_at)


async def test_one_put_off_is_looked_at_when_its_time_has_come() -> None:
    branch = Branch()
    alert = await branch.leaving()
    until = branch.clock.now_ms() + HOUR
    await branch.act.on(alert.alert_id, CLAIM, LI)
    await branch.act.on(alert.alert_id, StepRequest("snooze", until=until), LI)
    assert await branch.store.due(until - 1, 10) == []
    assert await branch.store.due(until, 10) == ["c1"]


async def test_one_that_has_more_time_by_now_is_looked_at_once_and_then_no_sooner_than_that() -> None:
    branch = Branch()
    branch.current.take(branch.current.rules, Desk(remind_at=50))
    alert = await branch.leaving()
    soon = alert.routed_at
    while not await branch.store.due(soon, 10):
        soon += HOUR
    branch.current.take(branch.current.rules, Desk(remind_at=90))
    assert await Attend(branch.store, branch.current).apply(soon) == []
    assert await branch.store.due(soon, 10) == []
    assert await branch.store.outbox(DESK, 10) == []


async def test_outcomes_are_what_the_rules_learn_from() -> None:
    branch = Branch()
    alert = await branch.leaving()
    await branch.act.on(alert.alert_id, CLAIM, LI)
    await branch.act.on(
        alert.alert_id, StepRequest("outcome", outcome=Outcome(result="not_relevant", reason="moved")), LI
    )
    [learned] = await branch.store.learned()
    assert (learned.rule, learned.closed, learned.not_relevant) == ("R4", 1, 1)
    branch.current.take(branch.current.rules, Desk(throttle_after=1))
    branch.current.learn([learned])
    assert branch.current.terms.throttled == {"R4"}


async def leaves_and_may_buy() -> tuple[Branch, Alert]:
    """What stands in the way of the sale; the sale waits longer than that lasts."""
    lasting = rule("U3", kind="upsell", situation="growth", when=("balance_total >= 1000.0",), expires_after_days=90)
    branch = Branch(rules(MISSED, lasting))
    await branch.hear(statement(1, balance_total=5e3, **LEAVING))
    leaving, growth = [await the(branch, one) for one in ("leaving", "growth")]
    assert growth.waiting == "retention_first"
    return branch, leaving


async def the(branch: Branch, situation: str) -> Alert:
    [found] = await branch.store.find(AlertFilter(situation=(situation,)), None, 9)
    return found


async def test_what_waited_for_an_alert_goes_on_when_somebody_has_closed_that() -> None:
    branch, leaving = await leaves_and_may_buy()
    await branch.act.on(leaving.alert_id, StepRequest("false_alarm"), LI)
    told = [decode_alert(row.message.value) for row in await branch.store.outbox(DESK, 10)]
    assert [(one.situation, one.history[-1].action) for one in told] == [
        ("leaving", "false_alarm"), ("growth", "release"),
    ]  # fmt: skip
    await Attend(branch.store, branch.current).apply(branch.clock.now_ms())
    assert (await the(branch, "growth")).state == "routed"


async def test_what_waits_for_an_alert_waits_on_when_somebody_has_taken_that_up() -> None:
    branch, leaving = await leaves_and_may_buy()
    await branch.act.on(leaving.alert_id, CLAIM, LI)
    assert (await the(branch, "growth")).waiting == "retention_first"


async def test_what_waited_for_an_alert_goes_on_when_that_has_expired() -> None:
    branch, leaving = await leaves_and_may_buy()
    attend = Attend(branch.store, branch.current)
    assert {one.situation for one in await attend.apply(leaving.expires_at)} == {"leaving", "growth"}
    assert [(await the(branch, one)).state for one in ("leaving", "growth")] == ["expired", "routed"]
    told = [decode_alert(row.message.value) for row in await branch.store.outbox(DESK, 10)]
    assert [(one.situation, one.history[-1].action) for one in told] == [
        ("leaving", "expire"), ("growth", "release"), ("growth", "route"),
    ]  # fmt: skip


async def test_an_unknown_alert_is_said_to_be_unknown() -> None:
    with pytest.raises(Rejected) as refused:
        await Branch().act.on("al_none", CLAIM, CHIEF)
    assert refused.value.reason == "unknown_alert"


async def test_an_alert_whose_customer_was_merged_meanwhile_is_read_again(monkeypatch: pytest.MonkeyPatch) -> None:
    branch = Branch()
    alert = await branch.leaving()
    moves, known = [replace(alert, customer_id="c2")], MemoryTransaction.lock

    async def locked(tx: MemoryTransaction, customer_ids: Sequence[str]) -> dict[str, Standing]:
        """Another worker held the lock, and has moved the alert when it lets go."""
        if moves:
            await tx.save_alerts([moves.pop()], {})
        return await known(tx, customer_ids)

    monkeypatch.setattr(MemoryTransaction, "lock", locked)
    assert (await branch.act.on(alert.alert_id, CLAIM, LI)).customer_id == "c1"
