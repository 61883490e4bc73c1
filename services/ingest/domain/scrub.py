"""Removes what may never be stored: card data, PINs, national id numbers.

Payment card rules (PCI DSS 4.0, requirement 3.3) forbid storing PIN blocks, verification codes and track data at all,
and the card number unless it is unreadable.
"""

import re
from typing import Any

from schemas.tokens import TokenKey, card_no_token, clean_text, national_id_token
from services.failures import Rejected

MAX_DEPTH = 16
SHOWN_BYTES = 200  # of what cannot be parsed

FORBIDDEN_KEYS = frozenset({
    "pin", "pinblock", "pinoffset", "pinverificationvalue", "encryptedpin", "encryptedpinblock", "pvv",
    "cvv", "cvv2", "cvc", "cvc2", "cav", "cav2", "csc", "cardverificationvalue", "cardverificationcode", "securitycode",
    "track", "track1", "track2", "track3", "trackdata", "track1data", "track2data", "track3data",
    "track2equivalent", "track2equivalentdata", "magstripe", "magneticstripe",
    "password", "passwd", "passcode", "otp", "onetimepassword",
})  # fmt: skip
_SHAPE = re.compile(r'"[a-z_]{1,32}"\s*:|\w')


def is_forbidden(name: str) -> bool:
    """Whether a field of this name, in any spelling, must be dropped at the door."""
    return "".join(char for char in name if char.isalnum()).lower() in FORBIDDEN_KEYS


def clean(value: Any, key: TokenKey, depth: int = 0) -> Any:
    """A JSON value without forbidden fields, its strings cleaned. Raises `Rejected` when nested too deeply."""
    if depth > MAX_DEPTH:
        raise Rejected("too_deep", f"nested deeper than {MAX_DEPTH} levels")
    if isinstance(value, str):
        return clean_text(value, key)
    if isinstance(value, dict):
        kept = ((name, item) for name, item in value.items() if not is_forbidden(name))
        return {clean_text(name, key): clean(item, key, depth + 1) for name, item in kept}
    if isinstance(value, list):
        return [clean(item, key, depth + 1) for item in value]
    if isinstance(value, int):  # a channel may send a number for the text of it
        cleaned = clean_text(str(value), key)
        return value if cleaned == str(value) else cleaned
    return value


def clean_event(event: Any, key: TokenKey) -> Any:
    """An event as received, made fit to be kept as a dead letter and to be sent again. Raises `Rejected` (too deep)."""
    cleaned = clean(event, key)
    if not isinstance(cleaned, dict):
        return cleaned
    for holder in ("identifiers", "actor"):
        named = cleaned.get(holder)
        if isinstance(named, dict):
            cleaned[holder] = {kind: _identifier(kind, value, key) for kind, value in named.items()}
    return cleaned


def _identifier(kind: str, value: Any, key: TokenKey) -> Any:
    if kind not in ("national_id", "card_no") or not isinstance(value, str | int):
        return value
    text = str(value)
    kept = national_id_token(text, key) if kind == "national_id" else card_no_token(text, key)[0]
    return value if kept == text else kept


def shape(body: bytes) -> str:
    """The beginning of what cannot be parsed: field names and punctuation stay, every other letter and digit is
    masked."""
    text = body[:SHOWN_BYTES].decode(errors="replace")
    return _SHAPE.sub(lambda match: match.group() if match.group().startswith('"') else _mask(match.group()), text)


def _mask(char: str) -> str:
    return "#" if char.isdigit() else "a"
