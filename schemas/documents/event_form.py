"""JSON Schema (2020-12, as OpenAPI 3.1 wants it) of an event in the form that channels send."""

from collections.abc import Mapping
from typing import Any

import msgspec

from schemas.catalogue import CHANNELS, Attribute, EventType
from schemas.identifiers import KINDS, MAX_LENGTH
from schemas.money import EXPONENTS

Schema = dict[str, Any]

_PERSONAL = "Personal: stored apart, never logged."
FORMS: dict[str, Schema] = {
    "integer": {"type": "integer", "minimum": 0, "maximum": 2**53},
    "number": {"type": "number"},
    "boolean": {"type": "boolean"},
    "date": {"type": "string", "format": "date"},
    "datetime": {"type": "string", "format": "date-time"},
}
"""What an attribute of each type looks like; `string` and `money` depend on the place."""


def event_json_schema(catalogue: Mapping[str, EventType], *, prefix: str = "#/$defs/") -> Schema:
    """One of all types. Named parts stand in `$defs`, one per type under its name, and are referred to by `prefix`.

    For an OpenAPI document pass `#/components/schemas/` and move `$defs` there.
    """
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "Channel event",
        "oneOf": [{"$ref": prefix + name} for name in catalogue],
        "discriminator": {"propertyName": "type", "mapping": {name: prefix + name for name in catalogue}},
        "$defs": {**_parts(), **{name: type_schema(event_type, prefix) for name, event_type in catalogue.items()}},
    }


def event_types_document(catalogue: Mapping[str, EventType]) -> list[dict[str, Any]]:
    """The catalogue as plain JSON values, in its own order."""
    return [msgspec.to_builtins(event_type) for event_type in catalogue.values()]


def type_schema(event_type: EventType, prefix: str) -> Schema:
    """The whole event of one type."""
    return {
        "title": event_type.name,
        "description": event_type.meaning,
        "type": "object",
        "properties": _properties(event_type, prefix),
        "required": _required(event_type),
        "additionalProperties": False,
        "examples": [event_type.example],
    }


def _properties(event_type: EventType, prefix: str) -> Schema:
    money: Schema = {"$ref": prefix + "Money"}
    text = {"type": "string", "minLength": 1, "maxLength": 200}
    properties: Schema = {
        "id": {**text, "description": "Unique within the source; derived from the content when absent"},
        "type": {"const": event_type.name},
        "occurred_at": {
            "type": "string",
            "format": "date-time",
            "description": "RFC 3339; without an offset in the source's time zone",
        },
        "sequence": {"type": "integer", "format": "int64", "description": "Order within source and subject"},
        "channel": {"enum": list(CHANNELS), "description": "Where the key allows several"},
        "identifiers": _identifiers(event_type),
        "actor": {"$ref": prefix + "Identifiers", "description": "Who did it: customer, login or card"},
        "balance_after": money,
        "counterparty": {"$ref": prefix + "Counterparty"},
        "product": text,
        "correlation_id": text,
        "attributes": attributes_schema(event_type, {**FORMS, "money": money}),
    }
    if event_type.money != "none":
        properties |= {"amount": money, "direction": _direction(event_type)}
    return properties


def _required(event_type: EventType) -> list[str]:
    conditions = {
        "identifiers": bool(event_type.subject),
        "amount": event_type.money == "required",
        "direction": event_type.direction == "required",
        "attributes": any(attribute.required for attribute in event_type.attributes),
    }
    return ["type", "occurred_at", *(name for name, holds in conditions.items() if holds)]


def attributes_schema(event_type: EventType, forms: Mapping[str, Schema]) -> Schema:
    """The attributes that the type allows and requires, each in the form of its type."""
    schema: Schema = {
        "type": "object",
        "properties": {attribute.name: _attribute(attribute, forms) for attribute in event_type.attributes},
        "additionalProperties": False,
    }
    required = [attribute.name for attribute in event_type.attributes if attribute.required]
    return {**schema, "required": required} if required else schema


def _attribute(attribute: Attribute, forms: Mapping[str, Schema]) -> Schema:
    described = f"{attribute.meaning}. {_PERSONAL}" if attribute.personal else attribute.meaning
    if attribute.type != "string":
        return {**forms[attribute.type], "description": described}
    if attribute.values:
        return {"type": "string", "enum": list(attribute.values), "description": described}
    return {"type": "string", "maxLength": attribute.max_length, "description": described}


def _identifiers(event_type: EventType) -> Schema:
    schema = _parts()["Identifiers"]
    if not event_type.subject:
        return {**schema, "minProperties": 0}
    return {**schema, "anyOf": [{"required": [kind]} for kind in event_type.subject]}


def _direction(event_type: EventType) -> Schema:
    fixed = event_type.direction if event_type.direction in ("credit", "debit") else None
    return {"type": "string", "enum": [fixed] if fixed else ["credit", "debit"]}


def _parts() -> dict[str, Schema]:
    name = {"type": "string", "maxLength": 200}
    return {
        "Money": {
            "type": "object",
            "properties": {
                "value": {
                    "description": "Major units as text or integer; a binary fraction is refused",
                    "oneOf": [{"type": "string", "pattern": r"^-?[0-9]{1,18}(\.[0-9]{1,18})?$"}, {"type": "integer"}],
                },
                "currency": {"type": "string", "enum": sorted(EXPONENTS), "description": "ISO 4217"},
            },
            "required": ["value", "currency"],
            "additionalProperties": False,
        },
        "Counterparty": {
            "type": "object",
            "properties": {"name": {**name, "description": _PERSONAL}, "account_no": name, "bank": name, "kind": name},
            "additionalProperties": False,
        },
        "Identifiers": {
            "type": "object",
            "properties": {kind: {"type": "string", "minLength": 1, "maxLength": MAX_LENGTH} for kind in KINDS},
            "minProperties": 1,
            "additionalProperties": False,
        },
    }
