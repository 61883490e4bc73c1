"""From a fact that is counted over a window back to the events that it was counted from."""

import msgspec
import pytest
from hypothesis import Phase, given, settings

from schemas.events import ChannelEvent, Counterparty
from schemas.instants import DAY_MS, HOUR_MS
from services.profile.domain.customers.contacts import CONTACTS_SHOWN
from services.profile.domain.customers.measures import MeasureRule, Measures
from services.profile.domain.facts.catalogue import FACTS
from services.profile.domain.facts.windowed import Windowed
from tests.profile.domain.gathered import POLICY, facts_told, summary_of
from tests.profile.domain.happenings import NOON, event, histories, product_fold, reversal

WINDOWED = Windowed(product_fold(), POLICY.measures, POLICY.reference, NOON)
NAMES = [rule.name for rule in POLICY.measures.measures] + [name for name in FACTS if WINDOWED.since(name) is not None]


def spent(name: str, at: int, minor: int, **told: str) -> ChannelEvent:
    return event("transfer.sent", at, id=name, minor=minor, direction="debit",
                 counterparty=Counterparty(bank="OTHA", account_no="7"), **told)  # fmt: skip


def over(rule: MeasureRule) -> Windowed:
    measures = Measures(measures=(rule,), summed=POLICY.measures.summed)
    return Windowed(product_fold(), measures, POLICY.reference, NOON)


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
    windowed = over(MeasureRule("mean_out", "outflow", "2d", "mean"))
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


def test_a_call_by_the_bank_is_behind_the_contacts_and_not_behind_what_was_asked() -> None:
    events = [
        called(one, NOON, one, "call.ended", reason="fee", outcome="abandoned", **outbound)
        for one, outbound in (("in", {}), ("out", {"outbound": "true"}))
    ]
    assert set(behind("contacts_7d", *events)) == {"in", "out"}
    assert set(behind("contacts_same_reason_7d", *events)) == set(behind("abandoned_waits_7d", *events)) == {"in"}


def test_how_things_stand_has_no_window() -> None:
    assert [WINDOWED.since(name) for name in ("salary_usual", "balance_total", "tier")] == [None] * 3


def test_contacts_begin_to_count_a_millisecond_after_the_instant_that_lies_as_many_days_back() -> None:
    for fact, days in (("contacts_7d", 7), ("contacts_30d", 30)):
        since = NOON - days * DAY_MS + 1
        assert WINDOWED.since(fact) == since
        assert behind(fact, called("in", since, "a"), called("before", since - 1, "b")) == {"in": 1.0}


def test_a_contact_that_began_long_before_its_window_is_read_and_is_none_of_it() -> None:
    since, read_since = WINDOWED.since("contacts_7d"), WINDOWED.read_since("contacts_7d")
    assert since is not None
    assert read_since is not None
    told = [called("begun", since - 31 * DAY_MS, "a"), called("ended", NOON - DAY_MS, "a", "call.ended")]
    assert told[0].occurred_at >= read_since
    assert behind("contacts_7d", *told) == {}
    assert behind("contacts_7d", told[1]) == {"ended": 1.0}, "as if it had begun there"


def test_of_money_no_more_is_read_than_its_window() -> None:
    for fact in ("outflow_30d", "outflow_24h", "external_outflow_7d", "balance_total"):
        assert WINDOWED.read_since(fact) == WINDOWED.since(fact)


def test_the_event_by_which_a_contact_began_counts_in_whatever_order_they_are_read() -> None:
    events = [called("begun", NOON - DAY_MS, "a"), called("ended", NOON - DAY_MS + 1, "a", "call.ended")]
    for told in (events, events[::-1]):
        assert behind("contacts_7d", *told) == {"begun": 1.0, "ended": 0.0}


def test_more_contacts_than_a_view_shows_are_counted_and_behind_the_fact() -> None:
    events = [called(f"{number:02}", NOON - number * HOUR_MS, f"c{number}") for number in range(CONTACTS_SHOWN + 2)]
    month_ago = [called(f"m{number}", NOON - 30 * DAY_MS + 1 + number, f"m{number}") for number in range(2)]
    for told in (events, events[::-1]):
        values = facts_told(summary_of([*month_ago, *told]))
        assert (values["contacts_7d"], values["contacts_30d"]) == (CONTACTS_SHOWN + 2, CONTACTS_SHOWN + 4)
        assert sorted(behind("contacts_7d", *told)) == [f"{number:02}" for number in range(CONTACTS_SHOWN + 2)]


@pytest.mark.parametrize(("sequence", "another"), [(None, 0), (1, 2)])
def test_of_two_reversals_of_one_instant_the_one_that_comes_first_in_its_source_is_behind_the_fact(
    sequence: int | None, another: int
) -> None:
    sent = spent("s", NOON - DAY_MS, 1_000)
    first, second = reversal(sent, NOON, id="z", sequence=sequence), reversal(sent, NOON, id="a", sequence=another)
    for told in ([sent, first, second], [second, first, sent]):
        assert behind("outflow_30d", *told) == {"s": 10.0, "z": -10.0}


def test_a_greatest_day_is_one_day_with_all_its_currencies() -> None:
    windowed = over(MeasureRule("most", "outflow", "30d", "max"))
    events = [spent("a", NOON, 90), spent("b", NOON - DAY_MS, 100, currency="USD"), spent("c", NOON - DAY_MS, 5)]
    counts = windowed.behind("most", [windowed.alone(one) for one in events])
    assert ({one.id for one, _ in counts.each}, counts.total) == ({"b", "c"}, 7.08)


def test_a_day_of_most_movements_is_one_day_in_whatever_currencies_they_were() -> None:
    windowed = over(MeasureRule("most", "customer_debits", "30d", "max"))
    events = [spent("a", NOON, 1), spent("b", NOON, 1), spent("c", NOON - DAY_MS, 1, currency="USD")]
    counts = windowed.behind("most", [windowed.alone(one) for one in events])
    assert ({one.id for one, _ in counts.each}, counts.total) == ({"a", "b"}, 2.0)
