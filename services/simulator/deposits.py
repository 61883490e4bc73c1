"""The life of a customer's term deposit: announced, instructed, rolled over."""

from datetime import timedelta

from services.simulator.bank import account_no, customer_no, money
from services.simulator.holdings import deposit
from services.simulator.plan import DayPlan


def deposit_life(plan: DayPlan) -> None:
    """Announced thirty and seven days ahead, instructed between, rolled over on the day."""
    held = deposit(plan.bank, plan.customer.number, plan.day)
    if held is None:
        return
    left = (held.matures_on - plan.day).days
    named = {"contract_id": held.contract_id}
    on = {"matures_on": held.matures_on.isoformat()}
    if left in (30, 7):
        amount = money(held.principal)
        plan.event(plan.at(6, 7), "term_deposit.maturing", "corebank", named, amount=amount, attributes=on)
    elif left == 20 and held.is_instructed:
        attributes = {"instruction": "roll_over", **on}
        plan.event(plan.at(9, 20), "term_deposit.instructed", "mobile", named, attributes=attributes)
    elif held.opened_on == plan.day - timedelta(days=1):
        number = plan.customer.number
        owner = {**named, "customer_no": customer_no(number), "account_no": account_no(number)}
        terms = {"term_months": 12, "interest_rate": 1.65, **on}
        amount = money(held.principal)
        plan.event(plan.at(6, 7), "term_deposit.opened", "corebank", owner, amount=amount, attributes=terms)
