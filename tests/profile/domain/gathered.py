"""A customer put together from the events of its subjects, and its summary under the product's policy."""

from collections.abc import Iterable
from typing import Any

import msgspec

from schemas.changes import Fact
from schemas.events import ChannelEvent
from services.profile.adapters.policies import load_declarations
from services.profile.domain.customers.customer import (
    Completeness,
    Customer,
    Decided,
    kind_of_customer,
    total,
)
from services.profile.domain.customers.parts import Part, part_of
from services.profile.domain.customers.summary import Summary
from services.profile.domain.facts.catalogue import catalogue, with_rests
from services.profile.domain.identity.links import BEGINNING, END, Membership
from services.profile.domain.states.segments import Segments
from services.profile.domain.summarise import summarise
from tests.profile.domain.happenings import NOON, product_fold

ME = "party:1"
POLICY = load_declarations().policy
Roles = dict[str, str | tuple[str, int, int]]


def part(events: Iterable[ChannelEvent], subject: str, role: str, since: int = BEGINNING, until: int = END) -> Part:
    cuts = sorted({since, until} - {BEGINNING, END})
    segments = Segments.of(cuts, events, product_fold())
    return part_of(Membership(ME, subject, role, since, until), cuts, segments.heads, segments.months)


def customer_of(events: list[ChannelEvent], lead: str = ME, roles: Roles | None = None, **fields: Any) -> Customer:
    """Every subject told of belongs to the customer: itself as `self`, others as `roles` say, else as owner."""
    parts = []
    for subject in sorted({lead, *(one.subject for one in events)}):
        told = (roles or {}).get(subject, "owner" if subject.startswith(("account", "loan", "contract")) else "self")
        role, since, until = told if isinstance(told, tuple) else (told, BEGINNING, END)
        parts.append(part([one for one in events if one.subject == subject], subject, role, since, until))
    customer = Customer(
        customer_id="cus_1", lead=lead, roots=(lead,), kind=kind_of_customer(lead, parts), parts=parts,
        state=total(parts), decided=Decided(),
    )  # fmt: skip
    return msgspec.structs.replace(customer, **fields)


def summary_of(events: list[ChannelEvent], now: int = NOON, **fields: Any) -> Summary:
    return summarise(customer_of(events, **fields), POLICY, now)


def facts_told(summary: Summary) -> dict[str, Fact]:
    """Every fact that is known, those at rest among them."""
    facts = summary.facts
    return with_rests(facts.values, {*facts.missing, *facts.not_covered}, catalogue(POLICY.measures))


def heard(silent: tuple[str, ...] = (), until: int = NOON, **channels: str) -> Completeness:
    """`channels`: source → channel."""
    return Completeness(dict.fromkeys(channels, until), channels, silent)
