"""What the customer holds: mandates that leave, loans that end, deposits that matured, cards that are used."""

import msgspec
import pytest
from msgspec.structs import replace

from schemas.changes import Fact
from schemas.events import ChannelEvent, Counterparty
from schemas.instants import DAY_MS
from services.profile.domain.identity.links import BEGINNING
from tests.profile.domain.gathered import Roles, facts_told, summary_of
from tests.profile.domain.happenings import ACCOUNT, NOON, event, reversal


def values_of(*events: ChannelEvent, now: int = NOON) -> dict[str, Fact]:
    return facts_told(summary_of(list(events), now))


def test_mandates_are_counted_as_they_stood_thirty_days_ago() -> None:
    set_up = [event("standing_order.set_up", NOON - 90 * DAY_MS, f"mandate:{number}") for number in range(4)]
    fresh = event("standing_order.set_up", NOON - DAY_MS, "mandate:9")
    cancelled = [event("standing_order.cancelled", NOON - 9 * DAY_MS, f"mandate:{number}") for number in range(3)]
    values = values_of(*set_up, fresh, *cancelled)
    assert (values["mandates_active_30d_ago"], values["mandates_active"]) == (4, 2)


def test_a_mandate_that_several_systems_tell_to_be_cancelled_is_cancelled_once() -> None:
    def cancelled(number: int, days: int, source: str = "core") -> ChannelEvent:
        told = event("standing_order.cancelled", NOON - days * DAY_MS, f"mandate:{number}", id=f"{source}-{number}")
        return replace(told, source=source)

    app = [cancelled(1, 2, "app"), cancelled(2, 29, "app"), cancelled(3, 30, "app")]
    books = [cancelled(1, 1), cancelled(2, 29), cancelled(3, 30)]
    assert values_of(*app, *books)["mandates_cancelled_30d"] == 2
    again = event("standing_order.set_up", NOON, "mandate:1")
    assert values_of(*app, *books, again)["mandates_cancelled_30d"] == 1
    unnumbered = [event("direct_debit.mandate_cancelled", NOON, ACCOUNT, id=one) for one in ("x", "y")]
    assert values_of(*unnumbered)["mandates_cancelled_30d"] == 2


def test_a_loan_tells_its_instalment_and_its_end_until_it_is_repaid() -> None:
    terms = {"loan_kind": "mortgage", "instalment": {"minor": 300_000, "currency": "CNY"}, "ends_on": "2026-10-21"}
    granted = event("loan.granted", NOON - 90 * DAY_MS, "loan:1", minor=9_000_000, attributes=terms)
    values = values_of(granted)
    assert (values["loan_instalment"], values["loan_ends_in_days"], values["mortgages_open"]) == (3000.0, 30, 1)
    assert values_of(granted, event("loan.repaid", NOON, "loan:1"))["loan_instalment"] == 0


def test_extra_repayments_are_summed_and_regular_ones_are_not_among_them() -> None:
    def repaid(days: int, extra: bool) -> ChannelEvent:
        told = {"extra": True} if extra else {}
        return event("loan.instalment_paid", NOON - days * DAY_MS, "loan:1", minor=100_000, attributes=told)

    assert values_of(repaid(1, True), repaid(2, True), repaid(3, False))["extra_repaid_60d"] == 2000.0


@pytest.mark.parametrize("is_first", [False, True])
@pytest.mark.parametrize(("part", "left"), [(None, 0.0), (40_000, 600.0)])
def test_an_extra_repayment_that_was_taken_back_counts_no_more_and_moves_no_money(
    is_first: bool, part: int | None, left: float
) -> None:
    told, elsewhere = {"extra": True}, Counterparty(account_no="7001", bank="OTHA")
    paid = event("loan.instalment_paid", NOON - 10 * DAY_MS, "loan:1", minor=100_000, attributes=told)
    back = reversal(paid, NOON - 1, part)
    attributes = msgspec.json.encode({**msgspec.json.decode(back.attributes), **told})
    back = replace(back, direction="debit", counterparty=elsewhere, attributes=attributes)
    values = values_of(*((back, paid) if is_first else (paid, back)))
    assert (values["extra_repaid_60d"], values["outflow_30d"], values["external_outflow_30d"]) == (left, 0, 0)
    once_more = replace(back, id="again", occurred_at=NOON)
    assert part or values_of(paid, back, once_more)["extra_repaid_60d"] == 0


def test_a_deposit_that_matured_without_a_word_is_told_for_a_week() -> None:
    opened = event(
        "term_deposit.opened", NOON - 300 * DAY_MS, "contract:1", minor=500_000, attributes={"matures_on": "2026-09-20"}
    )
    values = values_of(opened)
    assert (values["deposit_matured_uninstructed"], values["deposit_matured_amount"]) == (True, 5000.0)
    assert not values["deposit_maturing_uninstructed"]
    its_day = values_of(opened, now=NOON - DAY_MS)
    assert (its_day["deposit_maturing_uninstructed"], its_day["deposit_matured_uninstructed"]) == (True, False)
    assert (its_day["deposits_open"], values["deposits_open"]) == (1, 0)
    assert not values_of(opened, now=NOON + 8 * DAY_MS)["deposit_matured_uninstructed"]
    told = event("term_deposit.instructed", NOON, "contract:1", attributes={"instruction": "pay_out"})
    assert not values_of(opened, told)["deposit_matured_uninstructed"]


def statement(month: int, minor: int, in_full: bool, card: str = "card:1") -> ChannelEvent:
    told = {"credit_limit": {"minor": 1_000_000, "currency": "CNY"}, "paid_in_full": in_full}
    at = NOON - month * 30 * DAY_MS
    return event("card.statement_issued", at, card, id=f"{card}{month}", minor=minor, attributes=told)


def test_a_credit_card_tells_how_much_of_its_limit_is_used_and_how_often_it_was_paid_in_full() -> None:
    told = [statement(month, 800_000, in_full=month < 3) for month in range(5)]
    values = values_of(*told)
    assert (values["card_utilisation_percent"], values["card_paid_in_full"]) == (80.0, 3)


def test_of_several_cards_the_most_used_and_the_least_often_paid_decide() -> None:
    told = [*(statement(month, 100_000, in_full=True) for month in range(3)), statement(0, 900_000, False, "card:2")]
    values = values_of(*told)
    assert (values["card_utilisation_percent"], values["card_paid_in_full"]) == (90.0, 0)


def test_each_card_is_paid_in_full_by_its_own_statements_alone() -> None:
    told = [statement(month, 100, in_full=True) for month in range(4)]
    other = [statement(0, 100, True, "card:2"), statement(1, 100, False, "card:2"), statement(2, 100, True, "card:2")]
    assert values_of(*told, *other)["card_paid_in_full"] == 1


def test_a_card_that_is_blocked_or_has_no_statements_says_nothing_of_the_use_of_credit() -> None:
    told = [statement(month, 100_000, in_full=True) for month in range(2)]
    blocked = [statement(3, 900_000, False, "card:2"), event("card.blocked", NOON, "card:2")]
    debit = event("card.issued", NOON, "card:3")
    values = values_of(*told, *blocked, debit)
    assert (values["card_utilisation_percent"], values["card_paid_in_full"]) == (10.0, 2)


def test_a_card_says_nothing_of_the_use_of_credit_once_its_last_day_is_over() -> None:
    issued = event("card.issued", NOON - 900 * DAY_MS, "card:1", attributes={"expires_on": "2026-09-21"})
    told = [issued, statement(0, 900_000, in_full=False), statement(0, 100_000, True, "card:2")]
    for days, used in ((0, (90.0, 0)), (1, (10.0, 1))):
        values = values_of(*told, now=NOON + days * DAY_MS)
        assert (values["card_utilisation_percent"], values["card_paid_in_full"]) == used


def test_a_card_is_active_through_the_last_day_of_its_validity() -> None:
    def issued(number: int, **told: str) -> ChannelEvent:
        return event("card.issued", NOON - 900 * DAY_MS, f"card:{number}", attributes=told)

    cards = [issued(1), issued(2, expires_on="2026-09-21"), issued(3, expires_on="2026-09-20")]
    assert [values_of(*cards, now=NOON + days * DAY_MS)["cards_active"] for days in (-1, 0, 1)] == [3, 2, 1]
    renewed = event("card.issued", NOON - DAY_MS, "card:3", id="again", attributes={"expires_on": "2031-09-30"})
    assert values_of(*cards, renewed)["cards_active"] == 3


def test_a_card_without_a_limit_leaves_its_use_unknown() -> None:
    told = event("card.statement_issued", NOON, "card:1", minor=100)
    assert "card_utilisation_percent" in summary_of([told]).facts.missing


def test_what_is_owed_in_a_currency_without_a_rate_leaves_the_use_of_a_card_unknown() -> None:
    limit = {"credit_limit": {"minor": 1_000_000, "currency": "CNY"}}
    told = event("card.statement_issued", NOON, "card:1", minor=100, currency="ISK", attributes=limit)
    assert "card_utilisation_percent" in summary_of([told]).facts.missing


def test_product_families_are_the_needs_that_the_value_scale_counts() -> None:
    registered = event("customer.registered", NOON - 90 * DAY_MS, "party:1", attributes={"kind": "person"})
    account = event("account.opened", NOON - 9 * DAY_MS, ACCOUNT, attributes={"account_kind": "savings"})
    assert values_of(registered, account)["product_families"] == 1


def test_a_salary_is_no_product_that_is_left_once_the_account_is_closed() -> None:
    told = [
        event("customer.registered", NOON - 90 * DAY_MS, "party:1", attributes={"kind": "person"}),
        event("account.opened", NOON - 90 * DAY_MS, ACCOUNT, attributes={"account_kind": "current"}),
        *(
            event("salary.credited", NOON - days * DAY_MS, id=f"s{days}", minor=900_000, direction="credit")
            for days in (10, 40, 71)
        ),
    ]
    closed = event("account.closed", NOON - DAY_MS, id="gone")
    assert values_of(*told)["product_families"] == 2
    assert values_of(*told, closed)["product_families"] == 0


def test_a_loan_of_which_nothing_else_is_told_is_owed_in_full_until_its_term_is_over() -> None:
    granted = event(
        "loan.granted", NOON - 330 * DAY_MS, "loan:1", minor=9_000_000, attributes={"term_months": 12},
    )  # fmt: skip
    values = values_of(granted)
    assert values["loan_outstanding"] == 90_000.0
    assert values["loan_repaid_percent"] == 0
    assert values["loan_ends_in_days"] == 35


@pytest.mark.parametrize(("left", "percent"), [(600_000, 40), (600_001, 39), (1_000_000, 0), (999_999, 0)])
def test_a_part_of_a_loan_is_repaid_once_the_whole_of_that_part_is(left: int, percent: int) -> None:
    granted = event("loan.granted", NOON - 90 * DAY_MS, "loan:1", minor=1_000_000)
    paid = event("loan.instalment_paid", NOON - DAY_MS, "loan:1", minor=1000,
                 attributes={"outstanding": {"minor": left, "currency": "CNY"}})  # fmt: skip
    assert values_of(granted, paid)["loan_repaid_percent"] == percent


@pytest.mark.parametrize("role", ["attorney", ("owner", BEGINNING, NOON)], ids=["acted for", "given back"])
def test_what_somebody_acts_for_or_has_given_back_is_none_of_the_customers_own(
    role: str | tuple[str, int, int],
) -> None:
    told = [
        event("loan.granted", NOON - 9 * DAY_MS, "loan:1", minor=9_000_000, attributes={"loan_kind": "mortgage"}),
        event("term_deposit.opened", NOON - 9 * DAY_MS, "contract:1", minor=500_000,
              attributes={"matures_on": "2027-09-20"}),
        event("account.opened", NOON - 9 * DAY_MS, ACCOUNT),
        event("card.issued", NOON - 9 * DAY_MS, "card:1"),
        event("card.statement_issued", NOON - 9 * DAY_MS, "card:1", minor=100),
    ]  # fmt: skip
    names = ("loans_open", "mortgages_open", "deposits_open", "accounts_open", "cards_active")
    registered = event("customer.registered", NOON - 90 * DAY_MS, "party:1")
    own = facts_told(summary_of([registered, *told]))
    assert [own[name] for name in names] == [1, 1, 1, 1, 1]
    roles: Roles = dict.fromkeys(("loan:1", "contract:1", ACCOUNT, "card:1"), role)
    others = summary_of([registered, *told], roles=roles)
    assert [facts_told(others)[name] for name in names] == [0, 0, 0, 0, 0]
    assert "card_utilisation_percent" not in others.facts.missing


def test_a_mandate_counts_from_the_instant_it_was_set_up_until_it_was_cancelled() -> None:
    then = NOON - 30 * DAY_MS
    for set_up, cancelled, active in (
        (then, then + 1, 1), (then + 1, NOON, 0), (then - 9, then, 0), (then - 9, None, 1),
    ):  # fmt: skip
        told = [event("standing_order.set_up", set_up, "mandate:1")]
        if cancelled is not None:
            told.append(event("standing_order.cancelled", cancelled, "mandate:1"))
        assert values_of(*told)["mandates_active_30d_ago"] == active
    told = [event("standing_order.set_up", NOON, "mandate:1"), event("standing_order.cancelled", NOON, "mandate:2")]
    for role, counts in (("owner", 1), ("attorney", 0)):
        found = facts_told(summary_of(told, roles={"mandate:1": role, "mandate:2": role}))
        assert (found["mandates_active"], found["mandates_cancelled_30d"]) == (counts, counts)


def test_nobody_cancels_a_mandate_that_was_not_in_force_though_its_setting_up_was_told_without_its_number() -> None:
    for days, active in ((9, 1), (30, 0), (40, 0)):
        found = values_of(event("standing_order.cancelled", NOON - days * DAY_MS))
        assert (found["mandates_active"], found["mandates_active_30d_ago"]) == (0, active)


@pytest.mark.parametrize(
    ("set_up", "cancelled", "active"),
    [((90, 60, 9), (), 1), ((90, 9), (9.5,), 1), ((40,), (60,), 1), ((9,), (40,), 0), ((9,), (10,), 1),
     ((10,), (9,), 0), ((), (9,), 1), ((), (40,), 0), ((90, 20), (60, 10), 0), ((90, 10), (20, 5), 1),
     ((20,), (40, 10), 0), ((90,), (60, 10), 0), ((90, 60, 20), (70, 10), 1),
     ((10,), (20, 15), 1), ((900, 20, 10), (), 1)],
    ids=["for another amount", "anew", "again before", "again since", "again, begun long ago", "begun since",
         "begun long ago", "ended", "ended before, anew since", "anew twice", "told of late", "ended twice",
         "anew before", "ended since", "before all that is kept"],
)  # fmt: skip
def test_a_mandate_that_is_set_up_again_was_in_force_as_was_told_by_then(
    set_up: tuple[float, ...], cancelled: tuple[float, ...], active: int
) -> None:
    told = [("standing_order.set_up", days) for days in set_up]
    told += [("standing_order.cancelled", days) for days in cancelled]
    events = [event(kind, NOON - int(days * DAY_MS), "mandate:1") for kind, days in told]
    assert values_of(*events)["mandates_active_30d_ago"] == active


def test_a_mandate_is_in_force_through_its_last_day_unless_it_is_set_up_anew_without_one() -> None:
    def set_up(days: int, **told: str) -> ChannelEvent:
        return event("standing_order.set_up", NOON - days * DAY_MS, "mandate:1", attributes=told)

    names = ("mandates_active", "mandates_active_30d_ago")
    for last, counted in (("09-21", [1, 1]), ("09-20", [0, 1]), ("08-22", [0, 1]), ("08-21", [0, 0])):
        values = values_of(set_up(90, ends_on=f"2026-{last}"))
        assert [values[name] for name in names] == counted, last
    assert values_of(set_up(90, ends_on="2026-08-01"), set_up(9))["mandates_active"] == 1


def test_a_closed_product_counts_for_ninety_days() -> None:
    for later_ms, closed in ((1, 1), (0, 0)):
        gone = event("account.closed", NOON - 90 * DAY_MS + later_ms)
        assert values_of(gone)["products_closed_90d"] == closed


def test_arrears_of_one_loan_are_arrears() -> None:
    granted = [event("loan.granted", NOON - 90 * DAY_MS, f"loan:{number}", minor=1_000_000) for number in (1, 2)]
    missed = event("loan.instalment_missed", NOON - 9 * DAY_MS, "loan:1", minor=1000)
    assert values_of(*granted, missed)["loan_arrears"]
