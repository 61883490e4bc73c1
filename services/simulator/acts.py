"""What happens alike in the planted stories and in the scenes of the live traffic."""

from typing import Any

from services.simulator import names
from services.simulator.bank import account_no, card_no, money
from services.simulator.customers import Customer
from services.simulator.plan import DayPlan


def card(number: int) -> dict[str, str]:
    return {"card_no": card_no(number), "account_no": account_no(number)}


def shop_abroad(number: int) -> dict[str, Any]:
    country, shop = names.ABROAD[number % len(names.ABROAD)]
    return {"merchant": shop, "merchant_category": "7011", "merchant_country": country, "foreign": True}


def refused_abroad(plan: DayPlan, at: int) -> None:
    number = plan.customer.number
    declined = {"reason": "limit_exceeded", **shop_abroad(number)}
    plan.event(at, "transaction.declined", "pos", card(number), amount=money(240_000), attributes=declined)


def own_elsewhere(who: Customer) -> dict[str, str]:
    """The customer's own account at a competitor."""
    bank = names.COMPETITORS[who.number % len(names.COMPETITORS)]
    return {"name": who.name, "account_no": f"89{who.number:08d}", "bank": bank, "kind": "own"}
