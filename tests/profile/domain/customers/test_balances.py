"""The course of a balance over the days."""

import msgspec
import pytest

from schemas.events import ChannelEvent
from schemas.instants import DAY_MS
from services.profile.domain.customers.balances import Course, courses_of
from tests.profile.domain.gathered import POLICY, Roles, customer_of
from tests.profile.domain.happenings import ACCOUNT, NOON, event

COURSE = Course(((10, 100), (12, -50), (15, 20)), 20)
NEW = Course((), 20)
TODAY = NOON // DAY_MS


def booked(days_ago: int, balance: int, account: str = ACCOUNT, currency: str = "CNY") -> ChannelEvent:
    return event(
        "transaction.posted", NOON - days_ago * DAY_MS, account, id=f"{account}{days_ago}", minor=1,
        direction="debit", balance=balance, currency=currency,
    )  # fmt: skip


def opened(days_ago: int, account: str = ACCOUNT) -> ChannelEvent:
    return event("account.opened", NOON - days_ago * DAY_MS, account, id=f"o{days_ago}{account}")


def closed(days_ago: int, account: str = ACCOUNT) -> ChannelEvent:
    return event("account.closed", NOON - days_ago * DAY_MS, account, id=f"c{account}")


def steps(*events: ChannelEvent) -> list[tuple[int, int]]:
    """(days ago, total)"""
    found = courses_of(customer_of(list(events)), POLICY.reference, TODAY).of_all.steps
    return [(TODAY - day, total) for day, total in found]


def test_a_balance_holds_from_the_close_of_its_day_until_the_next_and_is_unknown_before_the_first() -> None:
    assert [COURSE.at(day) for day in (9, 10, 11, 12, 14, 15, 20)] == [None, 100, 100, -50, -50, 20, 20]
    assert (COURSE.now, NEW.now, NEW.at(20)) == (20, 0, None)


def test_an_earlier_day_knows_nothing_of_what_came_later() -> None:
    earlier = COURSE.until(12)
    assert (earlier.now, earlier.mean(3), earlier.days_since_negative()) == (-50, 50, 0)
    assert COURSE.until(11).days_since_negative() is None


def test_days_below_nothing_end_with_the_day_before_it_was_made_up_for() -> None:
    assert [COURSE.until(day).days_since_negative() for day in (14, 15, 20)] == [0, 1, 6]
    assert Course(((10, 0),), 20).days_since_negative() is None


def test_mean_and_spread_are_of_the_last_days_that_are_known_and_the_lowest_is_of_all_days_or_unknown() -> None:
    assert [(COURSE.mean(days), COURSE.lowest(days)) for days in (1, 6, 7, 11, 12, 400)] == [
        (20, 20), (20, 20), (10, -50), (15, -50), (15, None), (15, None),
    ]  # fmt: skip
    assert Course(((1, 0), (2, 10)), 2).spread(2) == (5, 5)
    assert (NEW.mean(30), NEW.spread(30), NEW.lowest(30)) == (None, (None, None), None)


def test_the_total_changes_with_every_account_on_its_day() -> None:
    later = opened(7, "account:2")
    assert steps(booked(9, 500), later, booked(7, 30, "account:2"), booked(3, 400), booked(3, 50, "account:2")) == [
        (9, 500), (7, 530), (3, 450),
    ]  # fmt: skip


def test_the_total_is_unknown_before_the_first_balance_of_an_account_that_may_have_held_something() -> None:
    """Of an account that slept for years, or was linked without its past, nobody knows what lay there before."""
    woken = [booked(9, 500), booked(7, 30, "account:2")]
    assert steps(*woken) == steps(*woken, opened(900, "account:2")) == [(7, 530)]
    moved = event("transaction.posted", NOON - 8 * DAY_MS, "account:2", id="untold", minor=1, direction="debit")
    assert steps(*woken, opened(20, "account:2"), moved) == [(7, 530)], "something moved before"
    assert steps(*woken, opened(20, "account:2")) == [(9, 500), (7, 530)]


def test_an_account_holds_nothing_from_its_opening_until_something_is_booked() -> None:
    assert steps(opened(9), booked(7, 30)) == [(9, 0), (7, 30)]
    assert steps(opened(9)) == []
    assert steps(opened(9), booked(9, 30)) == [(9, 30)]


def test_an_account_holds_nothing_once_it_was_closed_whatever_was_told_of_it_last() -> None:
    """What is paid out at the closing often comes without a balance."""
    assert steps(opened(9), booked(9, -30), closed(7)) == [(9, -30), (7, 0)]
    assert steps(opened(9), booked(9, 30), closed(7), booked(3, 5)) == [(9, 30), (7, 0)], "interest that came later"
    foreign = [booked(9, 500), booked(8, 70, "account:2", "XAF")]
    found = courses_of(customer_of([*foreign, closed(7, "account:2")]), POLICY.reference, TODAY)
    assert (found.of_all.now, found.unknown) == (500, False)


def test_an_account_that_was_opened_again_holds_what_was_booked_since() -> None:
    assert steps(booked(900, 30), opened(20), booked(9, 40)) == [(9, 40)], "nobody told that it was closed"
    again = [booked(9, 30), closed(7), opened(5)]
    assert steps(*again) == [(9, 30), (7, 0)]
    assert steps(*again, booked(3, 40)) == [(9, 30), (7, 0), (3, 40)]
    same_day = event("account.opened", NOON - 7 * DAY_MS + 1, ACCOUNT, id="again")
    since = msgspec.structs.replace(booked(7, 40), occurred_at=NOON - 7 * DAY_MS + 2)
    assert steps(booked(9, 30), closed(7), same_day, since) == [(9, 30), (7, 40)]
    assert steps(booked(9, 30), closed(7), same_day) == [(9, 30), (7, 0)], "what was told before the closing"


def test_what_lay_on_an_account_before_it_was_closed_is_unknown_where_nobody_told() -> None:
    moved = event("transaction.posted", NOON - 8 * DAY_MS, "account:2", id="untold", minor=1, direction="debit")
    assert steps(booked(9, 500), opened(20, "account:2"), moved, closed(7, "account:2")) == [(7, 500)]


def test_what_was_booked_in_a_currency_without_a_rate_counts_nothing_and_what_is_booked_ahead_counts_today() -> None:
    assert steps(booked(9, 500), booked(7, 30, "account:2", "XAF")) == [(9, 500)]
    assert steps(booked(9, 500), booked(-2, 700)) == [(9, 500), (0, 700)]


def test_a_year_back_the_last_balance_of_each_month_is_enough() -> None:
    events = [booked(days, days) for days in range(0, 430, 5)]
    found = steps(*reversed(events))
    assert [days for days, _ in found if days <= 90] == list(range(90, -1, -5))
    assert len([days for days, _ in found if 130 < days <= 365]) == pytest.approx(8, abs=1)
    assert 365 <= found[0][0] < 430


def test_a_balance_that_has_not_moved_for_years_still_counts() -> None:
    assert steps(booked(900, 70_000)) == [(900, 70_000)]


@pytest.mark.parametrize("slept", [700, 420])
@pytest.mark.parametrize("woke", [360, 100])
def test_what_lay_there_before_all_that_is_looked_at_counts_from_its_beginning(slept: int, woke: int) -> None:
    assert steps(booked(slept, 70_000), booked(woke, 50_000)) == [(365 + 31, 70_000), (woke, 50_000)]


def test_nothing_from_before_stands_beside_a_balance_of_the_first_month_that_is_looked_at() -> None:
    assert steps(booked(700, 70_000), booked(400, 60_000), booked(100, 50_000)) == [(400, 60_000), (100, 50_000)]


def test_accounts_of_which_the_customer_is_no_holder_count_nothing() -> None:
    roles: Roles = {"account:2": "attorney", "account:3": ("owner", 0, NOON - DAY_MS)}
    events = [booked(9, 500), booked(7, 30, "account:2"), booked(5, 7, "account:3")]
    courses = courses_of(customer_of(events, roles=roles), POLICY.reference, TODAY)
    assert courses.of_all.steps == courses.of_current.steps == ((TODAY - 9, 500),)
    long_ago = [booked(200, 500), booked(200, 30, "account:2"), booked(200, 7, "account:3")]
    assert courses_of(customer_of(long_ago, roles=roles), POLICY.reference, TODAY).of_all.steps == ((TODAY - 200, 500),)
    assert steps(booked(9, 500), booked(7, 30, "loan:1")) == [(9, 500)]
