"""When a customer must be looked at again although nothing happens."""

from datetime import UTC, date, datetime

import msgspec
import pytest

from schemas.asked import Asked, Limit
from schemas.events import ChannelEvent
from schemas.instants import DAY_MS, HOUR_MS
from services.profile.domain.customers.customer import Completeness, Decided, Manager
from services.profile.domain.customers.summary import DueTime
from services.profile.domain.reference.calendar import day_number
from services.profile.domain.summarise import summarise
from tests.profile.domain.facts.test_facts import salaries
from tests.profile.domain.gathered import ME, POLICY, customer_of, facts_told, heard, summary_of
from tests.profile.domain.happenings import NOON, event


def due(summary_due: list[DueTime], kind: str) -> DueTime | None:
    return next((one for one in summary_due if one.kind == kind), None)


def test_the_next_salary_is_due_at_the_close_of_its_last_tolerated_day_and_waits_for_the_books() -> None:
    summary = summary_of(salaries(10), completeness=heard(core="corebank"))
    expected = due(summary.due, "salary")
    assert expected is not None
    assert expected.at > NOON + 20 * DAY_MS
    last_tolerated = POLICY.reference.day_of(expected.at) - 1
    assert expected.at == POLICY.reference.close_of(last_tolerated) + 1
    assert (expected.grain, expected.sources) == ("day", ("core",))


def test_a_term_deposit_is_looked_at_thirty_and_seven_days_before_maturity() -> None:
    opened = event("term_deposit.opened", NOON, "contract:1", minor=1, attributes={"matures_on": "2027-03-31"})
    times = {one.kind: one.at for one in summary_of([opened]).due}
    assert times["deposit_7"] - times["deposit_30"] == 23 * DAY_MS
    assert times["deposit_0"] - times["deposit_7"] == 7 * DAY_MS


def test_a_salary_that_stays_away_is_looked_at_again_at_each_close() -> None:
    books = heard(core="corebank")
    assert due(summary_of(salaries(45), completeness=books).due, "salary_overdue") == DueTime(
        POLICY.reference.next_close(NOON), "salary_overdue", "day", ("core",)
    )
    assert due(summary_of(salaries(10), completeness=books).due, "salary_overdue") is None


def test_a_salary_is_missed_once_the_books_are_complete_past_the_close_of_its_last_tolerated_day() -> None:
    waiting = heard(until=NOON - 30 * DAY_MS, core="corebank")
    held = due(summary_of(salaries(45), completeness=waiting).due, "salary")
    assert held is not None
    for until, is_known in ((held.at - 1, False), (held.at, True)):
        summary = summary_of(salaries(45), held.at + HOUR_MS, completeness=heard(until=until, core="corebank"))
        assert ("salary_missed" not in summary.facts.missing) is is_known
        assert (due(summary.due, "salary") is None) is is_known


def test_a_loan_is_looked_at_four_months_and_a_month_before_its_fixed_rate_ends() -> None:
    ends, start_of = day_number(date(2027, 9, 21)), POLICY.reference.start_of
    told = [event("loan.granted", NOON, "loan:1", minor=1, attributes={"fixed_until": "2027-09-21"})]
    times = {one.kind: one.at for one in summary_of(told).due if one.kind.startswith("fixed_rate")}
    assert times == {"fixed_rate_120": start_of(ends - 120), "fixed_rate_30": start_of(ends - 30)}
    told[0] = event("loan.granted", NOON, "loan:1", minor=1)
    assert not [one for one in summary_of(told).due if one.kind.startswith("fixed_rate")]


def test_a_card_of_somebody_quiet_is_looked_at_when_its_last_day_is_over() -> None:
    told = event("card.issued", NOON - 900 * DAY_MS, "card:1", attributes={"expires_on": "2026-11-30"})
    over = POLICY.reference.start_of(day_number(date(2026, 12, 1)))
    assert due(summary_of([told]).due, "card_expired") == DueTime(over, "card_expired", "day", ())
    assert due(summary_of([told], over).due, "card_expired") is None
    assert due(summary_of([told], roles={"card:1": "attorney"}).due, "card_expired") is None
    paid = event("card.paid", NOON, minor=1, direction="debit")
    assert {one.kind for one in summary_of([told, paid]).due} >= {"day_closed"}, "who is active is looked at every day"
    assert due(summary_of([told, paid]).due, "card_expired") is None


def test_what_others_own_is_not_looked_at() -> None:
    told = [
        event("loan.granted", NOON, "loan:1", minor=1, attributes={"fixed_until": "2027-09-21"}),
        event("term_deposit.opened", NOON, "contract:1", minor=1, attributes={"matures_on": "2027-03-31"}),
    ]
    for role, kinds in (("owner", {"fixed", "deposit"}), ("attorney", set[str]())):
        found = summary_of(told, roles={"loan:1": role, "contract:1": role}).due
        assert {one.kind.partition("_")[0] for one in found} - {"day"} == kinds


def test_an_open_case_is_looked_at_just_after_its_due_time_to_the_hour() -> None:
    opened = event("case.opened", NOON, "case:1", attributes={"case_kind": "complaint", "due_at": NOON + 5 * HOUR_MS})
    expected = due(summary_of([opened]).due, "case")
    assert expected == DueTime(NOON + 5 * HOUR_MS + 1, "case", "hour", ())
    resolved = event("case.resolved", NOON + 1, "case:1")
    assert due(summary_of([opened, resolved]).due, "case") is None


def test_sign_ins_that_stay_away_are_due_after_three_usual_gaps_but_not_before_a_fortnight() -> None:
    logins = [event("login.succeeded", NOON - 10 * week * DAY_MS, "login:a", channel="mobile") for week in range(5)]
    expected = due(summary_of(logins).due, "login_silence")
    assert expected is not None
    assert expected.at // DAY_MS - NOON // DAY_MS == 31


def test_an_owner_who_will_be_away_is_looked_at_when_that_begins_and_ends() -> None:
    away = {"from": NOON + DAY_MS, "until": NOON + 3 * DAY_MS}
    customer = customer_of(
        [], decided=Decided(owner="M1"), staff={"M1": Manager("M1", away, 1), "M2": Manager("M2", {}, 0)}
    )
    times = {one.kind: one for one in summarise(customer, POLICY, NOON, placing=None).due}
    assert times["owner_absence_from"] == DueTime(NOON + DAY_MS, "owner_absence_from", "hour", ())
    assert times["owner_absence_until"] == DueTime(NOON + 3 * DAY_MS, "owner_absence_until", "hour", ())


def test_an_owner_is_looked_at_when_the_absence_of_who_stands_in_begins_and_ends_too() -> None:
    away = {"from": NOON - DAY_MS, "until": NOON + 9 * DAY_MS, "delegate_id": "M2"}
    next_away = {"from": NOON + DAY_MS, "until": NOON + 3 * DAY_MS, "delegate_id": "M1"}
    staff = {"M1": Manager("M1", away, 1), "M2": Manager("M2", next_away, 0)}
    customer = customer_of([], decided=Decided(owner="M1"), staff=staff)
    times = [
        one.at for one in summarise(customer, POLICY, NOON, placing=None).due if one.kind.startswith("owner_absence")
    ]
    assert times == [NOON + DAY_MS, NOON + 3 * DAY_MS, NOON + 9 * DAY_MS]


def test_a_calculator_that_led_to_nothing_is_looked_at_a_day_later() -> None:
    used = event("calculator.used", NOON, ME, attributes={"product_family": "mortgage"})
    expected = due(summary_of([used], completeness=heard(app="mobile")).due, "interest_24")
    assert expected == DueTime(NOON + DAY_MS, "interest_24", "hour", ("app",))


def test_no_debit_of_the_customers_own_is_looked_at_when_thirty_ninety_and_a_hundred_and_eighty_days_are_over() -> None:
    paid = event("card.paid", NOON, minor=1, direction="debit", attributes={"customer_initiated": True})
    times = {one.kind: one.at // DAY_MS - NOON // DAY_MS for one in summary_of([paid]).due}
    assert (times["dormant_30"], times["dormant_90"], times["dormant_180"]) == (31, 91, 181)


def test_an_application_left_open_is_looked_at_after_a_day_and_after_three() -> None:
    started = event("application.started", NOON, "application:1", attributes={"product_family": "loan"})
    kinds = {one.kind: one.at - NOON for one in summary_of([started]).due}
    assert (kinds["application_24"], kinds["application_72"]) == (24 * HOUR_MS, 72 * HOUR_MS)
    submitted = event("application.submitted", NOON + HOUR_MS, "application:1")
    assert due(summary_of([started, submitted], NOON + HOUR_MS).due, "application_24") is None


def test_an_active_customer_is_looked_at_when_the_bank_day_closes_and_a_dormant_one_is_not() -> None:
    paid = event("card.paid", NOON - DAY_MS, minor=1, direction="debit")
    expected = due(summary_of([paid]).due, "day_closed")
    assert expected is not None
    assert expected.at == POLICY.reference.next_close(NOON)
    assert due(summary_of([paid], NOON + 200 * DAY_MS).due, "day_closed") is None


def test_who_may_change_tier_is_looked_at_when_the_bank_day_closes_however_quiet() -> None:
    paid, now = event("card.paid", NOON - DAY_MS, minor=1, direction="debit"), NOON + 200 * DAY_MS
    customer = customer_of([paid], decided=Decided(tier="gold", candidate_tier="standard"))
    expected = due(summarise(customer, POLICY, now, placing=None).due, "day_closed")
    assert expected is not None
    assert expected.at == POLICY.reference.next_close(now)


@pytest.mark.parametrize(
    ("tier", "days", "is_looked_at"),
    [
        ("gold", 200, True),
        ("profit", 200, True),
        ("profit", 399, True),
        ("profit", 400, False),
        ("general", 200, False),
    ],
)
def test_who_may_still_fall_from_a_tier_is_looked_at_at_the_close_of_each_month_however_quiet(
    tier: str, days: int, is_looked_at: bool
) -> None:
    paid, now = event("card.paid", NOON, minor=1, direction="debit"), NOON + days * DAY_MS
    found = due(
        summarise(customer_of([paid], decided=Decided(tier=tier)), POLICY, now, placing=None).due, "month_closed"
    )
    assert (found is not None) is is_looked_at
    if found is not None:
        at = datetime.fromtimestamp(found.at / 1000, UTC)
        assert 0 <= (found.at - now) // DAY_MS <= 40
        assert at.day <= 10
        assert POLICY.reference.close_of(POLICY.reference.closed_day(found.at)) == found.at, "a bank day closes"


def test_a_due_time_waits_for_the_source_it_depends_on_though_its_own_time_is_over() -> None:
    opened = event("case.opened", NOON, "case:1", attributes={"case_kind": "complaint", "due_at": NOON + HOUR_MS})
    later = NOON + 2 * HOUR_MS
    held = summary_of([opened], later, completeness=Completeness({"desk": NOON}, {"desk": "call_center"}))
    assert due(held.due, "case") == DueTime(NOON + HOUR_MS + 1, "case", "hour", ("desk",))
    judged = summary_of([opened], later, completeness=Completeness({"desk": later}, {"desk": "call_center"}))
    assert due(judged.due, "case") is None


def test_every_due_time_lies_ahead_and_they_are_sorted() -> None:
    events = [event("customer.registered", NOON - 400 * DAY_MS, ME), *salaries(10)]
    times = summary_of(events).due
    assert times == sorted(times)
    assert all(one.at > NOON for one in times)


def test_what_is_unknown_while_a_source_is_behind_is_judged_as_soon_as_it_has_caught_up() -> None:
    behind = heard(until=NOON - 5 * DAY_MS, core="corebank")
    due = {one.kind: one for one in summary_of(salaries(10), completeness=behind).due}
    assert due["heard_again"] == DueTime(NOON - 36 * HOUR_MS, "heard_again", "hour", ("core",))
    some = Completeness({"pos": NOON - 5 * DAY_MS, "app": NOON - 36 * HOUR_MS, "atm": NOON - 5 * DAY_MS}, {}, ())
    due = {one.kind: one for one in summary_of(salaries(10), completeness=some).due}
    assert due["heard_again"].sources == ("atm", "pos")
    assert "heard_again" not in {one.kind for one in summary_of(salaries(10), completeness=heard(core="corebank")).due}


def limit_of(events: list[ChannelEvent], asked: Asked, now: int, completeness: Completeness) -> DueTime | None:
    policy = msgspec.structs.replace(POLICY, asked=asked)
    told = summarise(customer_of(events, completeness=completeness), policy, now).due
    return next((one for one in told if one.kind.startswith("limit_")), None)


def test_a_quiet_customer_is_looked_at_when_a_fact_that_runs_with_the_days_passes_what_is_asked() -> None:
    joined = event("customer.registered", NOON - 300 * DAY_MS, ME)
    asked, anybody = {"tenure_days": frozenset({Limit(400.0)}), "owner_days": frozenset({Limit(9.0)})}, heard(bank="*")
    expected = limit_of([joined], Asked("1", asked), NOON, anybody)
    assert expected is not None
    days = [facts_told(summary_of([joined], at))["tenure_days"] for at in (expected.at - DAY_MS, expected.at)]
    assert (days, expected.sources) == ([399, 400], ())
    assert limit_of([joined], Asked("1", {"tenure_days": frozenset({Limit(200.0)})}), NOON, Completeness()) is None
    asked["days_since_last_event"] = frozenset({Limit(350.0), Limit(380.0)})
    assert limit_of([joined], Asked("1", asked), NOON, anybody) == DueTime(
        expected.at - 50 * DAY_MS, "limit_days_since_last_event", "day", ()
    )
    active = event("card.paid", NOON - DAY_MS, minor=1, direction="debit")
    assert limit_of([joined, active], Asked("1", asked), NOON, anybody) is None, "looked at every day anyway"


def test_what_counts_down_passes_its_limit_whatever_its_sources_tell() -> None:
    told = event("loan.granted", NOON - 300 * DAY_MS, "loan:1", minor=1, attributes={"ends_on": "2027-03-31"})
    expected = limit_of([told], Asked("1", {"loan_ends_in_days": frozenset({Limit(30.0)})}), NOON, heard(core="*"))
    assert expected is not None
    assert expected.sources == ()


def test_a_birthday_is_over_on_the_day_after_it_though_nothing_happens() -> None:
    asked = Asked("1", {"birthday_in_days": frozenset({Limit(7.0)})})
    joined = event("customer.registered", NOON - 400 * DAY_MS, ME, attributes={"birth_date": "1990-11-24"})
    today = POLICY.reference.start_of(day_number(date(2026, 11, 24))) + HOUR_MS
    assert facts_told(summary_of([joined], today))["birthday_in_days"] == 0
    tomorrow = DueTime(POLICY.reference.start_of(day_number(date(2026, 11, 25))), "limit_birthday_in_days", "day", ())
    assert limit_of([joined], asked, today, Completeness()) == tomorrow
    without = event("customer.registered", NOON - 400 * DAY_MS, ME)
    assert limit_of([without], asked, today, Completeness()) is None


def test_what_did_not_happen_passes_no_limit_before_its_sources_are_complete() -> None:
    asked = Asked("1", {"days_since_customer_debit": frozenset({Limit(180.0)})})
    paid = event("card.paid", NOON - 170 * DAY_MS, minor=1, direction="debit", attributes={"customer_initiated": True})
    expected = limit_of([paid], asked, NOON, heard(core="corebank"))
    assert expected is not None
    assert (expected.grain, expected.sources) == ("day", ("core",))


def test_hours_that_somebody_asks_for_are_precise() -> None:
    started = event("application.started", NOON, "application:1", attributes={"product_family": "loan"})
    asked = Asked("1", {"application_open_hours": frozenset({Limit(48.0)})})
    expected = limit_of([started], asked, NOON + 2 * HOUR_MS, Completeness())
    assert expected == DueTime(NOON + 48 * HOUR_MS, "limit_application_open_hours", "hour", ())
