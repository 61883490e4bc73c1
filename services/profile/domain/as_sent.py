"""An event in the form in which channels send it: what a person reads in a timeline."""

from collections.abc import Mapping
from typing import Any

import msgspec

from schemas.catalogue import EventType
from schemas.events import ChannelEvent, Money
from schemas.identifiers import KIND_OF_SUBJECT, PERSONAL_KINDS
from schemas.instants import instant
from schemas.money import format_money
from services.profile.domain.rendering import written
from services.profile.domain.states.personal import is_erased


def as_sent(event: ChannelEvent, declared: EventType | None, erased_at: int = 0) -> dict[str, Any]:
    """References to personal values are left in place, and fields that the event does not have are left out.
    `erased_at`: when its subject was erased (ms), if ever; nothing personal from before is told."""
    if is_erased(event, erased_at):
        event = _without_persons(event, declared)
    form: dict[str, Any] = {
        "id": event.id, "type": event.type, "occurred_at": instant(event.occurred_at),
        "accepted_at": instant(event.accepted_at), "source": event.source, "channel": event.channel,
        "subject": event.subject, "sequence": event.sequence, "identifiers": event.identifiers,
        "actor": _actor(event.actor), "amount": _money(event.amount), "direction": event.direction,
        "balance_after": _money(event.balance_after), "counterparty": _counterparty(event), "product": event.product,
        "correlation_id": event.correlation_id, "attributes": _attributes(event, declared),
    }  # fmt: skip
    return {name: value for name, value in form.items() if value not in (None, {})}


def _without_persons(event: ChannelEvent, declared: EventType | None) -> ChannelEvent:
    """Of a type that is not declared, no attribute can be told to be of nobody."""
    impersonal = {one.name for one in declared.attributes if not one.personal} if declared is not None else set[str]()
    told = msgspec.json.decode(event.attributes, type=dict[str, Any])
    counterparty = event.counterparty and msgspec.structs.replace(event.counterparty, name=None)
    return msgspec.structs.replace(
        event,
        identifiers={kind: value for kind, value in event.identifiers.items() if kind not in PERSONAL_KINDS},
        counterparty=counterparty,
        attributes=msgspec.json.encode({name: value for name, value in told.items() if name in impersonal}),
    )


def _money(money: Money | None) -> dict[str, str] | None:
    return None if money is None else format_money(money)


def _counterparty(event: ChannelEvent) -> Any:
    return None if event.counterparty is None else msgspec.to_builtins(event.counterparty)


def _actor(actor: str | None) -> dict[str, str] | None:
    if actor is None:
        return None
    subject, _, value = actor.partition(":")
    kind = KIND_OF_SUBJECT.get(subject, subject)
    return {"subject": actor} if kind in PERSONAL_KINDS else {kind: value}


def _attributes(event: ChannelEvent, declared: EventType | None) -> Mapping[str, Any]:
    attributes: dict[str, Any] = msgspec.json.decode(event.attributes)
    types = {} if declared is None else {one.name: one.type for one in declared.attributes}
    for name, value in attributes.items():
        if types.get(name) == "datetime" and isinstance(value, int):
            attributes[name] = instant(value)
        elif types.get(name) == "money":
            attributes[name] = written(value)
    return attributes
