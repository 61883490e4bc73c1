"""Facts that are no sum over a window, and the events that tell of what they are about."""

from schemas.catalogue import load_catalogue
from schemas.events import ChannelEvent
from schemas.instants import DAY_MS
from services.profile.domain.facts.catalogue import FACTS
from services.profile.domain.facts.fed import FEEDS, feed_of, telling
from tests.profile.domain.gathered import POLICY
from tests.profile.domain.happenings import NOON, event

REASONS = POLICY.reference.reasons


def told(fact: str, *events: ChannelEvent) -> list[str]:
    feed = feed_of(fact)
    assert feed is not None
    return [one.id for one in telling(feed, events, REASONS, NOON)]


def test_every_feed_is_of_facts_that_there_are_and_of_event_types_that_there_are() -> None:
    for name, feed in FEEDS.items():
        assert any(fact.startswith(name) for fact in FACTS), name
        assert set(feed.read) <= load_catalogue().keys(), name


def test_a_complaint_leads_to_the_cases_that_are_complaints_with_all_that_tells_of_them() -> None:
    opened = event("case.opened", NOON - 30 * DAY_MS, "case:1", attributes={"case_kind": "complaint"})
    overdue, other = event("case.overdue", NOON - DAY_MS, "case:1"), event("case.opened", NOON, "case:2")
    assert told("complaint_open_days", opened, overdue, other) == [opened.id, overdue.id]
    assert told("open_cases", opened, overdue, other) == [opened.id, overdue.id, other.id]


def test_a_usual_salary_leads_to_the_salaries_and_pensions_of_the_time_it_is_learned_from() -> None:
    salary, old = event("salary.credited", NOON - 40 * DAY_MS), event("salary.credited", NOON - 400 * DAY_MS)
    pension = event("transaction.posted", NOON - DAY_MS, attributes={"purpose": "pension"})
    rent = event("transaction.posted", NOON, attributes={"purpose": "household_payment"})
    assert told("salary_usual", salary, old, pension, rent) == [salary.id, pension.id]
    assert told("has_salary", salary, rent) == [salary.id]


def test_enquiries_of_those_who_leave_are_told_apart_by_their_reason() -> None:
    leaving = sorted(REASONS.leaving)[0]
    asked = event("call.offered", NOON - DAY_MS, attributes={"reason": leaving})
    page = event("page.viewed", NOON, attributes={"reason": "fee"})
    rung = event("call.offered", NOON, id="rung", attributes={"reason": leaving, "outbound": True})
    assert told("leaving_enquiries_30d", asked, page, rung, event("counter.visited", NOON)) == [asked.id]


def test_what_follows_from_balances_has_no_feed() -> None:
    assert [feed_of(fact) for fact in ("balance_total", "assets", "tier", "age")] == [None] * 4
