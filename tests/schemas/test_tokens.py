"""Card and national id numbers are found however they are written, and stand as keyed tokens."""

import re

import pytest

from schemas.issuers import issuer_ranges
from schemas.tokens import (
    TokenKey,
    card_no_token,
    card_numbers,
    card_token,
    clean_text,
    national_id_token,
    resident_ids,
)
from tests.schemas.test_issuers import CARDS

KEY = TokenKey(b"k" * 32)
FULL_WIDTH = str.maketrans("0123456789", "０１２３４５６７８９")  # noqa: RUF001 - these digits are the point


@pytest.mark.parametrize(
    "text",
    ["{}", "card {}.", "x{}y", "{} 12/25", "12 {} 34", "tel 8613800138000, card {}", "{}\n", "={}="],
)
@pytest.mark.parametrize("separator", ["", " ", "-", "  ", "–", "."])  # noqa: RUF001 - a dash that people write
def test_a_card_is_found_however_it_is_written(text: str, separator: str) -> None:
    card = CARDS[0]
    written = separator.join((card[:4], card[4:8], card[8:12], card[12:]))
    assert [found.digits for found in card_numbers(text.format(written))] == [card]
    assert [found.digits for found in card_numbers(text.format(written).translate(FULL_WIDTH))] == [card]


def test_only_numbers_of_the_banks_own_ranges_are_cards() -> None:
    own = TokenKey(b"k" * 32, ranges=issuer_ranges("51-55:16"))
    assert clean_text(f"{CARDS[0]} and {CARDS[1]}", own) == f"{CARDS[0]} and {card_token(CARDS[1], own)} (…4444)"


def test_two_cards_in_a_row_are_two() -> None:
    assert [found.digits for found in card_numbers(f"{CARDS[0]} {CARDS[1]}")] == CARDS[:2]


@pytest.mark.parametrize("text", ["6001000000017", "2026-11-22T09:30:00+08:00", "41111111111111112222", "0" * 16, ""])
def test_other_numbers_are_left_alone(text: str) -> None:
    assert card_numbers(text) == []


@pytest.mark.parametrize(
    "word", ["c0ffee4111111111111111c0ffeec0ff", f"{CARDS[1]}ab5e" + 44 * "0", f"01{CARDS[0]}" + 16 * "f"]
)
@pytest.mark.parametrize("text", ["{}", "card_{}", "evt{}", "OrderNo{}", "tx-{}-1", "urn:uuid:{}", "{} again"])
def test_the_digits_within_a_uuid_or_a_digest_are_no_card_and_beside_it_they_are(word: str, text: str) -> None:
    dashed = "-".join((word[:8], word[8:12], word[12:16], word[16:20], word[20:32]))
    for written in (word, word.upper(), dashed):
        assert card_numbers(text.format(written)) == []
        assert [found.digits for found in card_numbers(f"{text.format(written)} {CARDS[5]}")] == [CARDS[5]]


@pytest.mark.parametrize(
    "word",
    [
        "0a1b2c3d-0000-4000-8000-0a1b4111111111111111-1000-4000-8000-0a1b2c3d4e5f",
        "0a1b2c3d-0000-4000-8000-0a1b41111111:11111110-0000-4000-8000-0a1b2c3d4e5f",
        f"00-4bf92f3577b34da6a3ce929d0e0e4736-{CARDS[0]}-01",
        "00-4bf92f3577b34da6a3ce929d0e411111-1111111111a1b2c3-01",
    ],
)
def test_the_digits_within_uuids_that_are_joined_or_a_trace_are_no_card(word: str) -> None:
    assert card_numbers(word) == []
    assert [found.digits for found in card_numbers(f"{word} {CARDS[5]}")] == [CARDS[5]]


@pytest.mark.parametrize("text", ["evt{}", "card{}", "{}abc", "abcdef{}abcdef", "trace-{}-01", "00-abcdef-{}-01"])
def test_a_card_beside_letters_is_found(text: str) -> None:
    assert [found.digits for found in card_numbers(text.format(CARDS[0]))] == [CARDS[0]]
    dashed = "-".join((CARDS[0][:4], CARDS[0][4:8], CARDS[0][8:12], CARDS[0][12:]))
    assert [found.digits for found in card_numbers(text.format(dashed))] == [CARDS[0]]


@pytest.mark.parametrize("text", [f"{CARDS[0]}{16 * '0'}x", f"x{CARDS[0]}{15 * 'a'}", f"{CARDS[0]}-{31 * 'a'}"])
def test_what_only_resembles_a_uuid_hides_no_card(text: str) -> None:
    assert [found.digits for found in card_numbers(text.replace(16 * "0", ""))] == [CARDS[0]]


def test_tokens_depend_on_the_key_and_say_which() -> None:
    token = card_token(CARDS[0], KEY)
    assert re.fullmatch(r"card_[0-9a-f]{34}", token)
    assert token == card_token(CARDS[0], KEY)
    assert token != card_token(CARDS[0], TokenKey(b"other"))
    assert card_token(CARDS[0], TokenKey(b"k" * 32, "02")).startswith("card_02")
    assert "kkk" not in repr(KEY)


def test_a_mistyped_card_number_is_hidden_too() -> None:
    assert card_no_token("4111111111111112", KEY) == (card_token("4111111111111112", KEY), "1112")


@pytest.mark.parametrize("value", ["17", "card-7K2M9Q", "card_01" + "a" * 32, "K4111111111111111"])
def test_a_sources_own_name_for_a_card_stays(value: str) -> None:
    assert card_no_token(value, KEY) == (value, "")


def test_a_national_id_gives_one_token_however_written_and_a_token_stays() -> None:
    token = national_id_token("11010519491231002X", KEY)
    assert national_id_token("110105 19491231 002x", KEY) == token
    assert national_id_token(token, KEY) == token


@pytest.mark.parametrize(
    ("text", "count"),
    [
        ("ID 11010519491231002X!", 1), ("110105194912310021", 0), ("11010519491331002X", 0),
        pytest.param("100001202611260000", 0, id="a reference of the day, of no province"),
    ],
)  # fmt: skip
def test_resident_ids_are_found_by_province_birth_date_and_check_character(text: str, count: int) -> None:
    assert len(resident_ids(text)) == count
