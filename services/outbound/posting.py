"""POST over HTTP to receivers outside, guarded against being led elsewhere. Knows no alert.

A name is resolved once, every address is judged, and the connection goes to an address that was judged: a name that
answers otherwise the second time (DNS rebinding) leads nowhere. Redirects are not followed.
"""

import asyncio
import socket
import ssl
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import NamedTuple

import httpx

from services.failures import Rejected, Unavailable
from services.outbound.addresses import may_be_reached

TIMEOUT_S = 10.0
MAX_ANSWER = 64 * 1024
LONGEST_WISH_S = 3_600.0
"""Of a receiver that says after how long to come again."""
_FINAL = frozenset({400, 405, 406, 410, 411, 413, 414, 415, 422})
"""The same request gets the same answer. 401, 403 and 404 are not among them: somebody may be mending them."""
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
            raise Unavailable(f"cannot be reached ({_innermost(error)})") from error

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
                "private_address", "it leads to an address that is not public: allow its network by `networks`"
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


def _innermost(error: BaseException) -> str:
    """What the client wraps says why: nobody listens, nobody vouches for a certificate."""
    while within := error.__cause__ or error.__context__:
        error = within
    return type(error).__name__


def _wish(retry_after: str) -> float:
    return min(float(retry_after), LONGEST_WISH_S) if retry_after.isdigit() else 0.0
