"""A bank for measurements: customers of three to six subjects, and traffic over all of them, already accepted.

`services.simulator` lives a bank's days; this only has to be the same for every run and cheaper than what is measured.
"""

import time
from collections.abc import Iterator
from itertools import islice
from random import Random
from typing import Any

import msgspec

from schemas.codec import encode_event
from schemas.events import ChannelEvent, Counterparty, Money
from schemas.instants import DAY_MS
from services.log import Message
from services.simulator.bank import account_no, card_no, customer_no, login

_SHOPS = 400


def subjects_of(number: int) -> int:
    """3, 4, 5 or 6 of them: the party and its accounts, card, login and device."""
    return 3 + number % 4


def event(kind: str, event_id: str, subject: str, at: int, identifiers: dict[str, str], **fields: Any) -> ChannelEvent:
    return ChannelEvent(
        id=event_id, type=kind, source="bank", channel=fields.pop("channel", "corebank"), subject=subject,
        occurred_at=at, accepted_at=fields.pop("accepted_at", at), identifiers=identifiers, of_record=True, **fields,
    )  # fmt: skip


def openings(customers: int, now: int) -> Iterator[ChannelEvent]:
    """Every customer with all subjects, opened a year ago."""
    at = now - 365 * DAY_MS
    for number in range(customers):
        customer, account = customer_no(number), account_no(number)
        party = {"customer_no": customer}
        person = msgspec.json.encode({"kind": "person", "gender": "female", "segment": "retail"})
        yield event("customer.registered", f"c-{number}", f"party:{customer}", at, party, accepted_at=now,
                    attributes=person)  # fmt: skip
        for which in range(2 if subjects_of(number) > 4 else 1):
            named = {"account_no": account_no(number, which), **party}
            yield event("account.opened", f"a-{number}-{which}", f"account:{named['account_no']}", at, named,
                        accepted_at=now, attributes=b'{"role":"owner","currency":"CNY"}')  # fmt: skip
        named = {"card_no": card_no(number), "account_no": account, **party}
        yield event("card.issued", f"k-{number}", f"card:{card_no(number)}", at, named, accepted_at=now)
        if subjects_of(number) in (4, 6):
            yield _signed_in(number, f"l-{number}", at, now)
        if subjects_of(number) == 6:
            named = {"device_id": f"device-{number}", "login": login(number)}
            yield event("device.bound", f"d-{number}", f"device:device-{number}", at, named, accepted_at=now,
                        channel="mobile")  # fmt: skip


def traffic(customers: int, *, run: str, seed: int = 1) -> Iterator[ChannelEvent]:
    """Endless, over all customers alike, as it happens: nine in ten are movements of money."""
    random = Random(seed)
    balances = [1_000_000] * customers
    count = 0
    while True:
        now, number = time.time_ns() // 1_000_000, random.randrange(customers)
        count += 1
        if count % 10 == 0 and subjects_of(number) in (4, 6):
            yield _signed_in(number, f"{run}-{count}", now, now)
        else:
            yield _paid(number, f"{run}-{count}", now, random, balances)


def _signed_in(number: int, event_id: str, at: int, now: int) -> ChannelEvent:
    named = {"login": login(number), "customer_no": customer_no(number)}
    return event("login.succeeded", event_id, f"login:{login(number)}", at, named, accepted_at=now, channel="mobile")


def _paid(number: int, event_id: str, at: int, random: Random, balances: list[int]) -> ChannelEvent:
    amount = random.randrange(100, 20_000)
    if balances[number] < amount:
        balances[number] += 1_000_000
        return paid(number, event_id, at, -1_000_000, balances[number], random.randrange(_SHOPS))
    balances[number] -= amount
    return paid(number, event_id, at, amount, balances[number], random.randrange(_SHOPS))


def paid(
    number: int, event_id: str, at: int, amount: int = 1_000, balance: int = 1_000_000, shop: int = 0
) -> ChannelEvent:
    """A movement on the customer's first account; a negative amount comes in. `at` in ms, money in fen."""
    kind, channel = (("card.paid", "pos"), ("cash.withdrawn", "atm"), ("transfer.sent", "mobile"))[number % 3]
    if amount < 0:
        kind, channel = "transfer.received", "online"
    other = None if kind == "cash.withdrawn" else Counterparty(account_no=f"70{shop:09d}", bank="BJRB")
    return event(
        kind, event_id, f"account:{account_no(number)}", at, {"account_no": account_no(number)}, channel=channel,
        amount=Money(abs(amount), "CNY"), direction="credit" if amount < 0 else "debit",
        balance_after=Money(balance, "CNY"), counterparty=other,
    )  # fmt: skip


def messages(events: Iterator[ChannelEvent], count: int) -> list[Message]:
    return [Message(one.subject.encode(), encode_event(one)) for one in islice(events, count)]
