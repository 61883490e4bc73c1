"""Transactions for benchmarks: endless, encoded, and cheap enough not to be what is measured.

Balances chain per account, so a benchmark can still check what arrived.
"""

from array import array
from collections.abc import Iterable, Iterator
from itertools import count as counted
from itertools import islice

from services.clock import Clock
from services.simulator.bank import account_no, customer_no, rfc3339
from services.simulator.books import Event
from services.simulator.chance import chance

_EVENT = (
    b'{"id":"load-%sn%d","type":"%s","occurred_at":"%s","channel":"%s","sequence":%d,'
    b'"identifiers":{"account_no":"80%08d1"},"amount":{"value":"%d.%02d","currency":"CNY"},'
    b'"direction":"%s","balance_after":{"value":"%d.%02d","currency":"CNY"}}'
)
_DEBITS = ((b"card.paid", b"pos"), (b"cash.withdrawn", b"atm"), (b"transfer.sent", b"mobile"))
_OPENING = 1_000_000
"""Fen on every account before the first event, and what is paid in when an account runs dry."""
_DRAWN = 1 << 16
_SAME_TIME = 100
_STRIDE = 7919
"""A prime: one customer after the other, far from each other."""


def openings(customers: int, at_ms: int) -> Iterator[Event]:
    """The accounts of the load, each with its owner."""
    for number in range(customers):
        yield {
            "id": f"load-account-{number}",
            "type": "account.opened",
            "occurred_at": rfc3339(at_ms),
            "channel": "corebank",
            "identifiers": {"account_no": account_no(number), "customer_no": customer_no(number)},
            "attributes": {"role": "owner", "currency": "CNY"},
        }


def cases(customers: int, *, run: str, clock: Clock) -> Iterator[Event]:
    """Complaints without end, of one customer after the other: what goes ahead of everyday business."""
    for count in counted():
        number = count * _STRIDE % customers
        yield {
            "id": f"load-{run}-case-{count}",
            "type": "case.opened",
            "occurred_at": rfc3339(clock.now_ms()),
            "channel": "call_center",
            "identifiers": {"case_id": f"{run}-{count}", "customer_no": customer_no(number)},
            "attributes": {"case_kind": "complaint", "reason": "fee"},
        }


def transactions(customers: int, *, seed: int, run: str, clock: Clock) -> Iterator[bytes]:
    """One JSON event after another, spread evenly over the customers' current accounts. `run` makes the ids new."""
    random = chance(seed, "load")
    drawn = array("q", (random.getrandbits(62) for _ in range(_DRAWN)))
    balances, sequences = array("q", [_OPENING]) * customers, array("q", [0]) * customers
    name, count, occurred_at = run.encode(), 0, b""
    while True:
        if count % _SAME_TIME == 0:
            occurred_at = rfc3339(clock.now_ms()).encode()
        bits = drawn[count % _DRAWN] ^ (count >> 16) * 0x9E3779B1
        number = bits % customers
        amount = 100 + (bits >> 20) % 20_000
        kind, channel, direction = *_DEBITS[bits % 3], b"debit"
        if amount > balances[number]:
            kind, channel, direction, amount = b"transfer.received", b"online", b"credit", _OPENING
        balances[number] += amount if direction == b"credit" else -amount
        sequences[number] += 1
        balance = balances[number]
        yield _EVENT % (
            name, count, kind, occurred_at, channel, sequences[number], number,
            amount // 100, amount % 100, direction, balance // 100, balance % 100,
        )  # fmt: skip
        count += 1


def requests(events: Iterable[bytes], size: int) -> Iterator[bytes]:
    """Bodies of `POST /v1/events` with `size` events each."""
    iterator = iter(events)
    while batch := list(islice(iterator, size)):
        yield b'{"events":[' + b",".join(batch) + b"]}"
