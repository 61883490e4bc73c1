"""In which order the marks of a worker's shards are worked off, how many at once, and when it looks at its leases
again; and that a customer that takes longer than a transaction may holds up nobody else."""

import asyncio
import itertools
from collections.abc import AsyncIterator, Callable, Collection, Sequence
from contextlib import asynccontextmanager
from typing import Any, cast

import pytest
from structlog.testing import capture_logs

from services.clock import SystemClock
from services.failures import Fenced, Interrupted, Unavailable
from services.metrics import Metrics
from services.notifications import LocalNotifications
from services.profile import shard_work
from services.profile.adapters.sql_refresh import SqlRefresh
from services.profile.domain.customers.freshness import SourceSeen
from services.profile.domain.identity.customer_ids import customer_id
from services.profile.domain.shards import SHARDS
from services.profile.giving_way import LATE_MS, MARKS_AT_ONCE, MARKS_UNDER_PRESSURE, GivingWay
from services.profile.ports.records import Shard
from services.profile.ports.refreshing import Member
from services.profile.refresh import Refreshed
from services.profile.resting import Resting
from services.profile.shard_work import BEGIN_WITHIN_S, ShardWork
from services.profile.worker import Worker
from tests.clocks import ManualClock
from tests.journeys.platforms import until
from tests.patience import HANG_S
from tests.profile.test_steps import Deployment, deployment
from tests.profile.told import NOW, SECRET

__all__ = ["deployment"]
GIANT = "party:77"
BEGUN = 1_000.0


class Shop:
    """Store, refresh and reader of a worker at once: numbers of marks alone. `done`: what the worker did, in order;
    a transaction is (shards, most, urgent)."""

    resting = Resting()

    def __init__(self, *held: int, plain: dict[int, int] | None = None, urgent: dict[int, int] | None = None) -> None:
        self.held: Collection[int] = held
        self.plain, self.urgent = plain or {}, urgent or {}
        self.done: list[Any] = []
        self.asked = 0
        self.idle = asyncio.Event()
        self.failing: Callable[[Sequence[int], int], Exception | None] = lambda numbers, most: None
        self.after: Callable[[], None] = lambda: None
        self.marked, self.may_refresh = asyncio.Event(), asyncio.Event()
        self.may_refresh.set()
        self.seen: list[SourceSeen] = []
        self._fences = itertools.count(1)
        self._leases: dict[int, Shard] = {}
        self.metrics = Metrics()

    async def lease(self, owner: str, ttl_ms: int) -> list[Shard]:
        self.done.append("leases")
        return self._moved_on([Shard(number, owner, 0) for number in self.held])

    def _moved_on(self, shards: Sequence[Shard]) -> list[Shard]:
        moved = [shard._replace(fence=next(self._fences)) for shard in shards]
        self._leases |= {shard.shard: shard for shard in moved}
        return moved

    async def marks_waiting(self, resting: Sequence[str], most: int, *, urgent: bool = False) -> dict[int, int]:
        self.asked += 1
        plain = {} if urgent else self.plain
        waiting = {n: plain.get(n, 0) + self.urgent.get(n, 0) for n in sorted(plain.keys() | self.urgent.keys())}
        found = {number: marks for number, marks in waiting.items() if marks}
        if not found.keys() & set(self.held) and not urgent:
            self.idle.set()
        return found

    async def apply(self, shards: Sequence[Shard], limit: int, now: int, *, urgent: bool) -> Refreshed:
        numbers = [shard.shard for shard in shards]
        self.done.append((numbers, limit, urgent))
        if any(self._leases[shard.shard] != shard for shard in shards):
            raise Fenced
        if error := self.failing(numbers, limit):
            raise error
        return self._taken(shards, limit, urgent)

    async def put_aside(self, shards: Sequence[Shard], error: Exception, *, urgent: bool) -> Refreshed:
        self.done.append("aside")
        return self._taken(shards, 1, urgent)._replace(marks=0)

    def _taken(self, shards: Sequence[Shard], limit: int, urgent: bool) -> Refreshed:
        left = limit
        for shard, waiting in itertools.product(shards, [self.urgent] if urgent else [self.urgent, self.plain]):
            take = min(left, waiting.get(shard.shard, 0))
            waiting[shard.shard] = waiting.get(shard.shard, 0) - take
            left -= take
        self.after()
        return Refreshed(self._moved_on(shards), limit - left, [], [], {})

    async def sources_seen(self) -> list[SourceSeen]:
        return self.seen

    @asynccontextmanager
    async def working(self) -> AsyncIterator[None]:
        everything = cast("Any", self)
        worker = Worker(
            "w", everything, everything, everything, everything, everything, LocalNotifications(),
            self.metrics, ManualClock(NOW), everything, everything, GivingWay(), everything, self.marked,
            asyncio.Event(), self.may_refresh, {},
        )  # fmt: skip
        task = asyncio.create_task(ShardWork(worker).run())
        try:
            async with asyncio.timeout(HANG_S):
                yield
        finally:
            task.cancel()
            await asyncio.wait([task])
            if not task.cancelled():
                task.result()

    async def worked_off(self) -> list[Any]:
        async with self.working():
            await self.idle.wait()
        return self.done

    @property
    def transactions(self) -> list[tuple[list[int], int, bool]]:
        return [one for one in self.done if isinstance(one, tuple)]


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """The seconds by which leases age."""
    seconds = [BEGUN]
    monkeypatch.setattr(shard_work, "_now_s", lambda: seconds[0])
    return seconds


async def test_shards_whose_marks_fit_are_taken_together_and_no_urgent_ones_are_asked_for(clock: list[float]) -> None:
    shop = Shop(1, 2, 3, plain={1: 100, 2: 100, 3: 200})
    assert await shop.worked_off() == ["leases", ([1, 2, 3], MARKS_AT_ONCE, False)]
    assert shop.asked == 2


async def test_marks_of_shards_that_others_hold_are_left_to_them(clock: list[float]) -> None:
    shop = Shop(1, plain={1: 10, 9: 10})
    assert await shop.worked_off() == ["leases", ([1], MARKS_AT_ONCE, False)]
    assert shop.plain == {1: 0, 9: 10}


async def test_where_more_wait_than_go_at_once_urgent_ones_go_before_every_transaction(clock: list[float]) -> None:
    shop = Shop(1, 2, 3, plain={1: 400, 2: 400, 3: 100}, urgent={3: 10, 9: 10})
    await shop.worked_off()
    assert [(numbers, urgent) for numbers, _, urgent in shop.transactions] == [
        ([3], True), ([1], False), ([2], False), ([3], False),
    ]  # fmt: skip


async def test_urgent_marks_that_keep_coming_in_one_shard_do_not_hold_up_those_of_another(clock: list[float]) -> None:
    shop = Shop(1, 2, 3, plain={1: 4_000}, urgent={2: 400, 3: 400})

    def come_again() -> None:
        shop.urgent[2] = 400 if shop.plain[1] else 0

    shop.after = come_again
    await shop.worked_off()
    first = [numbers for numbers, _, urgent in shop.transactions if urgent][:2]
    assert sorted(first) == [[2], [3]]


async def test_leases_are_renewed_in_time_and_no_transaction_begins_with_old_ones(clock: list[float]) -> None:
    """A transaction takes long here, as behind a busy writer. A shard that was lost meanwhile is let alone."""
    shop = Shop(1, 2, 3, 4, 5, plain=dict.fromkeys((1, 2, 3, 4, 5), MARKS_AT_ONCE))

    def passes() -> None:
        clock[0] += BEGIN_WITHIN_S / 2
        shop.held = (5,)

    shop.after = passes
    await shop.worked_off()
    assert [one if one == "leases" else one[0] for one in shop.done] == ["leases", [1], [2], [3], "leases", [5]]
    assert shop.plain == {1: 0, 2: 0, 3: 0, 4: MARKS_AT_ONCE, 5: 0}


async def test_who_is_fenced_off_looks_at_its_leases_before_anything_else(clock: list[float]) -> None:
    shop = Shop(1, plain={1: 10})
    failures = [Fenced()]
    shop.failing = lambda numbers, most: failures.pop() if failures else None
    assert await shop.worked_off() == [
        "leases", ([1], MARKS_AT_ONCE, False), "leases", ([1], MARKS_AT_ONCE, False),
    ]  # fmt: skip


@pytest.fixture
def pauses(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    taken, rest = list[float](), asyncio.sleep

    async def at_once(seconds: float) -> None:
        if seconds:
            taken.append(round(seconds, 3))
        await rest(0)

    monkeypatch.setattr(asyncio, "sleep", at_once)
    return taken


async def test_while_events_are_applied_late_a_worker_takes_less_and_pauses_after_each_transaction(
    clock: list[float], pauses: list[float]
) -> None:
    shop = Shop(1, plain={1: MARKS_AT_ONCE + 2 * MARKS_UNDER_PRESSURE})
    shop.seen = [SourceSeen("core", "corebank", 0, 0, NOW - LATE_MS - 1)]

    def passes() -> None:
        clock[0] += 0.1

    shop.after = passes
    await shop.worked_off()
    assert [most for _, most, _ in shop.transactions] == [MARKS_AT_ONCE, MARKS_UNDER_PRESSURE, MARKS_UNDER_PRESSURE]
    assert pauses == [0.4, 0.4, 0.4]


async def test_while_the_database_is_away_a_worker_comes_again_when_it_is_told_to(
    clock: list[float], pauses: list[float]
) -> None:
    shop = Shop(1, plain={1: 10})
    failures = [Unavailable("the database is away", 3.0)]
    shop.failing = lambda numbers, most: failures.pop() if failures else None
    await shop.worked_off()
    assert pauses == [3.0]
    assert shop.done == ["leases", *[([1], MARKS_AT_ONCE, False)] * 2]


async def test_that_the_database_is_away_is_told_once_and_once_that_it_is_back_and_every_try_is_counted(
    clock: list[float], pauses: list[float]
) -> None:
    shop = Shop(1, plain={1: 10})
    failures = [Unavailable("the database is away", 3.0)] * 5
    shop.failing = lambda numbers, most: failures.pop() if failures else None
    with capture_logs() as told:
        await shop.worked_off()
    assert [(one["event"], one.get("what")) for one in told] == [
        ("refresh waits", "the database is away"), ("refresh goes on", None)
    ]  # fmt: skip
    failed = shop.metrics.registry.get_sample_value
    assert failed("counterpoint_refreshes_failed_total", {"kind": "unavailable"}) == 5.0


async def test_a_shard_with_a_customer_that_takes_too_long_is_taken_in_ever_smaller_steps_and_recovers_by_doubling(
    clock: list[float],
) -> None:
    shop = Shop(1, plain={1: 2_000})
    shop.failing = lambda numbers, most: None if "aside" in shop.done else Interrupted("it took too long", 0.0)
    await shop.worked_off()
    at = shop.done.index("aside")
    assert [most for _, most, _ in shop.done[1:at]] == [400, 50, 6, 1]
    assert [most for _, most, _ in shop.done[at + 1 :]] == [2, 4, 8, 16, 32, 64, 128, 256, *[400] * 4]


async def test_a_worker_without_work_asks_for_nothing_until_it_is_woken(
    clock: list[float], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shard_work, "IDLE_S", 3_600.0)
    shop = Shop(1)
    shop.marked.set()
    async with shop.working():
        await shop.idle.wait()
        for _ in range(50):
            await asyncio.sleep(0)
        assert shop.asked == 1
        shop.idle.clear()
        shop.plain[1] = 10
        shop.marked.set()
        await shop.idle.wait()
    assert shop.asked == 3, "the last time in vain"
    assert shop.done == ["leases", ([1], MARKS_AT_ONCE, False)]


async def test_a_customer_that_takes_too_long_is_set_aside_and_holds_up_nobody_else(
    deployment: Deployment, monkeypatch: pytest.MonkeyPatch
) -> None:
    members = SqlRefresh.members

    async def slow(self: SqlRefresh, roots: Sequence[str]) -> dict[str, list[Member]]:
        if GIANT in roots:
            raise Interrupted("the database is not available: a transaction took too long")
        return await members(self, roots)

    monkeypatch.setattr(SqlRefresh, "members", slow)
    accounts = {str(number): str(number - 5924) for number in range(6001, 6021)}
    async with deployment.doing("update", "refresh") as profile:
        for account, customer in accounts.items():
            await deployment.tell(account, customer=customer)

        async def others_are_seen() -> bool:
            ids = [customer_id(f"party:{customer}", SECRET) for customer in accounts.values()]
            seen = [await profile.worker.store.view(one) is not None for one in ids]
            return seen == [customer != "77" for customer in accounts.values()]

        async def one_is_set_aside() -> bool:
            return await profile.worker.store.count_aside() == 1

        async def a_later_one_is_seen() -> bool:
            return await profile.worker.store.view(customer_id("party:98", SECRET)) is not None

        await until(others_are_seen)
        await until(one_is_set_aside)
        await deployment.tell("6021", customer="98")
        await until(a_later_one_is_seen)


async def test_shards_are_free_soon_after_the_end_of_a_worker_whose_clock_is_ahead(
    deployment: Deployment, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("services.profile.shard_work.LEASE_MS", 1)
    now_ms = SystemClock.now_ms
    with monkeypatch.context() as hour_ahead:
        hour_ahead.setattr(SystemClock, "now_ms", lambda self: now_ms(self) + 3_600_000)
        profile = await deployment.made("refresh")
        work = asyncio.ensure_future(ShardWork(profile.worker).run())

        async def holds_shards() -> bool:
            return bool(profile.worker.leases)

        await until(holds_shards)
        work.cancel()  # as one that is killed: nothing is released
    await asyncio.sleep(0.005)
    assert len(await profile.worker.store.lease("another", 1)) == SHARDS
