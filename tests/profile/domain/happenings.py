"""Arbitrary events of one subject, and the fold that the product uses."""

from functools import cache
from typing import Any

import msgspec
from hypothesis import strategies as st

from schemas.catalogue import load_catalogue
from schemas.events import ChannelEvent, Counterparty, Money
from schemas.instants import DAY_MS
from services.profile.adapters.policies import load_declarations
from services.profile.domain.states.fold import Fold
from services.profile.domain.states.series import Counting
from services.profile.domain.states.state import State

NOON = 1_790_000_000_000
"""In September 2026."""
ACCOUNT = "account:1"
BANKS = ("", "OWN", *(f"B{number}" for number in range(20)))


@cache
def product_fold() -> Fold:
    series = load_declarations().series
    return Fold(dict(load_catalogue()), Counting(series), series.version)


def event(kind: str, at: int = NOON, subject: str = ACCOUNT, **fields: Any) -> ChannelEvent:
    """`attributes` as a dict, `minor` and `balance` in CNY."""
    attributes = fields.pop("attributes", {})
    minor, balance = fields.pop("minor", None), fields.pop("balance", None)
    currency = fields.pop("currency", "CNY")
    told: dict[str, Any] = {
        "id": f"{kind}@{at}", "source": "core", "channel": "corebank", "accepted_at": at, "identifiers": {},
        "of_record": True, "attributes": msgspec.json.encode(attributes),
        "amount": None if minor is None else Money(minor, currency),
        "balance_after": None if balance is None else Money(balance, currency),
    }  # fmt: skip
    return ChannelEvent(type=kind, subject=subject, occurred_at=at, **(told | fields))


def reversal(original: ChannelEvent, at: int, part: int | None = None, **fields: Any) -> ChannelEvent:
    """`part`: what is cancelled of it, where that is not all."""
    attributes: dict[str, Any] = {
        "original_id": original.id, "original_occurred_at": original.occurred_at, "original_type": original.type,
    }  # fmt: skip
    fields = {"id": f"reversal-of-{original.id}", **fields}
    assert original.amount is not None
    if part is not None:
        attributes["original_amount"] = {"minor": original.amount.minor, "currency": original.amount.currency}
    return event(
        "transaction.reversed", at, original.subject, minor=original.amount.minor if part is None else part,
        currency=original.amount.currency, direction=original.direction, counterparty=original.counterparty,
        attributes=attributes, **fields,
    )  # fmt: skip


def fold_of(events: list[ChannelEvent]) -> State:
    state = State()
    for one in events:
        product_fold().add(state, one)
    return state


_MONEY = {
    "transfer.sent": "debit", "card.paid": "debit", "salary.credited": "credit", "cash.deposited": "credit",
    "fee.charged": "debit",
}  # fmt: skip
_TOLD: dict[str, st.SearchStrategy[dict[str, Any]]] = {
    "account.opened": st.fixed_dictionaries({"account_kind": st.sampled_from(["current", "savings"])}),
    "case.opened": st.fixed_dictionaries({"case_kind": st.sampled_from(["complaint", "fraud"])}),
    "case.resolved": st.just({}),
    "call.offered": st.fixed_dictionaries({"contact_id": st.sampled_from(["c1", "c2"]), "reason": st.just("fee")}),
    "call.ended": st.fixed_dictionaries({"contact_id": st.sampled_from(["c1", "c2"]), "outcome": st.just("abandoned")}),
    "login.failed": st.just({}),
    "feedback.given": st.fixed_dictionaries({"score": st.sampled_from([3, 4.5])}),
    "consent.given": st.just({"purpose": "marketing"}),
    "consent.withdrawn": st.just({"purpose": "marketing"}),
    "term_deposit.opened": st.fixed_dictionaries({"interest_rate": st.sampled_from([1.65, 2.0])}),
}
TIMES = st.one_of(
    st.integers(NOON - 3 * DAY_MS, NOON),
    st.integers(NOON - 40 * DAY_MS, NOON),
    st.integers(NOON - 900 * DAY_MS, NOON + DAY_MS),
)


# made once: to make a strategy costs more than to draw from it
_KINDS = st.sampled_from([*_MONEY, *_TOLD])
_SOURCES, _CHANNELS = st.sampled_from(["core", "atm"]), st.sampled_from(["corebank", "mobile"])
_SEQUENCES = st.one_of(st.none(), st.integers(0, 3))
_ACTORS = st.sampled_from([None, "party:1", "party:2"])
_YES_OR_NO = st.booleans()
_MINORS, _BALANCES = st.integers(1, 20_000_000), st.one_of(st.none(), st.integers(-1000, 50_000_000))
_CURRENCIES = st.sampled_from(["CNY", "CNY", "USD"])
_PARTIES = st.sampled_from([Counterparty(bank=bank, account_no="7", name="p_x") for bank in BANKS])
_PARTS = st.sampled_from([None, 1])


@st.composite
def _one(draw: st.DrawFn, number: int) -> ChannelEvent:
    kind = draw(_KINDS)
    told: dict[str, Any] = {
        "id": f"e{number}",
        "source": draw(_SOURCES),
        "sequence": draw(_SEQUENCES),
        "actor": draw(_ACTORS),
        "channel": draw(_CHANNELS),
        "of_record": draw(_YES_OR_NO) or draw(_YES_OR_NO),
    }
    if kind in _MONEY:
        told["direction"] = _MONEY[kind]
        told["minor"] = draw(_MINORS)
        told["balance"] = draw(_BALANCES)
        told["currency"] = draw(_CURRENCIES)
        told["counterparty"] = draw(_PARTIES) if draw(_YES_OR_NO) else None
    else:
        told["attributes"] = draw(_TOLD[kind])
    return event(kind, draw(TIMES), **told)


@st.composite
def histories(draw: st.DrawFn, most: int = 25) -> list[ChannelEvent]:
    """Distinct events of one subject; some movements are reversed by another event, before or after, and some of those
    once more by a third."""
    events = [draw(_one(number)) for number in range(draw(st.integers(0, most)))]
    moved = [one for one in events if one.direction is not None]
    reversed_ones = draw(st.lists(st.sampled_from(moved), max_size=4, unique_by=lambda one: one.id)) if moved else []
    events += [reversal(one, draw(TIMES), draw(_PARTS), source=one.source) for one in reversed_ones]
    again = reversed_ones[: draw(st.integers(0, 2))]
    return events + [reversal(one, draw(TIMES), source=one.source, id=f"again-of-{one.id}") for one in again]
