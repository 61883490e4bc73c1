"""How things of a bank are named: identifier kinds, their normal form, and subject keys.

A subject key is `kind:value`. Values that are personal (phone, e-mail, national id) stand in it as a keyed hash, so
that keys may be logged, queued and indexed; their clear form travels in `ChannelEvent.identifiers` only.
"""

import hashlib
import hmac
from typing import Literal, get_args

IdentifierKind = Literal[
    "customer_no", "account_no", "card_no", "loan_no", "login", "phone", "email", "device_id", "national_id",
    "case_id", "application_id", "mandate_id", "contract_id", "household_no", "group_no", "manager_id",
]  # fmt: skip
KINDS: tuple[IdentifierKind, ...] = get_args(IdentifierKind)

SUBJECT_OF: dict[str, str] = {
    "customer_no": "party",
    "account_no": "account",
    "card_no": "card",
    "loan_no": "loan",
    "login": "login",
    "phone": "phone",
    "email": "email",
    "device_id": "device",
    "national_id": "national_id",
    "case_id": "case",
    "application_id": "application",
    "mandate_id": "mandate",
    "contract_id": "contract",
    "household_no": "household",
    "group_no": "group",
    "manager_id": "manager",
}
PERSONAL_KINDS = frozenset({"phone", "email", "national_id"})
"""Identifiers whose subject key holds a keyed hash."""


def keyed_hash(secret: bytes, purpose: str, value: str) -> str:
    """HMAC-SHA-256 (RFC 2104), its first 128 bits in hex; `purpose` keeps the uses of one secret apart."""
    return hmac.new(secret, f"{purpose}\0{value}".encode(), hashlib.sha256).hexdigest()[:32]


def subject_key(kind: str, value: str, secret: bytes) -> str:
    """The subject key of a *normalised* identifier value."""
    if kind in PERSONAL_KINDS:
        value = keyed_hash(secret, kind, value)
    return f"{SUBJECT_OF[kind]}:{value}"
