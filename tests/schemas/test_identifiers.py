"""One form for what is written in many ways, and nobody for what stands for nobody."""

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from schemas.identifiers import KINDS, SUBJECT_LIMITS, SUBJECT_OF, IdentifierError, normalise, subject_key


@pytest.mark.parametrize(
    ("written", "region"),
    [
        ("+8613912345678", "CN"),
        ("139 1234 5678", "CN"),
        ("139-1234-5678", "CN"),
        ("0086 139 1234 5678", "CN"),
        ("+86 (139) 1234 5678", "DE"),
        ("１３９１２３４５６７８", "CN"),  # noqa: RUF001 - full-width digits, as Chinese keyboards give them
    ],
)
def test_one_phone_has_one_form(written: str, region: str) -> None:
    assert normalise("phone", written, region=region) == "+8613912345678"


def test_a_phone_is_read_in_the_region_of_its_source() -> None:
    assert normalise("phone", "601 123 456", region="CZ") == "+420601123456"


def test_an_address_is_the_same_in_whatever_case_it_is_written() -> None:
    assert normalise("email", " Li.Na@Example.COM ") == "li.na@example.com"


def test_spaces_in_account_numbers_mean_nothing() -> None:
    assert normalise("account_no", "6001 0000 0000 17") == "60010000000017"


@pytest.mark.parametrize("value", ["000000", "0", "null", "NULL", "unknown", "n/a", "无", "00000000-0000-0000"])
@pytest.mark.parametrize("kind", KINDS)
def test_a_placeholder_stands_for_nobody(kind: str, value: str) -> None:
    assert normalise(kind, value) is None


@pytest.mark.parametrize(
    ("kind", "value"),
    [("phone", "13800138000"), ("email", "Test@Test.com"), ("device_id", "9774D56D682E549C")],
)
def test_a_test_number_stands_for_nobody(kind: str, value: str) -> None:
    assert normalise(kind, value) is None


@pytest.mark.parametrize(
    ("kind", "value"),
    [
        ("phone", "call me"),
        ("phone", "12"),
        ("phone", "+999123456789"),
        ("email", "li.na"),
        ("email", "li na@example.com"),
        ("account_no", ""),
        ("customer_no", "   "),
        ("login", "a\x00b"),
        ("login", "x" * 121),
    ],
)
def test_what_cannot_be_an_identifier_is_refused_without_being_repeated(kind: str, value: str) -> None:
    with pytest.raises(IdentifierError) as caught:
        normalise(kind, value)
    assert not value.strip() or value not in str(caught.value)


@given(st.sampled_from(KINDS), st.text(max_size=40))
@example("account_no", "A\u00b4")  # becomes a letter, a space and an accent
def test_the_normal_form_of_a_normal_form_is_itself(kind: str, value: str) -> None:
    try:
        normal = normalise(kind, value)
    except IdentifierError:
        return
    assert normal is None or normalise(kind, normal) == normal


def test_every_kind_has_a_subject_of_its_own() -> None:
    assert set(SUBJECT_OF) == set(KINDS)
    assert len(set(SUBJECT_OF.values())) == len(KINDS)
    assert subject_key("manager_id", "M-104", b"secret") == "manager:M-104"


def test_what_people_share_has_a_limit_and_what_a_bank_books_has_none() -> None:
    assert SUBJECT_LIMITS["phone"] > 1
    assert not SUBJECT_LIMITS.keys() & {"account", "loan", "party"}


def test_the_key_of_a_personal_identifier_does_not_show_it() -> None:
    assert "13912345678" not in subject_key("phone", "+8613912345678", b"secret")
