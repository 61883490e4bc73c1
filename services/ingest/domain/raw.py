"""Parses the JSON of an event, and says exactly what is wrong with one that does not fit.

Parsing is typed and fast; only what fails is parsed again, slowly, to name the field at fault. A reason repeats the
names of fields and nothing else that was sent.
"""

import re
from collections.abc import Mapping, Sequence
from typing import Any

import msgspec

from schemas.identifiers import KINDS
from schemas.tokens import TokenKey, clean_text
from services.expected import expected, instead_of, located
from services.failures import Rejected
from services.ingest.domain.form import RawCounterparty, RawEvent, RawMoney
from services.ingest.domain.loose import Unusable, loosely, unusable
from services.ingest.domain.scrub import MAX_DEPTH, is_forbidden
from services.ingest.domain.twice import may_hold_one_twice, named_twice

_DECODER = msgspec.json.Decoder(RawEvent)
_MONEY = 'an object is expected, such as {"value": "1200.50", "currency": "CNY"}'
_AN_AMOUNT = 'an amount is text or an integer, e.g. "1200.50"'
_SEVERAL = ': several are {"events": […]}, or NDJSON'
_SOME_ENTRY = "[...]"
_NESTED: dict[str, type[msgspec.Struct]] = {
    "": RawEvent,
    "amount": RawMoney,
    "balance_after": RawMoney,
    "counterparty": RawCounterparty,
}
_MONEYS = [path for path, shape in _NESTED.items() if shape is RawMoney]
_REQUIRED = re.compile(r"missing required field `(\w+)`")


def parse(bodies: Sequence[bytes | msgspec.Raw], largest: int, key: TokenKey) -> list[RawEvent | Rejected]:
    """Each is the JSON text of one event, of at most so many bytes."""
    found = [_parsed(body, largest, key) for body in bodies]
    fit = [(body, one) for body, one in zip(bodies, found, strict=True) if isinstance(one, RawEvent)]
    if may_hold_one_twice([body for body, _ in fit], [one for _, one in fit]):
        return [_once(body, one, key) for body, one in zip(bodies, found, strict=True)]
    return found


def _parsed(body: bytes | msgspec.Raw, largest: int, key: TokenKey) -> RawEvent | Rejected:
    if len(memoryview(body)) > largest:
        return Rejected("event_too_large", f"larger than {largest} bytes")
    try:
        return _DECODER.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        try:
            return _second_look(bytes(body), key, error)
        except Rejected as rejected:
            return rejected
    except RecursionError:
        return _too_deep()


def _once(body: bytes | msgspec.Raw, one: RawEvent | Rejected, key: TokenKey) -> RawEvent | Rejected:
    if isinstance(one, Rejected) or not may_hold_one_twice([body], [one]):
        return one
    try:
        twice = named_twice(bytes(body))
    except RecursionError:
        return _too_deep()
    return one if twice is None else _unusable(*twice, key)


def _too_deep() -> Rejected:
    return Rejected("too_deep", f"nested deeper than {MAX_DEPTH} levels")


def malformed(error: Exception) -> Rejected:
    what = "not valid UTF-8" if isinstance(error, UnicodeDecodeError) else "not valid JSON"
    at = re.search(r"byte (\d+)", str(error)) if isinstance(error, msgspec.DecodeError) else None
    return Rejected("malformed", f"{what}{f' (at byte {at.group(1)})' if at else ''}")


def _second_look(body: bytes, key: TokenKey, first: Exception) -> RawEvent:
    """Drops what is forbidden and tries once more; if that fails, too, says what is wrong."""
    loose = _loosely(body, key, first)
    if not isinstance(loose, dict):
        raise Rejected("invalid_field", f"an event is a JSON object{_SEVERAL if isinstance(loose, list) else ''}")
    allowed = _without_forbidden(loose)
    for path, shape in _NESTED.items():
        _refuse_unknown(allowed.get(path) if path else allowed, shape, path, key)
    try:
        return msgspec.convert(allowed, RawEvent)
    except msgspec.ValidationError as error:
        raise _mismatch(error, allowed) from None


def _loosely(body: bytes, key: TokenKey, first: Exception) -> Any:
    try:
        loose = loosely(body.decode())
        found = next(unusable(loose), None)
    except ValueError as error:
        raise malformed(error if isinstance(error, UnicodeDecodeError) else first) from None
    except RecursionError:  # in either: from Python 3.12 on the parser goes deeper than our own functions may
        raise _too_deep() from None
    if found is not None:
        raise _unusable(*found, key)
    return loose


def _unusable(place: tuple[str, ...], found: Unusable, key: TokenKey) -> Rejected:
    path = ".".join(clean_text(name[:100], key) for name in place)
    if path.endswith(".value") and found.reason == "invalid_value":
        return Rejected("invalid_amount", _AN_AMOUNT, path)
    return Rejected(found.reason, found.what, path)


def _without_forbidden(event: dict[str, Any]) -> dict[str, Any]:
    kept = {name: value for name, value in event.items() if not is_forbidden(name)}
    for name, value in kept.items():
        if isinstance(value, dict) and name != "attributes":
            kept[name] = {inner: item for inner, item in value.items() if not is_forbidden(inner)}
    return kept


def _refuse_unknown(value: object, shape: type[msgspec.Struct], path: str, key: TokenKey) -> None:
    if not isinstance(value, Mapping):
        return
    for name in value:
        if name not in shape.__struct_fields__:
            shown = clean_text(name[:100], key)
            message = f"unknown field: {instead_of(name, shape.__struct_fields__)}"
            raise Rejected("unknown_field", message, f"{path}.{shown}" if path else shown)


def _mismatch(error: msgspec.ValidationError, event: Mapping[str, Any]) -> Rejected:
    message, path, _ = located(error)
    required = _REQUIRED.search(message)
    if required:
        return Rejected("missing_field", "required", ".".join(filter(None, (path, required.group(1)))))
    if path == "occurred_at":
        return Rejected("invalid_time", "a time as in RFC 3339 is expected, e.g. 2026-11-22T09:30:00+08:00", path)
    if path.endswith(".value"):
        return Rejected("invalid_amount", _AN_AMOUNT, path)
    if path in _MONEYS:
        return Rejected("invalid_field", _MONEY, path)
    if path.endswith(_SOME_ENTRY):  # of a mapping of texts: the parser does not say of which name
        path = path.removesuffix(_SOME_ENTRY)
        path = ".".join([path, *(kind for kind in KINDS if not isinstance(event[path].get(kind, ""), str))][:2])
    return Rejected("invalid_field", expected(error)[1], path)
