"""The plain part of a view as JSON data: what is known of a customer, without any judgement."""

from collections.abc import Iterable
from typing import Any

import msgspec

from schemas.instants import DAY_MS, instant
from schemas.money import EXPONENTS
from services.profile.domain.customers.contacts import Case, Contact, cases, cases_shown, contacts, contacts_shown
from services.profile.domain.customers.customer import ANY_CHANNEL, Completeness, Customer, acted_for
from services.profile.domain.customers.holdings import (
    Things,
    accounts,
    applications,
    held,
    mandates,
    products,
    signatories,
)
from services.profile.domain.customers.person import (
    consents,
    consents_of_all,
    identifiers,
    is_over,
    newest_entry,
    own_parties,
    person,
    preferences,
)
from services.profile.domain.identity.links import COLLECTIVES, kind_of
from services.profile.domain.rendering import money
from services.profile.domain.states.state import Thing

BEREAVEMENT_DAYS = 365
"""For how long after a bereavement the customer is treated with care."""


class Basics(msgspec.Struct, frozen=True, gc=False):
    """Intermediate results that several parts of the summary use. Times in ms."""

    customer: Customer
    now: int
    parties: list[Thing]
    things: Things
    contacts: list[Contact]
    cases: list[Case]
    flags: dict[str, bool]
    consents: dict[str, dict[str, Any]]


def basics_of(customer: Customer, now: int) -> Basics:
    things = held(customer)
    parties = own_parties(customer)
    found = cases(things, now)
    if customer.kind in COLLECTIVES:
        everybody = [part.things.get(part.subject, {}) for part in customer.numbers]
        members_alone = [part.things.get(part.subject, {}) for part in customer.parties]
        flagged, agreed = flags(everybody, found, now), consents_of_all(members_alone, everybody, now)
    else:
        flagged, agreed = flags(parties, found, now), consents(parties, now)
    return Basics(customer, now, parties, things, contacts(customer, now), found, flagged, agreed)


def body_of(basics: Basics, home: str) -> dict[str, Any]:
    """The body without value, tier, owner, behaviour and measures, which are added later. `home`: the bank's
    currency."""
    customer = basics.customer
    shown, used = accounts(customer), channels(customer)
    erased = {"erased_at": instant(customer.erased_at)} if customer.erased_at else {}
    return {
        **erased,
        "customer_id": customer.customer_id,
        "kind": customer.kind,
        "person": person(basics.parties),
        "identifiers": identifiers(customer),
        "accounts": shown,
        "signatories": signatories(shown),
        "products": products(basics.things),
        "mandates": mandates(basics.things),
        "applications": applications(basics.things),
        "channels": used,
        "cases": cases_shown(basics.cases),
        "contacts": contacts_shown(basics.contacts),
        "consents": basics.consents,
        "preferences": preferences(basics.parties),
        "flags": basics.flags,
        "members": members(customer),
        "household": next(iter(_collectives(customer, "household", home)), None),
        "groups": _collectives(customer, "group", home),
    }


def channels(customer: Customer) -> dict[str, dict[str, Any]]:
    """The customer's activity by channel: on a shared account, without what is known to be somebody else's; on one that
    the customer acts for, what is known to be his or her own."""
    own = customer.subjects
    joined: dict[str, list[int]] = {}
    here = [used for actor, used in customer.state.head.activity.items() if not actor or actor in own]
    heads = acted_for(customer.parts)
    there = [used for head in heads for actor, used in head.activity.items() if actor in own]
    for used in (*here, *there):
        for channel, activity in used.items():
            known = joined.get(channel)
            if known is None:
                joined[channel] = [activity.first_at, activity.last_at, activity.count]
            else:
                known[0], known[1] = min(known[0], activity.first_at), max(known[1], activity.last_at)
                known[2] += activity.count
    return {
        channel: {"first_at": instant(first_at), "last_at": instant(last_at), "count": count}
        for channel, (first_at, last_at, count) in sorted(joined.items())
    }


def flags(parties: list[Thing], found: list[Case], now: int) -> dict[str, bool]:
    """From the customer's own parties and cases alone, not from those that he or she signs for. A household has the
    flags of every present member."""
    cared = [thing["vulnerable"] for thing in parties if "vulnerable" in thing]
    bereaved = max((thing["life/bereavement"].value for thing in parties if "life/bereavement" in thing), default=None)
    return {
        "complaint_open": any(case.stands and case.kind == "complaint" for case in found),
        "fraud_case": any(case.stands and case.kind == "fraud" for case in found),
        "vulnerable": any(bool(one.value) and not is_over(one, now) for one in cared),
        "bereaved": bereaved is not None and bereaved > now - BEREAVEMENT_DAYS * DAY_MS,
    }


def members(customer: Customer) -> list[dict[str, str]]:
    """The members of a household or group; empty for any other customer."""
    if customer.kind not in COLLECTIVES:
        return []
    numbers = sorted({part.subject for part in customer.parties})
    return [{"customer_no": subject.partition(":")[2]} for subject in numbers]


def _collectives(customer: Customer, kind: str, home: str) -> list[dict[str, Any]]:
    """From their own views as last written; None for what is not known yet."""
    return [
        {
            "number": subject.partition(":")[2],
            "assets": None if facts.get("assets") is None else _major(facts["assets"], home),
            "members": None if facts.get("members") is None else int(facts["members"]),
        }
        for subject, facts in sorted(customer.collectives.items())
        if kind_of(subject) == kind
    ]


def _major(amount: float, currency: str) -> dict[str, str]:
    """Turns a fact in major units into money."""
    return money(round(amount * 10 ** EXPONENTS[currency]), currency)


def complete_up_to(completeness: Completeness, used: Iterable[str]) -> dict[str, str]:
    """channel → the least that its sources are complete up to. A source that speaks for any channel counts for each of
    them: of those that the customer has `used`, those of other sources, and under `*` all others."""
    least: dict[str, int] = {}
    for source, until in completeness.until.items():
        channel = completeness.channels.get(source, source)
        least[channel] = min(least.get(channel, until), until)
    anywhere = least.get(ANY_CHANNEL)
    if anywhere is not None:
        least = {channel: min(least.get(channel, anywhere), anywhere) for channel in {*least, *used}}
    return {channel: instant(until) for channel, until in sorted(least.items())}


def name_reference(basics: Basics) -> str | None:
    entry = newest_entry(basics.parties, "name")
    return None if entry is None else str(entry.value)
