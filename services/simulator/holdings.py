"""What a customer has at the bank beside accounts: mandates, a term deposit, a loan, a household. Drawn, not stored."""

from datetime import date, timedelta
from functools import lru_cache

import msgspec

from services.simulator.bank import Bank, is_company, rounded
from services.simulator.chance import chance, draw
from services.simulator.customers import Customer, customer
from services.simulator.stories import story_of

SAVINGS_FLOOR = 1_000_000
"""Fen; customers with less savings have no savings account."""


class Mandate(msgspec.Struct, frozen=True):
    """A standing order or direct debit of `amount` fen on a day of the month."""

    mandate_id: str
    is_order: bool
    day: int
    amount: int
    purpose: str
    payee: str


class Deposit(msgspec.Struct, frozen=True):
    """A term deposit of one year. `is_instructed`: the customer says in time what to do at maturity."""

    contract_id: str
    principal: int
    opened_on: date
    matures_on: date
    is_instructed: bool


class Loan(msgspec.Struct, frozen=True):
    loan_no: str
    kind: str
    principal: int
    instalment: int
    day: int


def has_savings(who: Customer) -> bool:
    return who.savings >= SAVINGS_FLOOR


@lru_cache(maxsize=20_000)
def mandates(bank: Bank, number: int) -> tuple[Mandate, ...]:
    who = customer(bank, number)
    if who.archetype in ("student", "company"):
        return ()
    random = chance(bank.seed, "mandates", who.number)
    utilities, broadband, insured = (random.randint(80, 400), random.randint(60, 200), random.randint(150, 600))
    held = [
        Mandate(f"DD-{who.number}-1", False, 12, utilities * 100, "bill", "electricity"),
        Mandate(f"DD-{who.number}-2", False, 6, broadband * 100, "bill", "broadband"),
        Mandate(f"SO-{who.number}-1", True, 18, insured * 100, "insurance", "安心保险"),
    ]
    if who.rent:
        held.append(Mandate(f"SO-{who.number}-2", True, min(who.payday + 2, 28), who.rent, "household_payment", "房东"))
    return tuple(held)


def deposit(bank: Bank, number: int, day: date) -> Deposit | None:
    """The term deposit that runs on a day: rolled over every year, but for the one that matures in a story."""
    held = _first_deposit(bank, number)
    if held is None or not held.is_instructed:
        return held
    matures_on = held.matures_on.replace(year=day.year)
    if matures_on < day:
        matures_on = matures_on.replace(year=day.year + 1)
    opened_on = matures_on.replace(year=matures_on.year - 1)
    return Deposit(f"{held.contract_id}-{matures_on.year}", held.principal, opened_on, matures_on, is_instructed=True)


@lru_cache(maxsize=20_000)
def _first_deposit(bank: Bank, number: int) -> Deposit | None:
    who, random = customer(bank, number), chance(bank.seed, "deposit", number)
    story = story_of(bank, number)
    if story is not None and story.kind == "term_deposit_maturing":
        matures_on = story.begins + timedelta(days=30)
        principal = random.randint(300, 800) * 100_000
        return Deposit(f"TD-{number}", principal, matures_on - timedelta(days=365), matures_on, is_instructed=False)
    if who.archetype == "company" or random.random() > (0.5 if who.archetype == "retiree" else 0.15):
        return None
    principal = random.randint(2, 20) * 1_000_000
    matures_on = date(2000, random.randint(1, 12), random.randint(1, 28))
    return Deposit(f"TD-{number}", principal, matures_on, matures_on, is_instructed=True)


@lru_cache(maxsize=20_000)
def loan(bank: Bank, number: int) -> Loan | None:
    who = customer(bank, number)
    if who.rent or who.archetype not in ("worker", "professional"):
        return None
    random = chance(bank.seed, "loan", who.number)
    if random.random() > 0.4:
        return None
    instalment = rounded(who.income * random.uniform(0.15, 0.3))
    kind = "mortgage" if who.archetype == "professional" else "car"
    return Loan(f"L-{who.number}", kind, instalment * (240 if kind == "mortgage" else 36), instalment, 20)


def household_no(bank: Bank, number: int) -> str | None:
    """Two neighbouring numbers in three share a household, for four in ten such pairs."""
    if number % 3 == 2 or is_company(number):
        return None
    first = number - number % 3
    if first + 1 >= bank.size or is_company(first) or is_company(first + 1):
        return None
    return f"H-{first}" if draw(bank.seed, "household", first) < 0.4 else None


def group_no(number: int) -> str | None:
    """Every fourth and fifth company belong together."""
    place = number // 25 % 5
    return f"G-{number // 125}" if is_company(number) and place in (3, 4) else None
