"""Sends events to a platform's `POST /v1/events`: in batches, over a few connections, again while it is busy or away.

Any order of arrival gives the same views, so batches may overtake each other where a platform lives in the present; a
batch sent twice counts once.
"""

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Iterator
from contextlib import asynccontextmanager
from itertools import islice
from typing import Any

import httpx
import msgspec

Event = dict[str, Any]


class Answer(msgspec.Struct, frozen=True):
    """What became of one batch; `rejected` are ingest's own entries: index, id, field, reason."""

    accepted: int
    rejected: list[dict[str, Any]]


Publish = Callable[[list[Event]], Awaitable[Answer]]


class Sent(msgspec.Struct):
    """`rate` is events a second since the start; `event_time` is the `occurred_at` of the latest event sent."""

    sent: int = 0
    accepted: int = 0
    rejected: int = 0
    rate: float = 0.0
    event_time: str = ""


LONGEST_S = 300
"""That an answer may take: a platform that lives through a past does so before it answers."""


class NotAccepted(Exception):  # noqa: N818 - an answer of the platform, not a programming error
    """The platform will not take this whatever is tried: a wrong key, a wrong address, a batch too large."""


async def send(
    events: Iterable[Event],
    publish: Publish,
    *,
    batch_size: int = 500,
    connections: int = 1,
    on_progress: Callable[[Sent, Answer], None] = lambda progress, answer: None,
) -> Sent:
    """Publishes everything, `connections` batches at a time, and returns the totals. `events` is read lazily."""
    progress, started = Sent(), time.monotonic()
    batches = _batches(events, batch_size)

    async def work() -> None:
        for batch in batches:
            answer = await publish(batch)
            progress.sent += len(batch)
            progress.accepted += answer.accepted
            progress.rejected += len(answer.rejected)
            progress.event_time = max(progress.event_time, str(batch[-1].get("occurred_at", "")))
            progress.rate = progress.sent / max(time.monotonic() - started, 1e-9)
            on_progress(progress, answer)

    async with asyncio.TaskGroup() as workers:
        for _ in range(connections):
            workers.create_task(work())
    return progress


@asynccontextmanager
async def http_publisher(
    base_url: str,
    key: str,
    *,
    patience: float = 300.0,
    transport: httpx.AsyncBaseTransport | None = None,
    sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
) -> AsyncIterator[Publish]:
    """Publishes over HTTP. A batch is tried again for `patience` seconds of waiting while the answer is 429 or 5xx, or
    none comes; then, and for any other refusal, `NotAccepted`."""
    headers = {"Authorization": f"Bearer {key}", "Content-Type": "application/json"}
    async with httpx.AsyncClient(base_url=base_url, headers=headers, transport=transport, timeout=LONGEST_S) as client:

        async def publish(batch: list[Event]) -> Answer:
            body = msgspec.json.encode({"events": batch})
            waited, pause = 0.0, 0.1
            while True:
                answer, wish = await _post(client, body, len(batch))
                if answer is not None:
                    return answer
                delay = wish if wish is not None else pause
                if waited + delay > patience:
                    raise NotAccepted(f"{base_url} stayed busy or away for {patience:.0f} s")
                await sleep(delay)
                waited, pause = waited + delay, min(pause * 2, 5.0)

        yield publish


async def _post(client: httpx.AsyncClient, body: bytes, size: int) -> tuple[Answer | None, float | None]:
    """The answer; or none and the seconds that the platform asks to wait, if it says. Raises `NotAccepted`."""
    try:
        response = await client.post("/v1/events", content=body)
    except httpx.TransportError:
        return None, None
    if response.status_code in (202, 422):
        answer = msgspec.json.decode(response.content, type=dict[str, Any])
        # a 422 without a list refuses the whole batch
        refused = answer.get("rejected", [{}] * size if response.status_code == 422 else [])
        return Answer(answer.get("accepted", 0), refused), None
    if response.status_code == 429 or response.status_code >= 500:
        return None, _seconds(response.headers.get("Retry-After"))
    raise NotAccepted(f"{response.status_code} {response.reason_phrase}: {_detail(response)}")


def _detail(response: httpx.Response) -> str:
    """Of a problem document, its sentence; of whoever else answers there, how it begins."""
    try:
        return str(response.json()["detail"])
    except (ValueError, KeyError, TypeError):
        return response.text[:500]


def _seconds(retry_after: str | None) -> float | None:
    """The delay form of Retry-After (RFC 9110, 10.2.3), at least 0.05 s; its date form counts as not said."""
    try:
        return max(float(retry_after), 0.05) if retry_after else None
    except ValueError:
        return None


def _batches(events: Iterable[Event], size: int) -> Iterator[list[Event]]:
    iterator = iter(events)
    while batch := list(islice(iterator, size)):
        yield batch
