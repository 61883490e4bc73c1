"""A customer made of events, folded as the profile folds them."""

from datetime import date, datetime, time, timedelta, timezone
from functools import cache
from typing import Any

import msgspec

from schemas.catalogue import EventType, load_catalogue
from schemas.events import ChannelEvent, Counterparty, Direction, Money
from services.profile.adapters.policies import Declarations, load_declarations
from services.profile.domain.customers.customer import (
    Customer,
    Decided,
    Manager,
    MemberCustomer,
    kind_of_customer,
    total,
)
from services.profile.domain.customers.parts import part_of
from services.profile.domain.identity.links import BEGINNING, END, Membership
from services.profile.domain.reference.calendar import day_number
from services.profile.domain.reference.tables import Reference
from services.profile.domain.states.fold import Fold
from services.profile.domain.states.segments import Segments
from services.profile.domain.states.series import Counting
from services.profile.domain.value.policy import Policy

ZONE = timezone(timedelta(hours=8))
ME = "party:1"
CURRENT, SAVINGS = "account:100", "account:200"


def ms(day: date | str, hour: int = 12) -> int:
    day = date.fromisoformat(day) if isinstance(day, str) else day
    return int(datetime.combine(day, time(hour), ZONE).timestamp()) * 1000


def number(day: str) -> int:
    return day_number(date.fromisoformat(day))


@cache
def declarations() -> Declarations:
    return load_declarations(refer=lambda name: f"p_{name}")


def policy() -> Policy:
    return declarations().policy


def reference() -> Reference:
    return policy().reference


@cache
def _types() -> dict[str, EventType]:
    return dict(load_catalogue())


@cache
def _fold() -> Fold:
    series = declarations().series
    return Fold(_types(), Counting(series), series.version)


class Portrait:
    """Events by subject; each says `told`, then `customer()` gives whom they make."""

    def __init__(self, lead: str = ME) -> None:
        self.lead = lead
        self.events: dict[str, list[ChannelEvent]] = {lead: []}
        self.roles: dict[str, str] = {lead: "self"}
        self.spans: dict[str, tuple[int, int]] = {}
        self.count = 0

    def tell(
        self,
        day: str | date,
        kind: str,
        subject: str = ME,
        minor: int | None = None,
        direction: Direction | None = None,
        /,
        *,
        currency: str = "CNY",
        balance: int | None = None,
        party: Counterparty | None = None,
        hour: int = 12,
        product: str | None = None,
        role: str = "owner",
        **attributes: Any,
    ) -> "Portrait":
        self.count += 1
        declared = _types()[kind]
        event = ChannelEvent(
            id=f"e{self.count}", type=kind, source="core", channel=declared.channels[0], subject=subject,
            occurred_at=ms(day, hour), accepted_at=ms(day, hour), identifiers={}, of_record=True, sequence=self.count,
            amount=None if minor is None else Money(minor, currency), counterparty=party, product=product,
            direction=direction or (declared.direction if declared.direction in ("credit", "debit") else None),
            balance_after=None if balance is None else Money(balance, currency),
            attributes=msgspec.json.encode(attributes),
        )  # fmt: skip
        self.events.setdefault(subject, []).append(event)
        self.roles.setdefault(subject, role)
        return self

    def salary(self, day: str | date, minor: int, party: Counterparty | None = None, **more: Any) -> "Portrait":
        return self.tell(day, "salary.credited", CURRENT, minor, party=party or EMPLOYER, **more)

    def customer(
        self,
        decided: Decided | None = None,
        collectives: dict[str, dict[str, Any]] | None = None,
        staff: dict[str, Manager] | None = None,
        members: dict[str, MemberCustomer] | None = None,
    ) -> Customer:
        parts = []
        for subject, events in self.events.items():
            segments = Segments.of([], events, _fold())
            since, until = self.spans.get(subject, (BEGINNING, END))
            membership = Membership(self.lead, subject, self.roles[subject], since, END)
            part = part_of(membership, segments.cuts, segments.heads, segments.months)
            parts.append(msgspec.structs.replace(part, until_at=until, current=until == END))
        return Customer(
            customer_id="c", lead=self.lead, roots=(self.lead,), kind=kind_of_customer(self.lead, parts), parts=parts,
            state=total(parts), decided=decided or Decided(), collectives=collectives or {},
            staff=staff or {}, members=members or {},
        )  # fmt: skip


EMPLOYER = Counterparty(name="p_employer", account_no="970001", bank="OTHC", kind="employer")
EMPLOYER_KEY = "OTHC/970001#p_employer"
