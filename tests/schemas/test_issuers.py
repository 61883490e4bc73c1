"""What a card number is: a bank's ranges, and the check digit."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.issuers import IssuerRange, is_card_number, issuer_ranges, passes_luhn

# the schemes' published test numbers
CARDS = [
    "4111111111111111",
    "5555555555554444",
    "378282246310005",
    "3530111333300000",
    "30569309025904",
    "6011111111111117",
]


@pytest.mark.parametrize("number", CARDS)
def test_the_schemes_test_numbers_are_cards(number: str) -> None:
    assert is_card_number(number)
    assert not is_card_number(number[:-1] + str((int(number[-1]) + 1) % 10))


def test_a_bank_writes_its_ranges_as_first_digits_and_lengths() -> None:
    ranges = issuer_ranges("62:16-19, 51-55:16,0:13")
    assert ranges == (
        IssuerRange("62", "62", (16, 17, 18, 19)),
        IssuerRange("51", "55", (16,)),
        IssuerRange("0", "0", (13,)),
    )
    assert [is_card_number(number, ranges) for number in CARDS[:2]] == [False, True]


@pytest.mark.parametrize(
    ("written", "told"),
    [
        ("4:16,visa", "range 2: first digits and lengths are expected, such as"),
        ("4:16,", "range 2: first digits and lengths are expected, such as"),
        ("4", "range 1: first digits and lengths are expected, such as"),
        ("４:16", "range 1: first digits and lengths are expected, such as"),  # noqa: RUF001 - a digit of another width
        ("51-6:16", "range 1: the second number has as many digits as the first and is no smaller"),
        ("55-51:16", "range 1: the second number has as many digits as the first and is no smaller"),
        ("4:19-16", "range 1: lengths go up, from 13 to 19 digits"),
        ("4:12", "range 1: lengths go up, from 13 to 19 digits"),
        ("4:16-20", "range 1: lengths go up, from 13 to 19 digits"),
    ],
)
def test_a_range_that_is_none_is_refused_by_its_place(written: str, told: str) -> None:
    with pytest.raises(ValueError, match=told):
        issuer_ranges(written)


@given(st.from_regex(r"[0-9]{12,18}", fullmatch=True))
def test_exactly_one_check_digit_fits(digits: str) -> None:
    assert sum(passes_luhn(f"{digits}{check}") for check in range(10)) == 1
