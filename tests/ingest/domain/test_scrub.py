"""What is kept of a refused event holds no secret, and can be sent again."""

from typing import Any

import msgspec
import pytest

from schemas.codec import decode_dead_letter
from schemas.tokens import TokenKey, clean_text
from services.failures import Rejected
from services.ingest.accept import accept
from services.ingest.domain.scrub import clean, clean_event, is_forbidden, shape
from tests.ingest.bank import NOW, SECRET, VISA, admit, encoded, rules, terms, transaction

KEY = TokenKey(SECRET)


@pytest.mark.parametrize(
    "name", ["pin", "PIN_Block", "cvv", "CVV2", "track-2", "trackData", "Password", "security code"]
)
def test_secret_fields_are_known_in_any_spelling(name: str) -> None:
    assert is_forbidden(name)


@pytest.mark.parametrize("name", ["pinyin", "opinion", "soundtrack", "tracking_no", "passport"])
def test_innocent_fields_are_not_dropped(name: str) -> None:
    assert not is_forbidden(name)


def test_text_keeps_the_last_four_digits_of_a_card() -> None:
    cleaned = clean_text(f"paid with {VISA} today", KEY)
    assert VISA not in cleaned
    assert cleaned.startswith("paid with card_")
    assert cleaned.endswith("(…1111) today")


def test_secrets_are_found_at_any_depth_and_in_keys_and_numbers() -> None:
    cleaned = clean({"a": [{"b": {"pin": "1", VISA: int(VISA)}}], "n": 4}, KEY)
    assert VISA not in msgspec.json.encode(cleaned).decode()
    assert "pin" not in msgspec.json.encode(cleaned).decode()
    assert cleaned["n"] == 4


def test_depth_is_limited() -> None:
    deep: Any = 1
    for _ in range(40):
        deep = [deep]
    with pytest.raises(Rejected):
        clean(deep, KEY)


def test_a_dead_letter_is_scrubbed_and_can_be_sent_again() -> None:
    event = transaction(
        type="customer.registered",
        amount=None,
        direction=None,
        attributes={"nickname": "x", "cvv": "123"},
        identifiers={"customer_no": "42", "national_id": "11010519491231002X", "card_no": VISA, "phone": "13800138001"},
    )
    outcome = accept([encoded(event)], terms(), rules(), NOW, partitions=8)
    letter = decode_dead_letter(outcome.dead_letters[0].value)
    assert (letter.reason, letter.field) == ("unknown_field", "attributes.nickname")
    for secret in (VISA, "1101051949", '"123"'):
        assert secret not in letter.body.decode()
    mended = msgspec.json.decode(letter.body)
    del mended["attributes"]["nickname"]
    del event["attributes"]["nickname"]
    again, direct = (admit(encoded(one), terms(), rules(), NOW) for one in (mended, event))
    assert again.identifiers == direct.identifiers
    assert again.subject == direct.subject


@pytest.mark.parametrize(
    ("kind", "number"),
    [("national_id", "110105194912310011"), ("national_id", "12345678"), ("card_no", "4000123412341")],
)
def test_a_dead_letter_keeps_no_such_number_whatever_it_is_worth_and_however_it_was_sent(
    kind: str, number: str
) -> None:
    kept = [clean_event({"identifiers": {kind: told}, "actor": {kind: told}}, KEY) for told in (number, int(number))]
    assert kept[0] == kept[1]
    assert number not in str(kept)
    assert set(kept[0]["identifiers"].values()) == set(kept[0]["actor"].values()) != {number}


def test_a_resident_id_that_is_sent_as_a_number_is_found_wherever_it_stands() -> None:
    told = clean({"attributes": {"note": [110105194912310011, 5]}}, KEY)
    assert told == clean({"attributes": {"note": ["110105194912310011", 5]}}, KEY)
    assert "110105194912310011" not in str(told)


def test_of_what_cannot_be_read_only_the_shape_is_kept() -> None:
    kept = shape(b'{"id": "t-1", "name": "Zhang", "pin": "1234", "card_no": "4111')
    assert kept == '{"id": "a-#", "name": "aaaaa", "pin": "####", "card_no": "####'


@pytest.mark.parametrize("body", [b"\xff\xfe", b"[" * 5_000, b'{"a": ' + b"9" * 5_000 + b"}", b'"' + b"x" * 100_000])
def test_the_unreadable_makes_a_short_dead_letter(body: bytes) -> None:
    outcome = accept([body], terms(), rules(), NOW, partitions=8)
    letter = decode_dead_letter(outcome.dead_letters[0].value)
    assert letter.length == len(body)
    assert len(letter.body) < 1_000


def test_what_is_no_object_stays_what_it_is() -> None:
    assert clean_event([1, VISA[:4]], KEY) == [1, "4111"]
