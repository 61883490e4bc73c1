"""The replay of the PKDD'99 files: once over a made-up bank, and over the real files where there are any."""

import os
from collections import Counter
from datetime import date
from pathlib import Path
from random import Random

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.replay.berka import count_berka, read_berka
from services.replay.berka_chain import ROUNDING, chain
from services.replay.berka_event import Event
from services.replay.berka_files import Transaction, birth_of, minor_of, read_transactions
from tests.ingest.bank import NOW, admit, rules, terms
from tests.replay.berka_bank import expected_balances, write_berka_bank

ROOT = Path(__file__).parents[2]
REAL = (ROOT / os.environ.get("COUNTERPOINT_BERKA", "../shared/data/berka")).resolve()
BANKS = ["made-up", *(["real"] if (REAL / "trans.asc").exists() else [])]


@pytest.fixture(scope="module", params=BANKS)
def directory(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return REAL if request.param == "real" else write_berka_bank(tmp_path_factory.mktemp("berka"))


@pytest.fixture(scope="module")
def events(directory: Path) -> list[Event]:
    return list(read_berka(directory))


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Event]:
    directory = write_berka_bank(tmp_path_factory.mktemp("small"))
    return {event["id"]: event for event in read_berka(directory)}


def test_every_transaction_becomes_one_event(directory: Path, events: list[Event]) -> None:
    ids = Counter(event["id"] for event in events)
    assert max(ids.values()) == 1
    told = {event["id"].removeprefix("berka-trans-") for event in events if event["id"].startswith("berka-trans-")}
    assert told == {one.trans_id for one in read_transactions(directory)}


def test_events_come_in_the_order_of_event_time(events: list[Event]) -> None:
    times = [event["occurred_at"] for event in events]
    assert times == sorted(times)


def test_the_last_of_each_account_by_time_and_sequence_carries_its_balance(
    directory: Path, events: list[Event]
) -> None:
    last: dict[str, Event] = {}
    for event in sorted((one for one in events if "sequence" in one), key=lambda e: (e["occurred_at"], e["sequence"])):
        last[event["identifiers"]["account_no"]] = event
    told = {account_no: minor_of(event["balance_after"]["value"]) for account_no, event in last.items()}
    assert told == expected_balances(directory)


def test_sequences_count_each_account_from_one_without_gaps(events: list[Event]) -> None:
    sequences: dict[str, list[int]] = {}
    for event in events:
        if "sequence" in event:
            sequences.setdefault(event["identifiers"]["account_no"], []).append(event["sequence"])
    assert all(seen == list(range(1, len(seen) + 1)) for seen in sequences.values())


def test_the_count_for_the_progress_bar_is_the_number_of_events(directory: Path, events: list[Event]) -> None:
    assert count_berka(directory) == len(events)


def test_every_event_is_admitted_at_the_door(events: list[Event]) -> None:
    encode, the_rules, the_terms = msgspec.json.Encoder().encode, rules(), terms("*", currency="CZK")
    for event in events:
        admitted = admit(encode(event), the_terms, the_rules, NOW)
        if event["id"].startswith("berka-trans-"):
            assert admitted.subject == f"account:{event['identifiers']['account_no']}"
            assert admitted.amount is not None


def test_until_leaves_out_what_came_later(directory: Path) -> None:
    until = date(1993, 1, 31)
    days = {event["occurred_at"][:10] for event in read_berka(directory, until)}
    assert days
    assert max(days) <= "1993-01-31"


def test_a_day_told_backwards_is_put_in_the_order_of_its_balances(small: dict[str, Event]) -> None:
    day = sorted((small[f"berka-trans-{number}"] for number in (102, 103, 104, 105)), key=lambda e: e["sequence"])
    assert [event["id"][-3:] for event in day] == ["103", "102", "104", "105"]
    assert [event["sequence"] for event in day] == [2, 3, 4, 5]


def test_a_day_that_does_not_chain_keeps_file_order(small: dict[str, Event]) -> None:
    assert small["berka-trans-108"]["sequence"] == 2
    assert small["berka-trans-107"]["sequence"] == 3


@pytest.mark.parametrize(
    ("number", "kind", "channel", "direction"),
    [
        (101, "cash.deposited", "counter", "credit"),
        (102, "interest.credited", "corebank", "credit"),
        (103, "transfer.received", "online", "credit"),
        (104, "cash.withdrawn", "atm", "debit"),
        (105, "fee.charged", "corebank", "debit"),
        (106, "salary.credited", "corebank", "credit"),
        (107, "transaction.posted", "online", "debit"),
        (108, "cash.withdrawn", "counter", "debit"),
        (109, "fee.charged", "corebank", "debit"),
    ],
)
def test_operations_become_the_banks_own_words(
    small: dict[str, Event], number: int, kind: str, channel: str, direction: str
) -> None:
    event = small[f"berka-trans-{number}"]
    assert (event["type"], event["channel"], event["direction"]) == (kind, channel, direction)


def test_symbols_become_purposes_and_transfers_name_the_other_side(small: dict[str, Event]) -> None:
    assert small["berka-trans-107"]["attributes"] == {"purpose": "household_payment"}
    assert small["berka-trans-107"]["counterparty"] == {"bank": "XX", "account_no": "777"}
    assert small["berka-trans-109"]["attributes"] == {"purpose": "penalty"}
    assert small["berka-trans-106"]["attributes"] == {"purpose": "pension"}
    assert "counterparty" not in small["berka-trans-104"]


def test_holders_cards_and_clients_are_registered(small: dict[str, Event]) -> None:
    assert small["berka-client-1"]["attributes"]["birth_date"] == "1945-06-12"
    assert small["berka-client-1"]["attributes"]["gender"] == "female"
    assert small["berka-client-1"]["attributes"]["district"] == "Horni Lhota"
    assert small["berka-disp-22"]["type"] == "account.opened"
    assert small["berka-disp-21"]["type"] == "holder.added"
    assert small["berka-disp-21"]["attributes"] == {"role": "attorney"}
    assert small["berka-card-31"]["identifiers"] == {"card_no": "31", "customer_no": "1", "account_no": "11"}


def test_a_loan_ends_as_its_status_says(small: dict[str, Event]) -> None:
    assert small["berka-loan-end-41"]["type"] == "loan.repaid"
    assert small["berka-loan-end-41"]["occurred_at"].startswith("1993-02-28")
    assert small["berka-loan-arrears-42"]["type"] == "loan.instalment_missed"
    assert small["berka-loan-arrears-42"]["occurred_at"].startswith("1994-01-31")


def test_another_set_of_files_is_refused_with_the_files_name(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match=r"\.asc"):
        list(read_berka(tmp_path))


def test_a_womans_month_is_raised_by_fifty() -> None:
    assert birth_of("706213") == (date(1970, 12, 13), "female")
    assert birth_of("450204") == (date(1945, 2, 4), "male")


@pytest.mark.parametrize(("text", "minor"), [("-0.60", -60), ("700.00", 70000), ("12", 1200), ("12.5", 1250)])
def test_amounts_are_read_to_the_heller(text: str, minor: int) -> None:
    assert minor_of(text) == minor


@given(
    st.lists(st.tuples(st.booleans(), st.integers(1, 10**6)), min_size=1, max_size=6),
    st.integers(-(10**6), 10**6),
    st.randoms(use_true_random=False),
)
def test_any_shuffled_day_is_walked_from_the_balance_before_it(
    movements: list[tuple[bool, int]], opening: int, random: Random
) -> None:
    day, balance = [], opening
    for number, (is_credit, amount) in enumerate(movements):
        balance += amount if is_credit else -amount
        day.append(Transaction(str(number), "1", date(1993, 1, 1), is_credit, "", amount, balance, "", "", ""))
    shuffled = list(day)
    random.shuffle(shuffled)
    walk = chain(shuffled, opening)
    assert walk is not None
    assert sorted(one.trans_id for one in walk) == sorted(one.trans_id for one in day)
    at = opening
    for one in walk:
        assert abs(one.balance_before - at) <= ROUNDING
        at = one.balance
