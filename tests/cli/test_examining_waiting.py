"""The doctor tells what is busy from what stands still."""

import os
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, cast

import pytest

from services.cli.beside import Beside
from services.cli.doctor import checks
from services.cli.doctor.diagnosis import checked
from services.cli.doctor.findings import Finding, Patient
from services.cli.rewinding import Backlog
from services.clock import SystemClock
from services.failures import Unavailable
from services.log import EventLog, Position

NOW = 1_795_320_000_000
END = 100


class Store:
    """What these checks ask of the profile's store; what waits in its lanes is another thing at every look."""

    def __init__(
        self, lanes: Sequence[Mapping[str, int]] = (), marks: int = 0, workers: Sequence[str] = (), away_for: int = 0
    ) -> None:
        self.looks, self._lanes, self._marks, self._workers, self._away_for = 0, lanes, marks, workers, away_for

    async def lanes_waiting(self) -> Mapping[str, int]:
        self.looks += 1
        return self._lanes[min(self.looks, len(self._lanes)) - 1]

    async def marks_waiting(self, *, most: int) -> Mapping[int, int]:
        shares = [self._marks // 15] * 14 + [self._marks - self._marks // 15 * 14, 1]
        return {shard: min(most, share) for shard, share in enumerate(shares)} if self._marks else {}

    async def leaseholders(self) -> Sequence[str]:
        self.looks += 1
        return self._workers if self.looks > self._away_for else []


@pytest.fixture(autouse=True)
def processors(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "cpu_count", lambda: 2)
    load(monkeypatch, 0.0)


def load(monkeypatch: pytest.MonkeyPatch, average: float) -> None:
    monkeypatch.setattr(os, "getloadavg", lambda: (average, 0.0, 0.0))


class Here:
    def __init__(self, store: Store) -> None:
        self.store = store

    async def now_ms(self) -> int:
        return SystemClock().now_ms()


def patient(store: Store) -> Patient:
    return Patient(cast(Beside, Here(store)), cast(EventLog, object()), None, 0)


def backlog(partition: int, reached: int, topic: str = "channel-events", topic_id: str = "t") -> Backlog:
    return Backlog(topic, "t", partition, Position(topic_id, reached), 10, END)


class Log:
    """Where partitions stand, look by look; the last for good."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, *looks: Sequence[Backlog]) -> None:
        self.looked, self._looks = 0, looks
        monkeypatch.setattr(checks, "all_backlogs", self._look)

    async def _look(self, *_: Any) -> Sequence[Backlog]:
        self.looked += 1
        return self._looks[min(self.looked, len(self._looks)) - 1]

    async def examined(self) -> Finding:
        [found] = await checks.positions(patient(Store()))
        return found


def in_turn(partitions: int, pause: int) -> Iterator[list[Backlog]]:
    """A worker that comes to each of them for a moment, after so many looks at which nothing moves."""
    for look in range(partitions * pause + 1):
        yield [backlog(one, END - 7 + (look >= (one + 1) * pause)) for one in range(partitions)]


async def test_where_nothing_waits_one_look_is_enough(monkeypatch: pytest.MonkeyPatch) -> None:
    log = Log(monkeypatch, [backlog(0, END), backlog(1, END)])
    assert (await log.examined(), log.looked) == (Finding("positions", "ok", "inside the log, nothing is waiting"), 1)


async def test_who_comes_to_its_partitions_in_turn_is_given_the_time_for_it(monkeypatch: pytest.MonkeyPatch) -> None:
    log = Log(monkeypatch, *in_turn(3, pause=5))
    assert await log.examined() == Finding("positions", "ok", "inside the log and moving; 21 events wait")
    assert log.looked == 1 + 3 * 5


async def test_what_has_not_moved_for_five_looks_stands_still(monkeypatch: pytest.MonkeyPatch) -> None:
    log = Log(monkeypatch, *[[backlog(0, END), backlog(1, 90 + look), backlog(2, 98), backlog(3, 97)]
                             for look in range(3)])  # fmt: skip
    found = await log.examined()
    assert found.state == "wrong"
    assert found.told.startswith("channel-events/2,3: nothing moves although 5 events wait: start a worker")
    assert log.looked == 1 + 1 + 5


async def test_on_a_busy_machine_who_comes_late_is_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    load(monkeypatch, 13.0)
    log = Log(monkeypatch, *in_turn(2, pause=14))
    assert await log.examined() == Finding("positions", "ok", "inside the log and moving; 14 events wait")
    store = Store((), 1, ["w"], away_for=10)
    assert [one.state for one in await checks.marks(patient(store))] == ["ok"]


async def test_of_a_busy_machine_it_is_said_that_what_stands_still_may_be_slow(monkeypatch: pytest.MonkeyPatch) -> None:
    load(monkeypatch, 13.0)
    log = Log(monkeypatch, *in_turn(2, pause=16))
    found = await log.examined()
    assert (found.state, log.looked) == ("wrong", 1 + 15)
    assert found.told.endswith("; but this machine is busy (load 13 on 2 processors), and slow")
    [found] = await checks.marks(patient(Store((), 1)))
    assert (found.state, found.told.endswith("and slow")) == ("wrong", True)


async def test_what_answers_when_asked_a_second_time_is_slow_and_not_wrong() -> None:
    asked: list[Patient] = []

    async def check(here: Patient) -> Sequence[Finding]:
        asked.append(here)
        if len(asked) == 1:
            raise Unavailable("Kafka did not answer within 5 s")
        return [Finding("topics", "ok", "all 4 are there")]

    assert await checked("topics", check, patient(Store())) == [
        Finding("topics", "ok", "all 4 are there"),
        Finding("topics", "warning", "answered only when asked a second time; first: Kafka did not answer within 5 s"),
    ]


async def test_what_does_not_answer_a_second_time_either_is_wrong(monkeypatch: pytest.MonkeyPatch) -> None:
    async def check(here: Patient) -> Sequence[Finding]:
        raise Unavailable("Kafka did not answer within 5 s")

    [found] = await checked("topics", check, patient(Store()))
    assert (found.state, found.told) == ("wrong", "Kafka did not answer within 5 s")
    load(monkeypatch, 4.0)
    [found] = await checked("topics", check, patient(Store()))
    assert found.told.endswith("; but this machine is busy (load 4 on 2 processors), and slow")


async def test_after_fifteen_looks_what_has_not_moved_yet_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    log = Log(monkeypatch, *in_turn(6, pause=4))
    assert (await log.examined()).told.startswith("channel-events/3,4,5: nothing moves although 21 events wait")
    assert log.looked == 1 + 15


async def test_partitions_outside_the_log_are_told_by_what_became_of_them(monkeypatch: pytest.MonkeyPatch) -> None:
    looks = [
        backlog(0, 9), backlog(1, END + 1), backlog(2, END), backlog(3, 9), backlog(0, 9, "profile-changes"),
        backlog(0, 50, "profile-changes", "another"),
    ]  # fmt: skip
    found = await Log(monkeypatch, looks).examined()
    assert found.state == "wrong"
    assert found.told.startswith(
        "channel-events/0,3, profile-changes/0: no longer kept; channel-events/1: beyond the end; "
        "profile-changes/0: of another topic: this one was made anew; restore the log, or"
    )


@pytest.mark.parametrize(
    ("later", "looks", "state", "words"),
    [
        ([{"a": NOW - 31_000, "b": NOW - 5}], 1 + 5, "wrong", "since 31 s to be published: is a worker running"),
        ([{"a": NOW - 30_999, "b": NOW - 5}], 2, "warning", "leave one after the other: start another worker"),
        ([{}], 2, "warning", "leave one after the other"),
        ([{"a": NOW - 31_000}] * 4 + [{"a": NOW - 30_000}], 1 + 5, "warning", "leave one after the other"),
    ],
)
async def test_changes_that_wait_for_long_stand_still_or_leave_slowly(
    monkeypatch: pytest.MonkeyPatch, later: list[Mapping[str, int]], looks: int, state: str, words: str
) -> None:
    monkeypatch.setattr(SystemClock, "now_ms", lambda _: NOW)
    store = Store([{"a": NOW - 31_000, "b": NOW - 5}, *later])
    [found] = await checks.outbox(patient(store))
    assert (found.state, store.looks, words in found.told) == (state, looks, True)


@pytest.mark.parametrize(
    ("lanes", "told"), [({}, "published"), ({"a": NOW - 30_000}, "being published"), ({"a": NOW}, "being published")]
)
async def test_changes_that_have_just_come_are_no_cause_for_a_second_look(
    monkeypatch: pytest.MonkeyPatch, lanes: Mapping[str, int], told: str
) -> None:
    monkeypatch.setattr(SystemClock, "now_ms", lambda _: NOW)
    store = Store([lanes])
    assert await checks.outbox(patient(store)) == [Finding("outbox", "ok", told)]
    assert store.looks == 1


@pytest.mark.parametrize(
    ("marks", "workers", "state", "told"),
    [
        (0, [], "ok", "0 customers wait for a refresh"),
        (1, ["w"], "ok", "2 customers wait for a refresh"),
        (1, [], "wrong", "2 customers wait for a refresh, and no worker that refreshes is running: start one"),
        (49_999, ["w"], "ok", "50,000 customers wait for a refresh"),
        (50_000, ["w"], "warning", "50,001 customers wait for a refresh: start another worker"),
        (90_000, ["w"], "warning", "90,001 customers wait for a refresh: start another worker"),
        (900_000, ["w"], "warning", "at least 93,751 customers wait for a refresh: start another worker"),
    ],
)
async def test_customers_wait_for_a_worker_or_for_another_one(
    marks: int, workers: list[str], state: str, told: str
) -> None:
    [found] = await checks.marks(patient(Store((), marks, workers)))
    assert (found.state, found.told) == (state, told)
