"""The course of the balance: its trend, what lies idle, and when it was last below nothing."""

from schemas.changes import Fact
from schemas.events import ChannelEvent
from schemas.instants import DAY_MS
from tests.profile.domain.gathered import POLICY, facts_told, summary_of
from tests.profile.domain.happenings import ACCOUNT, NOON, event

SAVINGS = "account:2"
OPENED = [
    event("account.opened", NOON - 400 * DAY_MS, ACCOUNT, attributes={"account_kind": "current"}),
    event("account.opened", NOON - 400 * DAY_MS, SAVINGS, attributes={"account_kind": "savings"}),
]


def booked(days_ago: int, balance: int, account: str = ACCOUNT) -> ChannelEvent:
    return event(
        "transaction.posted", NOON - days_ago * DAY_MS, account, id=f"{account}{days_ago}", minor=1,
        direction="debit", balance=balance,
    )  # fmt: skip


def values_of(*events: ChannelEvent, now: int = NOON) -> dict[str, Fact]:
    return facts_told(summary_of([*OPENED, *(one for one in events if one.occurred_at <= now)], now))


UNTOLD = ("balance_total", "balance_lowest_60d", "overdrawn", "assets", "assets_band", "assets_direction")


def test_what_lies_on_an_account_is_unknown_where_money_was_moved_and_no_balance_told() -> None:
    moved = event("transaction.posted", NOON - DAY_MS, ACCOUNT, minor=1, direction="debit")
    told = booked(2, 5_000, SAVINGS)
    assert set(UNTOLD) <= set(summary_of([*OPENED, told, moved], NOON).facts.missing)
    assert not set(UNTOLD) & set(summary_of([*OPENED, told, booked(1, 300)], NOON).facts.missing)
    assert not set(UNTOLD) & set(summary_of([*OPENED, told], NOON).facts.missing), "nothing was ever moved on the other"


def test_a_mean_far_under_the_years_is_found_by_two_weekly_checks() -> None:
    steady = [booked(days, 1_000_000 + days % 7) for days in range(40, 365)]
    fallen = [booked(days, 100_000) for days in range(39)]
    checks = [
        values_of(*steady, *fallen, now=NOON - passed * DAY_MS)["balance_below_usual_checks"] for passed in (0, 38)
    ]
    assert checks == [2, 0]
    assert values_of(*steady)["balance_below_usual_checks"] == 0
    assert values_of(booked(300, 1_000_000))["balance_below_usual_checks"] == 0, "what never moved is as usual"


def test_the_second_check_follows_a_week_after_the_first() -> None:
    steady = [booked(days, 1_000_000 + days % 7) for days in range(40, 365)]
    fallen = [booked(39, 100_000)]
    checks = [
        values_of(*steady, *fallen, now=NOON - passed * DAY_MS)["balance_below_usual_checks"] for passed in range(39)
    ]
    first = next(passed for passed in reversed(range(39)) if checks[passed])
    assert {checks[passed] for passed in range(first, first - 7, -1)} == {1}
    assert checks[first - 7] == 2


def test_of_each_window_the_first_day_counts_and_the_day_before_it_does_not() -> None:
    values = values_of(booked(300, 100), booked(89, 5_000), booked(59, 7_000), booked(30, 8_000), booked(29, 9_000))
    assert (values["balance_lowest_90d"], values["balance_lowest_60d"], values["current_lowest_60d"]) == (50, 70, 70)
    assert (values["balance_mean_30d"], values["balance_30d_ago"]) == (90, 80)
    assert values_of(booked(8, 100), booked(7, 200), booked(6, 300))["balance_7d_ago"] == 2


def test_savings_are_not_what_lies_idle() -> None:
    events = [booked(100, 300_000), booked(100, 9_000_000, SAVINGS), booked(20, 200_000)]
    values = values_of(*events)
    assert (values["current_lowest_60d"], values["balance_lowest_60d"]) == (2000.0, 92_000.0)


def test_an_overdraft_is_told_though_the_savings_would_cover_it_and_how_long_it_has_been_over() -> None:
    events = [booked(200, 9_000_000, SAVINGS), booked(200, 100), booked(120, -500), booked(110, 100)]
    during, after = values_of(*events, now=NOON - 115 * DAY_MS), values_of(*events)
    assert (during["overdrawn"], during["days_since_overdrawn"]) == (True, 0)
    assert (after["overdrawn"], after["days_since_overdrawn"]) == (False, 111)
    assert values_of(booked(5, 100))["days_since_overdrawn"] == 0


def test_an_account_that_slept_for_more_than_a_year_held_what_it_held_until_it_woke() -> None:
    asleep = [booked(390, 9_000_000, SAVINGS), booked(100, 1_000_000)]
    long_asleep = [event("account.opened", NOON - 720 * DAY_MS, SAVINGS), booked(700, 9_000_000, SAVINGS), asleep[1]]
    for slept in (asleep, long_asleep):
        values = values_of(*slept, booked(1, 500_000, SAVINGS))
        assert (values["balance_30d_ago"], values["balance_7d_ago"]) == (100_000, 100_000)
        assert values["balance_mean_365d"] == 92_301.36
        assert values["current_lowest_60d"] == 10_000


def test_assets_are_told_in_percent_of_what_private_banking_begins_with() -> None:
    threshold = POLICY.reference.private_banking_threshold
    assert values_of(booked(5, threshold * 2 // 5))["assets_percent_of_private_banking"] == 40.0
