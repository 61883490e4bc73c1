"""How what was learned is written in a view."""

from typing import Any

import msgspec
import pytest

from services.profile.domain.customers.counterparties import Counterparty
from services.profile.domain.identity.links import END
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


class Part(msgspec.Struct, frozen=True):
    paid_minor: int
    flows: tuple[str, ...]


class Learned(msgspec.Struct, frozen=True):
    count: int
    kind: str | None
    minor: int
    home_minor: int
    seen_at: int
    until_at: int
    next_due: int
    payer: str
    own_parties: tuple[str, ...]
    latest: Part
    parts: tuple[Part, ...]
    usual_minor: int | None
    currency: str


def test_what_is_learned_is_written_field_by_field_in_the_form_that_its_name_says() -> None:
    day = 20_454
    told = Learned(
        count=3, kind=None, minor=500, home_minor=3_550, seen_at=day * 86_400_000, until_at=END, next_due=day,
        payer="OTHC/97#p_0a", own_parties=("CPBK/1#p_0b", "CPBK/2"), latest=Part(700, ()),
        parts=(Part(100, ("salary", "pension")),), usual_minor=None, currency="USD",
    )  # fmt: skip
    assert record(told, "CNY") == {
        "count": 3,
        "kind": None,
        "amount": {"value": "5.00", "currency": "USD"},
        "home": {"value": "35.50", "currency": "CNY"},
        "seen_at": "2026-01-01T00:00:00Z",
        "until_at": None,
        "next_due": "2026-01-01",
        "payer": "OTHC/97",
        "payer_name": "p_0a",
        "own_parties": ["CPBK/1", "CPBK/2"],
        "latest": {"paid": {"value": "7.00", "currency": "CNY"}, "flows": []},
        "parts": [{"paid": {"value": "1.00", "currency": "CNY"}, "flows": ["salary", "pension"]}],
        "usual": None,
    }
