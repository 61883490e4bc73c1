"""What each planted story makes its customer do, day by day from its begin. One short function a kind."""

from collections.abc import Callable
from datetime import timedelta

from schemas.instants import MINUTE_MS
from services.simulator import names
from services.simulator.acts import card, own_elsewhere, refused_abroad, shop_abroad
from services.simulator.bank import CURRENT, OWN_BANK, SAVINGS, account_no, customer_no, money
from services.simulator.contacts import call
from services.simulator.customers import customer, named_successor
from services.simulator.days import employer
from services.simulator.holdings import deposit, has_savings, mandates
from services.simulator.moods import CANCELS_ON
from services.simulator.plan import DayPlan
from services.simulator.stories import Kind, Story


def story_day(plan: DayPlan, story: Story) -> None:
    _KINDS[story.kind](plan, story, (plan.day - story.begins).days)


def _drifting(plan: DayPlan, story: Story, passed: int) -> None:
    """A growing share goes to the own name at a competitor each week; then the mandates, then the account."""
    if 0 <= passed <= 42 and passed % 7 == 0:
        _send_away(plan, 0.12 + passed / 140)
    _cancel_mandates(plan, story, passed)
    if plan.day == story.loss_on:
        _leave(plan, "moved_to_other_bank")


def _redirected(plan: DayPlan, story: Story, passed: int) -> None:
    """The absence itself is in the mood; the rest of the money and the mandates follow."""
    if passed in (25, 50):
        _send_away(plan, 0.4)
    _cancel_mandates(plan, story, passed)
    if plan.day == story.loss_on:
        _leave(plan, "moved_to_other_bank")


def _complaint(plan: DayPlan, story: Story, passed: int) -> None:
    case = {"case_id": f"CS{story.number}d{story.begins:%Y%m%d}"}
    if passed in (0, 3, 6):
        call(plan, plan.at(10, 11), "fee", "unsolved")
    if passed == 0:
        due = f"{story.begins + timedelta(days=9)}T18:00:00+08:00"
        opened = {**case, "customer_no": story.customer_no}
        attributes = {"case_kind": "complaint", "reason": "fee", "due_at": due}
        plan.event(plan.at(12, 13), "case.opened", "call_center", opened, attributes=attributes)
    elif passed == 10:
        plan.event(plan.at(8, 9), "case.overdue", "call_center", case, attributes={"case_kind": "complaint"})
    elif passed == 12:
        plan.party(plan.at(20, 21), "feedback.given", "mobile", score=2, scale=10, survey="complaint")
    elif passed == 20:
        _send_away(plan, 0.5)
        plan.event(plan.at(14, 15), "card.blocked", "mobile", _card(story), attributes={"reason": "customer_request"})
        plan.event(plan.at(15, 16), "product.closed", "mobile", _named(story), product="card",
                   attributes={"product_family": "card", "reason": "complaint"})  # fmt: skip
    if plan.day == story.loss_on:
        _leave(plan, "complaint")


def _rising(plan: DayPlan, story: Story, passed: int) -> None:
    """Fresh money every fortnight and a look at what wealthy customers get; nobody speaks to him or her."""
    if 0 <= passed <= 140 and passed % 14 == 0:
        amount = plan.random.randint(80, 120) * 100_000
        source = {"name": plan.customer.name, "account_no": f"88{story.number:08d}", "bank": "OTHB", "kind": "own"}
        plan.receive(plan.at(10, 15), "transfer.received", "corebank", amount, account=SAVINGS, counterparty=source)
    if 0 <= passed <= 140 and passed % 10 == 3:
        _looks_at(plan, "private_banking")


def _bonus(plan: DayPlan, story: Story, passed: int) -> None:
    if passed == 0:
        amount = plan.customer.income * plan.random.randint(4, 8)
        attributes = {"description": "年终奖", "period": f"{plan.day.year}"}
        payer = employer(plan.customer)
        plan.receive(plan.at(9, 10), "salary.credited", "corebank", amount, counterparty=payer, attributes=attributes)
    elif passed in (2, 4, 9):
        _looks_at(plan, "funds")
    if plan.day == story.loss_on:
        broker = {"name": "证券账户", "account_no": f"87{story.number:08d}", "bank": names.BROKER, "kind": "broker"}
        plan.pay(plan.at(10, 15), "transfer.sent", "mobile", 0, share=0.7, counterparty=broker)


def _maturing(plan: DayPlan, story: Story, passed: int) -> None:
    held = deposit(plan.bank, plan.customer.number, plan.day)
    if held is None or plan.day > story.loss_on:
        return
    left = (held.matures_on - plan.day).days
    named, on = {"contract_id": held.contract_id}, {"matures_on": held.matures_on.isoformat()}
    if left in (30, 7, 0):
        amount = money(held.principal)
        plan.event(plan.at(6, 7), "term_deposit.maturing", "corebank", named, amount=amount, attributes=on)
    if left == 0:
        paid_out = {"purpose": "wealth", "description": "定期存款到期"}
        plan.receive(plan.at(7, 8), "transaction.posted", "corebank", held.principal, attributes=paid_out)
    if plan.day == story.loss_on:
        _send_away(plan, 0.9)


def _abroad(plan: DayPlan, story: Story, passed: int) -> None:
    if passed == -6:
        _take_from_savings(plan, 1_000_000)
    elif passed == -5:
        ticket = {"merchant": names.AIRLINE.name, "merchant_category": names.AIRLINE.category, "merchant_country": "CN"}
        plan.pay(plan.at(20, 21), "card.paid", "online", 320_000, by_card=True, attributes=ticket)
    elif passed == -1:
        plan.pay(plan.at(18, 19), "card.paid", "pos", 86_000, by_card=True, attributes=shop_abroad(story.number))
    elif passed in (0, 1):
        at = plan.at(19, 20)
        for attempt in range(2):
            refused_abroad(plan, at + attempt * 3 * MINUTE_MS)
        call(plan, at + 15 * MINUTE_MS, "card_declined", "unsolved")
    if plan.day == story.loss_on:
        plan.event(plan.at(10, 11), "card.blocked", "mobile", _card(story), attributes={"reason": "customer_request"})
        plan.event(plan.at(11, 12), "product.closed", "mobile", _named(story), product="card",
                   attributes={"product_family": "card", "reason": "card_declined"})  # fmt: skip


def _manager_leaving(plan: DayPlan, story: Story, passed: int) -> None:
    if passed == 0:
        manager_id = customer(plan.bank, story.number).manager_id
        attributes = {"branch": plan.customer.branch, "reason": "resigned"}
        successor = named_successor(story.number, plan.customer.branch)
        if successor is not None:
            attributes["successor_id"] = successor
        plan.event(plan.at(8, 9), "manager.left", "corebank", {"manager_id": manager_id}, attributes=attributes)
    elif passed in (15, 25):
        plan.pay(plan.at(10, 15), "transfer.sent", "mobile", 0, share=0.2, account=SAVINGS, counterparty=_self(plan))
    if plan.day == story.loss_on:
        plan.pay(plan.at(10, 15), "transfer.sent", "mobile", 0, share=0.8, account=SAVINGS, counterparty=_self(plan))


_KINDS: dict[Kind, Callable[[DayPlan, Story, int], None]] = {
    "drifting_to_competitor": _drifting,
    "salary_redirected": _redirected,
    "complaint_then_closed": _complaint,
    "near_threshold_rising": _rising,
    "bonus_arriving": _bonus,
    "term_deposit_maturing": _maturing,
    "card_declined_abroad": _abroad,
    "manager_leaving": _manager_leaving,
}


def _named(story: Story) -> dict[str, str]:
    return {"customer_no": story.customer_no}


def _card(story: Story) -> dict[str, str]:
    return card(story.number)


def _self(plan: DayPlan) -> dict[str, str]:
    return own_elsewhere(plan.customer)


def _take_from_savings(plan: DayPlan, amount: int) -> None:
    here, there = (
        {"account_no": account_no(plan.customer.number, which), "bank": OWN_BANK, "kind": "own"}
        for which in (CURRENT, SAVINGS)
    )
    at = plan.at(19, 20)
    inward = plan.movement(at, "transfer.received", "corebank", 0, is_credit=True, counterparty=there)
    plan.pay(at, "transfer.sent", "mobile", amount, account=SAVINGS, counterparty=here, then=inward)


def _send_away(plan: DayPlan, share: float) -> None:
    plan.pay(plan.at(10, 21), "transfer.sent", "mobile", 0, share=share, counterparty=_self(plan))
    if has_savings(plan.customer):
        plan.pay(plan.at(10, 21), "transfer.sent", "mobile", 0, share=share, account=SAVINGS, counterparty=_self(plan))


def _cancel_mandates(plan: DayPlan, story: Story, passed: int) -> None:
    if passed != CANCELS_ON[story.kind]:
        return
    for mandate in mandates(plan.bank, plan.customer.number):
        kind = "standing_order.cancelled" if mandate.is_order else "direct_debit.mandate_cancelled"
        identifiers = {"mandate_id": mandate.mandate_id, "account_no": account_no(story.number)}
        attributes = {"reason": "moved_to_other_bank"}
        plan.event(plan.at(12, 14), kind, "mobile", identifiers, attributes=attributes)


def _leave(plan: DayPlan, reason: str) -> None:
    _send_away(plan, 1.0)
    number = plan.customer.number
    for which in (0, SAVINGS) if has_savings(plan.customer) else (0,):
        identifiers = {"account_no": account_no(number, which), "customer_no": customer_no(number)}
        plan.event(plan.at(22, 23), "account.closed", "counter", identifiers, attributes={"reason": reason})


def _looks_at(plan: DayPlan, page: str) -> None:
    at = plan.at(20, 22)
    plan.session(at, "login.succeeded", "mobile", login_method="biometric")
    plan.session(at + MINUTE_MS, "page.viewed", "mobile", page=f"/wealth/{page}", product_family="wealth", seconds=120)
    plan.session(at + 3 * MINUTE_MS, "calculator.used", "mobile", product_family="wealth", calculator=page)
