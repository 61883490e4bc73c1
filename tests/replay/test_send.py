"""Sending: everything is sent once the platform answers, and it is asked again for as long as it is only busy."""

import json
from typing import Any

import httpx
import pytest

from services.replay.send import Answer, Event, NotAccepted, Sent, http_publisher, send

EVENTS = [{"id": str(number), "occurred_at": f"2026-01-01T00:{number:02d}:00Z"} for number in range(25)]


class Platform:
    """Answers as scripted, then accepts; remembers what it accepted."""

    def __init__(self, *answers: httpx.Response | httpx.TransportError) -> None:
        self.script = list(answers)
        self.accepted: list[str] = []
        self.naps: list[float] = []
        self.authorization = ""

    def __call__(self, request: httpx.Request) -> httpx.Response:
        self.authorization = request.headers["Authorization"]
        if self.script:
            answer = self.script.pop(0)
            if isinstance(answer, httpx.TransportError):
                raise answer
            return answer
        batch = json.loads(request.content)["events"]
        self.accepted += [event["id"] for event in batch]
        return httpx.Response(202, json={"accepted": len(batch), "rejected": [], "receipt": "r"})

    async def nap(self, seconds: float) -> None:
        self.naps.append(seconds)

    async def send(self, **options: Any) -> Sent:
        transport = httpx.MockTransport(self)
        async with http_publisher("http://bank", "cpk_1", transport=transport, sleep=self.nap, patience=30) as publish:
            return await send(iter(EVENTS), publish, batch_size=10, **options)


async def test_all_events_arrive_in_batches_with_the_key() -> None:
    platform = Platform()
    progress = await platform.send()
    assert sorted(platform.accepted, key=int) == [event["id"] for event in EVENTS]
    assert (progress.sent, progress.accepted, progress.rejected) == (25, 25, 0)
    assert progress.event_time == EVENTS[-1]["occurred_at"]
    assert platform.authorization == "Bearer cpk_1"


async def test_a_busy_platform_is_asked_again_after_as_long_as_it_says() -> None:
    platform = Platform(httpx.Response(429, headers={"Retry-After": "2"}), httpx.Response(503))
    await platform.send(connections=1)
    assert len(platform.accepted) == 25
    assert platform.naps[0] == 2
    assert len(platform.naps) == 2


async def test_a_lost_connection_is_tried_again() -> None:
    platform = Platform(httpx.ConnectError("refused"), httpx.ReadTimeout("slow"))
    await platform.send(connections=1)
    assert len(platform.accepted) == 25


async def test_rejected_events_are_counted_and_reported() -> None:
    entry = {"index": 3, "id": "3", "field": "type", "reason": "unknown_type"}
    platform = Platform(
        httpx.Response(202, json={"accepted": 9, "rejected": [entry], "receipt": "r"}), httpx.Response(422, json={})
    )
    seen: list[dict[str, Any]] = []

    def remember(progress: Sent, answer: Answer) -> None:
        seen.extend(answer.rejected)

    progress = await platform.send(connections=1, on_progress=remember)
    assert (progress.sent, progress.accepted, progress.rejected) == (25, 14, 11)
    assert seen[0] == entry


async def test_a_wrong_key_ends_the_replay_at_once() -> None:
    with pytest.raises(ExceptionGroup) as caught:
        await Platform(httpx.Response(401, text="unknown key")).send(connections=1)
    assert caught.group_contains(NotAccepted, match="401")


async def test_patience_ends() -> None:
    with pytest.raises(ExceptionGroup) as caught:
        await Platform(*[httpx.Response(503, headers={"Retry-After": "20"})] * 2).send(connections=1)
    assert caught.group_contains(NotAccepted, match="busy or away")


async def test_events_go_to_any_publisher_and_are_read_lazily() -> None:
    ahead: list[int] = []
    read = 0

    def events() -> Any:
        nonlocal read
        for event in EVENTS:
            read += 1
            yield event

    async def publish(batch: list[Event]) -> Answer:
        ahead.append(read)
        return Answer(len(batch), [])

    await send(events(), publish, batch_size=5, connections=1)
    assert ahead == [5, 10, 15, 20, 25]
