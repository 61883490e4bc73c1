"""What is an event and what is not, field by field; and that nothing ever gets through in between."""

from contextlib import suppress
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.events import ChannelEvent, Counterparty, Money
from schemas.identifiers import subject_key
from schemas.tokens import TokenKey, card_token, national_id_token
from services.failures import Rejected
from services.ingest.domain.rules import Rules
from services.ingest.domain.sources import Terms
from tests.ingest.bank import CATALOGUE, NOW, SECRET, UNIONPAY, VISA, admit, encoded, rules, terms, transaction

RULES = rules()
TERMS = terms()
KEY = TokenKey(SECRET)
HOUR = 3_600_000


def admitted(event: object, under: Terms = TERMS, by: Rules = RULES, now: int = NOW) -> ChannelEvent:
    return admit(event if isinstance(event, bytes) else encoded(event), under, by, now)


def refusal(event: object, under: Terms = TERMS, by: Rules = RULES) -> tuple[str, str]:
    """(reason, field)"""
    with pytest.raises(Rejected) as caught:
        admitted(event, under, by)
    return caught.value.reason, caught.value.field


def test_a_full_event_keeps_everything_in_normal_form() -> None:
    event = admitted(
        transaction(
            identifiers={"customer_no": " 42 ", "account_no": "6001 0000 0001 7", "phone": "138 0013 8001"},
            balance_after={"value": "-10", "currency": "CNY"},
            counterparty={"name": "Sunrise", "account_no": "70 01", "bank": "BJRB", "kind": "landlord"},
            actor={"customer_no": "43"},
            product="current",
            correlation_id="c-1",
        )
    )
    assert event == ChannelEvent(
        id="t-1",
        type="transaction.posted",
        source="core",
        channel="corebank",
        subject="account:6001000000017",
        occurred_at=1_795_311_000_000,
        accepted_at=NOW,
        identifiers={"customer_no": "42", "account_no": "6001000000017", "phone": "+8613800138001"},
        of_record=True,
        sequence=17,
        actor="party:43",
        amount=Money(120_050, "CNY"),
        direction="debit",
        balance_after=Money(-1_000, "CNY"),
        counterparty=Counterparty("Sunrise", "7001", "BJRB", "landlord"),
        product="current",
        correlation_id="c-1",
        attributes=b'{"purpose":"household_payment"}',
    )


@pytest.mark.parametrize("name", sorted(CATALOGUE))
def test_the_example_of_every_type_is_an_event(name: str) -> None:
    event = admitted(CATALOGUE[name].example, terms("*"))
    wanted = CATALOGUE[name].subject
    kind = next((kind for kind in wanted if kind in event.identifiers), None)
    expected = subject_key(kind, event.identifiers[kind], SECRET) if kind else "source:core"
    assert event.subject == expected


AMOUNTS = [
    ({"value": "NaN", "currency": "CNY"}, "amount.value"),
    ({"value": "1,200", "currency": "CNY"}, "amount.value"),
    ({"value": "1.123456789012", "currency": "CNY"}, "amount.value"),
    ({"value": "1e400", "currency": "CNY"}, "amount.value"),
    ({"value": "99999999999999999", "currency": "CNY"}, "amount.value"),
    ({"value": 10**40, "currency": "CNY"}, "amount.value"),
    ({"value": 12.5, "currency": "CNY"}, "amount.value"),
    ({"value": True, "currency": "CNY"}, "amount.value"),
    ({"value": "-5", "currency": "CNY"}, "amount.value"),
    ({"value": "5.5", "currency": "JPY"}, "amount.value"),
    ({"value": "5", "currency": "XQX"}, "amount.currency"),
    ({"value": "5", "currency": ""}, "amount.currency"),
]


@pytest.mark.parametrize(("amount", "field"), AMOUNTS, ids=lambda value: str(value))
def test_money_that_is_none_is_refused(amount: dict[str, Any], field: str) -> None:
    assert refusal(transaction(amount=amount)) == ("invalid_amount", field)


@pytest.mark.parametrize("number", [b"1e400", b"NaN", b"-Infinity", b"9" * 5_000])
def test_numbers_that_no_computer_holds_are_refused(number: bytes) -> None:
    body = encoded(transaction(amount={"value": "X", "currency": "CNY"})).replace(b'"X"', number)
    assert refusal(body)[0] in ("invalid_amount", "malformed")


def test_money_has_the_decimals_of_its_currency_and_may_leave_the_currency_to_the_source() -> None:
    assert admitted(transaction(amount={"value": "12", "currency": "JPY"})).amount == Money(12, "JPY")
    assert admitted(transaction(amount={"value": 12}), terms(currency="CZK")).amount == Money(1_200, "CZK")


MISTAKES: list[tuple[dict[str, Any], str, str]] = [
    ({"color": "red"}, "unknown_field", "color"),
    ({"counterparty": {"iban": "x"}}, "unknown_field", "counterparty.iban"),
    ({"identifiers": {"iban": "x"}}, "unknown_field", "identifiers.iban"),
    ({"attributes": {"mood": "x"}}, "unknown_field", "attributes.mood"),
    ({"type": None}, "missing_field", "type"),
    ({"type": "transaction.imagined"}, "unknown_type", "type"),
    ({"occurred_at": None}, "missing_field", "occurred_at"),
    ({"occurred_at": "yesterday"}, "invalid_time", "occurred_at"),
    ({"occurred_at": 1_795_311_000}, "invalid_time", "occurred_at"),
    ({"occurred_at": "2026-02-30T00:00:00Z"}, "invalid_time", "occurred_at"),
    ({"occurred_at": "2126-01-01T00:00:00Z"}, "in_the_future", "occurred_at"),
    ({"occurred_at": "1969-12-31T23:59:59Z"}, "invalid_time", "occurred_at"),
    ({"occurred_at": "0001-01-01T00:00:00+14:00"}, "invalid_time", "occurred_at"),
    ({"sequence": 2**63}, "invalid_field", "sequence"),
    ({"sequence": "17"}, "invalid_field", "sequence"),
    ({"sequence": 1.5}, "invalid_field", "sequence"),
    ({"id": ""}, "invalid_value", "id"),
    ({"id": "x" * 201}, "invalid_value", "id"),
    ({"id": "a\0b"}, "invalid_value", "id"),
    ({"id": "   "}, "invalid_value", "id"),
    ({"identifiers": {}}, "missing_field", "identifiers"),
    ({"identifiers": None}, "missing_field", "identifiers"),
    ({"identifiers": {"email": "a@b.cn"}}, "missing_field", "identifiers"),
    ({"identifiers": {"account_no": 17}}, "invalid_field", "identifiers.account_no"),
    ({"actor": {"customer_no": None}}, "invalid_field", "actor.customer_no"),
    ({"identifiers": {"account_no": ""}}, "invalid_identifier", "identifiers.account_no"),
    ({"identifiers": {"account_no": "1\x002"}}, "invalid_identifier", "identifiers.account_no"),
    ({"identifiers": {"account_no": "0000000"}}, "blocked_identifier", "identifiers.account_no"),
    ({"identifiers": {"account_no": "6001", "phone": "12"}}, "invalid_identifier", "identifiers.phone"),
    ({"amount": None}, "missing_field", "amount"),
    ({"amount": "12 CNY"}, "invalid_field", "amount"),
    ({"direction": None}, "missing_field", "direction"),
    ({"direction": "sideways"}, "invalid_value", "direction"),
    ({"type": "cash.deposited"}, "invalid_value", "direction"),
    ({"type": "login.succeeded", "identifiers": {"login": "zw"}, "attributes": {}}, "unexpected_field", "amount"),
    ({"counterparty": {"name": "a\0b"}}, "invalid_text", "counterparty.name"),
    ({"counterparty": {"name": "x" * 201}}, "too_long", "counterparty.name"),
    ({"actor": {"account_no": "1"}}, "invalid_value", "actor"),
    ({"actor": {"shoe_size": "44"}}, "unknown_field", "actor.shoe_size"),
    ({"actor": {"phone": "12"}}, "invalid_identifier", "actor.phone"),
    ({"attributes": {"purpose": "fun"}}, "invalid_value", "attributes.purpose"),
    ({"attributes": {"foreign": 1}}, "invalid_value", "attributes.foreign"),
    ({"attributes": {"value_date": "22.11.2026"}}, "invalid_value", "attributes.value_date"),
    ({"attributes": {"value_date": 5}}, "invalid_value", "attributes.value_date"),
    ({"attributes": {"value_date": "9999-12-31"}}, "invalid_value", "attributes.value_date"),
    ({"attributes": {"value_date": "0001-01-01"}}, "invalid_value", "attributes.value_date"),
    ({"attributes": {"exchange_rate": "7.1"}}, "invalid_value", "attributes.exchange_rate"),
    ({"attributes": {"exchange_rate": 10**20}}, "invalid_value", "attributes.exchange_rate"),
    ({"attributes": {"exchange_rate": int(VISA)}}, "invalid_value", "attributes.exchange_rate"),
    ({"attributes": {"exchange_rate": True}}, "invalid_value", "attributes.exchange_rate"),
    ({"attributes": {"fee": {"value": "x", "currency": "CNY"}}}, "invalid_amount", "attributes.fee.value"),
    ({"attributes": {"fee": {"value": 1.5, "currency": "CNY"}}}, "invalid_value", "attributes.fee"),
    ({"attributes": {"description": {"a": 1}}}, "invalid_value", "attributes.description"),
    ({"attributes": {"description": "a\0b"}}, "invalid_text", "attributes.description"),
    ({"attributes": [1]}, "invalid_field", "attributes"),
    ({"channel": "atm"}, "channel_not_allowed", "channel"),
    ({"channel": "*"}, "invalid_value", "channel"),
    ({"channel": "atmm"}, "invalid_value", "channel"),
]


@pytest.mark.parametrize(("change", "reason", "field"), MISTAKES, ids=lambda value: str(value)[:50])
def test_a_mistake_is_refused_by_name(change: dict[str, Any], reason: str, field: str) -> None:
    event = {name: value for name, value in {**transaction(), **change}.items() if value is not None}
    assert refusal(event) == (reason, field)


HINTS = [
    ({"identifers": {}}, "unknown field: did you mean identifiers?"),
    ({"counterparty": {"swift": "x"}}, "unknown field: known are name, account_no, bank, kind"),
    ({"identifiers": {"acount_no": "1"}}, "no such identifier kind: did you mean account_no?"),
    ({"attributes": {"purpos": "x"}}, "transaction.posted has no such attribute: did you mean purpose?"),
    ({"identifiers": {"account_no": 17}}, "text is expected"),
    ({"sequence": "17"}, "a whole number is expected"),
    ({"amount": "12 CNY"}, 'an object is expected, such as {"value": "1200.50", "currency": "CNY"}'),
    ({"counterparty": "ACME"}, "a JSON object is expected"),
    ({"type": "transaction.post"}, "the catalogue has no such event type: did you mean transaction.posted?"),
    ({"type": "locker.opened"}, "the catalogue has no such event type (GET /v1/event-types)"),
    ({"channel": "atm"}, "the key does not allow this channel, only corebank"),
]


@pytest.mark.parametrize(("change", "hint"), HINTS, ids=lambda value: str(value)[:50])
def test_a_refusal_says_what_to_send_instead(change: dict[str, Any], hint: str) -> None:
    with pytest.raises(Rejected) as caught:
        admitted(transaction(**change))
    assert caught.value.message == hint


def test_a_list_of_events_is_told_how_events_are_sent_together() -> None:
    with pytest.raises(Rejected, match="several are"):
        admitted([transaction(), transaction()])


UNUSABLE = [
    (b"NaN", "malformed", "attributes.exchange_rate"),
    (b"-Infinity", "malformed", "attributes.exchange_rate"),
    (b'"\\ud800"', "malformed", "attributes.exchange_rate"),
    (b'"\xe5\xb7\xa5\xe8\xb5\x84 \\udfff"', "malformed", "attributes.exchange_rate"),
    (b"1e400", "invalid_value", "attributes.exchange_rate"),
    (b"9" * 5_000, "invalid_value", "attributes.exchange_rate"),
]


@pytest.mark.parametrize(("value", "reason", "field"), UNUSABLE, ids=lambda value: str(value)[:20])
def test_what_no_computer_holds_is_refused_by_the_name_of_its_field(value: bytes, reason: str, field: str) -> None:
    body = encoded(transaction(attributes={"exchange_rate": "X"})).replace(b'"X"', value)
    assert refusal(body) == (reason, field)


@pytest.mark.parametrize("value", [value for value, _, _ in UNUSABLE], ids=lambda value: str(value)[:20])
def test_nor_does_it_hide_in_a_list_of_an_unknown_type(value: bytes) -> None:
    told = transaction(type="robot.danced", attributes={"steps": ["one", {"speed": "X"}, "three"]})
    body = encoded(told).replace(b'"X"', value)
    assert refusal(body, by=rules(accept_unknown_types=True))[1] == "attributes.steps.speed"


def test_text_of_any_script_is_taken_beside_what_is_dropped() -> None:
    told = transaction(attributes={"description": "\u5de5\u8d44, caf\u00e9 \ue000 \U0001f600"})
    assert admitted({**told, "pin_block": "8F4C"}) == admitted(told)


@pytest.mark.parametrize(("name", "number"), [("failure_count", int(VISA)), ("exchange_rate", 378282246310005)])
def test_a_card_number_that_is_told_as_a_number_is_refused(name: str, number: int) -> None:
    told = transaction() if name == "exchange_rate" else {
        "id": "1", "type": "login.failed", "occurred_at": "2026-11-22T09:30:00+08:00", "identifiers": {"login": "zw"},
    }  # fmt: skip
    assert refusal({**told, "attributes": {name: number}}) == ("card_number", f"attributes.{name}")
    assert msgspec.json.decode(admitted({**told, "attributes": {name: number + 1}}).attributes) == {name: number + 1}


@pytest.mark.parametrize(
    ("fee", "reason", "field"),
    [
        ("5", "invalid_value", "fee"), ({"value": "5"}, "invalid_value", "fee"),
        ({"value": "5", "currency": "CNY", "of": "us"}, "invalid_value", "fee"),
        ({"value": True, "currency": "CNY"}, "invalid_value", "fee"),
        ({"value": 5.5, "currency": "CNY"}, "invalid_value", "fee"),
        ({"value": "5,5", "currency": "CNY"}, "invalid_amount", "fee.value"),
        ({"value": "5", "currency": "XQX"}, "invalid_amount", "fee.currency"),
    ],
)  # fmt: skip
def test_money_beside_the_amount_is_told_by_value_and_currency_as_well(fee: object, reason: str, field: str) -> None:
    assert refusal(transaction(attributes={"fee": fee})) == (reason, f"attributes.{field}")
    for value in ("5", 5):
        told = admitted(transaction(attributes={"fee": {"value": value, "currency": "CNY"}}))
        assert told.attributes == b'{"fee":{"currency":"CNY","minor":500}}'


TWICE = [
    (b'"id": "t-1", "id": "t-2"', "id"),
    (b'"id": "t-1", "id" : "t-1"', "id"),
    (b'"id": "t-1", "\\u0069d": "t-2"', "id"),
    (b'"amount": {"value": "1", "value": "2", "currency": "CNY"}', "amount.value"),
    (b'"attributes": {"note": "a", "note": "b"}', "attributes.note"),
    (b'"pin": "1234", "id": "t-1", "id": "t-2"', "id"),
]


@pytest.mark.parametrize(("members", "field"), TWICE)
def test_a_key_that_stands_twice_is_refused_by_its_name(members: bytes, field: str) -> None:
    named = members.partition(b'"')[2].partition(b'"')[0].decode()
    rest = encoded({name: value for name, value in transaction().items() if name not in (named, "id")})
    assert refusal(b"{" + members + b"," + rest[1:]) == ("duplicate_field", field)


ONE_SIDED = [
    ("holder.added", {"account_no": "1"}, "identifiers.customer_no"),
    ("holder.removed", {"account_no": "1"}, "identifiers.customer_no"),
    ("holder.added", {"customer_no": "1"}, "identifiers.account_no"),
    ("account.opened", {"account_no": "1"}, "identifiers.customer_no"),
    ("card.issued", {"card_no": "card-1"}, "identifiers.customer_no"),
    ("household.joined", {"customer_no": "1"}, "identifiers.household_no"),
    ("phone.changed", {"customer_no": "1"}, "identifiers.phone"),
    ("device.bound", {"device_id": "1"}, "identifiers.login"),
]


@pytest.mark.parametrize(("name", "identifiers", "field"), ONE_SIDED, ids=lambda value: str(value))
def test_a_type_that_is_there_to_link_two_is_refused_where_one_is_missing(
    name: str, identifiers: dict[str, str], field: str
) -> None:
    event = {"id": "1", "type": name, "occurred_at": "2026-11-22T09:30:00+08:00", "identifiers": identifiers}
    assert refusal(event) == ("missing_field", field)


def test_of_several_that_a_link_may_lead_to_one_is_enough() -> None:
    event = {"type": "card.issued", "occurred_at": "2026-11-22T09:30:00+08:00"}
    assert admitted({**event, "identifiers": {"card_no": "card-1", "account_no": "1"}}).subject == "card:card-1"


@pytest.mark.parametrize("at", ["9999-12-31T23:59:59Z", "0001-01-01T00:00:00Z"])
def test_a_time_that_nothing_happened_at_is_refused(at: str) -> None:
    told = {"original_id": "t-0", "original_occurred_at": at}
    reversal = transaction(type="transaction.reversed", attributes=told)
    assert refusal(reversal) == ("invalid_value", "attributes.original_occurred_at")


def test_a_reversal_requires_the_id_of_what_it_reverses() -> None:
    reversal = transaction(type="transaction.reversed", attributes={})
    assert refusal(reversal) == ("missing_field", "attributes.original_id")


def reversal(direction: str, account_no: str = "6001000000017", **told: Any) -> dict[str, Any]:
    return transaction(
        type="transaction.reversed", direction=direction, identifiers={"account_no": account_no},
        attributes={"original_id": "t-0", **told},
    )  # fmt: skip


def test_a_reversal_with_the_direction_of_the_correcting_booking_is_refused_where_the_type_tells() -> None:
    assert admitted(reversal("debit", original_type="cash.withdrawn")).direction == "debit"
    assert refusal(reversal("credit", original_type="cash.withdrawn")) == ("invalid_value", "direction")
    assert refusal(reversal("debit", original_type="salary.credited")) == ("invalid_value", "direction")
    for direction in ("credit", "debit"):
        assert admitted(reversal(direction, original_type="transaction.posted")).direction == direction
        assert admitted(reversal(direction)).direction == direction


def test_an_instalment_that_was_not_paid_after_all_is_reversed_on_its_loan() -> None:
    told = {"original_id": "L-1", "original_type": "loan.instalment_paid", "extra": True}
    for direction in ("debit", "credit"):
        event = transaction(
            type="transaction.reversed", direction=direction, identifiers={"loan_no": "L-5314"}, attributes=told
        )
        assert admitted(event).subject == "loan:L-5314"


@pytest.mark.parametrize("kind", ["cash.withdrawal", "login.failed", "loan.granted", "transaction.reversed"])
def test_a_reversal_of_what_moves_no_money_is_refused(kind: str) -> None:
    assert refusal(reversal("debit", original_type=kind)) == ("invalid_value", "attributes.original_type")


def test_a_bank_with_types_of_its_own_may_reverse_them() -> None:
    own = rules(accept_unknown_types=True)
    assert admitted(reversal("debit", original_type="crypto.bought"), by=own).direction == "debit"
    assert refusal(reversal("debit", original_type="login.failed"), by=own)[1] == "attributes.original_type"


def test_a_reversal_cancels_no_more_than_its_original_was_of() -> None:
    for value in ("1200.50", "1300"):
        admitted(reversal("debit", original_amount={"value": value, "currency": "CNY"}))
    less, other = {"value": "1200.49", "currency": "CNY"}, {"value": "1200.50", "currency": "USD"}
    assert refusal(reversal("debit", original_amount=less)) == ("invalid_value", "attributes.original_amount.value")
    assert refusal(reversal("debit", original_amount=other)) == ("invalid_value", "attributes.original_amount.currency")


def test_a_reversal_is_on_the_account_of_its_original() -> None:
    assert admitted(reversal("debit", original_account_no="6001 0000 0001 7")).subject == "account:6001000000017"
    assert refusal(reversal("debit", original_account_no="6002")) == (
        "invalid_value",
        "attributes.original_account_no",
    )


@pytest.mark.parametrize("body", [b"17", b'"text"', b"null", b"[]", b"true"])
def test_what_is_no_object_is_no_event(body: bytes) -> None:
    assert refusal(body)[0] == "invalid_field"


@pytest.mark.parametrize("body", [b'{"id": "\xff"}', b'{"id": "\\ud800"}', b'{"id": "a\x00b"}', b"{", b'{"id": 1} 2'])
def test_what_is_no_json_is_malformed(body: bytes) -> None:
    assert refusal(body)[0] == "malformed"


@pytest.mark.parametrize(
    ("body", "said"), [(b'{"id": x}', "not valid JSON (at byte 7)"), (b'"\xff"', "not valid UTF-8")]
)
def test_what_is_malformed_is_refused_with_the_place_where_that_is_known(body: bytes, said: str) -> None:
    with pytest.raises(Rejected) as refused:
        admitted(body)
    assert refused.value.message == said


@pytest.mark.parametrize("name", ["", "Robot Danced!", "7.sins", "x" * 65, f"a.{VISA}"])
def test_a_type_that_the_bank_chose_to_accept_unknown_has_a_name(name: str) -> None:
    generic = rules(accept_unknown_types=True)
    assert refusal(transaction(type=name), by=generic)[1] == "type"
    assert admitted(transaction(type="robot.danced"), by=generic).type == "robot.danced"


def test_a_nul_hidden_in_an_unknown_type_is_refused() -> None:
    generic = rules(accept_unknown_types=True)
    assert refusal(transaction(type="a\0b"), by=generic)[0] == "invalid_text"
    assert refusal(transaction(type="a.b", attributes={"x": ["\0"]}), by=generic)[0] == "invalid_text"
    assert refusal(transaction(type="a.b", attributes={"x": "y" * 20_000}), by=generic)[0] == "too_long"


@pytest.mark.parametrize(
    ("of_source", "of_deployment", "most"), [(None, 300, 300), (None, 70_000, 70_000), (300, 400, 300), (400, 300, 400)]
)
def test_an_event_may_be_as_large_as_its_source_may_send_else_as_the_deployment_allows(
    of_source: int | None, of_deployment: int, most: int
) -> None:
    under, by = terms(max_event_bytes=of_source), rules(max_event_bytes=of_deployment)
    event = encoded(transaction())
    assert admitted(event.ljust(most), under, by).id == "t-1"
    assert refusal(event.ljust(most + 1), under, by)[0] == "event_too_large"


def test_a_day_ahead_is_skew_and_more_is_refused() -> None:
    assert admitted(transaction(occurred_at="2026-11-23T12:00:00+08:00")).occurred_at == NOW + 24 * HOUR
    with pytest.raises(Rejected, match="more than 24 hours in the future") as refused:
        admitted(transaction(occurred_at="2026-11-23T12:00:00.001+08:00"))
    assert refused.value.reason == "in_the_future"


def test_the_first_time_an_amount_of_nothing_and_the_longest_id_are_still_fine() -> None:
    assert admitted(transaction(occurred_at="1970-01-01T00:00:00Z")).occurred_at == 0
    assert admitted(transaction(amount={"value": "0", "currency": "CNY"})).amount == Money(0, "CNY")
    assert admitted(transaction(id="x" * 200)).id == "x" * 200


def test_old_events_are_welcome() -> None:
    assert admitted(transaction(occurred_at="1993-01-01T00:00:00Z")).occurred_at == 725_846_400_000


@pytest.mark.parametrize(
    ("zone", "hour_utc"), [("Asia/Shanghai", 1), ("Europe/Prague", 8), ("UTC", 9), ("America/New_York", 14)]
)
def test_a_time_without_offset_is_in_the_zone_of_the_source(zone: str, hour_utc: int) -> None:
    event = admitted(transaction(occurred_at="2026-11-22T09:00:00"), terms(time_zone=zone), now=NOW + 24 * HOUR)
    assert event.occurred_at == 1_795_305_600_000 + hour_utc * HOUR


def test_money_counts_only_from_the_source_of_record() -> None:
    assert admitted(transaction(), terms(of_record=("transaction.posted",))).of_record
    assert not admitted(transaction(), terms(of_record=("cash.withdrawn",))).of_record


def test_a_fixed_direction_is_filled_in() -> None:
    assert admitted(transaction(type="cash.deposited", direction=None)).direction == "credit"


def test_a_blocked_identifier_is_left_out_and_the_next_one_wins() -> None:
    event = admitted(transaction(identifiers={"account_no": "null", "customer_no": "42"}))
    assert (event.subject, event.identifiers) == ("party:42", {"customer_no": "42"})


def test_where_the_key_allows_several_channels_the_event_or_the_source_or_the_type_says_which() -> None:
    several = terms("atm", "mobile")
    assert admitted(transaction(channel="mobile"), several).channel == "mobile"
    assert admitted(transaction(type="cash.withdrawn"), several).channel == "atm"
    assert admitted(transaction(), terms("*", channel="online")).channel == "online"
    assert refusal(transaction(), several) == ("missing_field", "channel")
    moved = terms("atm", "mobile", channel="counter")
    assert admitted(transaction(type="cash.withdrawn"), moved).channel == "atm", "never one that the key does not allow"
    assert refusal(transaction(channel="atmm"), several) == ("invalid_value", "channel")


def test_attributes_come_in_one_form() -> None:
    event = admitted(
        transaction(
            type="transaction.reversed",
            attributes={
                "reason": None,
                "original_id": "t-0",
                "original_occurred_at": "2026-11-20T09:30:00+08:00",
                "original_amount": {"value": "1300.50", "currency": "CNY"},
            },
        )
    )
    assert msgspec.json.decode(event.attributes) == {
        "original_amount": {"currency": "CNY", "minor": 130050},
        "original_id": "t-0",
        "original_occurred_at": 1_795_138_200_000,
    }


@pytest.mark.parametrize("blank", ["", "  ", "\u3000", None])
@pytest.mark.parametrize("name", ["name", "gender", "birth_date", "income"])
def test_what_an_export_leaves_blank_is_not_told(name: str, blank: str | None) -> None:
    event = {
        "type": "customer.updated",
        "occurred_at": "2026-11-22T09:30:00+08:00",
        "identifiers": {"customer_no": "1"},
    }
    assert admitted({**event, "attributes": {name: blank, "city": "成都"}}).attributes == '{"city":"成都"}'.encode()


@pytest.mark.parametrize("word", ["null", "NULL", " None ", "n/a", "unknown", "未知"])
@pytest.mark.parametrize("name", ["name", "address", "occupation"])
def test_a_word_for_nothing_is_no_text_of_a_person(name: str, word: str) -> None:
    event = {
        "type": "customer.updated",
        "occurred_at": "2026-11-22T09:30:00+08:00",
        "identifiers": {"customer_no": "1"},
    }
    told = {name: word, "gender": "unknown", "nationality": "NA"}
    assert admitted({**event, "attributes": told}).attributes == b'{"gender":"unknown","nationality":"NA"}'
    changed = {**event, "type": "name.changed", "attributes": {"name": word}}
    assert refusal(changed) == ("missing_field", "attributes.name")
    page = {**event, "type": "page.viewed", "identifiers": {"login": "zw"}, "attributes": {"page": word}}
    assert msgspec.json.decode(admitted(page).attributes) == {"page": word}


@pytest.mark.parametrize("word", ["null", " ", "N/A"])
def test_a_counterparty_named_by_a_word_for_nothing_has_no_name(word: str) -> None:
    known = admitted(transaction(counterparty={"name": word, "account_no": "7001"})).counterparty
    assert known == Counterparty(account_no="7001")


@pytest.mark.parametrize(
    ("told", "field"),
    [
        ({"score": 11}, "score"), ({"score": -1}, "score"), ({"score": 5.5, "scale": 5}, "score"),
        ({"score": 0, "scale": 0}, "scale"),
    ],
)  # fmt: skip
def test_a_score_outside_its_scale_is_refused(told: dict[str, Any], field: str) -> None:
    event = {"type": "feedback.given", "occurred_at": "2026-11-22T09:30:00+08:00", "identifiers": {"customer_no": "1"}}
    assert refusal({**event, "attributes": told}) == ("invalid_value", f"attributes.{field}")
    for within in ({"score": 10}, {"score": 0, "scale": 1}, {"score": 100, "scale": 100}):
        assert admitted({**event, "attributes": within}).type == "feedback.given"


def test_a_required_attribute_is_not_told_by_a_blank() -> None:
    event = {"type": "page.viewed", "occurred_at": "2026-11-22T09:30:00+08:00", "identifiers": {"login": "zw"}}
    assert refusal({**event, "attributes": {"page": " "}}) == ("missing_field", "attributes.page")


@pytest.mark.parametrize(("told", "missing"), [("name", "value"), ("value", "name")])
def test_of_several_required_attributes_the_one_that_is_missing_is_named(told: str, missing: str) -> None:
    chosen = {"id": "1", "type": "preference.set", "occurred_at": "2026-11-22T09:30:00+08:00",
              "identifiers": {"customer_no": "42"}, "attributes": {told: "language"}}  # fmt: skip
    assert refusal(chosen) == ("missing_field", f"attributes.{missing}")


@pytest.mark.parametrize("count", [-1, 2**53 + 1, True, "5"])
def test_what_is_counted_is_never_below_nothing(count: object) -> None:
    event = {"type": "login.failed", "occurred_at": "2026-11-22T09:30:00+08:00", "identifiers": {"login": "zw"}}
    assert refusal({**event, "attributes": {"failure_count": count}}) == ("invalid_value", "attributes.failure_count")


def test_a_card_becomes_a_token_with_its_last_four_digits() -> None:
    for written in (VISA, "4111 1111 1111 1111", "4111-1111-1111-1111"):
        event = admitted(transaction(identifiers={"card_no": written}))
        assert event.identifiers == {"card_no": card_token(VISA, KEY)}
        assert event.subject == f"card:{card_token(VISA, KEY)}"
        assert msgspec.json.decode(event.attributes)["card_last4"] == "1111"
        event = admitted(transaction(identifiers={"card_no": written, "account_no": "1"}))
        assert msgspec.json.decode(event.attributes)["card_last4"] == "1111"


def test_an_actor_that_stands_for_nobody_is_left_out_and_one_of_no_kind_that_acts_is_refused() -> None:
    assert admitted(transaction(actor={"customer_no": "000"})).actor is None
    assert refusal(transaction(actor={"account_no": "1"})) == ("invalid_value", "actor")


def test_a_token_and_a_sources_own_card_id_stay() -> None:
    token = card_token(VISA, KEY)
    for written in (token, "card-7K2M9Q", "1234"):
        assert admitted(transaction(identifiers={"card_no": written})).identifiers == {"card_no": written}


@pytest.mark.parametrize("text", ["{}", "tx-{}-1"])
def test_an_id_with_the_digits_of_a_card_number_is_taken_and_its_repeat_has_the_same(text: str) -> None:
    taken, repeat, other = (admitted(transaction(id=text.format(one))).id for one in (VISA, VISA, UNIONPAY))
    assert card_token(VISA, KEY) in taken
    assert (taken == repeat, taken == other) == (True, False)


def test_a_card_number_in_place_of_an_account_number_becomes_a_token() -> None:
    assert admitted(transaction(identifiers={"account_no": UNIONPAY})).subject == f"account:{card_token(UNIONPAY, KEY)}"


def test_an_account_of_a_counterparty_is_one_however_its_digits_are_grouped() -> None:
    printed, plain = "DE38 2480 3653 5716 2737 53", "DE38248036535716273753"
    told = [admitted(transaction(counterparty={"account_no": one})).counterparty for one in (printed, plain)]
    assert told == [Counterparty(account_no=plain)] * 2


def test_national_ids_are_never_in_clear() -> None:
    registered = {
        "type": "customer.registered",
        "occurred_at": "2026-11-22T09:30:00+08:00",
        "identifiers": {"customer_no": "42", "national_id": "11010519491231002x"},
    }
    event = admitted({**registered, "id": "r-1"})
    assert event.identifiers["national_id"] == national_id_token("11010519491231002X", KEY)
    note = admitted(transaction(attributes={"description": "ID 11010519491231002X, thanks"}))
    assert b"1101051949" not in note.attributes


def test_pins_codes_and_track_data_are_dropped_at_the_door() -> None:
    event = admitted(
        {
            **transaction(
                identifiers={"card_no": "card-1", "cvc": "123"}, counterparty={"name": "Sunrise", "PIN": "1"}
            ),
            "pin_block": "8F4C",
            "Track-2": f";{VISA}=25121011000012300000?",
            "attributes": {"CVV2": "123", "purpose": "card", "description": f"swipe ;{VISA}=25121011000012300000?"},
        }
    )
    assert event.attributes == b'{"description":"swipe [track data dropped]","purpose":"card"}'
    assert (event.identifiers, event.counterparty) == ({"card_no": "card-1"}, Counterparty("Sunrise"))


def test_the_same_content_without_an_id_gets_the_same_id() -> None:
    one = admitted(transaction(id=None))
    again = admitted(dict(reversed(transaction(id=None).items())), now=NOW + 5)
    other = admitted(transaction(id=None, sequence=18))
    assert one.id == again.id != other.id
    assert admitted(transaction(id=None), terms(id="other")).id != one.id


LEAVES = st.none() | st.booleans() | st.integers() | st.text()
JSON = st.recursive(LEAVES, lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner), max_leaves=8)
FIELDS = sorted({*transaction(), "counterparty", "actor", "channel", "balance_after", "product"})


@given(JSON, st.sampled_from(FIELDS))
def test_whatever_stands_in_a_field_is_an_event_or_refused(value: Any, field: str) -> None:
    with suppress(Rejected):
        assert admitted({**transaction(), field: value}).subject


@given(st.binary(max_size=200))
def test_whatever_bytes_come_they_are_an_event_or_refused(body: bytes) -> None:
    with pytest.raises(Rejected):
        admitted(body)


TEXT_FIELDS = (
    "id",
    "product",
    "correlation_id",
    "counterparty.name",
    "attributes.description",
    "identifiers.account_no",
)


AROUND = st.text(alphabet="ab :,;/\n", max_size=12)


@given(AROUND, AROUND, st.sampled_from(TEXT_FIELDS), st.sampled_from(["", " ", "-"]))
def test_no_card_number_survives_admission(before: str, after: str, field: str, separator: str) -> None:
    card = separator.join((VISA[:4], VISA[4:8], VISA[8:12], VISA[12:]))
    holder, _, name = field.partition(".")
    text = f"{before}{card}{after}"
    change = {holder: {name: text}} if name else {field: text}
    try:
        outcome = repr(admitted({**transaction(), **change}))
    except Rejected as rejected:
        outcome = f"{rejected.field} {rejected.message}"
    assert VISA not in outcome.replace(" ", "").replace("-", "")
