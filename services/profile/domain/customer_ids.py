"""Customer ids: opaque and deterministic, so that they may stand in URLs and logs."""

import base64
import hashlib
import hmac


def customer_id(subject: str, secret: bytes) -> str:
    """HMAC-SHA-256 of the subject that names the customer: 128 bits in base 32 (RFC 4648), lower case."""
    digest = hmac.digest(secret, f"customer\0{subject}".encode(), hashlib.sha256)[:16]
    return "cus_" + base64.b32encode(digest).decode().rstrip("=").lower()
