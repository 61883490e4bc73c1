"""What a manager who has left had in hand: somebody else gets it, as it stands."""

from schemas.codec import decode_alert
from services.access import User
from services.alerts.domain.alert import Alert
from services.alerts.domain.lifecycle import StepRequest
from services.alerts.hand_over import HandOver
from services.alerts.outbox import DESK
from services.alerts.ports import AlertFilter
from tests.alerts.told import DAY, NOON, statement
from tests.alerts.web.branch import LEAVING, Branch

NOW = NOON + 3 * DAY
LI = User(user_id="li", name="Li", role="manager", manager_id="M-1")


async def planned(bank: Branch, **facts: str) -> Alert:
    """Of M-1, who has claimed it and planned a visit."""
    alert = await bank.leaving(**facts)
    await bank.act.on(alert.alert_id, StepRequest("claim"), LI)
    return await bank.act.on(alert.alert_id, StepRequest("plan", until=NOW + DAY), LI)


def hand_over(branch: Branch, *left: str) -> HandOver:
    async def those() -> frozenset[str]:
        return frozenset(left)

    return HandOver(branch.store, branch.current, those)


async def test_it_goes_to_the_customers_owner_of_now_and_the_plan_stands() -> None:
    branch = Branch()
    before = await planned(branch)
    await branch.hear(statement(2, owner="M-2", **LEAVING))
    assert await hand_over(branch).apply(NOW) == []
    [after] = await hand_over(branch, "M-1", "M-7").apply(NOW)
    assert (after.owner, after.state, after.planned_at) == ("M-2", "planned", before.planned_at)
    assert after.history[-1].note == "from M-1, who has left, to M-2"
    assert after.due_at > NOW
    told = [decode_alert(row.message.value) for row in await branch.store.outbox(DESK, 10)]
    assert told[-1].history[-1].action == "hand_over"
    assert await hand_over(branch, "M-1", "M-7").apply(NOW + 1) == []


async def test_whoever_it_goes_to_goes_on_with_it_and_has_it_in_hand() -> None:
    branch = Branch()
    before = await planned(branch)
    await branch.hear(statement(2, owner="M-2", **LEAVING))
    await hand_over(branch, "M-1").apply(NOW)
    wu = User(user_id="wu", name="Wu", role="manager", manager_id="M-2")
    after = await branch.act.on(before.alert_id, StepRequest("contact"), wu)
    assert (after.state, after.claimed_by) == ("contacted", "Wu")


async def test_it_goes_to_the_branch_while_nobody_answers_for_the_customer() -> None:
    branch = Branch()
    await planned(branch, branch="BJ-1")
    [after] = await hand_over(branch, "M-1").apply(NOW)
    assert after.owner == "queue:BJ-1"


async def test_what_was_given_to_one_who_has_left_goes_to_the_customers_owner_and_follows_that_one_again() -> None:
    branch = Branch()
    alert = await branch.leaving()
    await branch.act.on(alert.alert_id, StepRequest("reassign", to="M-2"), LI)
    [after] = await hand_over(branch, "M-2").apply(NOW)
    assert (after.owner, after.state) == ("M-1", "routed")
    assert after.due_at > NOW
    await branch.hear(statement(2, owner="M-3", **LEAVING))
    kept = await branch.store.alert(alert.alert_id)
    assert kept is not None
    assert kept.owner == "M-3"


async def test_what_was_given_to_one_who_has_left_and_is_held_back_waits_with_the_customers_owner() -> None:
    branch = Branch()
    await branch.hear(statement(1, balance_total=5e3))
    [sale] = await branch.store.find(AlertFilter(customer=("c1",)), None, 9)
    await branch.act.on(sale.alert_id, StepRequest("reassign", to="M-2"), LI)
    await branch.hear(statement(2, balance_total=5e3, complaint_open=True))
    [after] = await hand_over(branch, "M-2").apply(NOW)
    assert (after.owner, after.state, after.waiting) == ("M-1", "new", "G1")


async def test_what_somebody_who_is_still_here_has_in_hand_of_the_same_customer_stays_there() -> None:
    branch = Branch()
    await planned(branch)
    await branch.hear(statement(2, owner="M-2", balance_total=5e3, **LEAVING))
    async with branch.store.working() as tx:
        [other] = [one for one in (await tx.alerts_of(["c1"]))["c1"] if one.situation == "growth"]
        other.state, other.owner = "claimed", "M-5"
        await tx.save_alerts([other], {})
    assert [one.situation for one in await hand_over(branch, "M-1").apply(NOW)] == ["leaving"]
