"""The free part of an event, checked against the catalogue and brought into one form.

Money becomes `{"minor": 120050, "currency": "CNY"}`, a `datetime` milliseconds UTC; a `date` stays `YYYY-MM-DD`.
"""

from collections.abc import Callable, Mapping
from datetime import date, datetime, tzinfo
from typing import Any

import msgspec

from schemas.catalogue import Attribute
from schemas.identifiers import NOT_TOLD
from schemas.instants import millis
from schemas.money import parse_money
from schemas.tokens import TokenKey, clean_text
from services.expected import instead_of
from services.failures import Rejected
from services.ingest.domain.rules import Plan
from services.ingest.domain.scrub import clean, is_forbidden

MAX_GENERIC_BYTES = 16_384
_ENCODER = msgspec.json.Encoder(order="sorted")
_COUNTS = range(2**53 + 1)
# of what an event tells beside its own time: a birth, a maturity; sentinels such as 9999-12-31 are no dates
_YEARS = range(1800, 2201)


def text(value: str, field: str, key: TokenKey, max_length: int) -> str:
    """Text fit to be stored: no NUL, not too long, no card number in clear. Raises `Rejected`."""
    if len(value) > max_length:
        raise Rejected("too_long", f"longer than {max_length} characters", field)
    if "\0" in value:
        raise Rejected("invalid_text", "contains a NUL character", field)
    return clean_text(value, key)


def tells(value: str) -> bool:
    """Whether a text about a person says something: blanks and words such as null are fillers of an export."""
    return bool(value.strip()) and value.strip().lower() not in NOT_TOLD


def admit_attributes(given: Mapping[str, Any], plan: Plan, key: TokenKey, zone: tzinfo) -> dict[str, Any]:
    """Leaves out what is forbidden (PIN, CVV, track data) and what says nothing: null, blank text, and for a person
    also words such as "null". Raises `Rejected` naming the attribute."""
    if plan.attributes is None:
        return _generic(given, key)
    admitted = {}
    for name, value in given.items():
        attribute = plan.attributes.get(name)
        if attribute is None:
            if is_forbidden(name):
                continue
            message = f"{plan.name} has no such attribute: {instead_of(name, plan.attributes)}"
            raise Rejected("unknown_field", message, f"attributes.{clean_text(name, key)}")
        if value.__class__ is str and not _says(value, attribute):
            continue
        if value is not None:
            admitted[name] = _CHECKS[attribute.type](value, attribute, key, zone)
    if plan.required and not plan.required <= admitted.keys():
        missing = min(plan.required - admitted.keys())
        raise Rejected("missing_field", f"{plan.name} requires this attribute", f"attributes.{missing}")
    return admitted


def _says(value: str, attribute: Attribute) -> bool:
    return tells(value) if attribute.personal and not attribute.values else bool(value.strip())


def _generic(given: Mapping[str, Any], key: TokenKey) -> dict[str, Any]:
    cleaned: dict[str, Any] = clean(dict(given), key)
    encoded = encode(cleaned)
    if len(encoded) > MAX_GENERIC_BYTES:
        raise Rejected("too_long", f"attributes longer than {MAX_GENERIC_BYTES} bytes", "attributes")
    if b"\\u0000" in encoded:
        raise Rejected("invalid_text", "contains a NUL character", "attributes")
    return cleaned


def encode(attributes: Mapping[str, Any]) -> bytes:
    """Canonical: the same attributes give the same bytes in whatever order they were sent."""
    return _ENCODER.encode(attributes) if attributes else b"{}"


def _string(value: Any, attribute: Attribute, key: TokenKey, zone: tzinfo) -> str:
    if not isinstance(value, str):
        raise _wrong(attribute, "text")
    if attribute.values and value not in attribute.values:
        raise Rejected("invalid_value", f"one of {', '.join(attribute.values)} is expected", _path(attribute))
    return text(value, _path(attribute), key, attribute.max_length)


def _integer(value: Any, attribute: Attribute, key: TokenKey, zone: tzinfo) -> int:
    if not isinstance(value, int) or isinstance(value, bool) or value not in _COUNTS:
        raise _wrong(attribute, "a whole number from 0 to 2^53")
    _refuse_card(value, attribute, key)
    return value


def _number(value: Any, attribute: Attribute, key: TokenKey, zone: tzinfo) -> float | int:
    if not isinstance(value, int | float) or isinstance(value, bool) or not -1e15 < value < 1e15:
        raise _wrong(attribute, "a number below 1e15")
    _refuse_card(value, attribute, key)
    return value


def _boolean(value: Any, attribute: Attribute, key: TokenKey, zone: tzinfo) -> bool:
    if not isinstance(value, bool):
        raise _wrong(attribute, "true or false")
    return value


def _date(value: Any, attribute: Attribute, key: TokenKey, zone: tzinfo) -> str:
    try:
        day = date.fromisoformat(value)
    except (TypeError, ValueError):
        raise _wrong(attribute, "a date as YYYY-MM-DD") from None
    if day.year not in _YEARS:
        raise _wrong(attribute, f"a date between {_YEARS[0]} and {_YEARS[-1]}")
    return day.isoformat()


def _datetime(value: Any, attribute: Attribute, key: TokenKey, zone: tzinfo) -> int:
    try:
        moment = msgspec.convert(value, datetime)
    except msgspec.ValidationError:
        raise _wrong(attribute, "a time as in RFC 3339, e.g. 2026-11-22T09:30:00+08:00,") from None
    if moment.year not in _YEARS:
        raise _wrong(attribute, f"a time between {_YEARS[0]} and {_YEARS[-1]}")
    return millis(moment, zone)


def _money(value: Any, attribute: Attribute, key: TokenKey, zone: tzinfo) -> dict[str, Any]:
    if not isinstance(value, dict) or not value.keys() == {"value", "currency"}:
        raise _wrong(attribute, '{"value", "currency"}')
    if isinstance(value["value"], bool) or not isinstance(value["value"], str | int):
        raise _wrong(attribute, 'an amount as text, e.g. "1200.50"')
    try:
        money = parse_money(value["value"], value["currency"])
    except ValueError as error:
        part, _, what = str(error).partition(": ")
        raise Rejected("invalid_amount", what, f"{_path(attribute)}.{part}") from None
    return {"minor": money.minor, "currency": money.currency}


def _refuse_card(value: float, attribute: Attribute, key: TokenKey) -> None:
    if value >= 10**12 and clean_text(str(value), key) != str(value):
        raise Rejected("card_number", "a card number is not expected here", _path(attribute))


def _path(attribute: Attribute) -> str:
    return f"attributes.{attribute.name}"


def _wrong(attribute: Attribute, expected: str) -> Rejected:
    return Rejected("invalid_value", f"{expected} is expected", _path(attribute))


_CHECKS: Mapping[str, Callable[[Any, Attribute, TokenKey, tzinfo], Any]] = {
    "string": _string,
    "integer": _integer,
    "number": _number,
    "boolean": _boolean,
    "date": _date,
    "datetime": _datetime,
    "money": _money,
}
