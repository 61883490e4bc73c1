"""The stock with which a simulation begins: who is registered, holds what, and how much was on the accounts."""

from collections.abc import Iterator
from datetime import date, timedelta
from operator import attrgetter

from schemas.instants import HOUR_MS
from services.simulator import names
from services.simulator.bank import (
    OWN_BANK,
    SAVINGS,
    Bank,
    account_no,
    card_no,
    customer_no,
    is_company,
    login,
    money,
    phone,
    start_of,
)
from services.simulator.chance import draw
from services.simulator.customers import Customer, customer
from services.simulator.holdings import deposit, group_no, has_savings, household_no, loan, mandates
from services.simulator.plan import DayPlan, Planned

LONGEST_MS = 8
"""Within which one customer's opening happens."""


def apart_ms(bank: Bank) -> int:
    """From one customer to the next: a million take four hours, so that they need not be held at once to be put in
    order."""
    return max(LONGEST_MS, min(20, 4 * HOUR_MS // bank.size))


def openings(bank: Bank, day: date, from_ms: int, until_ms: int) -> Iterator[Planned]:
    """In event-time order: one customer after the other in the first hours of the day. What lies within the times."""
    midnight = start_of(day)
    apart = apart_ms(bank)
    first = max((from_ms - midnight - LONGEST_MS) // apart, 0)
    last = min((until_ms - midnight) // apart + 1, bank.size)
    for number in range(first, last):
        for planned in _opening(bank, number, day, midnight + number * apart):
            if from_ms <= planned.at < until_ms:
                yield planned


def _opening(bank: Bank, number: int, day: date, at: int) -> list[Planned]:
    who = customer(bank, number)
    plan = DayPlan(bank, who, day, "opening", used=1000)
    _registered(plan, at, who)
    _accounts(plan, at, who)
    _contracts(plan, at, who)
    _relations(plan, at, who)
    return sorted(plan.planned, key=attrgetter("at", "place"))


def _registered(plan: DayPlan, at: int, who: Customer) -> None:
    number = who.number
    since = plan.day - timedelta(days=plan.random.randint(200, 4000))
    facts = {
        "kind": "company" if who.archetype == "company" else "person",
        "name": who.name,
        "district": who.district,
        "city": names.CITIES[who.district[:2]],
        "branch": who.branch,
        "registered_on": since.isoformat(),
    }
    if who.archetype != "company":
        facts |= {"birth_date": who.birth_date.isoformat(), "gender": who.gender, "nationality": "CN"}
    identifiers = {"customer_no": customer_no(number), "phone": phone(number), "login": login(number)}
    plan.event(at, "customer.registered", "corebank", identifiers, attributes=facts)


def _accounts(plan: DayPlan, at: int, who: Customer) -> None:
    number = who.number
    held = [(0, "company" if is_company(number) else "current", who.current)]
    if has_savings(who):
        held.append((SAVINGS, "savings", who.savings))
    for which, kind, balance in held:
        identifiers = {"account_no": account_no(number, which), "customer_no": customer_no(number)}
        facts = {"role": "owner", "account_kind": kind, "currency": "CNY", "branch": who.branch}
        plan.event(at, "account.opened", "corebank", identifiers, attributes=facts)
        before = {"account_no": account_no(number, which), "bank": OWN_BANK, "kind": "own"}
        carried = {"purpose": "transfer", "description": "balance carried forward"}
        plan.receive(
            at + 1, "transaction.posted", "corebank", balance, account=which, counterparty=before, attributes=carried
        )
    if is_company(number) and number + 1 < plan.bank.size:
        signs = {"account_no": account_no(number), "customer_no": customer_no(number + 1)}
        plan.event(at + 1, "holder.added", "corebank", signs, attributes={"role": "signatory"})
    card = {"card_no": card_no(number), "customer_no": customer_no(number), "account_no": account_no(number)}
    facts = {"card_kind": "debit", "brand": "unionpay"}
    plan.event(at + 2, "card.issued", "corebank", card, attributes=facts)


def _contracts(plan: DayPlan, at: int, who: Customer) -> None:
    named = {"customer_no": customer_no(who.number), "account_no": account_no(who.number)}
    for mandate in mandates(plan.bank, who.number):
        kind = "standing_order.set_up" if mandate.is_order else "direct_debit.mandate_set_up"
        identifiers = {"mandate_id": mandate.mandate_id, "account_no": account_no(who.number)}
        payee = {"name": mandate.payee, "account_no": f"96{mandate.amount:08d}", "bank": "OTHD"}
        facts = {"purpose": mandate.purpose, "frequency": "monthly"}
        amount = money(mandate.amount)
        plan.event(at + 3, kind, "corebank", identifiers, amount=amount, counterparty=payee, attributes=facts)
    if (saved := deposit(plan.bank, who.number, plan.day)) is not None:
        terms = {"matures_on": saved.matures_on.isoformat(), "term_months": 12, "interest_rate": 1.65}
        identifiers = {"contract_id": saved.contract_id, **named}
        amount = money(saved.principal)
        plan.event(at + 4, "term_deposit.opened", "corebank", identifiers, amount=amount, attributes=terms)
    if (owed := loan(plan.bank, who.number)) is not None:
        terms = {"loan_kind": owed.kind, "instalment": money(owed.instalment)}
        identifiers = {"loan_no": owed.loan_no, **named}
        amount = money(owed.principal)
        plan.event(at + 4, "loan.granted", "corebank", identifiers, amount=amount, attributes=terms)


def _relations(plan: DayPlan, at: int, who: Customer) -> None:
    number = who.number
    if (household := household_no(plan.bank, number)) is not None:
        joined = {"customer_no": customer_no(number), "household_no": household}
        plan.event(at + 5, "household.joined", "corebank", joined)
        is_second = number % 3 == 1
        if is_second and has_savings(customer(plan.bank, number - 1)):
            shares = {"account_no": account_no(number - 1, SAVINGS), "customer_no": customer_no(number)}
            plan.event(at + 5, "holder.added", "corebank", shares, attributes={"role": "joint"})
    if (group := group_no(number)) is not None:
        plan.event(at + 5, "group.joined", "corebank", {"customer_no": customer_no(number), "group_no": group})
    plan.party(at + 6, "manager.assigned", "corebank", manager_id=who.manager_id, branch=who.branch)
    agreed = draw(plan.bank.seed, "consent", number) < 0.85
    plan.party(at + 7, "consent.given" if agreed else "consent.withdrawn", "counter", purpose="marketing")
