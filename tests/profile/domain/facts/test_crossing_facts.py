"""Money to and from other banks, and who is paid regularly."""

from schemas.changes import Fact
from schemas.events import ChannelEvent, Counterparty
from schemas.instants import DAY_MS
from services.profile.domain.facts.crossing import crossing_of
from services.profile.domain.reference.tables import Listed, Reference
from services.profile.domain.states.state import BANKS_KEPT, KEYS_KEPT, LATEST_KEPT
from tests.profile.domain.gathered import ME, POLICY, customer_of, facts_told, summary_of
from tests.profile.domain.happenings import ACCOUNT, NOON, event

REGISTERED = event("customer.registered", NOON - 500 * DAY_MS, ME, attributes={"name": "p_me"})


def moved(days_ago: int, bank: str, kind: str = "transfer.sent", minor: int = 1000, **told: str) -> ChannelEvent:
    return event(
        kind, NOON - days_ago * DAY_MS, id=f"{kind}{bank}{days_ago}{told}", minor=minor,
        direction="credit" if kind == "transfer.received" else "debit",
        counterparty=Counterparty(bank=bank, **{name.rstrip("_"): value for name, value in told.items()}),
    )  # fmt: skip


def values_of(*events: ChannelEvent) -> dict[str, Fact]:
    return facts_told(summary_of(list(events)))


def test_what_other_banks_sent_is_told_and_what_was_sent_to_them_is_not_among_it() -> None:
    values = values_of(
        moved(2, "OTHA", "transfer.received"),
        moved(40, "OTHA", "transfer.received"),
        moved(3, "CPBK", "transfer.received"),
        moved(4, "OTHA"),
    )
    assert (values["external_inflow_30d"], values["external_outflow_30d"]) == (10.0, 10.0)


def test_transfers_to_a_broker_are_told_among_those_to_competitors() -> None:
    values = values_of(moved(5, "BRKA"), moved(50, "BRKA"), moved(6, "CMPA"))
    assert (values["broker_transfers_90d"], values["competitor_transfers_30d"]) == (2, 2)


def test_of_each_window_the_first_day_counts_and_the_day_before_it_does_not() -> None:
    for days, bank, fact in (
        (7, "OTHA", "external_outflow_7d"), (30, "OTHA", "external_outflow_30d"),
        (30, "CMPA", "external_outflow_30d"), (30, "CMPA", "competitor_outflow_30d"),
        (30, "CMPA", "competitor_transfers_30d"), (90, "CMPA", "competitor_outflow_90d"),
        (90, "BRKA", "broker_transfers_90d"), (60, "LNDA", "lender_payments_60d"),
    ):  # fmt: skip
        within, before = values_of(moved(days - 1, bank)), values_of(moved(days, bank))
        assert (within[fact], before[fact]) == (1 if "transfers" in fact or "payments" in fact else 10, 0), fact
    for days, came in ((29, 10), (30, 0)):
        for bank in ("OTHA", "CMPA"):
            assert values_of(moved(days, bank, "transfer.received"))["external_inflow_30d"] == came


def test_what_a_customer_of_the_bank_is_called_makes_him_or_her_no_other_bank() -> None:
    values = values_of(moved(5, "CPBK", kind_="fintech"), moved(5, "CPBK", kind_="own"))
    assert (values["competitor_transfers_30d"], values["external_outflow_30d"]) == (0, 0)
    assert values["own_elsewhere_transfers_2m"] == 0


def test_own_accounts_elsewhere_are_told_for_this_month_and_the_one_before_and_only_where_money_went() -> None:
    for days, kind, told in ((2, "transfer.sent", 1), (30, "transfer.sent", 1), (60, "transfer.sent", 0),
                             (2, "transfer.received", 0)):  # fmt: skip
        assert values_of(moved(days, "OTHA", kind, kind_="own"))["own_elsewhere_transfers_2m"] == told


def test_who_pays_too_many_to_tell_them_apart_is_not_said_to_pay_no_rent() -> None:
    paid = [moved(1, "OTHA", account_no=f"{number}") for number in range(KEYS_KEPT + 1)]
    asked = {"pays_rent", "rent_months_in_a_row", "lender_monthly_payment", "own_elsewhere_transfers_2m"}
    assert asked <= set(summary_of(paid).facts.missing)
    assert asked.isdisjoint(summary_of(paid[:9]).facts.missing)


def test_what_is_paid_monthly_to_others_than_lenders_is_no_loan_elsewhere() -> None:
    rents = [moved(30 * month + 5, "OTHD", account_no="9", minor=300_000) for month in range(6)]
    assert values_of(*rents)["lender_monthly_payment"] == 0


def test_short_term_credit_is_told_apart_from_other_lenders() -> None:
    values = values_of(moved(5, "LNDA"), moved(8, "LNDB"), moved(70, "LNDB"))
    assert (values["lender_payments_60d"], values["short_term_loans_60d"]) == (2, 1)


def test_too_many_banks_on_a_day_leave_all_of_it_unknown() -> None:
    facts = summary_of([moved(1, f"B{number}") for number in range(BANKS_KEPT + 1)]).facts
    assert {"external_inflow_30d", "broker_transfers_90d", "short_term_loans_60d"} <= set(facts.missing)


def test_who_pays_many_by_name_alone_keeps_what_went_to_banks_and_loses_who_it_was() -> None:
    """A company pays its people, of whom its channel tells no bank."""
    people = [moved(1, "", name=f"p_{number}") for number in range(BANKS_KEPT + 1)]
    summary = summary_of([*people, moved(2, "OTHA"), moved(3, "OTHA", "transfer.received")])
    values = facts_told(summary)
    assert (values["external_outflow_30d"], values["external_inflow_30d"]) == (10.0, 10.0)
    assert {"competitor_transfers_30d", "lender_payments_60d", "broker_transfers_90d"} <= set(summary.facts.missing)
    assert not {"external_outflow_7d", "external_inflow_30d"} & set(summary.facts.missing)


def test_transfers_to_the_own_name_at_another_bank_are_told_and_those_within_the_bank_are_not() -> None:
    elsewhere = moved(1, "OTHA", account_no="88", name="p_me")
    within = moved(2, "CPBK", account_no="77", name="p_me")
    others = moved(3, "OTHA", account_no="66", name="p_you")
    assert values_of(REGISTERED, elsewhere, within, others)["own_elsewhere_transfers_2m"] == 1


def test_a_monthly_payment_to_a_lender_is_a_loan_that_stands_elsewhere() -> None:
    paid = [moved(30 * month, "LNDA", account_no="5", minor=200_000) for month in range(1, 5)]
    assert values_of(*paid)["lender_monthly_payment"] == 2000.0
    assert values_of(*paid[:2])["lender_monthly_payment"] == 0


def test_the_current_months_rent_counts_once_it_is_paid() -> None:
    rents = [moved(30 * month + 5, "OTHD", account_no="9", minor=300_000) for month in range(6)]
    assert values_of(*rents[1:])["rent_months_in_a_row"] == 5
    assert values_of(*rents)["rent_months_in_a_row"] == 6
    assert [values_of(*some)["pays_rent"] for some in (rents, rents[:4])] == [True, False]


def test_a_first_salary_is_told_apart_from_one_that_was_there_from_the_beginning() -> None:
    salaries = [
        event(
            "salary.credited", NOON - days * DAY_MS, id=f"s{days}", minor=900_000, direction="credit",
            counterparty=Counterparty(bank="OTHC", account_no="1"),
        )
        for days in (10, 40)
    ]  # fmt: skip
    values = values_of(REGISTERED, *salaries)
    assert (values["salary_known_days"], values["salary_first_after_days"]) == (40, 460)
    assert values_of(*salaries)["salary_first_after_days"] == 0


def test_what_is_paid_so_often_that_the_first_of_it_is_kept_no_more_is_no_first_salary() -> None:
    def wage(days: int, account: str) -> ChannelEvent:
        payer = Counterparty(bank="OTHC", account_no=account)
        return event("salary.credited", NOON - days * DAY_MS, id=f"{account}-{days}", minor=9_000, direction="credit",
                     counterparty=payer)  # fmt: skip

    daily = [wage(days, "1") for days in range(LATEST_KEPT)]
    assert values_of(REGISTERED, *daily[1:])["salary_first_after_days"] == 500 - LATEST_KEPT + 1
    assert "salary_first_after_days" in summary_of([REGISTERED, *daily]).facts.missing
    weekly = [wage(90 + 7 * week, "1") for week in range(LATEST_KEPT)]
    assert values_of(REGISTERED, *weekly, wage(3, "2"))["salary_first_after_days"] == 497


def test_what_the_source_calls_the_other_side_tells_as_much_as_a_list() -> None:
    values = values_of(
        moved(5, "OTHC", kind_="broker"),
        moved(6, "OTHD", kind_="lender"),
        moved(7, "", kind_="payday_lender"),
        moved(8, "OTHA", kind_="own"),
    )
    assert (values["broker_transfers_90d"], values["competitor_transfers_30d"]) == (1, 1)
    assert (values["lender_payments_60d"], values["short_term_loans_60d"]) == (2, 1)
    assert (values["own_elsewhere_transfers_2m"], values["external_outflow_30d"]) == (1, 40.0)


def test_who_is_paid_for_a_loan_is_another_lender_only_where_somebody_says_so() -> None:
    """A bank may collect its own loans through an account elsewhere, as the PKDD'99 bank does."""

    def paid(bank: str, kind: str) -> ChannelEvent:
        return event(
            "transaction.posted", NOON - DAY_MS, id=bank + kind, minor=1000, direction="debit",
            counterparty=Counterparty(bank=bank, kind=kind), attributes={"purpose": "loan_payment"},
        )  # fmt: skip

    values = values_of(paid("OTHA", ""), paid("OTHA", "consumer_finance"), paid("CPBK", "lender"))
    assert values["lender_payments_60d"] == 1


def test_who_has_no_bank_is_known_by_the_name_on_a_list_and_goes_nowhere_else_otherwise() -> None:
    listed = Listed(key="p_app", kind="fintech", from_day=0, until_day=99_999)
    reference = Reference(calendar=POLICY.reference.calendar, competitors=(listed,))
    sent = customer_of([moved(5, "", name="p_app"), moved(4, "", name="p_you")]).state.months
    values = crossing_of(sent, reference, NOON // DAY_MS)
    assert (values["competitor_transfers_30d"], values["external_outflow_30d"]) == (1, 10.0)


def test_a_salary_that_begins_with_the_relation_is_told_apart_from_the_first_thing_ever_heard_of() -> None:
    salary = event("salary.credited", NOON - 10 * DAY_MS, minor=900_000, direction="credit")
    opened = event("account.opened", NOON - 20 * DAY_MS, ACCOUNT, id="o")
    assert values_of(salary, opened)["began_with_salary"] is True
    assert values_of(salary)["began_with_salary"] is False
    long_ago = event("customer.registered", NOON - 19 * DAY_MS, ME, id="r", attributes={"registered_on": "2020-01-01"})
    assert values_of(salary, opened, long_ago)["began_with_salary"] is False
