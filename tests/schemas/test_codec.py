"""Records survive the wire whole; whatever is not whole is refused."""

import json
from collections.abc import Callable
from contextlib import suppress
from io import BytesIO
from typing import Any

import msgspec
import pytest
from avro.io import BinaryDecoder, BinaryEncoder, DatumReader, DatumWriter
from avro.schema import parse
from fastavro.schema import fingerprint
from hypothesis import given
from hypothesis import strategies as st

from schemas.alerts import Evidence
from schemas.avro_binary import written_bytes, written_long
from schemas.changes import Moment, ProfileChange
from schemas.codec import (
    CodecError,
    decode_alert,
    decode_change,
    decode_dead_letter,
    decode_event,
    encode_alert,
    encode_change,
    encode_dead_letter,
    encode_event,
)
from schemas.events import ChannelEvent
from schemas.registry import HEADER_LENGTH, registry
from tests.schemas import strategies

EVENT = ChannelEvent(
    id="e-1",
    type="page.viewed",
    source="app",
    channel="mobile",
    subject="login:lina88",
    occurred_at=1_795_000_000_000,
    accepted_at=1_795_000_000_500,
    identifiers={"login": "lina88"},
)
CHANGE = ProfileChange(customer_id="c1", version=3, kind="person", changed_at=1, facts={"balance": 1.0}, erased_at=9)

Decode = Callable[[bytes], msgspec.Struct]
DECODERS: dict[str, Decode] = {
    "channel_event": decode_event,
    "profile_change": decode_change,
    "alert": decode_alert,
    "dead_letter": decode_dead_letter,
}


@given(strategies.events)
def test_an_event_comes_back_as_it_went(event: ChannelEvent) -> None:
    assert decode_event(encode_event(event)) == event


@given(strategies.changes)
def test_a_profile_change_comes_back_as_it_went(change: ProfileChange) -> None:
    assert decode_change(encode_change(change)) == change


@given(strategies.alerts)
def test_an_alert_comes_back_as_it_went(alert: Any) -> None:
    assert decode_alert(encode_alert(alert)) == alert


@given(strategies.dead_letters)
def test_a_dead_letter_comes_back_as_it_went(letter: Any) -> None:
    assert decode_dead_letter(encode_dead_letter(letter)) == letter


@given(strategies.events, st.data())
def test_a_record_cut_off_anywhere_is_refused(event: ChannelEvent, data: st.DataObject) -> None:
    encoded = encode_event(event)
    cut = data.draw(st.integers(0, len(encoded) - 1))
    with pytest.raises(CodecError):
        decode_event(encoded[:cut])


@given(strategies.changes, st.data())
def test_a_profile_change_cut_off_anywhere_is_refused(change: ProfileChange, data: st.DataObject) -> None:
    encoded = encode_change(change)
    with pytest.raises(CodecError):
        decode_change(encoded[: data.draw(st.integers(0, len(encoded) - 1))])


@pytest.mark.parametrize("record", DECODERS)
@given(rest=st.binary(max_size=200))
def test_noise_behind_a_good_header_is_read_or_refused_but_never_crashes(record: str, rest: bytes) -> None:
    with suppress(CodecError):
        DECODERS[record](registry().current[record].header + rest)


@given(st.integers(min_value=2**63) | st.integers(max_value=-(2**63) - 1))
def test_a_number_that_no_avro_long_holds_is_not_written(number: int) -> None:
    with pytest.raises(OverflowError):
        encode_event(msgspec.structs.replace(EVENT, sequence=number))


def test_bytes_after_the_record_are_refused() -> None:
    with pytest.raises(CodecError, match="do not follow") as caught:
        decode_event(encode_event(EVENT) + b"\0")
    assert caught.value.reason == "corrupt"


def test_bytes_without_the_marker_are_refused() -> None:
    with pytest.raises(CodecError) as caught:
        decode_event(b'{"id": "e-1"}')
    assert caught.value.reason == "not_avro"


def test_an_unknown_schema_is_named_by_its_fingerprint() -> None:
    with pytest.raises(CodecError, match="0102030405060708") as caught:
        decode_event(bytes.fromhex("c3010102030405060708") + b"\0" * 30)
    assert caught.value.reason == "unknown_schema"


@pytest.mark.parametrize("length", range(2, 10))
def test_bytes_cut_off_within_the_fingerprint_are_told_so(length: int) -> None:
    with pytest.raises(CodecError, match="cut off within the fingerprint") as caught:
        decode_event(bytes.fromhex("c3010102030405060708")[:length])
    assert caught.value.reason == "not_avro"


def test_a_record_of_another_topic_is_refused() -> None:
    with pytest.raises(CodecError, match="a profile_change stands where a channel_event belongs") as caught:
        decode_event(encode_change(CHANGE))
    assert caught.value.reason == "wrong_record"


def test_an_error_repeats_nothing_of_the_record() -> None:
    broken = encode_event(EVENT).replace(b'{"login"', b'["login"')
    with pytest.raises(CodecError) as caught:
        decode_event(broken)
    assert "lina88" not in str(caught.value)


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_a_fact_that_json_cannot_hold_is_refused_before_it_is_written(value: float) -> None:
    with pytest.raises(ValueError, match="balance"):
        encode_change(msgspec.structs.replace(CHANGE, facts={"balance": value}))
    moment = Moment(moment_id="m", kind="large_outflow", occurred_at=1, event_id="e", values={"share": value})
    with pytest.raises(ValueError, match="share"):
        encode_change(msgspec.structs.replace(CHANGE, moments=[moment]))


@given(strategies.alerts, st.sampled_from([float("nan"), float("-inf")]))
def test_an_alert_whose_evidence_json_cannot_hold_is_refused_as_well(alert: Any, value: float) -> None:
    evidence = [*alert.evidence, Evidence(rule_id="R1", occurred_at=1, values={"share": value})]
    with pytest.raises(ValueError, match="share"):
        encode_alert(msgspec.structs.replace(alert, evidence=evidence))


def test_a_whole_number_among_the_facts_is_a_double() -> None:
    fact = decode_change(encode_change(msgspec.structs.replace(CHANGE, facts={"contacts_7d": 3.0}))).facts[
        "contacts_7d"
    ]
    assert isinstance(fact, float)


def test_the_fingerprint_is_the_one_of_the_avro_specification() -> None:
    # CRC-64-AVRO of "null" in canonical form is 0x63dd24e7cc258f8a; the encoding wants it least significant first
    assert bytes.fromhex(fingerprint('"null"', "CRC-64-AVRO")) == (0x63DD24E7CC258F8A).to_bytes(8, "little")
    assert encode_event(EVENT)[:2] == b"\xc3\x01"


def test_the_reference_implementation_reads_what_is_written() -> None:
    schema = parse(json.dumps(registry().current["channel_event"].source))
    record: Any = DatumReader(schema).read(BinaryDecoder(BytesIO(encode_event(EVENT)[HEADER_LENGTH:])))
    assert record["subject"] == "login:lina88"
    assert record["occurred_at"] == EVENT.occurred_at
    assert json.loads(record["identifiers"]) == {"login": "lina88"}


@pytest.mark.parametrize("bits", [0, 6, 7, 13, 14, 20, 31, 62, 63])
def test_numbers_and_texts_are_written_as_the_reference_implementation_writes_them_wherever_a_byte_more_begins(
    bits: int,
) -> None:
    for number in range(2**bits - 2, 2**bits + 2):
        for one in (number, -number):
            if one in range(-(2**63), 2**63):
                assert written_long(one) == _by_the_reference("long", one)
    if bits < 15:
        for length in range(2**bits - 1, 2**bits + 2):
            assert written_bytes(b"x" * length) == _by_the_reference("bytes", b"x" * length)


def _by_the_reference(type_: str, value: object) -> bytes:
    written = BytesIO()
    DatumWriter(parse(json.dumps(type_))).write(value, BinaryEncoder(written))
    return written.getvalue()
