"""The rules of `schemas/README.md`: what was written once is read for ever, and old readers read new writers."""

import json
from collections.abc import Iterator, Mapping
from io import BytesIO
from typing import Any

import pytest
from avro.compatibility import ReaderWriterCompatibilityChecker, SchemaCompatibilityType
from avro.schema import parse
from fastavro import schemaless_reader, schemaless_writer

from schemas import registry as shelf
from schemas.alerts import Outcome
from schemas.codec import decode_alert, decode_change, decode_dead_letter, decode_event, encode_event
from schemas.dead_letters import Place
from schemas.events import Counterparty, Money
from schemas.registry import Registry, Version, registry, version_of

SHIPPED = {
    ("channel_event", 1): "2f6d639be0337fc5",
    ("profile_change", 1): "df097bf10c70f878",
    ("profile_change", 2): "88c6958eb4e61664",
    ("alert", 1): "7c7ff9a95406ea68",
    ("dead_letter", 1): "39a69afac270271f",
}
"""Fingerprints of every version that has left the house, as they stand in the records: none may ever change."""

EVENT_V1 = bytes.fromhex(
    "c3012f6d639be0337fc5246265726b612d7472616e732d363935323437247472616e73616374696f6e2e706f737465641063"
    "6f726562616e6b10636f726562616e6b2a6163636f756e743a3630303130303030303030313780f8b2e5bd68e8ffb2e5bd68"
    "012200e4d30e06434e590a64656269749cb56b06434e5900006e7b226163636f756e745f6e6f223a22363030313030303030"
    "30303137222c22637573746f6d65725f6e6f223a223130303030303137227d8c017b226e616d65223a2253756e7269736520"
    "50726f7065727479222c226163636f756e745f6e6f223a2237303031303030303030303432222c2262616e6b223a22424a52"
    "42227d3e7b22707572706f7365223a22686f757365686f6c645f7061796d656e74227d02"
)
CHANGE_V1 = bytes.fromhex(
    "c301df097bf10c70f87806635f310c706572736f6ee8ffb2e5bd68507b2262616c616e6365223a313230302e352c22636f6d"
    "706c61696e745f6f70656e223a747275657d2e5b2273616c6172795f646179735f6f766572647565225d145b227765616c74"
    "68225d145b226d6f62696c65225de0015b7b226d6f6d656e745f6964223a226d5f31222c226b696e64223a226c617267655f"
    "6f7574666c6f77222c226f636375727265645f6174223a313739353030303030303030302c226576656e745f6964223a2265"
    "5f31222c2276616c756573223a7b227368617265223a302e347d7d5d8a015b7b226174223a31373935303836343030303030"
    "2c226b696e64223a2273616c6172795f6f766572647565222c22736f7572636573223a5b22636f726562616e6b225d7d5d0e"
    "5b22635f30225d0e5b22635f30225d0e"
)
ALERT_V1 = bytes.fromhex(
    "c3017c7ff9a95406ea6806615f3106635f3112726574656e74696f6e0e6c656176696e67041a4c61726765206f7574666c6f"
    "7718e5a4a7e9a29de8bdace587ba3034302025206f66207468652062616c616e6365206c65667424e4bd99e9a29de79a8434"
    "3025e8bdace587ba0c636c6f736564e8ffb2e5bd680a4d2d31303480e8e5b7be680241064d65690094017b22726573756c74"
    "223a227361766564222c22726561736f6e223a22222c2270726f64756374223a22222c22616d6f756e745f6d696e6f72223a"
    "302c2263757272656e6379223a22227d1443616c6c20746f64617918e4bb8ae5a4a9e887b4e794b5325b7b226964223a2252"
    "31222c2276657273696f6e223a317d5d8e025b7b2272756c655f6964223a225231222c226f636375727265645f6174223a31"
    "3739353030303030303030302c226576656e745f6964223a22655f31222c2274657874223a7b22656e223a22646562697422"
    "2c227a68223a22e8bdace587ba227d2c2276616c756573223a7b227368617265223a302e347d2c22656e6465645f6174223a"
    "307d5d9e015b7b226174223a313739353030303030303530302c226163746f72223a2273797374656d222c22616374696f6e"
    "223a226f70656e222c227374617465223a226e6577222c226e6f7465223a22227d5d04"
)
DEAD_LETTER_V1 = bytes.fromhex(
    "c30139a69afac270271f06645f310c75706461746510636f726562616e6b0e636f7272757074004474686520627974657320"
    "646f206e6f7420666f6c6c6f772074686520736368656d61047b7d103434313336666133001c6368616e6e656c2d6576656e"
    "747306c601e8ffb2e5bd6804"
)


def versions() -> Iterator[Version]:
    return iter(registry().by_header.values())


def reads(reader: Mapping[str, Any], writer: Mapping[str, Any]) -> bool:
    checker = ReaderWriterCompatibilityChecker()  # type: ignore[no-untyped-call] # the avro package leaves it untyped
    result = checker.get_compatibility(parse(json.dumps(reader)), parse(json.dumps(writer)))
    return result.compatibility is SchemaCompatibilityType.compatible


def with_field(version: Version, **field: Any) -> dict[str, Any]:
    return {**version.source, "fields": [field, *version.source["fields"]]}


def without_field(version: Version, *names: str) -> dict[str, Any]:
    return {**version.source, "fields": [field for field in version.source["fields"] if field["name"] not in names]}


def test_a_shipped_version_never_changes() -> None:
    assert {(version.record, version.number): version.header[2:].hex() for version in versions()} == SHIPPED


def test_every_version_reads_every_other_of_its_record() -> None:
    pairs = [(a, b) for a in versions() for b in versions() if a.record == b.record]
    assert [(a.record, a.number, b.number) for a, b in pairs if not reads(a.source, b.source)] == []


@pytest.mark.parametrize("record", ["channel_event", "profile_change", "alert", "dead_letter"])
def test_a_record_ends_with_an_integer_without_which_a_cut_would_go_unnoticed(record: str) -> None:
    assert all(v.source["fields"][-1]["type"] in ("int", "long") for v in versions() if v.record == record)


def test_a_field_with_a_default_may_be_added_and_removed() -> None:
    current = registry().current["channel_event"]
    added = with_field(current, name="region", type="string", default="")
    removed = without_field(current, "product")
    assert reads(added, current.source)
    assert reads(current.source, added)
    assert reads(removed, current.source)
    assert reads(current.source, removed)


def test_a_field_without_a_default_may_be_neither_added_nor_removed() -> None:
    current = registry().current["channel_event"]
    assert not reads(with_field(current, name="region", type="string"), current.source)
    assert not reads(current.source, without_field(current, "subject"))


def test_an_event_of_an_older_version_is_read_with_the_defaults_of_the_new(monkeypatch: pytest.MonkeyPatch) -> None:
    old = registry().current["channel_event"]
    newer = version_of("channel_event", 2, with_field(old, name="region", type="string", default=""))
    monkeypatch.setattr(
        "schemas.codec.registry",
        lambda: Registry({old.header: old, newer.header: newer}, {**registry().current, "channel_event": newer}),
    )
    assert decode_event(EVENT_V1).id == "berka-trans-695247"


def test_what_an_older_version_lacked_is_read_as_its_default(monkeypatch: pytest.MonkeyPatch) -> None:
    current = registry().current["channel_event"]
    lacking = version_of("channel_event", 0, without_field(current, "attributes", "counterparty"))
    monkeypatch.setattr(
        "schemas.codec.registry", lambda: Registry({lacking.header: lacking}, {"channel_event": current})
    )
    out = BytesIO()
    schemaless_writer(out, lacking.parsed, stored(current, EVENT_V1))
    event = decode_event(lacking.header + out.getvalue())
    assert (event.attributes, event.counterparty) == (b"{}", None)


def test_an_event_of_a_newer_version_is_read_by_an_older_reader_that_knows_its_schema() -> None:
    old = registry().current["channel_event"]
    newer = version_of("channel_event", 2, with_field(old, name="region", type="string", default=""))
    out = BytesIO()
    schemaless_writer(out, newer.parsed, {**stored(old, EVENT_V1), "region": "north"})
    read = schemaless_reader(BytesIO(out.getvalue()), newer.parsed, old.parsed)
    assert read == stored(old, EVENT_V1)


def stored(version: Version, data: bytes) -> Any:
    return schemaless_reader(BytesIO(data[shelf.HEADER_LENGTH :]), version.parsed, None)


def test_an_event_written_by_version_1_is_still_read() -> None:
    event = decode_event(EVENT_V1)
    assert (event.id, event.type, event.subject) == (
        "berka-trans-695247",
        "transaction.posted",
        "account:6001000000017",
    )
    assert (event.amount, event.direction, event.sequence) == (Money(120050, "CNY"), "debit", 17)
    assert event.counterparty == Counterparty("Sunrise Property", "7001000000042", "BJRB")
    assert event.identifiers == {"account_no": "6001000000017", "customer_no": "10000017"}
    assert event.actor is None


def test_a_profile_change_written_by_version_1_is_still_read() -> None:
    change = decode_change(CHANGE_V1)
    assert (change.customer_id, change.version, change.facts) == ("c_1", 7, {"balance": 1200.5, "complaint_open": True})
    assert [moment.kind for moment in change.moments] == ["large_outflow"]
    assert (change.unheard, change.aliases, change.merged) == (["mobile"], ["c_0"], ["c_0"])
    assert ([due.sources for due in change.due], change.erased_at) == ([["corebank"]], 0)


def test_an_alert_written_by_version_1_is_still_read() -> None:
    alert = decode_alert(ALERT_V1)
    assert (alert.alert_id, alert.situation, alert.rules[0].id) == ("a_1", "leaving", "R1")
    assert (alert.title.en, alert.evidence[0].text.en) == ("Large outflow", "debit")
    assert alert.outcome == Outcome(result="saved")


def test_a_dead_letter_written_by_version_1_is_still_read() -> None:
    letter = decode_dead_letter(DEAD_LETTER_V1)
    assert (letter.id, letter.place, letter.body) == ("d_1", Place("channel-events", 3, 99), b"{}")


def test_what_is_written_today_is_of_the_newest_version() -> None:
    newest = max(v.number for v in versions() if v.record == "channel_event")
    assert registry().by_header[encode_event(decode_event(EVENT_V1))[:10]].number == newest
