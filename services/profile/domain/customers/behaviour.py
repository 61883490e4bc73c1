"""What a customer usually does, learned from the state: salary, sign-ins, money in and out, counterparties."""

import msgspec

from services.profile.domain.customers.counterparties import Counterparties, Counterparty, Regular, counterparties_of
from services.profile.domain.customers.customer import Customer
from services.profile.domain.customers.recurring import recurring_income
from services.profile.domain.customers.rhythm import Logins, Rhythm, Spread, rhythm_of
from services.profile.domain.customers.salary import Salary, learn_salary
from services.profile.domain.reference.tables import Reference

NOT_EMPLOYED = ("company", "group")
"""Kinds of customer: whoever buys from a company every month is no employer, and what it pays is no rent of a home."""


class Behaviour(msgspec.Struct, frozen=True, kw_only=True):
    """Money in minor units of the home currency unless a currency stands beside it; days are counted since 1970 in
    the bank's zone. `missing` names what cannot be known: because a month had too many counterparties to tell apart
    recurring_income, counterparties, own_transfers, regular_payments; because a part has no rate inflow, outflow. So
    has a sum of money that is None."""

    salary: Salary | None
    logins: Logins
    inflow: Spread | None
    outflow: Spread | None
    counterparties: tuple[Counterparty, ...]
    regular: tuple[Regular, ...]
    rent: Regular | None
    own_parties: tuple[str, ...]
    own_in_minor: int | None
    own_out_minor: int | None
    own_elsewhere_count: int
    competitor_out_minor: int | None
    lender_out_minor: int | None
    shortfalls_180d: int
    missed_instalments_180d: int
    missing: tuple[str, ...]


def learn(customer: Customer, reference: Reference, now: int) -> Behaviour:
    rhythm: Rhythm = rhythm_of(customer.state, reference, now)
    others: Counterparties = counterparties_of(customer, reference, now)
    earns = customer.kind not in NOT_EMPLOYED
    salary = _salary(customer, others, reference, now) if earns else None
    missing = [*others.missing, *rhythm.missing]
    if earns and salary is None and others.missing:
        missing.append("recurring_income")
    return Behaviour(
        salary=salary,
        logins=rhythm.logins,
        inflow=rhythm.inflow,
        outflow=rhythm.outflow,
        counterparties=others.usual,
        regular=others.regular,
        rent=others.rent if earns else None,
        own_parties=others.own_parties,
        own_in_minor=others.own_in_minor,
        own_out_minor=others.own_out_minor,
        own_elsewhere_count=others.own_elsewhere_count,
        competitor_out_minor=others.competitor_out_minor,
        lender_out_minor=others.lender_out_minor,
        shortfalls_180d=rhythm.shortfalls_180d,
        missed_instalments_180d=rhythm.missed_instalments_180d,
        missing=tuple(missing),
    )


def _salary(customer: Customer, others: Counterparties, reference: Reference, now: int) -> Salary | None:
    income = customer.state.head.latest.get("income", [])
    known = learn_salary(income, reference, now, _incomes_of_former_accounts(customer))
    return known or recurring_income(customer.state, others.own_parties, now)


def _incomes_of_former_accounts(customer: Customer) -> set[str]:
    """Whoever no longer shares an account waits for no salary on it."""
    held = {part.subject for part in customer.parts if part.counts and part.current}
    former = [part for part in customer.parts if part.counts and part.subject not in held]
    return {one.event_id for part in former for head in part.flows.heads for one in head.latest.get("income", ())}
