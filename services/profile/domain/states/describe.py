"""What events say about things (accounts, cards, cases): one short function for each kind of statement, and a table of
which event type uses which."""

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

from schemas.events import ChannelEvent
from services.profile.domain.states.combine import later
from services.profile.domain.states.state import Entry, Head, Month, Stamp, Thing

_ONLY_HISTORY = frozenset({"note", "role", "original_id", "former_phone"})
"""Attributes that speak of the event, not of the thing."""


class Folding(NamedTuple):
    """An event with its stamp and attributes, and the head and month (None: before the horizon) that it is folded
    into."""

    event: ChannelEvent
    stamp: Stamp
    attributes: Mapping[str, Any]
    head: Head
    month: Month | None

    def thing(self, key: str) -> Thing:
        return self.head.things.setdefault(key, {})

    def note(self, field: str, value: Any) -> None:
        """Of the event's own subject."""
        put(self.thing(self.event.subject), field, self.stamp, value)


Describe = Callable[[Folding], None]


def plain(value: Any) -> Any:
    """A state holds no binary fractions: 1.65 becomes "1.65", 4.0 becomes 4."""
    if value.__class__ is not float:
        return value
    return int(value) if value.is_integer() else str(value)


def put(thing: Thing, field: str, stamp: Stamp, value: Any) -> None:
    entry = Entry(stamp, plain(value))
    known = thing.get(field)
    thing[field] = entry if known is None else later(known, entry)


def _described(*, of: str = "", when: str | None = None, amount: str = "amount", **constants: Any) -> Describe:
    """Sets the constants, all attributes, product and amount on the thing; `when` names a time field, `amount` the
    field of the event's amount.

    The thing is the event's subject; where that is not of kind `of`, one that only this event tells of.
    """

    def describe(folding: Folding) -> None:
        event, stamp = folding.event, folding.stamp
        own = not of or event.subject.startswith(f"{of}:")
        thing = folding.thing(event.subject if own else f"{of}:{event.id}")
        for name, value in constants.items():
            put(thing, name, stamp, value)
        for name, value in folding.attributes.items():
            if name not in _ONLY_HISTORY:
                put(thing, name, stamp, value)
        if when:
            put(thing, when, stamp, event.occurred_at)
        if event.product:
            put(thing, "product", stamp, event.product)
        if event.amount is not None:
            put(thing, amount, stamp, [event.amount.minor, event.amount.currency])

    return describe


_as_told = _described()
_account_opened = _described(status="open", when="opened_at")


def _party(folding: Folding) -> None:
    _as_told(folding)
    for name in ("phone", "email"):
        if name in folding.event.identifiers:
            folding.note(name, folding.event.identifiers[name])
    if folding.event.type == "customer.registered":
        folding.note("registered_at", folding.event.occurred_at)


def _consent(folding: Folding) -> None:
    purpose, channel = folding.attributes.get("purpose", "marketing"), folding.attributes.get("contact_channel", "*")
    folding.note(f"consent/{purpose}/{channel}", _until_its_end(folding, "consent.given"))


def _preference(folding: Folding) -> None:
    folding.note(f"preference/{folding.attributes.get('name')}", folding.attributes.get("value"))


def _life_event(folding: Folding) -> None:
    folding.note(f"life/{folding.attributes.get('kind')}", folding.event.occurred_at)


def _vulnerability(folding: Folding) -> None:
    folding.note("vulnerable", _until_its_end(folding, "vulnerability.flagged"))


def _until_its_end(folding: Folding, begun_by: str) -> bool | int:
    """False once it is over; where its end (ms) was told, that."""
    return folding.event.type == begun_by and folding.attributes.get("until", True)


def _contact(folding: Folding) -> None:
    """Several events may be about one contact; an event without a contact id is a contact of its own."""
    if folding.month is None:
        return
    event, stamp = folding.event, folding.stamp
    contact = folding.month.contacts.setdefault(str(folding.attributes.get("contact_id") or event.id), {})
    put(contact, "channel", stamp, event.channel)
    put(contact, event.type, stamp, event.occurred_at)
    put(contact, "status", stamp, event.type.partition(".")[2])
    for name in ("reason", "topic", "outcome", "sentiment", "branch", "teller_id", "waited_seconds", "outbound"):
        if name in folding.attributes:
            put(contact, name, stamp, folding.attributes[name])


def _product(folding: Folding) -> None:
    name = folding.event.product or folding.attributes.get("product_family") or "product"
    thing = folding.thing(f"product:{folding.event.subject}/{name}")
    put(thing, "product", folding.stamp, name)
    put(thing, "status", folding.stamp, "open" if folding.event.type == "product.opened" else "closed")


def _holders(folding: Folding) -> None:
    """Keeps who holds the account, so that the view of one holder can say how many others there are."""
    event, holder = folding.event, folding.event.identifiers.get("customer_no")
    if event.type == "account.opened":
        _account_opened(folding)
    if holder and event.of_record:
        default = "owner" if event.type == "account.opened" else "joint"
        role = "" if event.type == "holder.removed" else folding.attributes.get("role", default)
        folding.note(f"holder/{holder}", role)


def _instruction(folding: Folding) -> None:
    folding.note("instruction", folding.attributes.get("instruction", "given"))


DESCRIBE: dict[str, Describe] = {
    "customer.registered": _party,
    "customer.updated": _party,
    "address.changed": _described(when="moved_at"),
    "name.changed": _described(when="renamed_at"),
    "phone.changed": _party,
    "consent.given": _consent,
    "consent.withdrawn": _consent,
    "preference.set": _preference,
    "life_event.recorded": _life_event,
    "vulnerability.flagged": _vulnerability,
    "vulnerability.cleared": _vulnerability,
    "manager.assigned": _described(when="assigned_at"),
    "manager.left": _described(status="left", when="left_at"),
    "manager.returned": _described(status="here", when="returned_at"),
    "manager.absent": _as_told,
    "account.opened": _holders,
    "holder.added": _holders,
    "holder.removed": _holders,
    "account.closed": _described(status="closed", when="closed_at"),
    "card.issued": _described(of="card", status="issued", when="issued_at"),
    "card.blocked": _described(of="card", status="blocked", when="blocked_at"),
    "card.statement_issued": _described(of="card", when="statement_at", amount="statement"),
    "loan.granted": _described(of="loan", status="granted", when="granted_at", amount="principal"),
    "loan.instalment_due": _described(of="loan", when="last_due_at", amount="due"),
    "loan.instalment_missed": _described(of="loan", arrears=True, when="missed_at", amount="missed"),
    "loan.instalment_paid": _described(of="loan", arrears=False, when="paid_at", amount="paid"),
    "loan.repaid": _described(of="loan", status="repaid", arrears=False, when="repaid_at", amount="paid"),
    "term_deposit.opened": _described(of="contract", status="open", when="opened_at"),
    "term_deposit.maturing": _described(of="contract", when="notified_at"),
    "term_deposit.instructed": _instruction,
    "product.opened": _product,
    "product.closed": _product,
    "standing_order.set_up": _described(of="mandate", status="active", when="set_up_at"),
    "standing_order.cancelled": _described(of="mandate", status="cancelled", when="cancelled_at"),
    "direct_debit.mandate_set_up": _described(of="mandate", status="active", when="set_up_at"),
    "direct_debit.mandate_cancelled": _described(of="mandate", status="cancelled", when="cancelled_at"),
    "case.opened": _described(of="case", status="open", when="opened_at"),
    "case.reopened": _described(of="case", status="open", when="reopened_at"),
    "case.resolved": _described(of="case", status="resolved", when="resolved_at"),
    "case.overdue": _described(of="case", overdue=True, when="overdue_at"),
    "application.started": _described(of="application", status="started", when="started_at"),
    "application.abandoned": _described(of="application", status="abandoned", when="abandoned_at"),
    "application.submitted": _described(of="application", status="submitted", when="submitted_at"),
    "device.bound": _described(status="bound", when="bound_at"),
    "call.offered": _contact,
    "call.answered": _contact,
    "call.ended": _contact,
    "counter.visited": _contact,
    "queue_ticket.abandoned": _contact,
    "chat.abandoned": _contact,
    "message.received": _contact,
}
