"""How the things of a bank are named: kinds of identifiers, their normal form, and subject keys.

A subject key is `kind:value`. Personal values (phone, e-mail, national id) stand in it as a keyed hash, so that keys
may be logged, queued and indexed; their clear form travels in `ChannelEvent.identifiers` only.
"""

import hashlib
import hmac
import re
import unicodedata
from typing import Literal, get_args

import phonenumbers

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
KIND_OF_SUBJECT = {subject: kind for kind, subject in SUBJECT_OF.items()}
PERSONAL_KINDS = frozenset({"phone", "email", "national_id"})
"""Identifiers whose subject key holds a keyed hash."""


def keyed_hash(secret: bytes, purpose: str, value: str) -> str:
    """HMAC-SHA-256 (RFC 2104), its first 128 bits in hex; `purpose` keeps the uses of one secret apart."""
    return hmac.digest(secret, f"{purpose}\0{value}".encode(), hashlib.sha256).hex()[:32]


def subject_key(kind: str, value: str, secret: bytes) -> str:
    """The subject key of a *normalised* identifier value."""
    if kind in PERSONAL_KINDS:
        value = keyed_hash(secret, kind, value)
    return f"{SUBJECT_OF[kind]}:{value}"


SUBJECT_LIMITS = {"phone": 4, "email": 4, "device": 5, "login": 2, "national_id": 2}
"""How many customers one such subject may identify; above it, it identifies nobody, retroactively. Absent: no limit,
because a source of record asserts these one by one (an account with ten holders is an account with ten holders)."""

MAX_LENGTH = 120
NOT_TOLD = frozenset(
    {"null", "none", "nil", "nan", "undefined", "unknown", "n/a", "n.a.", "not available", "empty", "-", "--", ".", "?"}
    | {"无", "未知", "不详", "空", "暂无"}
)
"""What systems write in place of a text that they do not have. "NA" is not among them: it is Namibia, too."""
_PLACEHOLDERS = NOT_TOLD | {"na", "test", "tester", "anonymous", "default", "dummy", "xxx", "匿名"}
_BLOCKED: dict[str, frozenset[str]] = {
    "phone": frozenset({"+8613800138000", "+8613800000000", "+8612345678901", "+8613000000000"}),
    "email": frozenset({"test@test.com", "a@a.com", "none@none.com", "noreply@example.com", "no@email.com"}),
    # an Android emulator's id that millions of real devices shipped with, and an emulated network card
    "device_id": frozenset({"9774d56d682e549c", "02:00:00:00:00:00", "ff:ff:ff:ff:ff:ff"}),
}
_CHINESE_MOBILE = re.compile(r"\+861[3-9][0-9]{9}", re.ASCII)
_EMAIL = re.compile(r"([^@\s]{1,64})@([^@\s.]+(?:\.[^@\s.]+)+)")


class IdentifierError(ValueError):
    """The value cannot be an identifier of its kind. The message does not repeat it."""


def normalise(kind: str, value: str, *, region: str = "CN") -> str | None:
    """The one form in which an identifier is compared, or None for a value that stands for nobody (`000…`, `null`).

    Phones become E.164, read in `region` (ISO 3166-1) where they carry no country code. Raises IdentifierError.
    """
    text = _compatible(value).strip()
    if not text:
        raise IdentifierError("must not be empty")
    if len(text) > MAX_LENGTH:
        raise IdentifierError(f"longer than {MAX_LENGTH} characters")
    if not text.isprintable():
        raise IdentifierError("contains control characters")
    if text.lower() in _PLACEHOLDERS or not text.strip("0-: "):
        return None
    # what stood apart until a space was taken out may belong together now
    normal = _compatible(_normal_form(kind, text, region))
    return None if normal.lower() in _BLOCKED.get(kind, ()) else normal


def _compatible(text: str) -> str:
    return text if text.isascii() else unicodedata.normalize("NFKC", text)


def _normal_form(kind: str, text: str, region: str) -> str:
    if kind == "phone":
        return _phone(text, region)
    if kind == "email":
        return _email(text)
    if kind == "card_no":
        digits = re.sub(r"[\s-]", "", text)
        return digits if digits.isdecimal() else "".join(text.split())
    if kind in ("account_no", "national_id"):
        return "".join(text.split())
    if kind == "device_id":
        return text.lower()
    return text


def _phone(text: str, region: str) -> str:
    # The library takes some 40 us; most numbers of a Chinese bank need it not.
    if _CHINESE_MOBILE.fullmatch(text):
        return text
    try:
        number = phonenumbers.parse(text, region)
    except phonenumbers.NumberParseException:
        raise IdentifierError("not a phone number") from None
    if not phonenumbers.is_possible_number(number):
        raise IdentifierError("not a possible phone number: too short, too long or of an unknown country")
    return phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)


def _email(text: str) -> str:
    match = _EMAIL.fullmatch(text)
    if match is None:
        raise IdentifierError("not an e-mail address")
    # the standard lets a server tell Li.Na from li.na, none does, and people write their own in either way
    return text.lower()
