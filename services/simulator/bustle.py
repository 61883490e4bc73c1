"""Live traffic beyond the ordinary day, for a bank of a few hundred customers that should not look asleep.

Small things only, and money as much in as out; customers with a story keep to their story.
"""

from services.simulator import names
from services.simulator.bank import Bank, day_at, is_company
from services.simulator.chance import chance
from services.simulator.customers import customer
from services.simulator.plan import DayPlan, Planned
from services.simulator.stories import story_of


def bustle(bank: Bank, tick: int, at: int) -> Planned | None:
    """What happens at one tick; nothing if it fell on a customer who is not to be disturbed."""
    random = chance(bank.seed, "bustle", tick)
    number = random.randrange(bank.size)
    if is_company(number) or story_of(bank, number) is not None:
        return None
    plan = DayPlan(bank, customer(bank, number), day_at(at), "bustle")
    drawn = random.random()
    if drawn < 0.35:
        family = random.choice(names.FAMILIES)
        plan.session(at, "page.viewed", "mobile", page=f"/{family}", product_family=family)
    elif drawn < 0.6:
        plan.session(at, "login.succeeded", "mobile", login_method="biometric")
    elif drawn < 0.78:
        shop = random.choice(names.MERCHANTS)
        bought = {"merchant": shop.name, "merchant_category": shop.category, "merchant_country": "CN"}
        plan.pay(at, "card.paid", "pos", random.randint(500, 6_000), by_card=True, attributes=bought)
    elif drawn < 0.93:
        there = f"95{random.randrange(10**8):08d}"
        friend = {"name": "亲友", "account_no": there, "bank": random.choice(names.OTHER_BANKS)}
        plan.receive(at, "transfer.received", "online", random.randint(500, 7_500), counterparty=friend)
    elif drawn < 0.97:
        plan.pay(at, "cash.withdrawn", "atm", random.choice((10_000, 20_000)), by_card=True)
    else:
        known = {"contact_id": f"C{number}t{at // 1000}", "reason": random.choice(names.CALL_REASONS)}
        plan.party(at, "call.offered", "call_center", **known)
    # the tick tells the bustle's events apart, and is far above any ordinary day's places
    return plan.planned[0]._replace(place=tick)
