"""By which a receiver knows who sent a message: the signatures of webhooks and of group robots."""

import base64
import binascii
import hashlib
import hmac
from urllib.parse import quote

from services.failures import Rejected


def webhook_headers(secrets: str, message_id: str, at_s: int, body: bytes) -> dict[str, str]:
    """Standard Webhooks 1.0. `secrets`: one, or several apart by spaces while one replaces another; each `whsec_` and
    base64. Raises `Rejected`."""
    signed = f"{message_id}.{at_s}.".encode() + body
    signatures = [
        "v1," + base64.b64encode(hmac.digest(_key(secret), signed, hashlib.sha256)).decode()
        for secret in secrets.split()
    ]
    return {
        "content-type": "application/json", "webhook-id": message_id, "webhook-timestamp": str(at_s),
        "webhook-signature": " ".join(signatures),
    }  # fmt: skip


def _key(secret: str) -> bytes:
    try:
        key = base64.b64decode(secret.removeprefix("whsec_"), validate=True)
    except binascii.Error:
        key = b""
    if not 24 <= len(key) <= 64:
        raise Rejected("invalid_secret", "a secret is `whsec_` and 24 to 64 bytes in base64")
    return key


def dingtalk_signed(url: str, secret: str, at_ms: int) -> str:
    """The URL of a DingTalk group robot with the time and its signature: HMAC-SHA256 over time, line feed, secret."""
    digest = hmac.digest(secret.encode(), f"{at_ms}\n{secret}".encode(), hashlib.sha256)
    return f"{url}{'&' if '?' in url else '?'}timestamp={at_ms}&sign={quote(base64.b64encode(digest), safe='')}"
