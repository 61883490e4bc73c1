"""Customer ids: opaque and deterministic, so that they may stand in URLs and logs."""

import hashlib
import hmac
from itertools import product

_PAIRS = tuple("".join(pair) for pair in product("abcdefghijklmnopqrstuvwxyz234567", repeat=2))
_SHIFTS = range(120, -1, -10)


def customer_id(subject: str, secret: bytes) -> str:
    """HMAC-SHA-256 of the subject that names the customer: 128 bits in base 32 (RFC 4648), lower case."""
    digest = hmac.digest(secret, f"customer\0{subject}".encode(), hashlib.sha256)[:16]
    number = int.from_bytes(digest) << 2  # filled up to whole digits
    return "cus_" + "".join([_PAIRS[number >> shift & 1023] for shift in _SHIFTS])
