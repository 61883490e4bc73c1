"""Contacts, joined over the months and systems that tell of them, and service cases, open ones first."""

from typing import Any

from schemas.instants import DAY_MS, instant
from services.profile.domain.customers.customer import Customer
from services.profile.domain.customers.holdings import HeldThing, Things, value
from services.profile.domain.rendering import instant_or_none
from services.profile.domain.states.combine import join_things, merge_maps
from services.profile.domain.states.periods import month_of
from services.profile.domain.states.state import Thing

CONTACTS_SHOWN, DAYS_COUNTED = 50, 30
_TOLD = ("channel", "reason", "topic", "outcome", "status", "sentiment", "branch")


class Contact:
    """One contact, whoever told of it. Times in ms."""

    __slots__ = ("at", "contact_id", "last_at", "thing")

    def __init__(self, contact_id: str, thing: Thing) -> None:
        times = [entry.value for field, entry in thing.items() if "." in field]
        self.contact_id, self.thing = contact_id, thing
        self.at, self.last_at = min(times), max(times)

    @property
    def reason(self) -> str | None:
        reason = value(self.thing, "reason")
        return None if reason is None else str(reason)

    @property
    def is_outbound(self) -> bool:
        """The bank began it: nobody asked for anything."""
        return bool(value(self.thing, "outbound"))

    @property
    def is_abandoned(self) -> bool:
        told = self.thing.keys() & {"queue_ticket.abandoned", "chat.abandoned"}
        return bool(told) or value(self.thing, "outcome") == "abandoned"


def contacts(customer: Customer, now: int) -> list[Contact]:
    """Newest first: at least as many as are shown, and all that are counted. A contact may lie on both sides of a
    month's end, so one more month is read."""
    counted_from = month_of(now - DAYS_COUNTED * DAY_MS)
    joined: dict[str, Thing] = {}
    enough = False
    for number in sorted(customer.state.months, reverse=True):
        joined = merge_maps(joined, customer.state.months[number].contacts, join_things)
        if enough:
            break
        enough = len(joined) >= CONTACTS_SHOWN and number <= counted_from
    found = [Contact(contact_id, thing) for contact_id, thing in joined.items()]
    found.sort(key=lambda one: (-one.at, one.contact_id))
    return found


def contacts_shown(found: list[Contact]) -> list[dict[str, Any]]:
    return [
        {"contact_id": one.contact_id, "at": instant(one.at), **{name: value(one.thing, name) for name in _TOLD}}
        for one in found[:CONTACTS_SHOWN]
    ]


class Case:
    """A service case. Times in ms; `is_overdue` as of the time it was read at."""

    __slots__ = ("case_id", "due_at", "held", "is_open", "is_overdue", "kind")

    def __init__(self, held: HeldThing, now: int) -> None:
        thing = held.thing
        self.held, self.case_id = held, held.key.partition(":")[2]
        self.kind = str(value(thing, "case_kind") or "request")
        status = value(thing, "status")
        self.is_open = status == "open" or (status is None and "resolved_at" not in thing)
        due_at = value(thing, "due_at")
        self.due_at: int | None = due_at if isinstance(due_at, int) else None
        overdue, reopened = thing.get("overdue"), thing.get("reopened_at")
        is_told = overdue is not None and (reopened is None or overdue.stamp > reopened.stamp)
        self.is_overdue = self.is_open and (is_told or (self.due_at is not None and self.due_at < now))

    @property
    def stands(self) -> bool:
        """Open, and still the customer's: not that of a member who left, or of an account given up."""
        return self.is_open and self.held.part.current

    @property
    def opened_at(self) -> int | None:
        at = value(self.held.thing, "opened_at")
        return at if isinstance(at, int) else None


def cases(things: Things, now: int) -> list[Case]:
    """Open ones first, then the newest; cases that only concern somebody whom the customer acts for are left out."""
    found = [Case(one, now) for one in things.get("case", ()) if one.part.counts]
    return sorted(found, key=lambda case: (not case.is_open, -(case.opened_at or 0), case.case_id))


def cases_shown(found: list[Case]) -> list[dict[str, Any]]:
    return [
        {
            "case_id": case.case_id,
            "kind": case.kind,
            "status": "open" if case.is_open else "resolved",
            "overdue": case.is_overdue,
            "due_at": instant_or_none(case.due_at),
            **{name: value(case.held.thing, name) for name in ("reason", "topic", "priority", "resolution")},
            **{
                name: instant_or_none(value(case.held.thing, name))
                for name in ("opened_at", "reopened_at", "resolved_at")
            },
        }
        for case in found
    ]
