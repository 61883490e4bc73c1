"""Money is exact, or it is refused."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.events import Money
from schemas.money import EXPONENTS, MAX_MINOR, format_money, parse_money


@pytest.mark.parametrize(
    ("value", "currency", "minor"),
    [("1200.50", "CNY", 120050), ("1200", "CNY", 120000), (1200, "CNY", 120000), ("0.5", "CNY", 50),
     ("500", "JPY", 500), ("1.234", "KWD", 1234), ("-3.20", "CZK", -320), ("1.2345", "CLF", 12345)],
)  # fmt: skip
def test_an_amount_is_counted_in_minor_units(value: str | int, currency: str, minor: int) -> None:
    assert parse_money(value, currency) == Money(minor, currency)


@pytest.mark.parametrize(
    "value",
    ["NaN", "Infinity", "1e400", "1,200", "1.123456789012", "", " 1", "1.", ".5", "+1", "0x10", "1_000", "９", "1\n",  # noqa: RUF001 - a full-width digit
     "9007199254740993", 2**53, 10**400, 1.5, 1200.0, True, None, [], {"value": 1}],
)  # fmt: skip
def test_what_is_no_exact_amount_is_refused(value: Any) -> None:
    with pytest.raises(ValueError, match=r"^value: "):
        parse_money(value, "CNY")


@pytest.mark.parametrize("currency", ["XQX", "cny", "", "XAU", "XXX", None, 156, ["CNY"]])
def test_an_unknown_currency_is_refused(currency: Any) -> None:
    with pytest.raises(ValueError, match=r"^currency: "):
        parse_money("1", currency)


@pytest.mark.parametrize(("value", "currency"), [("1.5", "JPY"), ("1.001", "CNY"), ("1.0001", "KWD")])
def test_more_decimals_than_the_currency_has_are_refused(value: str, currency: str) -> None:
    with pytest.raises(ValueError, match="decimals"):
        parse_money(value, currency)


def test_a_message_does_not_repeat_the_amount() -> None:
    with pytest.raises(ValueError, match="18 digits") as caught:
        parse_money("6225880123456783;", "CNY")
    assert "6225880123456783" not in str(caught.value)


@given(st.integers(-MAX_MINOR, MAX_MINOR), st.sampled_from(sorted(EXPONENTS)))
def test_what_is_shown_is_read_back(minor: int, currency: str) -> None:
    shown = format_money(Money(minor, currency))
    assert parse_money(shown["value"], shown["currency"]) == Money(minor, currency)


def test_all_decimals_are_shown() -> None:
    assert format_money(Money(120050, "CNY")) == {"value": "1200.50", "currency": "CNY"}
    assert format_money(Money(-5, "KWD")) == {"value": "-0.005", "currency": "KWD"}
    assert format_money(Money(500, "JPY")) == {"value": "500", "currency": "JPY"}
    assert format_money(Money(0, "CNY")) == {"value": "0.00", "currency": "CNY"}


def test_the_whole_active_list_is_known() -> None:
    assert len(EXPONENTS) == 165 + len({"ANG", "BGN", "CUC", "HRK"})  # and those withdrawn in recent years
    assert all(len(code) == 3 and code.isupper() for code in EXPONENTS)
    # Those that differ from two decimals, as ISO 4217 list one has them
    assert {code for code, exponent in EXPONENTS.items() if exponent == 3} == {
        "BHD", "IQD", "JOD", "KWD", "LYD", "OMR", "TND",
    }  # fmt: skip
    assert {code for code, exponent in EXPONENTS.items() if exponent == 0} == {
        "BIF", "CLP", "DJF", "GNF", "ISK", "JPY", "KMF", "KRW", "PYG", "RWF", "UGX", "UYI", "VND", "VUV", "XAF", "XOF",
        "XPF",
    }  # fmt: skip
