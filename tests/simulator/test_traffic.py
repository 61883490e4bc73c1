"""The events of a simulated bank: the same for the same seed, in order, chained, and admitted at the door."""

import random
from datetime import date, timedelta
from itertools import islice

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from schemas.instants import DAY_MS, HOUR_MS, MINUTE_MS
from services.replay.berka_files import minor_of
from services.simulator.bank import OWN_BANK, Bank, start_of
from services.simulator.books import Event
from services.simulator.customers import customer
from services.simulator.traffic import Traffic, history, live
from tests.clocks import ManualClock
from tests.ingest.bank import admit, rules, terms
from tests.simulator.conftest import ANCHOR, START

encode = msgspec.json.Encoder().encode
seeds = st.integers(0, 2**64 - 1)


@given(seeds, st.integers(1, 40))
@settings(max_examples=10, deadline=None)
def test_the_same_seed_gives_the_same_bytes(seed: int, size: int) -> None:
    bank, end = Bank(seed, size, ANCHOR), START + timedelta(days=10)
    first = encode(list(history(bank, START, end)))
    assert first == encode(list(history(Bank(seed, size, ANCHOR), START, end)))


def test_another_seed_gives_another_bank(bank: Bank, past: list[Event]) -> None:
    other = next(history(Bank(bank.seed + 1, bank.size, ANCHOR), START, ANCHOR))
    assert other["attributes"] != past[0]["attributes"]


def test_events_come_in_the_order_of_event_time(past: list[Event]) -> None:
    times = [event["occurred_at"] for event in past]
    assert times == sorted(times)


def test_every_id_is_given_once(past: list[Event]) -> None:
    assert len({event["id"] for event in past}) == len(past)


def test_balances_chain_and_sequences_count_from_one(past: list[Event]) -> None:
    balances: dict[str, int] = {}
    sequences: dict[str, int] = {}
    for event in past:
        if "balance_after" not in event:
            continue
        account_no, amount = event["identifiers"]["account_no"], minor_of(event["amount"]["value"])
        signed = amount if event["direction"] == "credit" else -amount
        assert minor_of(event["balance_after"]["value"]) == balances.get(account_no, 0) + signed
        assert event["sequence"] == sequences.get(account_no, 0) + 1
        balances[account_no], sequences[account_no] = balances.get(account_no, 0) + signed, event["sequence"]
    assert min(balances.values()) >= 0
    assert len(balances) > 150


def test_money_between_own_accounts_is_on_neither_twice(past: list[Event]) -> None:
    legs = [event for event in past if event.get("counterparty", {}).get("kind") == "own"]
    inward = {_leg(event): event for event in legs if event["type"] == "transfer.received"}
    outward = [
        event for event in legs if event["type"] == "transfer.sent" and event["counterparty"]["bank"] == OWN_BANK
    ]
    assert outward
    for event in outward:
        there = {"occurred_at": event["occurred_at"], "identifiers": event["counterparty"]}
        assert inward[_leg(there)]["amount"] == event["amount"]


def _leg(event: Event) -> tuple[str, str]:
    return event["occurred_at"], event["identifiers"]["account_no"]


@pytest.mark.parametrize("seed", [1, 2**63 + 11])
def test_every_event_is_admitted_at_the_door(seed: int) -> None:
    bank = Bank(seed, 200, ANCHOR)
    began = start_of(ANCHOR)
    traffic = Traffic(bank, ANCHOR - timedelta(days=60), per_second=1, bustle_from_ms=began, plays=True)
    admitted = 0
    for until in range(began, began + 5 * MINUTE_MS, MINUTE_MS):
        for event in traffic.advance(until):
            admit(encode(event), terms("*"), rules(), start_of(ANCHOR) + DAY_MS)
            admitted += 1
    assert admitted > 5000


def test_a_customer_has_about_25_events_a_month(bank: Bank, past: list[Event]) -> None:
    months = 275 / 30
    assert 18 < len(past) / months / bank.size < 35


def test_the_five_channels_are_used(past: list[Event]) -> None:
    assert {"counter", "atm", "online", "mobile", "call_center"} <= {event["channel"] for event in past}


@given(st.lists(st.integers(0, 3 * DAY_MS), max_size=6))
@settings(max_examples=15, deadline=None)
def test_it_does_not_matter_in_which_steps_time_advances(steps: list[int]) -> None:
    start = start_of(ANCHOR)
    expected = encode(list(_small().advance(start + 3 * DAY_MS)))
    traffic = _small()
    pieces = [event for step in sorted(steps) for event in traffic.advance(start + step)]
    assert encode([*pieces, *traffic.advance(start + 3 * DAY_MS)]) == expected


def test_a_saved_state_goes_on_as_if_nothing_had_happened() -> None:
    start = start_of(ANCHOR)
    never_stopped = _small(per_second=0.5)
    list(never_stopped.advance(start + DAY_MS + 50_000))
    expected = encode(list(never_stopped.advance(start + DAY_MS + 90_000)))
    stopped = _small(per_second=0.5)
    list(stopped.advance(start + DAY_MS + 50_000))
    resumed = _small(per_second=0.5)
    resumed.resume(stopped.state())
    assert resumed.reached_ms == start + DAY_MS + 50_000
    assert encode(list(resumed.advance(start + DAY_MS + 90_000))) == expected


def test_after_a_long_stop_the_day_is_made_up_for_but_not_the_bustle() -> None:
    busy, quiet = _small(per_second=1), _small()
    busy_events = list(busy.advance(start_of(ANCHOR) + DAY_MS))
    quiet_events = list(quiet.advance(start_of(ANCHOR) + DAY_MS))
    assert 0 < len(busy_events) - len(quiet_events) <= 60


@pytest.mark.parametrize(("per_second", "seconds"), [(3, 100), (400, 3), (5000, 1)])
def test_the_bustle_is_as_dense_as_asked_for(per_second: int, seconds: int) -> None:
    busy, quiet = _small(per_second=per_second), _small()
    morning, then = start_of(ANCHOR) + 1000, start_of(ANCHOR) + 1000 * (1 + seconds)
    list(busy.advance(morning))
    list(quiet.advance(morning))
    added = list(busy.advance(then))
    assert not list(quiet.advance(then))
    # some ticks fall on a company, on somebody with a story, or where there is no money
    assert 0.6 < len(added) / (per_second * seconds) <= 1
    assert len({event["id"] for event in added}) == len(added)


def test_the_state_of_another_bank_is_refused() -> None:
    with pytest.raises(ValueError, match="another size"):
        Traffic(Bank(7, 31, ANCHOR), ANCHOR).resume(_small().state())


async def test_live_gives_what_is_due_and_sleeps_when_nothing_is() -> None:
    clock = ManualClock(start_of(ANCHOR) + 60_000)
    naps = 0

    async def sleep(seconds: float) -> None:
        nonlocal naps
        naps += 1
        clock.move_to(clock.now_ms() + 60 * 60_000)

    batches = []
    async for batch in live(_small(), clock, sleep=sleep):
        batches.append(list(batch))
        if len(batches) == 5:
            break
    told = [event for batch in batches for event in batch]
    assert all(batches)
    assert told == list(islice(_small().advance(start_of(ANCHOR) + DAY_MS), len(told)))
    assert naps >= 4


async def test_a_large_banks_morning_is_not_made_at_once() -> None:
    traffic = Traffic(Bank(7, 1_000_000, ANCHOR), ANCHOR)
    drawn = _drawn()
    async for events in live(traffic, ManualClock(start_of(ANCHOR) + DAY_MS)):
        assert next(events)["type"] == "customer.registered"
        break
    assert _drawn() - drawn < 2000


def test_the_first_event_of_a_million_customers_does_not_wait_for_the_rest() -> None:
    drawn = _drawn()
    first = next(history(Bank(7, 1_000_000, ANCHOR), START, ANCHOR))
    assert first["identifiers"]["customer_no"] == "10000000"
    assert _drawn() - drawn < 2000


def test_a_day_is_planned_beside_the_events_before_it_and_nobody_waits_for_all_of_it() -> None:
    bank = Bank(7, 3000, ANCHOR)
    begun, drawn, waited = _drawn(), _drawn(), []
    for _ in history(bank, ANCHOR, ANCHOR + timedelta(days=2)):
        waited.append(_drawn() - drawn)
        drawn = _drawn()
    assert max(waited) < (drawn - begun) / 10


def test_nobody_does_anything_in_the_first_hours_of_a_day(past: list[Event]) -> None:
    """Until then the day need not be planned."""
    later = [event["occurred_at"] for event in past if not event["occurred_at"].startswith(START.isoformat())]
    assert min(at[11:13] for at in later) == "03"


@pytest.mark.parametrize("at_once", [1, 7, 1000])
@pytest.mark.parametrize("hours", [1, 14])
def test_a_day_planned_bit_by_bit_after_a_restart_is_the_same_day(at_once: int, hours: int) -> None:
    stopped, noon, evening = _small(), start_of(ANCHOR) + (24 + hours) * HOUR_MS, start_of(ANCHOR) + 2 * DAY_MS
    list(stopped.advance(noon))
    state, resumed = stopped.state(), _small()
    resumed.resume(state)
    steps = sum(1 for _ in resumed.prepare(at_once))
    assert steps == (0 if hours == 1 else max(0, -(-30 // at_once) - 1))
    assert encode(list(resumed.advance(evening))) == encode(list(stopped.advance(evening)))


def test_weekends_are_quiet_at_the_counter(past: list[Event]) -> None:
    visits = [date.fromisoformat(event["occurred_at"][:10]) for event in past if event["type"] == "counter.visited"]
    assert visits
    assert all(day.weekday() < 5 for day in visits)


def test_the_order_of_sending_is_free(past: list[Event]) -> None:
    """Whoever sorts shuffled events by the total order of the design has each account's order again."""
    money = [event for event in past if "sequence" in event]
    shuffled = random.Random(5).sample(money, len(money))
    shuffled.sort(key=lambda event: (event["occurred_at"], event["sequence"]))
    last = {event["identifiers"]["account_no"]: event["balance_after"] for event in shuffled}
    assert last == {event["identifiers"]["account_no"]: event["balance_after"] for event in money}


def _drawn() -> int:
    """How often anybody asked who a customer is: how much was planned."""
    asked = customer.cache_info()
    return asked.hits + asked.misses


def _small(per_second: float = 0.0) -> Traffic:
    return Traffic(Bank(7, 30, ANCHOR), ANCHOR, per_second=per_second, bustle_from_ms=start_of(ANCHOR))
