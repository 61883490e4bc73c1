"""The whole pipeline through its door: HTTP → log → update → refresh → the view that is read.

In four steps: as much as it takes in a closed loop; a steady rate with flat lag; 70 % of that in an open loop, with
views read meanwhile; and one event a request.
"""

import asyncio
from collections.abc import Sequence
from contextlib import suppress
from statistics import mean

from tests.benchmarks.figures import Given, Report, percentile
from tests.benchmarks.generator import Done
from tests.benchmarks.instrumented import READ, URGENT, VISIBLE, Sample
from tests.benchmarks.platforms import Platform, embedded_platform, served_platform
from tests.benchmarks.usage import Usage, between, tell_usage, used

SIZE, CONNECTIONS = 100, 16
STEADY, OPEN = 0.9, 0.7
READS_PER_SECOND, CASES_PER_SECOND = 50, 5


async def run(given: Given, report: Report) -> None:
    aims = ("2,000", "", "", "") if given.embedded else ("5,000", "250", "10", "1,000")
    async with embedded_platform() if given.embedded else served_platform() as platform:
        course = Course(platform, given, report)
        await course.open_accounts()
        most = await course.closed("closed loop")
        rate = given.rate or STEADY * most
        flat = await course.steady("steady rate", rate, aims[0])
        loaded = await course.read_under_load(OPEN * flat)
        await course.single("1,000")
    for name, kind, aim in (
        ("accepted to visible", VISIBLE, aims[1]),
        ("a complaint accepted to its change published", URGENT, aims[3]),
        ("a view read, in the service", READ, aims[2]),
    ):
        times = [one.seconds * 1000 for one in platform.sampled if one.kind == kind and _began_within(one, loaded)]
        report.note(f"{name}, at {OPEN:.0%} in an open loop: {len(times):,} times")
        report.tell(f"{name}, p50", percentile(times, 0.5), "ms")
        report.tell(f"{name}, p99", percentile(times, 0.99), "ms", aim)


class Course:
    """The steps one after another; each starts at rest."""

    def __init__(self, platform: Platform, given: Given, report: Report) -> None:
        self._platform, self._given, self._report, self._sent = platform, given, report, 0

    async def open_accounts(self) -> None:
        await self._platform.open_accounts(self._given.customers)
        self._sent = self._given.customers

    async def closed(self, name: str) -> float:
        """Events a second from the first request to the last view."""
        done, lags, _ = await self._load(name, size=SIZE)
        began = asyncio.get_running_loop().time()
        await self._platform.rest(self._sent)
        drained = asyncio.get_running_loop().time() - began
        rate = done.events / (done.seconds + drained)
        self._report.tell(f"{name}: accepted", done.events / done.seconds, "events/s")
        self._report.tell(f"{name}: visible, the rest after the load worked off, too", rate, "events/s")
        self._tell_lag(name, lags)
        return rate

    async def steady(self, name: str, rate: float, aim: str) -> float:
        """Paced, on the same connections: what it carries for as long as one likes, when the lag is flat."""
        done, lags, usage = await self._load(name, size=SIZE, rate=rate / SIZE)
        await self._platform.rest(self._sent)
        self._report.tell(f"{name}: accepted", done.events / done.seconds, "events/s", aim)
        self._tell_lag(name, lags)
        self._report.tell(f"{name}: CPU of the generator", done.cpu_s / done.events * 1e6, "us/event")
        tell_usage(self._report, usage, done.events)
        return done.events / done.seconds

    async def read_under_load(self, rate: float) -> Done:
        order = self._platform.reading(
            kind="reads", customers=self._given.customers, seconds=self._given.seconds, connections=4, size=1,
            rate=READS_PER_SECOND,
        )  # fmt: skip
        urgent = self._platform.posting(
            kind="cases", customers=self._given.customers, seconds=self._given.seconds, connections=1, size=1,
            rate=CASES_PER_SECOND,
        )  # fmt: skip
        (done, lags, _), read, told = await asyncio.gather(
            self._load("open", size=SIZE, rate=rate / SIZE), self._platform.drive(order), self._platform.drive(urgent)
        )
        self._sent += told.events
        await self._platform.rest(self._sent)
        name = f"{OPEN:.0%}, open loop"
        self._report.tell(f"{name}: accepted", done.events / done.seconds, "events/s")
        self._report.tell(f"{name}: a request of {SIZE}, p50", done.p50_ms, "ms")
        self._report.tell(f"{name}: a request of {SIZE}, p99", done.p99_ms, "ms")
        self._report.tell(f"{name}: a view read, at the client, p99", read.p99_ms, "ms")
        self._report.tell(f"{name}: reads that failed", read.failed, "reads", "0")
        self._tell_lag(name, lags)
        return done

    async def single(self, aim: str) -> None:
        done, lags, usage = await self._load("single", size=1)
        self._report.tell("one event a request: accepted", done.events / done.seconds, "events/s", aim)
        self._report.tell("one event a request, p99", done.p99_ms, "ms")
        self._tell_lag("one event a request", lags)
        tell_usage(self._report, usage, done.events)
        await self._platform.rest(self._sent)

    async def _load(self, run: str, **order: float) -> tuple[Done, Sequence[float], Usage]:
        lags: list[float] = []
        watching = asyncio.create_task(self._watch(lags))
        before = used(self._platform.processes)
        posting = self._platform.posting(
            kind="transactions", customers=self._given.customers, seconds=self._given.seconds, connections=CONNECTIONS,
            run=run.replace(" ", "-"), **order,
        )  # fmt: skip
        done = await self._platform.drive(posting)
        usage = between(before, used(self._platform.processes))
        watching.cancel()
        with suppress(asyncio.CancelledError):
            await watching
        self._sent += done.events
        if done.failed:
            self._report.note(f"{done.failed} of {done.requests} requests were refused: {done.statuses}")
        return done, lags, usage

    async def _watch(self, lags: list[float]) -> None:
        while True:
            await asyncio.sleep(1.0)
            lags.append((await self._platform.progress()).lag)

    def _tell_lag(self, name: str, lags: Sequence[float]) -> None:
        """Flat: the last quarter of the time is no worse than the second one."""
        quarter = max(1, len(lags) // 4)
        for place, which in ((quarter, "second"), (3 * quarter, "last")):
            some = lags[place : place + quarter] or lags
            self._report.tell(f"{name}: lag, {which} quarter", mean(some) if some else 0.0, "events")


def _began_within(one: Sample, done: Done) -> bool:
    """What began under load counts, however late it ended."""
    return done.began <= one.at - one.seconds <= done.ended
