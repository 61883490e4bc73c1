"""The load generator: valid, chained, new with every run, and made for any number of customers."""

from itertools import islice

import msgspec

from services.replay.berka_files import minor_of
from tests.clocks import ManualClock
from tests.ingest.bank import NOW, admit, rules, terms
from tests.simulator.load import openings, requests, transactions

CLOCK = ManualClock(NOW)


def test_every_event_is_admitted_and_each_accounts_balances_chain() -> None:
    balances: dict[str, int] = {}
    the_rules, the_terms = rules(), terms("*")
    for body in islice(transactions(20, seed=1, run="a", clock=CLOCK), 5000):
        event = admit(body, the_terms, the_rules, NOW)
        assert event.amount is not None
        assert event.balance_after is not None
        signed = event.amount.minor if event.direction == "credit" else -event.amount.minor
        account = event.identifiers["account_no"]
        if account in balances:
            assert event.balance_after.minor == balances[account] + signed
        balances[account] = event.balance_after.minor
    assert len(balances) == 20
    assert min(balances.values()) >= 0


def test_the_accounts_of_the_load_can_be_opened_first() -> None:
    opened = {event["identifiers"]["account_no"] for event in openings(20, NOW)}
    paid = {
        msgspec.json.decode(body)["identifiers"]["account_no"]
        for body in islice(transactions(20, seed=1, run="a", clock=CLOCK), 500)
    }
    assert paid == opened
    for event in openings(3, NOW):
        admit(msgspec.json.encode(event), terms("*"), rules(), NOW)


def test_another_run_has_other_ids_and_the_same_run_the_same_bytes() -> None:
    first, again, other = (list(islice(transactions(50, seed=1, run=run, clock=CLOCK), 200)) for run in ("a", "a", "b"))
    assert first == again
    assert not {msgspec.json.decode(b)["id"] for b in first} & {msgspec.json.decode(b)["id"] for b in other}


def test_requests_hold_as_many_events_as_asked_for() -> None:
    bodies = list(requests(islice(transactions(5, seed=1, run="a", clock=CLOCK), 25), 10))
    assert [len(msgspec.json.decode(body)["events"]) for body in bodies] == [10, 10, 5]


def test_money_is_written_with_two_places() -> None:
    for body in islice(transactions(5, seed=1, run="a", clock=CLOCK), 100):
        value = msgspec.json.decode(body)["amount"]["value"]
        assert minor_of(value) > 0
        assert len(value.partition(".")[2]) == 2
