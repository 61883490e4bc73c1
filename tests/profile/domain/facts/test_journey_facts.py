"""What the customer tries to do across channels, and asks for when about to go."""

from schemas.changes import Fact
from schemas.events import ChannelEvent
from schemas.instants import DAY_MS, HOUR_MS
from tests.profile.domain.gathered import ME, facts_told, summary_of
from tests.profile.domain.happenings import NOON, event


def happened(kind: str, hours_ago: float, subject: str = ME, channel: str = "mobile", **told: object) -> ChannelEvent:
    at = NOON - int(hours_ago * HOUR_MS)
    return event(kind, at, subject, id=f"{kind}{hours_ago}", channel=channel, attributes=told)


def called(hours_ago: float, reason: str) -> ChannelEvent:
    return happened("call.ended", hours_ago, channel="call_center", reason=reason, contact_id=f"c{hours_ago}")


def values_of(*events: ChannelEvent) -> dict[str, Fact]:
    return facts_told(summary_of(list(events)))


def test_a_call_about_what_failed_on_the_screen_is_a_hop_in_either_order() -> None:
    failed = happened("login.failed", 30, "login:a", reason="wrong_password")
    for call in (called(29, "app_problem"), called(31, "locked_out")):
        values = values_of(failed, call)
        assert (values["channel_hops_7d"], values["channel_hop_reason"]) == (1, "sign_in")


def test_a_call_about_the_loan_whose_application_was_given_up_is_a_hop() -> None:
    left = happened("application.abandoned", 30, "application:a", product_family="loan", step="documents")
    assert values_of(left, called(29, "loan"))["channel_hops_7d"] == 1


def test_a_call_about_something_else_or_much_later_is_no_hop() -> None:
    failed = happened("login.failed", 60, "login:a", reason="wrong_password")
    assert values_of(failed, called(59, "fee"), called(30, "app_problem"))["channel_hops_7d"] == 0


def test_one_call_is_one_hop_however_often_the_step_failed() -> None:
    declined = [happened("transaction.declined", hours, "card:1", "pos", reason="limit_exceeded") for hours in (5, 5.1)]
    assert values_of(*declined, called(4, "card_declined"))["channel_hops_7d"] == 1


def test_a_hop_is_of_the_week_in_which_somebody_was_asked_at_most_a_day_from_what_failed() -> None:
    week = 7 * 24
    for failed, asked, hops in (
        (30, 6, 1), (30, 5.9, 0), (week + 12, week - 6, 1), (week + 1, week, 0), (week + 2, week + 1, 0),
    ):  # fmt: skip
        values = values_of(happened("login.failed", failed, "login:a"), called(asked, "app_problem"))
        assert values["channel_hops_7d"] == hops, (failed, asked)


def test_the_reason_of_most_hops_is_told_whatever_else_failed_and_of_equals_the_first_by_name() -> None:
    failed = [happened("login.failed", hours, "login:a", reason="wrong_password") for hours in (30, 150)]
    declined = happened("transaction.declined", 30, "card:1", "pos", reason="limit_exceeded")
    once = [*failed, declined, called(29, "card_declined"), called(28, "app_problem")]
    values = values_of(*once)
    assert (values["channel_hops_7d"], values["channel_hop_reason"]) == (2, "card_declined")
    values = values_of(*once, called(27, "locked_out"))
    assert (values["channel_hops_7d"], values["channel_hop_reason"]) == (3, "sign_in")
    assert values_of(*failed, called(29, "fee"))["channel_hop_reason"] == ""


def test_a_call_by_the_bank_about_what_failed_is_no_hop() -> None:
    failed = happened("login.failed", 5, "login:a")
    call = happened("call.ended", 4, channel="call_center", reason="app_problem", contact_id="c", outbound=True)
    assert values_of(failed, call)["channel_hops_7d"] == 0


def test_a_chat_is_no_hop_to_people() -> None:
    failed = happened("login.failed", 5, "login:a", reason="wrong_password")
    wrote = happened("message.received", 4, reason="app_problem", contact_id="m")
    assert values_of(failed, wrote)["channel_hops_7d"] == 0


def test_contacts_of_several_codes_for_one_reason_are_counted_together() -> None:
    values = values_of(called(9, "fee"), called(8, "charge"), called(7, "fee_dispute"))
    assert (values["contacts_same_reason_7d"], values["contacts_same_reason"]) == (3, "fee")


def test_enquiries_of_who_leaves_are_found_in_contacts_cases_and_pages() -> None:
    values = values_of(
        called(9, "closing"),
        called(8, "fee"),
        happened("page.viewed", 7, page="/loan/payout", reason="payout_quote"),
        happened("case.opened", 6, "case:1", "call_center", case_kind="request", reason="switch_bank"),
        happened("page.viewed", 24 * 40, page="/loan/payout", reason="payout_quote"),
    )
    assert values["leaving_enquiries_30d"] == 3


def test_an_enquiry_is_one_for_thirty_days() -> None:
    for hours, enquiries in ((24 * 30 - 1, 2), (24 * 30, 0), (24 * 31, 0)):
        case = happened("case.opened", hours, "case:1", "call_center", case_kind="request", reason="switch_bank")
        assert values_of(called(hours, "closing"), case)["leaving_enquiries_30d"] == enquiries


def test_interest_is_of_the_three_days_before_the_last_look_and_of_what_was_looked_at_most_not_first_by_name() -> None:
    looked = [happened("calculator.used", hours, product_family="wealth") for hours in (20, 91.9, 92)]
    values = values_of(*looked, happened("calculator.used", 30, product_family="mortgage"))
    assert (values["interest_shown_72h"], values["interest_family"]) == (2, "wealth")
    one_each = values_of(looked[0], happened("calculator.used", 30, product_family="mortgage"))
    assert (one_each["interest_shown_72h"], one_each["interest_family"]) == (1, "mortgage")


def test_interest_goes_on_where_an_application_was_not_sent_or_long_ago() -> None:
    looked = happened("calculator.used", 10, product_family="mortgage")
    for told in (
        happened("application.started", 9, "application:1", product_family="mortgage"),
        happened("application.submitted", 24 * 14, "application:1", product_family="mortgage"),
    ):
        assert values_of(looked, told)["interest_family"] == "mortgage"
    sent = happened("application.submitted", 24 * 14 - 1, "application:1", product_family="mortgage")
    assert values_of(looked, sent)["interest_family"] == ""


def test_interest_is_of_the_family_looked_at_most_until_it_is_applied_for() -> None:
    looked = [
        happened("calculator.used", 50, product_family="mortgage"),
        happened("calculator.used", 30, product_family="mortgage"),
        happened("calculator.used", 26, product_family="wealth"),
    ]
    values = values_of(*looked)
    assert (values["interest_shown_72h"], values["interest_family"], values["hours_since_interest"]) == (
        2, "mortgage", 30,
    )  # fmt: skip
    applied = happened("application.submitted", 20, "application:1", product_family="mortgage")
    values = values_of(*looked, applied)
    assert (values["interest_shown_72h"], values["interest_family"]) == (1, "wealth")


def test_when_interest_has_rested_for_a_day_the_customer_is_looked_at_again() -> None:
    looked = happened("calculator.used", 2, product_family="mortgage")
    assert [one.at for one in summary_of([looked]).due if one.kind == "interest_24"] == [NOON - 2 * HOUR_MS + DAY_MS]


def test_interest_stands_as_it_was_when_the_family_was_last_looked_at() -> None:
    looked = [happened("calculator.used", hours, product_family="mortgage") for hours in (150, 130)]
    values = values_of(*looked, happened("calculator.used", 230, product_family="mortgage"))
    assert (values["interest_shown_72h"], values["hours_since_interest"]) == (2, 130)


def test_a_page_with_rates_shows_interest_and_one_that_presents_a_product_does_not() -> None:
    pages = [
        happened("page.viewed", 30, page="/mortgage/rates", product_family="mortgage"),
        happened("page.viewed", 29, page="/mortgage", product_family="mortgage"),
    ]
    assert values_of(*pages)["interest_shown_72h"] == 1


def test_an_application_is_open_for_a_month_from_its_beginning_until_it_is_sent() -> None:
    begun = happened("application.started", 30, "application:a", product_family="loan")
    later = happened("application.started", 20, "application:b", product_family="card")
    values = values_of(begun, later)
    assert (values["application_open_hours"], values["application_open_family"]) == (30, "loan")
    sent = happened("application.submitted", 1, "application:a", product_family="loan")
    values = values_of(begun, later, sent)
    assert (values["application_open_hours"], values["application_open_family"]) == (20, "card")
    given_up = happened("application.abandoned", 10, "application:a", product_family="loan")
    assert values_of(begun, later, given_up)["application_open_family"] == "loan"
    old = happened("application.started", 24 * 30, "application:a", product_family="loan")
    assert values_of(old)["application_open_hours"] == 0
