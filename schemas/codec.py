"""Structs to bytes and back: Avro single-object encoding that reads every version ever written.

The channel event is encoded field by field, without a generic mapping: it is the hot path of every service.
"""

from collections.abc import Mapping
from io import BytesIO
from math import isfinite
from typing import Any

import msgspec
from fastavro import schemaless_reader, schemaless_writer

from schemas.alerts import Alert, Evidence, Outcome, RuleReference, Step, Text
from schemas.avro_binary import written_bytes, written_flag, written_long, written_text
from schemas.changes import Due, Fact, Moment, ProfileChange
from schemas.dead_letters import DeadLetter, Place
from schemas.events import ChannelEvent, Counterparty, Money
from schemas.registry import HEADER_LENGTH, MARKER, RecordName, registry

NOTHING_WRITTEN: Mapping[str, bytes] = {}
_HAS_SEQUENCE = 1
_CHANGE_LISTS = ("facts", "missing", "not_covered", "unheard", "moments", "due", "aliases", "merged")
_json = msgspec.json.encode
_identifiers = msgspec.json.Decoder(dict[str, str]).decode
_counterparty = msgspec.json.Decoder(Counterparty).decode
_facts = msgspec.json.Decoder(dict[str, Fact]).decode
_names = msgspec.json.Decoder(list[str]).decode
_moments = msgspec.json.Decoder(list[Moment]).decode
_dues = msgspec.json.Decoder(list[Due]).decode
_rules = msgspec.json.Decoder(list[RuleReference]).decode
_evidence = msgspec.json.Decoder(list[Evidence]).decode
_steps = msgspec.json.Decoder(list[Step]).decode
_outcome = msgspec.json.Decoder(Outcome | None).decode
_ALERT_TEXTS = ("title", "reason", "suggested")
_ALERT_JSON = {"rules": _rules, "evidence": _evidence, "history": _steps, "outcome": _outcome}


class CodecError(ValueError):
    """Bytes that are no record of ours, and never will be. The message repeats nothing of them.

    `reason` is not_avro, unknown_schema, wrong_record or corrupt.
    """

    def __init__(self, reason: str, message: str) -> None:
        super().__init__(message)
        self.reason, self.message = reason, message


def encode_event(event: ChannelEvent) -> bytes:
    """In the order of the schema's fields."""
    amount, balance, counterparty = event.amount, event.balance_after, event.counterparty
    return b"".join((
        registry().current["channel_event"].header,
        written_text(event.id),
        written_text(event.type),
        written_text(event.source),
        written_text(event.channel),
        written_text(event.subject),
        written_long(event.occurred_at),
        written_long(event.accepted_at),
        written_flag(event.of_record),
        written_long(event.sequence or 0),
        written_text(event.actor or ""),
        written_long(amount.minor if amount else 0),
        written_text(amount.currency if amount else ""),
        written_text(event.direction or ""),
        written_long(balance.minor if balance else 0),
        written_text(balance.currency if balance else ""),
        written_text(event.product or ""),
        written_text(event.correlation_id or ""),
        written_bytes(_json(event.identifiers)),
        written_bytes(_json(counterparty) if counterparty else b""),
        written_bytes(event.attributes),
        written_long(0 if event.sequence is None else _HAS_SEQUENCE),
    ))  # fmt: skip


def decode_event(data: bytes) -> ChannelEvent:
    """Raises CodecError."""
    record = _read("channel_event", data)
    try:
        return ChannelEvent(
            id=record["id"],
            type=record["type"],
            source=record["source"],
            channel=record["channel"],
            subject=record["subject"],
            occurred_at=record["occurred_at"],
            accepted_at=record["accepted_at"],
            identifiers=_identifiers(record["identifiers"]),
            of_record=record["of_record"],
            sequence=record["sequence"] if record["flags"] & _HAS_SEQUENCE else None,
            actor=record["actor"] or None,
            amount=Money(record["amount_minor"], record["amount_currency"]) if record["amount_currency"] else None,
            direction=record["direction"] or None,
            balance_after=(
                Money(record["balance_minor"], record["balance_currency"]) if record["balance_currency"] else None
            ),
            counterparty=_counterparty(record["counterparty"]) if record["counterparty"] else None,
            product=record["product"] or None,
            correlation_id=record["correlation_id"] or None,
            attributes=record["attributes"],
        )
    except msgspec.MsgspecError as error:
        raise _corrupt() from error


def encode_change(change: ProfileChange, written: Mapping[str, bytes] = NOTHING_WRITTEN) -> bytes:
    """`written`: fields that the caller has as JSON already. Raises ValueError when a fact is not finite: JSON has no
    word for it."""
    record = _flat(change, _CHANGE_LISTS, written)
    # what is not finite was written as null; a string that looks like it costs no more than a second look
    if b":null" in record["facts"] or b":null" in record["moments"]:
        for values in (change.facts, *(moment.values for moment in change.moments)):
            _require_finite(values)
    return _write("profile_change", record)


def decode_change(data: bytes) -> ProfileChange:
    """Raises CodecError."""
    record = _read("profile_change", data)
    readers = {"facts": _facts, "moments": _moments, "due": _dues}
    named = dict.fromkeys(("missing", "not_covered", "unheard", "aliases", "merged"), _names)
    return ProfileChange(**_unfolded(record, readers | named))


def encode_alert(alert: Alert) -> bytes:
    """Raises ValueError when a value of the evidence is not finite."""
    for evidence in alert.evidence:
        _require_finite(evidence.values)
    record = _flat(alert, tuple(_ALERT_JSON))
    return _write("alert", record | {name: msgspec.structs.asdict(record[name]) for name in _ALERT_TEXTS})


def decode_alert(data: bytes) -> Alert:
    """Raises CodecError."""
    record = _unfolded(_read("alert", data), _ALERT_JSON)
    return Alert(**record | {name: Text(**record[name]) for name in _ALERT_TEXTS})


def encode_dead_letter(letter: DeadLetter) -> bytes:
    place = letter.place or Place("", 0, 0)
    return _write("dead_letter", {**msgspec.structs.asdict(letter), **msgspec.structs.asdict(place)})


def decode_dead_letter(data: bytes) -> DeadLetter:
    """Raises CodecError."""
    record = _read("dead_letter", data)
    place = Place(record.pop("topic"), record.pop("partition"), record.pop("offset"))
    return DeadLetter(**record, place=place if place.topic else None)


def _write(name: RecordName, record: dict[str, Any]) -> bytes:
    version = registry().current[name]
    out = BytesIO()
    out.write(version.header)
    schemaless_writer(out, version.parsed, record)
    return out.getvalue()


def _read(name: RecordName, data: bytes) -> dict[str, Any]:
    known = registry()
    writer, reader = known.by_header.get(data[:HEADER_LENGTH]), known.current[name]
    if writer is None:
        if not data.startswith(MARKER):
            raise CodecError("not_avro", "not in Avro single-object encoding: the marker C3 01 is missing")
        if len(data) < HEADER_LENGTH:
            raise CodecError("not_avro", "cut off within the fingerprint of its schema")
        raise CodecError("unknown_schema", f"written with a schema unknown here: {data[2:HEADER_LENGTH].hex()}")
    if writer.record != name:
        raise CodecError("wrong_record", f"a {writer.record} stands where a {name} belongs")
    source = BytesIO(data)
    source.seek(HEADER_LENGTH)
    try:
        record = schemaless_reader(source, writer.parsed, None if writer is reader else reader.parsed)
    except (EOFError, ValueError, IndexError, OverflowError, TypeError) as error:
        raise _corrupt() from error
    if source.tell() != len(data) or not isinstance(record, dict):
        raise _corrupt()
    return record


def _corrupt() -> CodecError:
    return CodecError("corrupt", "the bytes do not follow the schema that they name")


def _flat(
    struct: msgspec.Struct, lists: tuple[str, ...], written: Mapping[str, bytes] = NOTHING_WRITTEN
) -> dict[str, Any]:
    record = msgspec.structs.asdict(struct)
    for name in lists:
        record[name] = written.get(name) or _json(record[name])
    return record


def _unfolded(record: dict[str, Any], readers: dict[str, Any]) -> dict[str, Any]:
    try:
        for name, read in readers.items():
            record[name] = read(record[name])
    except msgspec.MsgspecError as error:
        raise _corrupt() from error
    return record


def _require_finite(values: dict[str, Fact]) -> None:
    for name, value in values.items():
        if value.__class__ is float and not isfinite(value):
            raise ValueError(f"the value of {name} is not a finite number")
