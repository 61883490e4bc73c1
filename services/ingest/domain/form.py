"""The JSON form of an event as a channel sends it. Encoded again, it has only the fields that were sent."""

from datetime import datetime
from typing import Annotated, Any

import msgspec

INT64 = 2**63
Sequence = Annotated[int, msgspec.Meta(ge=-INT64, le=INT64 - 1)]


class RawMoney(msgspec.Struct, forbid_unknown_fields=True, omit_defaults=True):
    """`value` is a decimal number as text or an integer, in the currency's major unit."""

    value: str | int
    currency: str | None = None


class RawCounterparty(msgspec.Struct, forbid_unknown_fields=True, omit_defaults=True):
    name: str | None = None
    account_no: str | None = None
    bank: str | None = None
    kind: str | None = None


class RawEvent(msgspec.Struct, forbid_unknown_fields=True, omit_defaults=True, kw_only=True):
    """`occurred_at` is RFC 3339; without an offset it is meant in the source's time zone."""

    type: str
    occurred_at: datetime
    identifiers: dict[str, str] = {}
    id: str | None = None
    sequence: Sequence | None = None
    channel: str | None = None
    amount: RawMoney | None = None
    direction: str | None = None
    balance_after: RawMoney | None = None
    counterparty: RawCounterparty | None = None
    actor: dict[str, str] | None = None
    product: str | None = None
    correlation_id: str | None = None
    attributes: dict[str, Any] | None = None
