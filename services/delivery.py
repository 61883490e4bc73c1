"""Messages to receivers outside: POST over HTTP with guards against being led elsewhere, and the signatures by which a
receiver knows who sent them. Knows no alert.

A name is resolved once, every address is judged, and the connection goes to an address that was judged: a name that
answers otherwise the second time (DNS rebinding) leads nowhere. Redirects are not followed.
"""

import asyncio
import base64
import binascii
import hashlib
import hmac
import ipaddress
import socket
import ssl
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import NamedTuple
from urllib.parse import quote

import httpx

from services.failures import Rejected, Unavailable

TIMEOUT_S = 10.0
MAX_ANSWER = 64 * 1024
LONGEST_WISH_S = 3_600.0
"""Of a receiver that says after how long to come again."""
_FINAL = frozenset({400, 405, 406, 410, 411, 413, 414, 415, 422})
"""The same request gets the same answer. 401, 403 and 404 are not among them: somebody may be mending them."""
_TRANSLATED = ipaddress.IPv6Network("64:ff9b::/96")
Resolve = Callable[[str, int], Awaitable[Sequence[str]]]


class Posting(NamedTuple):
    """`networks`: addresses that are allowed although they are not public, such as 10.1.2.0/24."""

    url: str
    headers: Mapping[str, str]
    body: bytes
    networks: Sequence[str] = ()


async def resolved(host: str, port: int) -> Sequence[str]:
    """Raises OSError."""
    found = await asyncio.get_running_loop().getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(str(entry[4][0]) for entry in found))


class HttpSender:
    """One for all destinations. `close` it at the end."""

    def __init__(self, resolve: Resolve = resolved, timeout_s: float = TIMEOUT_S) -> None:
        self._resolve, self._timeout_s = resolve, timeout_s
        # no connection is kept: it is known by its address, and two names may share one that is verified for the first
        self._client = httpx.AsyncClient(
            verify=ssl.create_default_context(), trust_env=False, follow_redirects=False, timeout=timeout_s,
            limits=httpx.Limits(max_keepalive_connections=0),
        )  # fmt: skip

    async def post(self, posting: Posting) -> bytes:
        """Returns the body of a 2xx answer, cut at `MAX_ANSWER`. Raises `Unavailable`, `Rejected`; neither repeats the
        URL, which may hold a key."""
        try:
            async with asyncio.timeout(self._timeout_s):
                return await self._post(posting)
        except TimeoutError as error:
            raise Unavailable(f"no answer within {self._timeout_s:g} s") from error
        except (httpx.HTTPError, OSError) as error:
            raise Unavailable(f"cannot be reached ({type(error).__name__})") from error

    async def _post(self, posting: Posting) -> bytes:
        url = _checked(posting.url)
        address = await self._judged(url, posting.networks)
        headers = {**posting.headers, "host": url.netloc.decode(), "accept-encoding": "identity"}
        sending = self._client.stream(
            "POST", url.copy_with(host=address), headers=headers, content=posting.body,
            extensions={"sni_hostname": url.raw_host.decode()},
        )  # fmt: skip
        async with sending as answer:
            _judge(answer)
            body = b""
            async for chunk in answer.aiter_raw():
                body += chunk
                if len(body) >= MAX_ANSWER:
                    break
            return body[:MAX_ANSWER]

    async def _judged(self, url: httpx.URL, networks: Sequence[str]) -> str:
        addresses = await self._resolve(url.host, url.port or (443 if url.scheme == "https" else 80))
        if not addresses:
            raise Unavailable("its name has no address")
        if not all(may_be_reached(address, networks) for address in addresses):
            raise Rejected(
                "private_address", "its name leads to an address that is not public: allow its network by `networks`"
            )
        return addresses[0]

    async def close(self) -> None:
        await self._client.aclose()


def _checked(text: str) -> httpx.URL:
    try:
        url = httpx.URL(text)
    except httpx.InvalidURL:
        raise Rejected("invalid_url", "its URL cannot be read") from None
    if url.scheme not in ("https", "http") or not url.host:
        raise Rejected("invalid_url", "its URL is not one of HTTP")
    return url


def _judge(answer: httpx.Response) -> None:
    status = answer.status_code
    if 200 <= status < 300:
        return
    if 300 <= status < 400:
        raise Rejected("redirected", f"it answers {status}, a redirect, which is not followed: write the last address")
    if status in _FINAL:
        raise Rejected("refused", f"it answers {status}")
    raise Unavailable(f"it answers {status}", _wish(answer.headers.get("retry-after", "")))


def _wish(retry_after: str) -> float:
    return min(float(retry_after), LONGEST_WISH_S) if retry_after.isdigit() else 0.0


def may_be_reached(address: str, networks: Sequence[str] = ()) -> bool:
    """Whether it is public, or in one of the networks. What an IPv6 address wraps is judged in its place."""
    told = ipaddress.ip_address(address.partition("%")[0])
    within = [ipaddress.ip_network(one, strict=False) for one in networks]
    if any(told.version == one.version and told in one for one in within):
        return True
    wrapped = _wrapped(told) if isinstance(told, ipaddress.IPv6Address) else None
    if wrapped is not None:
        return may_be_reached(str(wrapped), networks)
    return told.is_global and not told.is_multicast


def _wrapped(address: ipaddress.IPv6Address) -> ipaddress.IPv4Address | None:
    if address in _TRANSLATED:
        return ipaddress.IPv4Address(int(address) & 0xFFFF_FFFF)
    return address.ipv4_mapped or address.sixtofour or (address.teredo[1] if address.teredo else None)


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
