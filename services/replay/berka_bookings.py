"""What the bank booked: each transaction as a channel event, in the words of the event-type catalogue."""

from services.replay.berka_chain import Ordered
from services.replay.berka_event import BOOKED_AT, PURPOSES, Event, crowns, decimal, event


def booking(ordered: Ordered) -> Event:
    one = ordered.transaction
    kind, channel, purpose = _kind(one.operation, one.symbol, one.is_credit)
    booked = event(
        "trans", one.trans_id, kind, one.day, BOOKED_AT, channel,
        sequence=ordered.sequence,
        identifiers={"account_no": one.account_id},
        amount=crowns(decimal(one.amount)),
        direction="credit" if one.is_credit else "debit",
        balance_after=crowns(decimal(one.balance)),
    )  # fmt: skip
    if one.bank or one.account:
        booked["counterparty"] = {"bank": one.bank, "account_no": one.account}
    if purpose:
        booked["attributes"] = {"purpose": purpose}
    return booked


def _kind(operation: str, symbol: str, is_credit: bool) -> tuple[str, str, str]:
    """Event type, channel, and the purpose where the type does not say it."""
    match operation, symbol:
        case "VYBER KARTOU", _:
            return "cash.withdrawn", "atm", ""
        case _, "UROK" if is_credit:
            return "interest.credited", "corebank", ""
        case _, "SLUZBY":
            return "fee.charged", "corebank", ""
        case _, "SANKC. UROK":
            return "fee.charged", "corebank", "penalty"
        case _, "DUCHOD":
            return "salary.credited", "corebank", "pension"
        case "VKLAD", _:
            return "cash.deposited", "counter", ""
        case "VYBER", "":
            return "cash.withdrawn", "counter", ""
        case "PREVOD NA UCET" | "PREVOD Z UCTU", "":
            return "transfer.received" if is_credit else "transfer.sent", "online", ""
    channel = "online" if operation.startswith("PREVOD") else "counter"
    return "transaction.posted", channel, PURPOSES.get(symbol, "other")
