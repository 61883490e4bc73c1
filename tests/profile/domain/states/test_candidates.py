"""Which events may become moments, and what is kept of one."""

import pytest

from schemas.events import Counterparty
from services.profile.domain.states.candidates import is_kept, values_of
from services.profile.domain.states.latest import join_latest
from services.profile.domain.states.state import LATEST_KEPT, Candidate
from services.profile.domain.states.tally import party_key
from tests.profile.domain.happenings import event


def moved(minor: int, direction: str, balance: int | None = None) -> bool:
    """Of at least 40 % of the balance before, or of 1,000."""
    return is_kept(1_000, 40, event("transfer", minor=minor, direction=direction, balance=balance))


def test_an_amount_is_enough_from_the_floor_on() -> None:
    assert [moved(minor, "debit") for minor in (999, 1_000)] == [False, True]


@pytest.mark.parametrize(("direction", "after"), [("debit", -1), ("credit", 1)])
def test_a_share_is_of_the_balance_before_the_movement(direction: str, after: int) -> None:
    kept = [moved(minor, direction, 500 + after * minor) for minor in (199, 200)]
    assert kept == [False, True]


def test_no_share_is_taken_of_what_was_overdrawn_empty_or_unknown() -> None:
    assert not any(moved(999, "debit", balance) for balance in (-1_500, -999, None))


def test_without_a_test_every_event_is_kept_and_with_one_none_that_moves_nothing() -> None:
    assert is_kept(0, 0, event("login.failed"))
    assert not is_kept(1, 0, event("login.failed"))
    assert not is_kept(0, 1, event("login.failed"))


def test_a_share_alone_knows_no_floor() -> None:
    assert not is_kept(0, 40, event("transfer", minor=1_000_000, direction="debit", balance=9_000_000))


def test_what_a_moment_tells_is_kept_and_nothing_that_is_no_plain_value() -> None:
    other = Counterparty(bank="OTHR", account_no="7", kind="own")
    told = event("transfer.sent", minor=300, direction="debit", balance=700, product="fund-7", counterparty=other)
    attributes = {"purpose": "other", "score": 3, "rate": 1.65, "express": True, "fee": {"minor": 1}, "lines": ["a"]}
    assert values_of(told, "transfer", attributes) == {
        "purpose": "other", "score": 3, "rate": "1.65", "express": True, "type": "transfer.sent", "channel": "corebank",
        "subject": "account:1", "product": "fund-7", "flow": "transfer", "minor": 300, "currency": "CNY",
        "before_minor": 1_000, "party": "OTHR/7", "bank": "OTHR", "party_kind": "own",
    }  # fmt: skip


def test_the_newest_are_kept_in_the_order_of_time_whichever_side_they_come_from() -> None:
    told = [Candidate(at, "e", {"minor": at}) for at in range(1, LATEST_KEPT + 2)]
    assert join_latest(told[1::2], told[::2]) == join_latest(told[::2], told[1::2]) == told[1:]


def test_of_one_place_the_same_values_stand_in_either_order_and_a_tombstone_keeps_them() -> None:
    one, other = Candidate(1, "e", {"minor": 2, "bank": "A"}), Candidate(1, "e", {"bank": "B", "minor": 1})
    tombstone = Candidate(1, "e", {}, cancelled=True)
    assert join_latest([one], [other]) == join_latest([other], [one]) == [other]
    for left, right in ((one, tombstone), (tombstone, one)):
        assert join_latest([left], [right]) == [Candidate(1, "e", one.values, cancelled=True)]


@pytest.mark.parametrize(
    ("other", "key"),
    [
        (Counterparty(bank="OTHR", account_no="7", name="p_1"), "OTHR/7#p_1"),
        (Counterparty(bank="OTHR", account_no="7"), "OTHR/7"), (Counterparty(account_no="7"), "/7"),
        (Counterparty(name="p_1", kind="own"), "p_1"), (Counterparty(kind="own"), "own"), (Counterparty(), ""),
    ],
)  # fmt: skip
def test_another_side_is_known_by_account_and_name_else_by_whatever_is_told(other: Counterparty, key: str) -> None:
    assert party_key(other) == key
