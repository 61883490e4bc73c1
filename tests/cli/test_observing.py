"""What the board shows of a moment: rates since the look before, and how soon events become visible."""

from collections.abc import AsyncIterator, Callable
from pathlib import Path
from types import SimpleNamespace
from typing import cast

import httpx
import pytest
import pytest_asyncio

from schemas.topics import CHANNEL_EVENTS
from services.cli.beside import Beside, opened
from services.cli.doctor.silence import Silence
from services.cli.watch import snapshot
from services.cli.watch.following import Following, SeenEvent, SeenView
from services.cli.watch.snapshot import Observer, Snapshot, as_told
from services.cli.watch.watching import at_last
from services.embedded.log import EmbeddedLog
from services.failures import Unavailable
from services.log import Message, Position
from services.settings import read_settings

TOPIC = CHANNEL_EVENTS.name
URL = "http://127.0.0.1:9"


class Watch:
    """An observer with what it reads. `now`: of the clock by which it counts, in seconds."""

    def __init__(self, beside: Beside, log: EmbeddedLog) -> None:
        self.beside, self.log, self.following = beside, log, Following(log)
        self.address: str | None = URL
        self.observer = Observer(beside, log, self.following, lambda: self.address)
        self.now = 1_000.0


@pytest_asyncio.fixture
async def watch(deployment: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Watch]:
    async with opened(read_settings({"COUNTERPOINT_DATA": str(deployment)})) as beside:
        log = EmbeddedLog(deployment / "log")
        watch = Watch(beside, log)
        monkeypatch.setattr(snapshot, "time", SimpleNamespace(monotonic=lambda: watch.now))
        answers(monkeypatch, lambda _: httpx.Response(200, text=""))
        yield watch
        await log.close()


CLIENT = httpx.AsyncClient
Answer = Callable[[httpx.Request], httpx.Response]


def answers(monkeypatch: pytest.MonkeyPatch, answer: Answer) -> None:
    """To whoever asks the platform for its metrics."""
    monkeypatch.setattr(httpx, "AsyncClient", lambda **_: CLIENT(transport=httpx.MockTransport(answer)))


def visible(**counts: int) -> httpx.Response:
    """Up to so many seconds → how many events, as the platform tells it."""
    bounds = {"tenth": "0.1", "one": "1.0", "more": "+Inf"}
    name = "counterpoint_accepted_to_visible_seconds"
    lines = [f'{name}_bucket{{le="{bounds[word]}"}} {count}' for word, count in counts.items()]
    return httpx.Response(200, text="\n".join([f"# TYPE {name} histogram", *lines, ""]))


class Slow:
    """An observer who sees nothing at so many looks."""

    def __init__(self, seen: Snapshot, away_for: int) -> None:
        self.seen, self.left = seen, away_for

    async def look(self) -> Snapshot:
        if self.left:
            self.left -= 1
            raise Unavailable("Kafka did not answer within 5 s")
        return self.seen


async def test_a_look_at_what_is_only_slow_is_tried_again_and_that_is_told(
    watch: Watch, capsys: pytest.CaptureFixture[str]
) -> None:
    seen = await watch.observer.look()
    assert await at_last(cast(Observer, Slow(seen, 2)), 0) is seen
    assert capsys.readouterr().err == "Kafka did not answer within 5 s: trying again\n" * 2
    with pytest.raises(Unavailable):
        await at_last(cast(Observer, Slow(seen, 3)), 0)


async def test_rates_are_those_of_a_second_since_the_look_before(watch: Watch) -> None:
    async def stands_at(reached: int) -> None:
        await watch.beside.store.set_position(TOPIC, 0, Position(await watch.log.topic_id(TOPIC), reached))

    first = await watch.observer.look()
    assert (first.accepted_rate, first.worked_rate, first.changes_rate, first.by_channel) == (0, 0, 0, {})
    await watch.log.append(TOPIC, [Message(b"", b"x", 0)] * 6)
    await stands_at(4)
    watch.following.changes = 8
    watch.following.by_channel.update({"mobile": 3, "atm": 2})
    watch.now += 2
    second = await watch.observer.look()
    assert (second.accepted_rate, second.worked_rate, second.changes_rate) == (3, 2, 4)
    assert list(second.by_channel.items()) == [("atm", 1.0), ("mobile", 1.5)]
    await stands_at(1)
    watch.now += 2
    third = await watch.observer.look()
    assert (third.accepted_rate, third.worked_rate, third.changes_rate) == (0, 0, 0), "gone back in the log"
    assert set(third.by_channel.values()) == {0}


async def test_the_latest_stand_first_and_only_sources_that_are_silent_too_long_are_told_to_a_script(
    watch: Watch, monkeypatch: pytest.MonkeyPatch
) -> None:
    for number in (1, 2):
        watch.following.events.append(SeenEvent(number, f"type.{number}", "atm", "atm", "account:1"))
        watch.following.views.append(SeenView(number, f"c{number}", "person"))
    silences = [Silence("atm", 5, 60, is_heard=True), Silence("pos", 90, 60, is_heard=True)]

    async def silences_of(*_: object) -> list[Silence]:
        return silences

    monkeypatch.setattr(snapshot, "silences_of", silences_of)
    told = as_told(await watch.observer.look())
    assert [one["type"] for one in told["events"]] == ["type.2", "type.1"]
    assert [one["customer_id"] for one in told["views"]] == ["c2", "c1"]
    assert told["silent_sources"] == [{"source": "pos", "silent_ms": 90, "rhythm_ms": 60}]


async def test_how_soon_events_are_visible_is_of_those_since_the_look_before(
    watch: Watch, monkeypatch: pytest.MonkeyPatch
) -> None:
    told = [
        visible(tenth=60, one=99, more=100),
        visible(tenth=60, one=99, more=100),
        visible(tenth=61, one=101, more=104),
    ]
    answers(monkeypatch, lambda _: told.pop(0))
    found = [await watch.observer.look() for _ in range(3)]
    assert [one.visible_ms for one in found] == [(100, 1_000), None, (1_000, float("inf"))]
    assert [as_told(one)["visible_ms"] for one in found] == [
        {"half": 100, "most": 1_000}, {"half": None, "most": None}, {"half": 1_000, "most": None},
    ]  # fmt: skip


async def test_a_platform_that_comes_back_at_another_address_is_heard_again(
    watch: Watch, monkeypatch: pytest.MonkeyPatch
) -> None:
    def moved(request: httpx.Request) -> httpx.Response:
        return visible(tenth=1, one=1, more=1) if request.url.port == 10 else refuses(request)

    answers(monkeypatch, moved)
    assert (await watch.observer.look()).unheard == f"nobody answers at {URL}"
    watch.address = None
    assert (await watch.observer.look()).unheard is None
    watch.address = "http://127.0.0.1:10"
    assert (await watch.observer.look()).visible_ms == (100, 100)


def refuses(_: httpx.Request) -> httpx.Response:
    raise httpx.ConnectError("nobody listens")


@pytest.mark.parametrize(
    ("answer", "unheard"),
    [
        (lambda _: httpx.Response(503), f"{URL} answers 503 for its metrics"),
        (lambda _: httpx.Response(200, text="<html>{"), f"what answers at {URL} is no platform"),
        (refuses, f"nobody answers at {URL}"),
    ],
)
async def test_why_a_platform_tells_nothing_is_said(
    watch: Watch, monkeypatch: pytest.MonkeyPatch, answer: Answer, unheard: str
) -> None:
    answers(monkeypatch, answer)
    seen = await watch.observer.look()
    assert (seen.visible_ms, seen.unheard) == (None, unheard)


async def test_what_takes_a_database_long_is_counted_now_and_then(
    watch: Watch, monkeypatch: pytest.MonkeyPatch
) -> None:
    counted: list[float] = []

    async def counts(_: object) -> dict[str, int]:
        counted.append(watch.now)
        watch.now += 1 if len(counted) == 2 else 0
        return {"customers": len(counted)}

    monkeypatch.setattr(watch.beside.store, "counts", counts)
    for now in (0.0, 14.9, 15.0, 64.9, 65.0):
        watch.now = now
        shown = (await watch.observer.look()).counts
        assert shown == {"customers": len(counted)}
    assert counted == [0.0, 15.0, 65.0], "after a count of a second it rests for fifty"
