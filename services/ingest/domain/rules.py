"""The catalogue's demands on each event type, laid out for fast look-up, and the bank's own choices."""

from collections.abc import Mapping

import msgspec

from schemas.catalogue import Attribute, EventType
from schemas.identifiers import KINDS
from schemas.instants import HOUR_MS
from schemas.tokens import TokenKey

CARD_LAST4 = Attribute(name="card_last4", meaning="Last four digits of the card", max_length=4)


class Plan(msgspec.Struct, frozen=True):
    """An event type as admission needs it. `attributes` None: the catalogue does not know the type, any attribute goes.
    `sides`: the kinds of identifiers on each side of a link that it must assert; one of each side is needed.
    `reversible`: what it counts can be taken back."""

    name: str
    subject: tuple[str, ...]
    money: str
    direction: str | None
    channels: tuple[str, ...]
    attributes: Mapping[str, Attribute] | None
    required: frozenset[str]
    sides: tuple[tuple[str, ...], ...] = ()
    reversible: bool = False


class Rules(msgspec.Struct, frozen=True):
    """`secret` keys the hashes of personal identifiers. `max_skew_ms`: how far in the future an event may lie."""

    plans: Mapping[str, Plan]
    secret: bytes
    key: TokenKey
    accept_unknown_types: bool = False
    max_skew_ms: int = 24 * HOUR_MS
    max_event_bytes: int = 65_536
    region: str = "CN"


def plans_of(catalogue: Mapping[str, EventType]) -> dict[str, Plan]:
    return {name: _plan(event_type) for name, event_type in catalogue.items()}


def _plan(event_type: EventType) -> Plan:
    attributes = {attribute.name: attribute for attribute in event_type.attributes}
    return Plan(
        name=event_type.name,
        subject=event_type.subject,
        money=event_type.money,
        direction=event_type.direction,
        channels=event_type.channels,
        attributes={CARD_LAST4.name: CARD_LAST4, **attributes},
        required=frozenset(name for name, attribute in attributes.items() if attribute.required),
        sides=tuple(side for one in event_type.asserts if one.required for side in ((one.subject,), one.targets)),
        reversible=event_type.money == "required" or event_type.reversible,
    )


def generic_plan(name: str) -> Plan:
    """For a type that the catalogue does not know, if the bank accepts such types."""
    return Plan(name, KINDS, "optional", None, (), None, frozenset())
