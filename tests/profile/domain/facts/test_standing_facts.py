"""How a customer stands with the bank: tier, who answers, since when, and what has stayed as it was."""

from datetime import date

import msgspec
import pytest

from schemas.events import ChannelEvent, Counterparty
from schemas.instants import DAY_MS
from services.profile.domain.customers.customer import Decided, Manager
from services.profile.domain.customers.parts import part_of
from services.profile.domain.identity.links import BEGINNING, END, Membership
from services.profile.domain.reference.calendar import day_number
from services.profile.domain.states.segments import Segments
from services.profile.domain.states.state import KEYS_KEPT
from services.profile.domain.summarise import summarise
from tests.profile.domain.facts.test_facts import REGISTERED
from tests.profile.domain.gathered import ME, POLICY, Roles, customer_of, facts_told, heard, part, summary_of
from tests.profile.domain.happenings import ACCOUNT, NOON, event, product_fold

NEVER = 1 << 30
"""A day on which a tier was judged: after all that are asked about here."""


def on(day: str) -> int:
    return POLICY.reference.start_of(day_number(date.fromisoformat(day))) + 1


def test_tier_and_owner_are_told_with_their_days_and_who_answers_while_the_owner_is_away() -> None:
    decided = Decided(
        tier="gold", tier_since=NOON - 9 * DAY_MS, judged_day=NEVER,
        owner="M1", owner_since=NOON - 8 * DAY_MS, former_owner="M0",
    )  # fmt: skip
    away = {"from": NOON - DAY_MS, "until": NOON + DAY_MS, "delegate_id": "M2"}
    summary = summary_of([REGISTERED], decided=decided, staff={"M1": Manager("M1", away, 1)})
    values = facts_told(summary)
    assert (values["tier"], values["tier_days"]) == ("gold", 9)
    assert [values[name] for name in ("owner", "acting_owner", "former_owner", "owner_days")] == ["M1", "M2", "M0", 8]
    assert values["value_score"] == summary.body["value"]["score"] > 0


def test_of_whom_nobody_judges_or_knows_anything_every_word_is_empty_and_every_number_nothing() -> None:
    values = facts_told(summary_of([event("page.viewed", NOON, "device:d")], lead="device:d"))
    words = ("tier", "owner", "acting_owner", "former_owner", "branch")
    numbers = ("tier_days", "owner_days", "members", "value_score", "days_since_last_event", "tenure_days")
    assert [values[name] for name in words] == [""] * len(words)
    assert [values[name] for name in numbers] == [0] * len(numbers)


def test_a_household_counts_each_present_member_once_and_a_person_is_no_member() -> None:
    joined = [event("customer.registered", NOON - DAY_MS, f"party:{number}") for number in (1, 2, 3)]
    left = {"party:3": ("self", BEGINNING, NOON)}
    assert facts_told(summary_of(joined, lead="household:H", roles=left))["members"] == 2
    assert facts_told(summary_of(joined[:1]))["members"] == 0
    named_alone = [event("account.opened", NOON - DAY_MS, ACCOUNT)]
    assert facts_told(summary_of(named_alone))["members"] == 0, "of whom only an account has told"


def test_of_several_branches_the_first_by_name_is_the_customers() -> None:
    opened = [
        event("account.opened", NOON - DAY_MS, f"account:{number}", attributes={"branch": branch})
        for number, branch in enumerate(("SH-2", "BJ-1", "TJ-3"))
    ]
    assert facts_told(summary_of(opened))["branch"] == "BJ-1"


def test_a_beginning_that_nobody_told_is_the_first_event() -> None:
    first = event("card.paid", NOON - 40 * DAY_MS, minor=1, direction="debit")
    values = facts_told(summary_of([first, event("card.paid", NOON, minor=1, direction="debit")]))
    assert (values["tenure_days"], values["days_since_last_event"]) == (40, 0)


def test_a_relation_does_not_begin_anew_with_an_account_that_is_opened_again_or_told_of_late() -> None:
    began = event("account.opened", NOON - 500 * DAY_MS)
    closed, again = event("account.closed", NOON - 90 * DAY_MS), event("account.opened", NOON - 9 * DAY_MS)
    assert facts_told(summary_of([began, closed, again]))["tenure_days"] == 500
    cut = Segments.of([NOON - 600 * DAY_MS], [began, closed, again], product_fold())
    held = part_of(Membership(ME, ACCOUNT, "owner", BEGINNING, END), cut.cuts, cut.heads, cut.months)
    found = summarise(msgspec.structs.replace(customer_of([]), parts=[held]), POLICY, NOON)
    assert facts_told(found)["tenure_days"] == 500
    late = event("account.opened", NOON - 9 * DAY_MS, attributes={"opened_on": "2026-08-22"})
    assert facts_told(summary_of([late]))["tenure_days"] == 30


def test_a_relation_began_no_earlier_than_somebody_else_s_account_was_shared() -> None:
    opened = event("account.opened", NOON - 900 * DAY_MS, attributes={"opened_on": "2020-01-01"})
    roles: Roles = {ACCOUNT: ("joint", NOON - 100 * DAY_MS, END)}
    assert facts_told(summary_of([opened], roles=roles))["tenure_days"] == 100
    home = facts_told(summary_of([opened], lead="household:H", roles=roles))
    assert home["tenure_days"] == facts_told(summary_of([opened]))["tenure_days"] == 2455


def test_an_account_that_was_given_back_and_is_shared_again_began_the_relation_the_first_time() -> None:
    opened = event("account.opened", NOON - 900 * DAY_MS, attributes={"opened_on": "2020-01-01"})
    shared = [(NOON - 400 * DAY_MS, NOON - 300 * DAY_MS), (NOON - 100 * DAY_MS, END)]
    parts = [part([opened], ACCOUNT, "joint", *span) for span in shared]
    for told in (parts, parts[::-1]):
        found = summarise(msgspec.structs.replace(customer_of([]), parts=told), POLICY, NOON)
        assert facts_told(found)["tenure_days"] == 400


def test_an_account_that_is_only_signed_for_began_no_relation() -> None:
    older = event("account.opened", NOON - 900 * DAY_MS, ACCOUNT, attributes={"opened_at": NOON - 900 * DAY_MS})
    joined = event("customer.registered", NOON - 500 * DAY_MS, ME, attributes={"registered_on": "2025-05-09"})
    for role, days in (("attorney", 500), ("owner", 900)):
        assert facts_told(summary_of([joined, older], roles={ACCOUNT: role}))["tenure_days"] == days


@pytest.mark.parametrize(
    ("began", "today", "coming"),
    [
        ("2020-09-25", "2026-09-21", (6, 4)),
        ("2020-09-25", "2026-09-25", (6, 0)),
        ("2020-09-25", "2026-09-26", (7, 364)),
        ("2026-03-01", "2026-09-21", (1, 161)),
        ("2026-09-21", "2026-09-21", (1, 365)),
        ("2020-01-31", "2026-01-28", (6, 3)),
        ("2020-01-31", "2026-01-31", (6, 0)),
        ("2020-02-29", "2026-02-28", (6, 0)),
        ("2020-02-29", "2028-02-28", (8, 1)),
    ],
)
def test_the_anniversary_comes_every_year_from_the_second_on(began: str, today: str, coming: tuple[int, int]) -> None:
    registered = event("customer.registered", on(began), ME, attributes={"registered_on": began})
    values = facts_told(summary_of([registered], on(today)))
    assert (values["anniversary_years"], values["anniversary_in_days"]) == coming


@pytest.mark.parametrize(("after", "began_with_it"), [(90, True), (91, False)])
def test_a_relation_began_with_the_salary_that_came_within_ninety_days(after: int, began_with_it: bool) -> None:
    began = NOON - 300 * DAY_MS
    opened = event("account.opened", began, attributes={"opened_at": began})
    paid = [
        event("salary.credited", began + (after + 30 * month) * DAY_MS, id=f"s{month}", minor=900_000,
              direction="credit", counterparty=Counterparty(bank="OTHC", account_no="1"))
        for month in range(3)
    ]  # fmt: skip
    assert facts_told(summary_of([opened, *paid]))["began_with_salary"] is began_with_it


def test_who_has_no_salary_has_none_unless_too_many_pay_to_tell_them_apart() -> None:
    assert facts_told(summary_of([REGISTERED]))["has_salary"] is False
    paid = [
        event("transfer.received", NOON - DAY_MS, id=f"p{number}", minor=1, direction="credit",
              counterparty=Counterparty(account_no=str(number), bank="OTHA"))
        for number in range(KEYS_KEPT + 1)
    ]  # fmt: skip
    assert "has_salary" in summary_of(paid).facts.missing


def received(*minor: int) -> list[ChannelEvent]:
    """In as many of the last months, the latest first."""
    payer = Counterparty(bank="OTHA", account_no="7")
    return [
        event("transfer.received", NOON - 30 * months * DAY_MS, id=f"r{months}", minor=told, direction="credit",
              counterparty=payer)
        for months, told in enumerate(minor, start=1)
    ]  # fmt: skip


def test_an_income_that_nobody_called_a_salary_is_one_of_which_no_day_is_known_and_nothing_is_missed() -> None:
    summary = summary_of([event("account.opened", NOON - 200 * DAY_MS), *received(900, 900, 900, 900)])
    values = facts_told(summary)
    assert (values["has_salary"], values["salary_usual"], values["began_with_salary"]) == (True, 9.0, False)
    assert (values["salary_missed"], values["salary_days_overdue"]) == (0, 0)
    assert {"salary_known_days", "salary_first_after_days"} <= set(summary.facts.missing)


def test_what_a_month_usually_brings_is_told_with_its_spread_and_is_nothing_for_who_got_nothing() -> None:
    values = facts_told(summary_of(received(10_000, 20_000, 30_000, 70_000)))
    assert (values["usual_monthly_inflow"], values["usual_monthly_inflow_spread"]) == (200.0, 100.0)
    assert values["usual_monthly_outflow"] == 0
    for began in (REGISTERED, event("customer.registered", NOON, ME)):
        values = facts_told(summary_of([began]))
        assert (values["usual_monthly_inflow"], values["usual_monthly_inflow_spread"]) == (0, 0)


def test_who_signs_in_is_told_with_the_usual_and_the_longest_gap_and_who_never_did_with_nothing() -> None:
    logins = [event("login.succeeded", NOON - days * DAY_MS, "login:a", channel="mobile") for days in (3, 5, 7, 9, 20)]
    names = ("logs_in", "usual_login_gap_days", "longest_login_gap_days", "days_since_last_login")
    values = facts_told(summary_of(logins))
    assert [values[name] for name in names] == [True, 2, 11, 3]
    values = facts_told(summary_of([REGISTERED]))
    assert [values[name] for name in names] == [False, 0, 0, 0]


@pytest.mark.parametrize(("days", "logs_in", "told"), [(399, True, 399), (400, False, 400), (800, False, 0)])
def test_the_last_sign_in_is_told_for_as_long_as_it_is_kept(days: int, logs_in: bool, told: int) -> None:
    seen = event("login.succeeded", NOON - days * DAY_MS, "login:a", channel="mobile")
    values = facts_told(summary_of([seen, event("login.failed", NOON, "login:a", channel="mobile")]))
    assert (values["logs_in"], values["days_since_last_login"]) == (logs_in, told)


def test_an_absence_of_sign_ins_counts_no_further_than_its_sources_are_complete() -> None:
    seen = event("login.succeeded", NOON - 50 * DAY_MS, "login:a", channel="mobile")
    for behind, days in ((0, 50), (1, 49)):
        complete = heard(until=NOON - behind * DAY_MS, app="mobile", core="corebank")
        assert facts_told(summary_of([seen], completeness=complete))["days_since_last_login"] == days


def test_who_holds_one_account_still_can_pay_and_who_only_signs_for_one_is_asked_for_none() -> None:
    paid = [
        event("card.paid", NOON - 9 * DAY_MS, account, minor=1, direction="debit")
        for account in (ACCOUNT, "account:2")
    ]  # fmt: skip
    gone = ("owner", BEGINNING, NOON - DAY_MS)
    for roles, days in (({ACCOUNT: gone}, 9), ({ACCOUNT: gone, "account:2": gone}, 0),
                        ({ACCOUNT: gone, "account:2": "attorney"}, 0)):  # fmt: skip
        assert facts_told(summary_of(paid, roles=roles))["days_since_customer_debit"] == days
    shop = event("card.paid", NOON - 9 * DAY_MS, "card:1", minor=1, direction="debit")
    assert facts_told(summary_of([shop]))["days_since_customer_debit"] == 9


def test_an_application_is_of_its_product_where_no_family_is_told_and_only_ones_own_is_open() -> None:
    started = event("application.started", NOON - DAY_MS, "application:1", product="gold_card")
    bare = event("application.started", NOON - DAY_MS, "application:1")
    assert facts_told(summary_of([started]))["application_open_family"] == "gold_card"
    values = facts_told(summary_of([bare]))
    assert (values["application_open_hours"], values["application_open_family"]) == (24, "")
    for role in ("attorney", ("self", BEGINNING, NOON)):
        assert facts_told(summary_of([started], roles={"application:1": role}))["application_open_hours"] == 0


def test_feedback_without_a_score_leaves_the_last_score_and_a_scale_of_nothing_is_ten() -> None:
    def given(days: int, **told: object) -> ChannelEvent:
        return event("feedback.given", NOON - days * DAY_MS, ME, attributes=told)

    values = facts_told(summary_of([given(4, score=3, scale=0), given(2)]))
    assert (values["feedback_last_percent"], values["days_since_feedback"]) == (30, 4)
    values = facts_told(summary_of([given(2)]))
    assert (values["feedback_last_percent"], values["days_since_feedback"], values["days_since_last_contact"]) == (
        0, 0, 0,
    )  # fmt: skip


def test_what_is_told_of_complaints_is_of_them_alone_and_of_the_oldest_the_days() -> None:
    def opened(number: int, days: int, kind: str, **told: object) -> ChannelEvent:
        told = {"case_kind": kind, **told}
        return event("case.opened", NOON - days * DAY_MS, f"case:{number}", attributes=told)

    late = {"due_at": NOON - DAY_MS}
    told = [opened(1, 30, "request", **late), opened(2, 9, "complaint"), opened(3, 5, "complaint")]
    values = facts_told(summary_of(told))
    assert (values["open_cases"], values["complaint_open_days"], values["complaint_overdue"]) == (3, 9, False)
    values = facts_told(summary_of([*told, opened(4, 4, "complaint", **late)]))
    assert (values["complaint_overdue"], values["complaint_reopened"]) == (True, False)
    again = [event("case.resolved", NOON - 4 * DAY_MS, "case:2"), event("case.reopened", NOON - DAY_MS, "case:2")]
    assert facts_told(summary_of([*told, *again]))["complaint_reopened"]


def test_nothing_is_agreed_to_while_all_channels_are_refused_whatever_one_of_them_was_given_later() -> None:
    refused = event("consent.withdrawn", NOON - 2, ME, attributes={"purpose": "marketing"})
    mail = event("consent.given", NOON - 1, ME, attributes={"purpose": "marketing", "contact_channel": "email"})
    values = facts_told(summary_of([refused, mail]))
    assert (values["marketing_consent"], values["marketing_refused"]) == (False, True)


def test_the_band_of_assets_is_told_with_its_days() -> None:
    below = Decided(assets_since=NOON - 5 * DAY_MS, notes={"band": "below"})
    assert facts_told(summary_of([REGISTERED], decided=below))["assets_band_days"] == 5
    unrated = event("cash.deposited", NOON - DAY_MS, minor=1, currency="THB", direction="credit", balance=1)
    assert facts_told(summary_of([unrated]))["assets_band_days"] == 0
