"""What rules may ask: facts, and what is unknown or not covered among them."""

import msgspec
import pytest

from schemas.events import ChannelEvent, Counterparty
from schemas.instants import DAY_MS, HOUR_MS
from services.profile.domain.customers.customer import Completeness, total
from services.profile.domain.facts.catalogue import FACTS, catalogue
from services.profile.domain.states.state import BANKS_KEPT
from services.profile.domain.summarise import summarise
from tests.profile.domain.gathered import ME, POLICY, customer_of, facts_told, heard, part, summary_of
from tests.profile.domain.happenings import ACCOUNT, NOON, event

REGISTERED = event("customer.registered", NOON - 500 * DAY_MS, ME, attributes={"registered_on": "2020-09-25"})


def sent(days_ago: int, bank: str, minor: int = 1000, number: str = "", balance: int | None = None) -> ChannelEvent:
    return event(
        "transfer.sent", NOON - days_ago * DAY_MS, id=f"{bank}{days_ago}{number}", minor=minor, direction="debit",
        balance=balance, counterparty=Counterparty(bank=bank, account_no="9"),
    )  # fmt: skip


def test_every_fact_is_declared_and_only_those_that_are_not_at_rest_are_told() -> None:
    declared = {fact.name: fact for fact in catalogue(POLICY.measures)}
    for events in ([REGISTERED], [REGISTERED, sent(1, "OTHC", balance=5)]):
        facts = summary_of(events).facts
        assert facts.values.keys() | set(facts.missing) <= declared.keys()
        assert {name for name, value in facts.values.items() if value == declared[name].at_rest} == set()
        assert facts.values.keys().isdisjoint(facts.missing)


def test_facts_have_the_type_that_they_are_declared_with() -> None:
    values = facts_told(summary_of([REGISTERED, sent(1, "OTHC", balance=5)]))
    types = {"number": float, "boolean": bool, "string": str}
    assert {
        name for name, fact in FACTS.items() if name in values and type(values[name]) is not types[fact.type]
    } == set()


def test_what_never_happened_is_zero_and_a_balance_before_the_first_is_unknown() -> None:
    facts = summary_of([REGISTERED, sent(3, "OTHC", balance=5)]).facts
    assert facts.values["balance_total"] == 0.05
    assert "declines_24h" not in {*facts.values, *facts.missing}
    assert "balance_30d_ago" in facts.missing


def test_money_sent_to_other_banks_is_told_by_window_and_own_bank_is_not_among_it() -> None:
    own = "CPBK"
    values = facts_told(summary_of([sent(2, "ZZZZ"), sent(20, "ZZZZ", 500), sent(1, own, 7)]))
    assert values["external_outflow_7d"] == 10.0
    assert values["external_outflow_30d"] == 15.0


def test_a_day_with_too_many_banks_makes_outflow_to_them_unknown() -> None:
    events = [sent(1, f"B{number}") for number in range(BANKS_KEPT + 1)]
    facts = summary_of(events).facts
    assert "external_outflow_7d" in facts.missing
    assert facts.values["outflow_7d"] == 10.0 * (BANKS_KEPT + 1)


def test_contacts_with_one_reason_are_counted_over_all_channels_once_each() -> None:
    def contact(kind: str, hours: int, number: str, reason: str = "fee") -> ChannelEvent:
        return event(kind, NOON - hours * HOUR_MS, ME, attributes={"contact_id": number, "reason": reason})

    events = [
        contact("call.offered", 5, "a"), contact("call.ended", 4, "a"), contact("counter.visited", 30, "b"),
        contact("message.received", 50, "c"), contact("call.offered", 60, "d", "card"),
        contact("call.offered", 200, "e"),
    ]  # fmt: skip
    values = facts_told(summary_of(events))
    assert (values["contacts_same_reason_7d"], values["contacts_same_reason"], values["contacts_7d"]) == (3, "fee", 4)


def test_who_gave_up_waiting_or_whose_call_was_cut_off_is_counted_as_such() -> None:
    def contact(kind: str, number: str, **told: str) -> ChannelEvent:
        return event(kind, NOON - HOUR_MS, ME, id=kind + number, attributes={"contact_id": number, **told})

    told = [contact("queue_ticket.abandoned", "a"), contact("chat.abandoned", "b"),
            contact("call.ended", "c", outcome="abandoned"), contact("call.ended", "d", outcome="solved"),
            contact("counter.visited", "e")]  # fmt: skip
    values = facts_told(summary_of(told))
    assert (values["contacts_7d"], values["abandoned_waits_7d"]) == (5, 3)


def test_who_was_called_by_the_bank_has_asked_for_nothing_and_given_nothing_up() -> None:
    def called(number: str, outbound: bool) -> ChannelEvent:
        told = {"contact_id": number, "reason": "closing", "outcome": "abandoned", "outbound": outbound}
        return event("call.ended", NOON - HOUR_MS, ME, id=number, channel="call_center", attributes=told)

    asked = ("contacts_7d", "contacts_same_reason_7d", "abandoned_waits_7d", "leaving_enquiries_30d")
    for outbound, expected in ((True, [2, 1, 1, 1]), (False, [2, 2, 2, 2])):
        values = facts_told(summary_of([called("a", outbound), called("b", outbound=False)]))
        assert [values[name] for name in asked] == expected


def test_contacts_and_feedback_are_told_with_the_days_since_the_last() -> None:
    def called(days: int, later_ms: int = 0) -> ChannelEvent:
        at = NOON - days * DAY_MS + later_ms
        return event("call.offered", at, ME, id=f"call{at}", attributes={"contact_id": f"{at}", "reason": "fee"})

    scores = [event("feedback.given", NOON - days * DAY_MS, ME, attributes={"score": days}) for days in (9, 4)]
    values = facts_told(summary_of([called(3), called(7), called(7, 1), called(30), called(30, 1), *scores]))
    assert (values["contacts_7d"], values["contacts_30d"], values["days_since_last_contact"]) == (2, 4, 3)
    assert (values["feedback_last_percent"], values["days_since_feedback"]) == (40.0, 4)


def test_an_open_complaint_is_overdue_once_its_due_time_has_passed() -> None:
    attributes = {"case_kind": "complaint", "due_at": NOON + DAY_MS}
    events = [event("case.opened", NOON - DAY_MS, "case:1", attributes=attributes)]
    assert not facts_told(summary_of(events))["complaint_overdue"]
    assert facts_told(summary_of(events, NOON + 2 * DAY_MS))["complaint_overdue"]


def test_a_term_deposit_near_maturity_without_instruction_is_told_and_with_one_not() -> None:
    opened = event(
        "term_deposit.opened",
        NOON - 300 * DAY_MS,
        "contract:1",
        minor=1_000_000,
        attributes={"matures_on": "2026-10-05"},
    )
    values = facts_told(summary_of([opened]))
    assert (values["deposit_maturing_uninstructed"], values["deposit_maturing_amount"]) == (True, 10000.0)
    assert values["deposit_matures_in_days"] == 14
    told = event("term_deposit.instructed", NOON, "contract:1", attributes={"instruction": "roll_over"})
    assert not facts_told(summary_of([opened, told]))["deposit_maturing_uninstructed"]


def test_arrears_last_until_an_instalment_is_paid() -> None:
    granted = event("loan.granted", NOON - 90 * DAY_MS, "loan:1", minor=1_000_000)
    missed = event("loan.instalment_missed", NOON - 9 * DAY_MS, "loan:1", minor=1000)
    paid = event("loan.instalment_paid", NOON - DAY_MS, "loan:1", minor=1000,
                 attributes={"outstanding": {"minor": 250_000, "currency": "CNY"}})  # fmt: skip
    assert facts_told(summary_of([granted, missed]))["loan_arrears"]
    values = facts_told(summary_of([granted, missed, paid]))
    assert (values["loan_arrears"], values["loan_repaid_percent"], values["loan_outstanding"]) == (False, 75, 2500.0)


def test_the_relation_began_when_it_was_registered() -> None:
    values = facts_told(summary_of([REGISTERED]))
    assert values["tenure_days"] == 2187
    assert values["anniversary_in_days"] == 4
    told = [event(f"customer.{what}", NOON - days * DAY_MS, ME) for what, days in (("registered", 40), ("updated", 2))]
    assert facts_told(summary_of(told))["tenure_days"] == 40


def salaries(last_days_ago: int = 45) -> list[ChannelEvent]:
    return [
        event(
            "salary.credited",
            NOON - (last_days_ago + 30 * month) * DAY_MS,
            id=f"s{month}",
            minor=1_000_000,
            direction="credit",
            counterparty=Counterparty(bank="OTHC", account_no="1"),
        )
        for month in range(6)
    ]


def test_a_salary_that_stayed_away_is_overdue_when_the_books_are_complete() -> None:
    values = facts_told(summary_of(salaries(), completeness=heard(core="corebank")))
    assert values["salary_missed"] == 1
    assert values["salary_days_overdue"] == 12
    assert (values["salary_last_percent"], values["salary_received_percent"]) == (100, 50)


@pytest.mark.parametrize(("by_now", "missed"), [("owner", 1), ("attorney", 0)])
def test_whoever_only_acts_for_an_account_by_now_waits_for_no_salary_on_it(by_now: str, missed: int) -> None:
    since = NOON - 40 * DAY_MS
    parts = [part(salaries(), ACCOUNT, "owner", until=since), part(salaries(), ACCOUNT, by_now, since)]
    customer = customer_of([], completeness=heard(core="corebank"))
    customer = msgspec.structs.replace(customer, parts=parts, state=total(parts))
    assert facts_told(summarise(customer, POLICY, NOON))["salary_missed"] == missed


def test_a_late_salary_file_makes_the_absence_unknown_and_not_an_alarm() -> None:
    facts = summary_of(salaries(), completeness=heard(until=NOON - 30 * DAY_MS, core="corebank")).facts
    assert {"salary_missed", "salary_days_overdue"} <= set(facts.missing)
    assert facts.values.keys().isdisjoint({*facts.missing, *facts.not_covered})


def test_an_absence_is_known_only_as_far_as_all_who_could_tell_otherwise_are_complete() -> None:
    seen = event("login.succeeded", NOON - 50 * DAY_MS, "login:a", channel="mobile")
    channels, late = {"app": "mobile", "web": "online"}, NOON - 30 * DAY_MS
    for until, is_known in (((NOON, NOON), True), ((late, NOON), False), ((NOON, late), False)):
        told = Completeness(dict(zip(channels, until, strict=True)), channels)
        assert ("days_since_last_login" in summary_of([seen], completeness=told).facts.values) is is_known


def test_an_absence_of_sign_ins_is_unknown_while_a_source_is_silent() -> None:
    seen = event("login.succeeded", NOON - 50 * DAY_MS, "login:a", channel="mobile")
    assert "days_since_last_login" in summary_of([seen], completeness=heard(("app",), app="mobile")).facts.missing
    told = facts_told(summary_of([seen], completeness=heard(app="mobile")))
    assert told["days_since_last_login"] == 50


def test_channels_that_are_behind_or_silent_are_told_as_unheard() -> None:
    behind = heard(until=NOON - 2 * DAY_MS, core="corebank")
    assert summary_of([REGISTERED], completeness=behind).facts.unheard == ["corebank"]
    assert summary_of([REGISTERED], completeness=heard(("app",), app="mobile")).facts.unheard == ["mobile"]
    assert summary_of([REGISTERED], completeness=heard(core="corebank", app="mobile")).facts.unheard == []


def test_what_no_registered_source_could_tell_is_not_covered_and_not_false() -> None:
    facts = summary_of([REGISTERED], completeness=heard(core="corebank", atm="atm")).facts
    assert "complaint_open" in facts.not_covered
    assert "complaint_open" not in facts.values
    assert "balance_total" not in {*facts.missing, *facts.not_covered}


def test_the_course_of_the_balance_is_weighted_by_days() -> None:
    events = [sent(9, "OTHC", balance=1000), sent(4, "OTHC", balance=2000)]
    values = facts_told(summary_of(events))
    assert (values["balance_mean_30d"], values["balance_deviation_365d"]) == (15.0, 5.0)
    assert values["balance_7d_ago"] == 10.0
    assert "balance_lowest_60d" not in values, "before the first balance it may have been less"
    longer = facts_told(summary_of([sent(59, "OTHC", balance=3000), *events]))
    assert (longer["balance_lowest_60d"], "balance_lowest_90d" in longer) == (10.0, False)


def test_the_balance_of_several_accounts_is_added_up() -> None:
    other = event("cash.deposited", NOON, "account:2", minor=100, direction="credit", balance=100)
    assert facts_told(summary_of([sent(3, "OTHC", balance=1000), other]))["balance_total"] == 11.0


def test_only_open_accounts_count_as_open() -> None:
    opened = event("account.opened", NOON - 9 * DAY_MS, ACCOUNT)
    closed = event("account.closed", NOON - DAY_MS, ACCOUNT)
    assert facts_told(summary_of([opened]))["accounts_open"] == 1
    values = facts_told(summary_of([opened, closed]))
    assert (values["accounts_open"], values["products_closed_90d"]) == (0, 1)
