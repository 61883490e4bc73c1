"""How what was learned is written in a view."""

from typing import Any

import pytest

from services.profile.domain.customers.counterparties import Counterparty
from services.profile.domain.rendering import record, written

SHOP = Counterparty("ICBC/7010#p_0a", "debit", "bank", 2, 3, 12_050, "CNY")


def test_the_name_in_a_counterpartys_key_stands_by_itself() -> None:
    shown = record(SHOP, "CNY")
    assert (shown["party"], shown["party_name"]) == ("ICBC/7010", "p_0a")


def test_a_counterparty_without_a_name_has_none_to_show() -> None:
    shown = record(Counterparty("p_0a", "debit", "other", 2, 3, 12_050, "CNY"), "CNY")
    assert shown["party"] == "p_0a"
    assert "party_name" not in shown


def test_money_is_shown_in_the_records_own_currency() -> None:
    dollars = Counterparty("ICBC/7010", "debit", "bank", 2, 3, 12_050, "USD")
    assert record(dollars, "CNY")["total"] == {"value": "120.50", "currency": "USD"}


@pytest.mark.parametrize(
    ("kept", "shown"),
    [
        ({"minor": 1_205, "currency": "CNY"}, {"value": "12.05", "currency": "CNY"}),
        ([1_205, "JPY"], {"value": "1205", "currency": "JPY"}),
        ({"minor": 5}, {"minor": 5}),
        (["en", "zh"], ["en", "zh"]),
        ([1, 2], [1, 2]),
        ([5, "CNY", "USD"], [5, "CNY", "USD"]),
        ([5], [5]),
        ("text", "text"),
        (None, None),
    ],
)
def test_money_of_a_register_is_written_in_major_units_in_either_of_its_forms_and_all_else_as_it_is(
    kept: Any, shown: Any
) -> None:
    assert written(kept) == shown
