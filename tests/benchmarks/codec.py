"""What one typical transaction costs on the wire. Best of nine runs."""

import timeit
from collections.abc import Callable

from schemas.codec import decode_event, encode_event
from schemas.events import ChannelEvent, Counterparty, Money
from tests.benchmarks.figures import Given, Report

ROUNDS = 10_000
TRANSACTION = ChannelEvent(
    id="berka-trans-695247",
    type="transaction.posted",
    source="corebank",
    channel="corebank",
    subject="account:6001000000017",
    occurred_at=1_795_000_000_000,
    accepted_at=1_795_000_000_500,
    identifiers={"account_no": "6001000000017", "customer_no": "10000017"},
    of_record=True,
    sequence=17,
    amount=Money(120050, "CNY"),
    direction="debit",
    balance_after=Money(879950, "CNY"),
    counterparty=Counterparty(name="Sunrise Property", account_no="7001000000042", bank="BJRB"),
    attributes=b'{"purpose":"household_payment"}',
)


def microseconds(work: Callable[[], object]) -> float:
    return min(timeit.repeat(work, number=ROUNDS, repeat=9)) / ROUNDS * 1e6


async def run(given: Given, report: Report) -> None:
    encoded = encode_event(TRANSACTION)
    report.tell("size of a transaction", len(encoded), "bytes")
    report.tell("encode", microseconds(lambda: encode_event(TRANSACTION)), "us")
    report.tell("decode", microseconds(lambda: decode_event(encoded)), "us")
