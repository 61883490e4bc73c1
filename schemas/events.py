"""What travels in `channel-events`: one struct, whatever the channel. No behaviour here."""

from typing import Literal

import msgspec

Direction = Literal["credit", "debit"]
HEARTBEAT = "source.heartbeat"
"""The type by which a source says how far it is complete."""
REVERSED = "transaction.reversed"
"""The type by which a booking is taken back."""


class Money(msgspec.Struct, frozen=True):
    """`minor` counts the currency's minor units (ISO 4217 exponent): 1200.50 CNY is 120050."""

    minor: int
    currency: str


class Counterparty(msgspec.Struct, frozen=True, omit_defaults=True):
    """`kind` is the source's own word for what the other side is (employer, lender, broker, own…)."""

    name: str = ""
    account_no: str = ""
    bank: str = ""
    kind: str = ""


class ChannelEvent(msgspec.Struct, frozen=True, kw_only=True):
    """Something that happened on a channel, as accepted.

    Times are milliseconds since 1970 UTC. `subject` and `actor` are subject keys (`schemas.identifiers`).
    `of_record` is stamped at acceptance: this source books this type, so its money counts.
    `attributes` is a JSON object as bytes, checked against the catalogue at acceptance; in it, money stands as
    `{"minor", "currency"}` and a datetime as milliseconds.
    """

    id: str
    type: str
    source: str
    channel: str
    subject: str
    occurred_at: int
    accepted_at: int
    identifiers: dict[str, str]
    of_record: bool = False
    sequence: int | None = None
    actor: str | None = None
    amount: Money | None = None
    direction: Direction | None = None
    balance_after: Money | None = None
    counterparty: Counterparty | None = None
    product: str | None = None
    correlation_id: str | None = None
    attributes: bytes = b"{}"
