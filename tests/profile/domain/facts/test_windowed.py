"""From a fact that is counted over a window back to the events that it was counted from."""

import msgspec
import pytest
from hypothesis import Phase, given, settings

from schemas.events import ChannelEvent, Counterparty
from services.profile.domain.customers.measures import MeasureRule, Measures
from services.profile.domain.facts.catalogue import FACTS
from services.profile.domain.facts.windowed import Windowed
from tests.profile.domain.gathered import POLICY, facts_told, summary_of
from tests.profile.domain.happenings import DAY_MS, HOUR_MS, NOON, event, histories, product_fold, reversal

WINDOWED = Windowed(product_fold(), POLICY.measures, POLICY.reference, NOON)
NAMES = [rule.name for rule in POLICY.measures.measures] + [name for name in FACTS if WINDOWED.since(name) is not None]


def spent(name: str, at: int, minor: int, **told: str) -> ChannelEvent:
    return event("transfer.sent", at, id=name, minor=minor, direction="debit",
                 counterparty=Counterparty(bank="OTHA", account_no="7"), **told)  # fmt: skip


def behind(fact: str, *events: ChannelEvent) -> dict[str, float]:
    """Event id → what it counts."""
    counts = WINDOWED.behind(fact, [WINDOWED.alone(one) for one in events])
    found = {one.id: brought for one, brought in counts.each}
    assert len(found) == len(counts.each)
    assert sum(found.values()) == counts.total
    return found


@settings(max_examples=60, deadline=None, phases=[phase for phase in Phase if phase is not Phase.shrink])
@given(histories())
def test_the_events_behind_a_fact_come_to_its_value_whatever_happened(events: list[ChannelEvent]) -> None:
    """Of movements that count, within the time that is kept."""
    kept = [msgspec.structs.replace(one, of_record=True) for one in events if one.occurred_at > NOON - 700 * DAY_MS]
    summary, alone = summary_of(kept), [WINDOWED.alone(one) for one in kept]
    told = facts_told(summary)
    for name in NAMES:
        if name in told:
            counts = WINDOWED.behind(name, alone)
            assert counts.total == pytest.approx(told[name]), name
            if name != "outflow_max_day_180d":
                cents = 0.005 * sum(one.amount is not None and one.amount.currency != "CNY" for one, _ in counts.each)
                assert sum(brought for _, brought in counts.each) == pytest.approx(counts.total, abs=cents + 1e-6), name


def test_a_window_of_days_begins_with_the_first_of_them_and_the_events_before_it_are_not_listed() -> None:
    since = WINDOWED.since("outflow_30d")
    assert since is not None
    assert since % DAY_MS == 0
    assert behind("outflow_30d", spent("in", since, 1_000), spent("before", since - 1, 500)) == {"in": 10.0}


def test_of_two_reversals_of_one_movement_the_earlier_is_behind_the_fact() -> None:
    sent = spent("s", NOON - DAY_MS, 1_000)
    once, again = reversal(sent, NOON - HOUR_MS), reversal(sent, NOON - 1, id="again")
    for told in ([sent, once, again], [again, once, sent]):
        assert behind("outflow_30d", *told) == {"s": 10.0, "reversal-of-s": -10.0}


def test_a_window_of_hours_begins_with_the_first_of_them() -> None:
    since = WINDOWED.since("outflow_24h")
    assert since is not None
    assert since % HOUR_MS == 0
    assert behind("outflow_24h", spent("in", since, 1_000), spent("before", since - 1, 500)) == {"in": 10.0}


def test_money_to_other_banks_begins_where_its_window_does() -> None:
    since = WINDOWED.since("external_outflow_7d")
    assert since is not None
    assert behind("external_outflow_7d", spent("in", since, 1_000), spent("before", since - 1, 500)) == {"in": 10.0}


def test_a_reversal_is_listed_beside_what_it_cancels_and_takes_it_off() -> None:
    original = spent("wrong", NOON - 3 * DAY_MS, 1_000)
    events = (original, reversal(original, NOON), spent("right", NOON - DAY_MS, 2_500))
    assert behind("outflow_30d", *events) == {"wrong": 10.0, "reversal-of-wrong": -10.0, "right": 25.0}
    assert behind("transfers_out_30d", *events) == {"wrong": 1.0, "reversal-of-wrong": -1.0, "right": 1.0}
    assert behind("external_outflow_7d", *events) == {"wrong": 10.0, "reversal-of-wrong": -10.0, "right": 25.0}


def test_a_reversal_of_what_lies_before_the_window_is_none_of_it() -> None:
    original = spent("old", NOON - 40 * DAY_MS, 1_000)
    assert behind("outflow_30d", original, reversal(original, NOON)) == {}


def test_behind_a_greatest_day_stand_the_events_of_that_day() -> None:
    events = (spent("a", NOON, 4_000), spent("b", NOON - HOUR_MS, 2_000), spent("c", NOON - DAY_MS, 5_000))
    assert behind("outflow_max_day_180d", *events) == {"a": 40.0, "b": 20.0}


def test_behind_a_mean_stand_all_events_of_its_window_with_what_each_adds_up() -> None:
    rule = MeasureRule("mean_out", "outflow", "2d", "mean")
    measures = Measures(measures=(rule,), summed=POLICY.measures.summed)
    windowed = Windowed(product_fold(), measures, POLICY.reference, NOON)
    events = [spent("a", NOON, 4_000), spent("b", NOON - DAY_MS, 2_000), spent("c", NOON - 2 * DAY_MS, 9_000)]
    counts = windowed.behind("mean_out", [windowed.alone(one) for one in events])
    assert ({one.id: brought for one, brought in counts.each}, counts.total) == ({"a": 40.0, "b": 20.0}, 30.0)


def called(name: str, at: int, contact: str, kind: str = "call.offered", **told: str) -> ChannelEvent:
    return event(kind, at, "party:1", id=name, attributes={"contact_id": contact, **told})


def test_of_contacts_about_one_reason_each_counts_once_with_all_that_tells_of_it() -> None:
    events = (
        called("a1", NOON - DAY_MS, "a", reason="fee"), called("a2", NOON - DAY_MS + 1, "a", "call.ended"),
        called("b1", NOON - 2 * DAY_MS, "b", reason="fee"), called("c1", NOON - 3 * DAY_MS, "c", reason="card"),
        called("d1", NOON - 7 * DAY_MS - 1, "d", reason="fee"), called("d2", NOON - DAY_MS, "d", "call.ended"),
    )  # fmt: skip
    assert behind("contacts_same_reason_7d", *events) == {"a1": 1.0, "a2": 0.0, "b1": 1.0}
    assert set(behind("contacts_7d", *events)) == {"a1", "a2", "b1", "c1"}


def test_how_things_stand_has_no_window() -> None:
    assert [WINDOWED.since(name) for name in ("salary_usual", "balance_total", "tier")] == [None] * 3
