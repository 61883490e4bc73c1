"""Windows over what a state counts."""

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from schemas.events import ChannelEvent
from schemas.instants import DAY_MS, HOUR_MS
from services.profile.domain.customers.buckets import Buckets
from services.profile.domain.customers.measures import Measured, MeasureRule, Measures, counted, nothing_shown, shown
from tests.profile.domain.gathered import POLICY
from tests.profile.domain.happenings import NOON, event, fold_of


def spent(at: int, minor: int, number: str, currency: str = "CNY") -> ChannelEvent:
    return event("card.paid", at, id=number, minor=minor, direction="debit", currency=currency)


def counted_by(events: list[ChannelEvent], window: str, aggregate: str, series: str = "outflow") -> dict[str, Measured]:
    rule = msgspec.convert({"name": "m", "series": series, "window": window, "aggregate": aggregate}, type=MeasureRule)
    measures = Measures(measures=(rule,), summed=POLICY.measures.summed)
    return counted(measures, Buckets(fold_of(events)), POLICY.reference, NOON)


def measured(events: list[ChannelEvent], window: str, aggregate: str) -> int:
    return counted_by(events, window, aggregate).get("m", Measured(0, is_money=True)).amount


@settings(max_examples=60, deadline=None)
@given(st.lists(st.tuples(st.integers(0, 500), st.integers(1, 1000)), max_size=30), st.integers(1, 400))
def test_a_window_of_days_is_the_sum_of_its_days(spendings: list[tuple[int, int]], length: int) -> None:
    events = [spent(NOON - age * DAY_MS, minor, f"e{place}") for place, (age, minor) in enumerate(spendings)]
    within = [minor for age, minor in spendings if age < length]
    assert measured(events, f"{length}d", "sum") == sum(within)
    assert measured(events, f"{length}d", "count") == len(within)


def test_a_window_of_hours_ends_with_the_running_hour() -> None:
    events = [spent(NOON, 1, "now"), spent(NOON - 23 * HOUR_MS, 10, "then"), spent(NOON - 24 * HOUR_MS, 100, "before")]
    assert measured(events, "24h", "sum") == 11


def test_mean_and_greatest_are_of_days() -> None:
    events = [spent(NOON, 40, "a"), spent(NOON, 20, "b"), spent(NOON - DAY_MS, 10, "c")]
    assert measured(events, "2d", "mean") == 35
    assert measured(events, "30d", "max") == 60


def test_a_foreign_currency_is_converted_where_a_rate_is_known() -> None:
    dollars = POLICY.reference.home_minor(100, "USD", POLICY.reference.day_of(NOON))
    assert dollars is not None
    told = [spent(NOON, 100, "a"), spent(NOON, 100, "b", "USD")]
    assert counted_by(told, "1d", "sum") == {"m": Measured(100 + dollars, is_money=True)}


def test_the_greatest_day_is_one_day_with_all_its_currencies() -> None:
    """Two days on which much was spent, each in its own currency, are not one day of both."""
    dollars = POLICY.reference.home_minor(100, "USD", POLICY.reference.day_of(NOON))
    assert dollars is not None
    told = [spent(NOON, 90, "a"), spent(NOON - DAY_MS, 100, "b", "USD"), spent(NOON - DAY_MS, 5, "c")]
    assert measured(told, "30d", "max") == dollars + 5
    unknown = counted_by([*told, spent(NOON, 1, "d", "ISK")], "30d", "max")
    assert unknown == {"m": Measured(dollars + 5, is_money=True, unconverted=("ISK",))}


def test_a_currency_without_a_rate_is_left_out_by_name() -> None:
    measures = POLICY.measures
    found = counted(measures, Buckets(fold_of([spent(NOON, 100, "a", "ISK")])), POLICY.reference, NOON)
    assert found["outflow_7d"].unconverted == ("ISK",)
    assert shown(found, "CNY")["outflow_7d"] == {"value": "0.00", "currency": "CNY", "unconverted": ["ISK"]}


@pytest.mark.parametrize("aggregate", ["count", "sum", "max", "mean"])
def test_of_a_series_that_adds_up_no_money_every_aggregate_is_a_count(aggregate: str) -> None:
    told = [event("transaction.declined", NOON, id=name, minor=500) for name in ("a", "b")]
    assert counted_by(told, "1d", aggregate, "declines") == {"m": Measured(2, is_money=False)}


def test_the_longest_windows_are_what_is_kept() -> None:
    assert measured([spent(NOON - 399 * DAY_MS, 3, "a"), spent(NOON - 400 * DAY_MS, 4, "b")], "400d", "sum") == 3
    assert measured([spent(NOON - 167 * HOUR_MS, 3, "a"), spent(NOON - 168 * HOUR_MS, 4, "b")], "168h", "sum") == 3


@pytest.mark.parametrize("aggregate", ["mean", "max"])
def test_what_is_of_days_is_refused_over_hours(aggregate: str) -> None:
    with pytest.raises(ValueError, match=f"measure m: {aggregate} is of days; its window must be in days"):
        counted_by([], "24h", aggregate)


@pytest.mark.parametrize("window", ["0d", "401d", "169h", "30m", "d"])
def test_a_window_beyond_what_is_kept_is_refused(window: str) -> None:
    with pytest.raises(ValueError, match="a window from 1h to 168h or 1d to 400d"):
        MeasureRule("m", "outflow", window, "sum")


def test_every_measure_is_shown_even_where_nothing_was_counted() -> None:
    assert shown(counted(POLICY.measures, Buckets(fold_of([])), POLICY.reference, NOON), "CNY") == {}
    body = nothing_shown(POLICY.measures, "CNY")
    assert body.keys() == {rule.name for rule in POLICY.measures.measures}
    assert body["outflow_30d"] == {"value": "0.00", "currency": "CNY"}
    assert body["declines_24h"] == 0
