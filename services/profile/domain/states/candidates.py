"""Events that may become moments, chosen by a declared test on the event alone."""

from typing import Any

from schemas.events import ChannelEvent
from services.profile.domain.states.describe import plain
from services.profile.domain.states.tally import party_key


def is_kept(floor_minor: int, share_percent: int, event: ChannelEvent) -> bool:
    if not floor_minor and not share_percent:
        return True
    if event.amount is None:
        return False
    if reaches(floor_minor, event):
        return True
    before = _balance_before(event)
    return bool(share_percent and before and before > 0 and event.amount.minor * 100 >= before * share_percent)


def reaches(floor_minor: int, event: ChannelEvent) -> bool:
    """Whether it moves that much, wherever there is a floor at all."""
    return bool(floor_minor and event.amount is not None and event.amount.minor >= floor_minor)


def _balance_before(event: ChannelEvent) -> int | None:
    if event.balance_after is None or event.amount is None or event.balance_after.currency != event.amount.currency:
        return None
    return event.balance_after.minor + (event.amount.minor if event.direction == "debit" else -event.amount.minor)


def values_of(event: ChannelEvent, flow: str | None, attributes: dict[str, Any]) -> dict[str, Any]:
    values = {name: plain(value) for name, value in attributes.items() if isinstance(value, str | int | float)}
    values |= {"type": event.type, "channel": event.channel, "subject": event.subject}
    if event.product:
        values["product"] = event.product
    if flow:
        values["flow"] = flow
    if event.amount is not None:
        values |= {"minor": event.amount.minor, "currency": event.amount.currency}
        before = _balance_before(event)
        if before is not None:
            values["before_minor"] = before
    if event.counterparty is not None:
        other = event.counterparty
        values["party"] = party_key(other)
        values |= {"bank": other.bank, "party_kind": other.kind}
    return values
