"""The measures that scales of value may name. Each gives an integer, or None where it is unknown."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import NamedTuple

from services.profile.domain.customers.assets import Assets
from services.profile.domain.customers.behaviour import Behaviour
from services.profile.domain.customers.customer import Customer
from services.profile.domain.customers.empty import balance_now
from services.profile.domain.customers.holdings import value
from services.profile.domain.customers.valuation import money_told, whole_of
from services.profile.domain.reference.tables import Reference
from services.profile.domain.states.state import Thing


class Known(NamedTuple):
    """All that is known when a customer is judged. `things`: kind of subject → what stands about each of the customer's
    own ones; `products`: the open ones that no subject of their own stands for; `families`: the needs that the bank
    serves for this customer. `today` in the bank's zone."""

    assets: Assets
    behaviour: Behaviour
    reference: Reference
    today: int
    things: Mapping[str, Sequence[Thing]]
    products: frozenset[str]
    families: frozenset[str] = frozenset()
    is_company: bool = False


Measure = Callable[[Known], int | None]


def known_of(customer: Customer, assets: Assets, behaviour: Behaviour, reference: Reference, now: int) -> Known:
    """`now` in ms."""
    seen: set[str] = set()
    things: dict[str, list[Thing]] = {}
    products: set[str] = set()
    for part in customer.parts:
        if part.subject in seen or not (part.counts and part.current):
            continue
        seen.add(part.subject)
        for name, thing in part.things.items():
            if name == part.subject:
                things.setdefault(part.kind, []).append(thing)
            elif name.startswith("product:") and value(thing, "status") == "open":
                products.add(str(value(thing, "product")))
    known = Known(
        assets, behaviour, reference, reference.day_of(now), things, frozenset(products),
        is_company=customer.kind == "company",
    )  # fmt: skip
    return known._replace(families=_families_of(known))


def _of_kind(known: Known, kind: str) -> Sequence[Thing]:
    return known.things.get(kind, ())


def _assets(known: Known) -> int | None:
    """A part of it, where another part is unknown, would let a tier fall for nothing."""
    return known.assets.total_minor if known.assets.is_whole else None


def _household_assets(known: Known) -> int | None:
    return known.assets.greater_minor


def _assets_rising(known: Known) -> int | None:
    """Growth over 90 days in percent of what was there, -100 to 100: nobody holds less than nothing."""
    change, ago = known.assets.change_90_minor, known.assets.ago_90_minor
    if change is None or ago is None:
        return None
    return min(100, change * 100 // max(ago, 1))


def _monthly_inflow(known: Known) -> int | None:
    return known.behaviour.inflow.median_minor if known.behaviour.inflow else None


def _lending(known: Known) -> int | None:
    """What is still owed; the principal where no outstanding was told."""
    loans = (thing for thing in _of_kind(known, "loan") if value(thing, "status") != "repaid")
    told = (money_told(value(loan, "outstanding") or value(loan, "principal")) for loan in loans)
    return whole_of(known.reference.home_minor(*owed, known.today) for owed in told if owed is not None)


def _salary(known: Known) -> int | None:
    """A month's regular income; nothing once two paydays were missed."""
    salary = known.behaviour.salary
    if salary is None or not salary.is_regular or salary.missed > 1:
        return 0
    monthly = {"weekly": (13, 3), "fortnightly": (13, 6)}.get(salary.period, (1, 1))
    minor = salary.median_minor * monthly[0] // monthly[1]
    return known.reference.home_minor(minor, salary.currency, known.today)


def _loans_in_arrears(known: Known) -> int:
    return sum(1 for thing in _of_kind(known, "loan") if value(thing, "arrears") is True)


def _overdrawn_accounts(known: Known) -> int | None:
    if any(holding.kind == "account" and holding.minor is None for holding in known.assets.holdings):
        return None
    balances = (balance_now(thing) for thing in _of_kind(known, "account"))
    return sum(1 for balance in balances if balance is not None and balance[0] < 0)


def _shortfalls(known: Known) -> int:
    return known.behaviour.shortfalls_180d


def _missed_instalments(known: Known) -> int:
    return known.behaviour.missed_instalments_180d


def _families_of(known: Known) -> frozenset[str]:
    found = {"savings" if value(thing, "account_kind") == "savings" else "current" for thing in _open(known, "account")}
    found |= {"credit_card" if value(thing, "card_kind") == "credit" else "card" for thing in _open(known, "card")}
    found |= {"mortgage" if value(thing, "loan_kind") == "mortgage" else "loan" for thing in _open(known, "loan")}
    if any(value(thing, "status") == "active" for thing in _of_kind(known, "mandate")):
        found.add("payments")
    if any(holding.kind == "wealth" for holding in known.assets.holdings):
        found.add("wealth")
    if any(holding.kind == "term_deposit" and holding.minor != 0 for holding in known.assets.holdings):
        found.add("term_deposit")
    pays_salaries = known.is_company and any(value(one, "account_kind") == "payroll" for one in _open(known, "account"))
    if pays_salaries or (_salary(known) and any(_open(known, "account"))):
        found.add("payroll")
    return frozenset(found | known.products)


def _open(known: Known, kind: str) -> Iterator[Thing]:
    return (thing for thing in _of_kind(known, kind) if value(thing, "status") not in ("closed", "blocked", "repaid"))


def _families(known: Known) -> int:
    return len(known.families)


def _threshold_percent(known: Known) -> int | None:
    """Assets (of the household, where greater) in percent of the private-banking threshold."""
    return known.assets.percent_of_threshold


def _elsewhere(known: Known) -> int | None:
    """What goes to competitors and other lenders, a month: it could be here."""
    out = whole_of((known.behaviour.competitor_out_minor, known.behaviour.lender_out_minor))
    return None if out is None or "counterparties" in known.behaviour.missing else out // 3


def _rent_without_mortgage(known: Known) -> int | None:
    """A month's rent of a customer without mortgage."""
    if "regular_payments" in known.behaviour.missing:
        return None
    rent = known.behaviour.rent
    if rent is None or any(value(thing, "loan_kind") == "mortgage" for thing in _open(known, "loan")):
        return 0
    return known.reference.home_minor(rent.median_minor, rent.currency, known.today)


MEASURES: Mapping[str, Measure] = {
    "assets": _assets,
    "household_assets": _household_assets,
    "assets_rising": _assets_rising,
    "monthly_inflow": _monthly_inflow,
    "lending": _lending,
    "salary": _salary,
    "loans_in_arrears": _loans_in_arrears,
    "overdrawn_accounts": _overdrawn_accounts,
    "shortfalls": _shortfalls,
    "missed_instalments": _missed_instalments,
    "families": _families,
    "threshold_percent": _threshold_percent,
    "elsewhere": _elsewhere,
    "rent_without_mortgage": _rent_without_mortgage,
}
MONEY_MEASURES = frozenset(
    {"assets", "household_assets", "monthly_inflow", "lending", "salary", "elsewhere", "rent_without_mortgage"}
)
