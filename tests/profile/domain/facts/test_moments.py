"""Notable events with their judgement, as long as they are within their window."""

from datetime import date

import msgspec
import pytest

from schemas.events import Counterparty, Money
from schemas.instants import DAY_MS
from schemas.moments import MOMENTS
from services.profile.domain.customers.customer import Decided, Manager
from services.profile.domain.reference.calendar import day_number
from services.profile.domain.states.personal import is_reference
from tests.profile.domain.gathered import ME, POLICY, facts_told, summary_of
from tests.profile.domain.happenings import NOON, event, reversal
from tests.profile.told import refer

DRAIN = event(
    "transfer.sent", NOON - DAY_MS, id="d", minor=40_000, direction="debit", balance=60_000,
    counterparty=Counterparty(bank="ZZZZ", account_no="9", name="p_x"),
    attributes={"description": refer("rent for September")},
)  # fmt: skip


def test_a_large_debit_tells_its_share_of_the_balance_before_it_and_where_it_went() -> None:
    (moment,) = summary_of([DRAIN]).moments
    assert (moment.kind, moment.event_id, moment.occurred_at) == ("large_debit", "d", NOON - DAY_MS)
    assert moment.values["percent_of_balance"] == 40.0
    assert (moment.values["amount"], moment.values["amount_home"], moment.values["external"]) == (400.0, 400.0, True)


def test_of_a_balance_that_was_overdrawn_nothing_is_a_share() -> None:
    overdrawn = event("transfer.sent", NOON, minor=9_000_000, direction="debit", balance=-9_000_100)
    (moment,) = summary_of([overdrawn]).moments
    assert moment.values["percent_of_balance"] == 0.0


FLOOR = 5_000_000
"""Of a large movement, in CNY."""
PRICED = ("USD", "EUR", "GBP", "CHF", "SGD", "AUD", "HKD", "JPY")


@pytest.mark.parametrize("currency", ["CNY", *PRICED])
@pytest.mark.parametrize("day", ["2025-01-15", "2025-04-15", "2025-07-15", "2025-10-15", "2026-01-15"])
def test_what_is_large_is_worth_about_the_same_in_every_currency(currency: str, day: str) -> None:
    """A small part of what lies there: only the floor speaks for it."""
    reference, on = POLICY.reference, day_number(date.fromisoformat(day))
    worth = reference.home_minor(1_000_000, currency, on)
    assert worth is not None
    for home, is_large in ((FLOOR, True), (FLOOR * 6 // 10, False)):
        minor = -(-home * 1_000_000 // worth)
        told = event("transfer.sent", reference.start_of(on) + DAY_MS // 2, minor=minor, currency=currency,
                     direction="debit", balance=100 * minor)  # fmt: skip
        assert bool(summary_of([told], told.occurred_at + 1).moments) == is_large, (currency, minor)


def test_of_a_balance_in_another_currency_than_the_amount_no_share_is_told() -> None:
    sent = event("transfer.sent", NOON, minor=6_000_000, currency="USD", direction="debit",
                 balance_after=Money(1_000_000, "CNY"))  # fmt: skip
    (moment,) = summary_of([sent]).moments
    assert "percent_of_balance" not in moment.values


def test_money_is_told_in_percent_of_what_a_month_usually_brings_and_takes() -> None:
    days = (40, 75, 100)
    usual = [event("card.paid", NOON - one * DAY_MS, id=f"p{one}", minor=10_000, direction="debit") for one in days]
    came = event("transfer.received", NOON - DAY_MS, id="in", minor=9_000_000, direction="credit", balance=9_060_000)
    found = {one.kind: one.values for one in summary_of([*usual, DRAIN, came]).moments}
    assert found["large_debit"]["percent_of_usual_month"] == 400.0
    assert "percent_of_usual_month" not in found["large_credit"]


def test_a_fee_is_told_in_percent_of_what_a_month_usually_takes_whatever_it_brings() -> None:
    months = (40, 75, 100)
    spent = [event("card.paid", NOON - one * DAY_MS, id=f"p{one}", minor=10_000, direction="debit") for one in months]
    came = [event("cash.deposited", NOON - one * DAY_MS, id=f"c{one}", minor=500, direction="credit") for one in months]
    charged = event("fee.charged", NOON, minor=100, direction="debit")
    (moment,) = [one for one in summary_of([*spent, *came, charged]).moments if one.kind == "charged_fee"]
    assert moment.values["percent_of_usual_month"] == 1.0


def test_a_salary_is_told_in_percent_of_the_usual_one() -> None:
    paid = [
        event("salary.credited", NOON - days * DAY_MS, id=f"s{days}", minor=minor, direction="credit",
              counterparty=Counterparty(bank="OTHC", account_no="1"))
        for days, minor in ((91, 800_000), (61, 800_000), (30, 800_000), (0, 2_000_000))
    ]  # fmt: skip
    abroad = event("salary.credited", id="usd", minor=400_000, direction="credit", currency="USD")
    incomes = {one.event_id: one for one in summary_of([*paid, abroad]).moments if one.kind == "income"}
    assert incomes["s0"].values["percent_of_usual_salary"] == 250.0
    assert "percent_of_usual_salary" not in incomes["usd"].values


def test_a_change_of_band_tells_its_direction() -> None:
    registered = event("customer.registered", NOON - 9 * DAY_MS, ME)
    left = Decided(assets_since=NOON - DAY_MS, notes={"band": "below", "former_band": "near"})
    (moment,) = [one for one in summary_of([registered], decided=left).moments if one.kind == "band_changed"]
    assert moment.values == {"from": "near", "to": "below", "fell": True}


def test_a_change_leaves_the_statement_with_its_window_too() -> None:
    registered, window = event("customer.registered", NOON - 99 * DAY_MS, ME), 30 * DAY_MS
    for since, told in ((NOON - window + 1, 1), (NOON - window, 0)):
        fell = Decided(assets_since=since, notes={"band": "below", "former_band": "near"})
        found = summary_of([registered], decided=fell).moments
        assert len([one for one in found if one.kind == "band_changed"]) == told


def test_a_change_of_band_tells_where_it_led_while_the_present_one_is_unknown() -> None:
    unrated = event("cash.deposited", NOON - 9 * DAY_MS, minor=1, currency="THB", direction="credit", balance=1)
    risen = Decided(assets_since=NOON - DAY_MS, notes={"band": "above", "former_band": "near"})
    (moment,) = [one for one in summary_of([unrated], decided=risen).moments if one.kind == "band_changed"]
    assert moment.values == {"from": "near", "to": "above", "fell": False}


def test_a_bank_that_is_told_without_an_account_is_another_bank_all_the_same() -> None:
    named = event(
        "transfer.sent", NOON, id="n", minor=40_000, direction="debit", balance=60_000,
        counterparty=Counterparty(bank="ZZZZ", name="p_x"),
    )  # fmt: skip
    (moment,) = summary_of([named]).moments
    assert (moment.values["external"], moment.values["party_class"]) == (True, "bank")


def test_a_moment_carries_no_personal_reference() -> None:
    (moment,) = summary_of([DRAIN]).moments
    assert not any(is_reference(str(value)) for value in moment.values.values())


def test_what_merely_begins_like_a_reference_is_told() -> None:
    (moment,) = summary_of([event("product.closed", NOON, ME, product="p_card")]).moments
    assert moment.values["product"] == "p_card"


def test_a_moment_tells_no_account_of_the_other_side_no_free_text_and_every_number_as_a_double() -> None:
    said = {"description": "rent for September", "original_id": "o", "count": 3}
    (moment,) = summary_of([msgspec.structs.replace(DRAIN, attributes=msgspec.json.encode(said))]).moments
    assert moment.values.keys() - MOMENTS["large_debit"].fields.keys() == {"count"}
    assert type(moment.values["count"]) is float


def test_a_reversed_event_is_no_moment() -> None:
    assert summary_of([DRAIN, reversal(DRAIN, NOON)]).moments == []


@pytest.mark.parametrize("part_first", [False, True])
def test_what_was_taken_back_of_a_payment_is_no_part_of_its_moment(part_first: bool) -> None:
    part = reversal(DRAIN, NOON, part=30_000)
    (moment,) = summary_of([part, DRAIN] if part_first else [DRAIN, part]).moments
    assert (moment.event_id, moment.values["amount"], moment.values["amount_home"]) == ("d", 100.0, 100.0)
    assert moment.values["percent_of_balance"] == 10.0
    assert summary_of([part]).moments == []


def test_a_moment_leaves_the_statement_with_its_window() -> None:
    end = DRAIN.occurred_at + 30 * DAY_MS
    assert [len(summary_of([DRAIN], at).moments) for at in (end - 1, end)] == [1, 0]


def test_moments_come_in_the_order_in_which_they_happened() -> None:
    asked = event("feedback.given", NOON - 2 * DAY_MS, ME, attributes={"score": 5})
    closed = event("account.closed", NOON, "account:5")
    assert [one.kind for one in summary_of([closed, DRAIN, asked]).moments] == ["feedback", "large_debit", "closed"]


def test_an_amount_is_told_in_its_own_currency_and_at_home_where_there_is_a_rate() -> None:
    sent = [
        event("transfer.sent", NOON, id=code, minor=9_000_000, direction="debit", balance=0, currency=code)
        for code in ("JPY", "XAF")
    ]  # fmt: skip
    told = {one.event_id: one.values for one in summary_of(sent).moments if one.kind == "large_debit"}
    assert (told["JPY"]["amount"], told["XAF"]["amount"]) == (9_000_000.0, 9_000_000.0)
    assert ("amount_home" in told["JPY"], "amount_home" in told["XAF"]) == (True, False)


def test_a_transfer_to_an_own_account_is_told_as_such() -> None:
    own = event("account.opened", NOON - 9 * DAY_MS, "account:9")
    to_own = event(
        "transfer.sent", NOON, id="o", minor=40_000, direction="debit", balance=60_000,
        counterparty=Counterparty(bank="", account_no="9"),
    )  # fmt: skip
    (moment,) = summary_of([own, to_own]).moments
    assert moment.values["own_account"] is True


@pytest.mark.parametrize("bank", ["OTHA", "CMPA"])
def test_who_has_an_own_account_s_number_at_another_bank_is_not_oneself(bank: str) -> None:
    own = event("account.opened", NOON - 9 * DAY_MS, "account:9")
    sent = msgspec.structs.replace(DRAIN, counterparty=Counterparty(bank=bank, account_no="9"))
    summary = summary_of([own, sent])
    (moment,) = summary.moments
    assert (moment.values["own_account"], summary.body["behaviour"]["own_parties"]) == (False, [])


def test_a_small_score_is_told_in_percent_of_its_scale() -> None:
    given = event("feedback.given", NOON, ME, attributes={"score": 2.5, "scale": 5})
    summary = summary_of([given])
    assert summary.moments[0].values["score_percent"] == 50.0
    assert facts_told(summary)["feedback_last_percent"] == 50.0


def test_a_score_is_in_percent_where_somebody_gave_feedback_and_where_there_is_one() -> None:
    silent = event("feedback.given", NOON, ME)
    scored = event("life_event.recorded", NOON, ME, attributes={"kind": "retirement", "score": 5})
    for moment in summary_of([silent, scored]).moments:
        assert "score_percent" not in moment.values


def test_a_change_of_owner_is_a_moment() -> None:
    told = event("manager.assigned", NOON - 90 * DAY_MS, ME, attributes={"manager_id": "M1"})
    before = summary_of([told]).decided
    staff = {"M1": Manager("M1", {"status": "left", "left_at": NOON - DAY_MS, "successor_id": "M2"}, 5)}
    after = summary_of([told], decided=before, staff=staff)
    (moment,) = [one for one in after.moments if one.kind == "owner_changed"]
    assert moment.values == {"from": "M1", "to": "M2"}
    assert after.body["owner"]["manager_id"] == "M2"
    assert (facts_told(after)["former_owner"], facts_told(after)["owner_days"]) == ("M1", 1)


def test_the_first_owner_and_one_who_comes_back_are_no_change_and_one_who_leaves_for_nobody_is() -> None:
    told = event("manager.assigned", NOON - DAY_MS, ME, attributes={"manager_id": "M1"})
    assert not [one for one in summary_of([told]).moments if one.kind == "owner_changed"]
    back = Decided(owner="M1", former_owner="M1", owner_since=NOON - DAY_MS, notes={"assigned_at": NOON - DAY_MS})
    assert not [one for one in summary_of([told], decided=back).moments if one.kind == "owner_changed"]
    staff = {"M1": Manager("M1", {"status": "left", "left_at": NOON}, 5)}
    (moment,) = [one for one in summary_of([told], staff=staff).moments if one.kind == "owner_changed"]
    assert moment.values == {"from": "M1", "to": ""}


def test_a_change_of_tier_tells_its_direction_and_the_first_judgement_is_none() -> None:
    registered = event("customer.registered", NOON - 9 * DAY_MS, ME)
    first = summary_of([registered])
    assert not [one for one in first.moments if one.kind == "tier_changed"]
    fell = Decided(tier="general", tier_since=NOON - DAY_MS, judged_day=1 << 30, notes={"former_tier": "gold"})
    (moment,) = [one for one in summary_of([registered], decided=fell).moments if one.kind == "tier_changed"]
    assert moment.values == {"from": "gold", "to": "general", "fell": True}


def test_a_tier_that_was_judged_before_money_was_known_is_corrected_without_a_moment() -> None:
    registered = event("customer.registered", NOON - 9 * DAY_MS, ME)
    presumed = summary_of([registered], NOON - DAY_MS).decided
    rich = event("cash.deposited", NOON, minor=900_000_000, direction="credit", balance=900_000_000)
    corrected = summary_of([registered, rich], decided=presumed)
    assert (presumed.tier, corrected.decided.tier) == ("general", "profit")
    assert not [one for one in corrected.moments if one.kind == "tier_changed"]


def test_money_that_names_no_other_side_went_to_nobody_known() -> None:
    cash = event("cash.withdrawn", NOON, minor=40_000, direction="debit", balance=60_000)
    (moment,) = summary_of([cash]).moments
    assert (moment.values["external"], moment.values["own_account"], moment.values["flow"]) == (False, False, "cash")


def test_a_moments_fields_are_those_declared_for_its_kind() -> None:
    told = [
        DRAIN,
        event("product.closed", NOON, ME, product="card", attributes={"product_family": "card"}),
        event("feedback.given", NOON, ME, attributes={"score": 2.5, "scale": 5}),
        event("account.closed", NOON, "account:5", attributes={"reason": "moved"}),
        event("loan.repaid", NOON, "loan:5", minor=100, attributes={"early": True}),
        event(
            "name.changed",
            NOON,
            ME,
            attributes={"name": refer("Li Na"), "former_name": refer("Wang Na"), "reason": "marriage"},
        ),
        event("login.failed", NOON, "login:5", attributes={"reason": "wrong_password"}),
        event("card.statement_issued", NOON, "card:5", minor=100, attributes={"paid_in_full": True}),
        event("page.viewed", NOON, ME, attributes={"page": "/loan", "reason": "payout_quote"}),
    ]
    types = {"number": float, "boolean": bool, "string": str}
    found = summary_of(told).moments
    assert len(found) == len(told)
    assert not [value for one in found for value in one.values.values() if is_reference(str(value))]
    for moment in found:
        for name, type_ in MOMENTS[moment.kind].fields.items():
            if type_ != "number" or name in moment.values:
                assert type(moment.values[name]) is types[type_], (moment.kind, name)


def test_an_own_account_elsewhere_is_told_by_the_sources_word_for_it() -> None:
    told = msgspec.structs.replace(DRAIN, counterparty=Counterparty(bank="ZZZZ", kind="own"))
    (moment,) = summary_of([told]).moments
    assert (moment.values["own_account"], moment.values["external"]) == (True, True)


def test_money_to_the_own_name_elsewhere_is_ones_own_still() -> None:
    (moment,) = summary_of([event("customer.registered", NOON, ME, attributes={"name": "p_x"}), DRAIN]).moments
    assert (moment.values["own_account"], moment.values["external"]) == (True, True)


@pytest.mark.parametrize(
    ("party", "own", "competitor", "lender", "external"),
    [
        (Counterparty(bank="CPBK", account_no="9", kind="fintech"), False, False, False, False),
        (Counterparty(bank="CPBK", account_no="9", kind="consumer_finance"), False, False, False, False),
        (Counterparty(name="p_y"), False, False, False, False),
        (Counterparty(name="p_y", kind="consumer_finance"), False, False, True, True),
        (Counterparty(name="p_y", kind="own"), True, False, False, True),
        (Counterparty(bank="ZZZZ", account_no="9"), False, False, False, True),
    ],
)
def test_the_other_side_is_judged_by_its_bank_and_by_the_word_for_it_where_that_is_no_customer_of_ours(
    party: Counterparty, own: bool, competitor: bool, lender: bool, external: bool
) -> None:
    (moment,) = summary_of([msgspec.structs.replace(DRAIN, counterparty=party)]).moments
    judged = [moment.values[name] for name in ("own_account", "competitor", "lender", "external")]
    assert judged == [own, competitor, lender, external]


def test_a_competitor_without_a_bank_code_is_elsewhere_all_the_same() -> None:
    told = msgspec.structs.replace(DRAIN, counterparty=Counterparty(name="p_x", kind="fintech"))
    (moment,) = summary_of([told]).moments
    assert (moment.values["competitor"], moment.values["external"]) == (True, True)


def test_what_an_own_deposit_pays_out_is_no_money_of_others() -> None:
    opened = event("term_deposit.opened", NOON - 300 * DAY_MS, "contract:TD1", id="o", minor=9_000_000)
    paid = event(
        "transaction.posted", NOON, id="m", minor=9_000_000, direction="credit",
        counterparty=Counterparty(bank="CPBK", account_no="TD1"),
    )  # fmt: skip
    (moment,) = [one for one in summary_of([opened, paid]).moments if one.kind == "large_credit"]
    assert moment.values["own_account"] is True
