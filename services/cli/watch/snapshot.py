"""What the board shows of one moment, read beside a running platform."""

import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

import httpx
from prometheus_client.parser import text_string_to_metric_families

from schemas.topics import CHANNEL_EVENTS
from services.alerts.adapters.sql import SqlAlertStore
from services.cli.beside import Beside
from services.cli.doctor.checks import MARKS_COUNTED
from services.cli.doctor.silence import Silence, silences_of
from services.cli.output import when
from services.cli.positions import backlogs, row_of
from services.cli.rewinding import Backlog
from services.cli.watch.following import Following, SeenAlert, SeenEvent, SeenView
from services.cli.watch.glance import Glance
from services.log import EventLog

COUNTED_EVERY_S = 15.0
PAUSE_FOR_COUNTING = 50
"""Counting every event takes a large bank's database seconds: it rests this many times as long as it counted."""
VISIBLE = "counterpoint_accepted_to_visible_seconds_bucket"


class Snapshot(NamedTuple):
    """Rates are a second's, since the snapshot before. `visible_ms`: 50 and 99 of 100 events are visible within.
    `marks`: no more than `MARKS_COUNTED` of a shard. `alerts`: those that changed last, then the greatest. `unheard`:
    why the platform itself tells nothing, where it was asked."""

    accepted_rate: float
    worked_rate: float
    changes_rate: float
    by_channel: Mapping[str, float]
    backlogs: Sequence[Backlog]
    marks: int
    workers: int
    counts: Mapping[str, int]
    silences: Sequence[Silence]
    events: Sequence[SeenEvent]
    views: Sequence[SeenView]
    alerts: Sequence[SeenAlert]
    alerts_by_state: Mapping[str, int]
    silent_rules: Sequence[str]
    visible_ms: tuple[float, float] | None
    unheard: str | None


def as_told(seen: Snapshot) -> dict[str, Any]:
    """For a script: as `positions show` tells of partitions, times as the API does."""
    half, most = seen.visible_ms or (None, None)
    return {
        "accepted_rate": round(seen.accepted_rate, 1), "worked_rate": round(seen.worked_rate, 1),
        "changes_rate": round(seen.changes_rate, 1),
        "by_channel": {channel: round(rate, 1) for channel, rate in seen.by_channel.items()},
        "visible_ms": {"half": _finite(half), "most": _finite(most)}, "unheard": seen.unheard,
        "partitions": [row_of(one) for one in seen.backlogs],
        "workers": seen.workers, "marks": seen.marks, "counts": seen.counts,
        "events": [{**one._asdict(), "accepted_at": when(one.accepted_at)} for one in seen.events],
        "views": [{**one._asdict(), "at": when(one.at)} for one in seen.views],
        "alerts": [{**one._asdict(), "at": when(one.at)} for one in seen.alerts],
        "alerts_by_state": seen.alerts_by_state, "silent_rules": seen.silent_rules,
        "silent_sources": [
            {"source": one.source, "silent_ms": one.silent_ms, "rhythm_ms": one.rhythm_ms}
            for one in seen.silences if one.is_too_long
        ],
    }  # fmt: skip


def _finite(ms: float | None) -> float | None:
    """The last bucket of the histogram has no upper bound."""
    return None if ms is None or ms == float("inf") else round(ms)


class _Before(NamedTuple):
    at: float
    end: int
    next: int
    changes: int
    by_channel: Mapping[str, int]


Address = Callable[[], str | None]
"""Of a running platform, where it is known; asked each time, since a platform may come back at another one."""


class Observer:
    """How soon events become visible, only the platform at that `address` can tell."""

    def __init__(self, beside: Beside, log: EventLog, following: Following, address: Address) -> None:
        self._beside, self._log, self._following, self._address = beside, log, following, address
        self._before: _Before | None = None
        self._counts: Mapping[str, int] = {}
        self._inbox = Glance(SqlAlertStore(beside.database), following)
        self._count_at = float("-inf")
        self._buckets: Mapping[float, float] = {}

    async def look(self) -> Snapshot:
        """Raises `Unavailable`."""
        now = time.monotonic()
        found = await backlogs(self._log, self._beside, CHANNEL_EVENTS.name)
        here = _Before(
            now,
            sum(one.end for one in found),
            sum(one.stored.next if one.stored else one.first for one in found),
            self._following.changes,
            dict(self._following.by_channel),
        )
        before, self._before = self._before or here, here
        await self._count_now_and_then()
        seconds = max(here.at - before.at, 1e-9)
        visible_ms, unheard = await self._visible()
        return Snapshot(
            accepted_rate=(here.end - before.end) / seconds,
            worked_rate=max(0, here.next - before.next) / seconds,
            changes_rate=(here.changes - before.changes) / seconds,
            by_channel={c: (n - before.by_channel.get(c, 0)) / seconds for c, n in sorted(here.by_channel.items())},
            backlogs=found,
            marks=sum((await self._beside.store.marks_waiting(most=MARKS_COUNTED)).values()),
            workers=len(await self._beside.store.leaseholders()),
            counts=self._counts,
            silences=await silences_of(self._beside, await self._beside.now_ms()),
            events=list(self._following.events)[::-1],
            views=list(self._following.views)[::-1],
            alerts=await self._inbox.alerts(),
            alerts_by_state=await self._inbox.by_state(),
            silent_rules=await self._inbox.silent_rules(),
            visible_ms=visible_ms,
            unheard=unheard,
        )

    async def _count_now_and_then(self) -> None:
        began = time.monotonic()
        if began >= self._count_at:
            self._counts = await self._beside.store.counts(("customers", "subjects", "events", "dead_letters"))
            took = time.monotonic() - began
            self._count_at = began + max(COUNTED_EVERY_S, PAUSE_FOR_COUNTING * took)

    async def _visible(self) -> tuple[tuple[float, float] | None, str | None]:
        """How soon events become visible; else why nobody tells."""
        url = self._address()
        if url is None:
            return None, None
        try:
            async with httpx.AsyncClient(timeout=1) as client:
                answer = await client.get(f"{url}/metrics")
            buckets = _buckets(answer.raise_for_status().text)
        except httpx.HTTPStatusError as error:
            return None, f"{url} answers {error.response.status_code} for its metrics"
        except (httpx.HTTPError, httpx.InvalidURL):
            return None, f"nobody answers at {url}"
        except ValueError:
            return None, f"what answers at {url} is no platform"
        grown = {bound: count - self._buckets.get(bound, 0.0) for bound, count in buckets.items()}
        self._buckets = buckets
        if max(grown.values(), default=0) <= 0:
            return None, None
        return (_quantile(grown, 0.5), _quantile(grown, 0.99)), None


def _buckets(text: str) -> dict[float, float]:
    """Upper bound in seconds → how many, cumulative."""
    return {
        float(sample.labels["le"]): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
        if sample.name == VISIBLE
    }


def _quantile(cumulative: Mapping[float, float], share: float) -> float:
    """In ms: the bound below which that share lies, as fine as the buckets are."""
    wanted = share * max(cumulative.values())
    return 1000 * min(bound for bound, count in cumulative.items() if count >= wanted)
