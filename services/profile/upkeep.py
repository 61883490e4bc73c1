"""USE CASE: ages and drops what is old. Old events are folded into their subject's base; months behind the horizon,
ledgers past their days, old letters and placements that no backtest reaches are dropped. No view changes.

Ageing happens once a month, subject by subject, each in a transaction of its own with a pause after it. Started again,
it goes through the subjects from the first one on.
"""

import asyncio
from collections.abc import Awaitable, Callable
from functools import partial
from itertools import pairwise
from typing import NamedTuple

from schemas.codec import decode_event
from schemas.instants import DAY_MS
from schemas.topics import CHANNEL_EVENTS
from services.attempts import again_when_contended
from services.failures import Fenced
from services.log import EventLog
from services.profile.domain.ledger import DAYS_KEPT
from services.profile.domain.states.base import aged, decode_base, encode_base, expired, horizon
from services.profile.domain.states.fold import Fold
from services.profile.domain.states.months import OtherShape
from services.profile.domain.states.packing import unpack
from services.profile.domain.states.periods import month_of
from services.profile.domain.states.state import MONTHS_KEPT
from services.profile.ports.records import BaseRow, StoredSubject
from services.profile.ports.store import ProfileStore
from services.profile.ports.updating import UpdateTransaction

REPLAYED_KEPT_DAYS = 90
SUBJECTS_AT_ONCE = 500
PLACEMENTS_AT_ONCE = 5_000
EVENTS_AT_ONCE = 2_000
PAUSE_S = 0.01


class Kept(NamedTuple):
    """How many of each were aged or dropped. `letters`: replayed ones; `unreplayed`: those that nobody sent again."""

    events: int = 0
    months: int = 0
    ledgers: int = 0
    letters: int = 0
    unreplayed: int = 0
    placements: int = 0


class Upkeep:
    """`timeline_months`, `letter_months`: how many months, the running one included, events stay in the timeline, and
    letters that nobody sends again."""

    def __init__(
        self,
        store: ProfileStore,
        log: EventLog,
        fold: Fold,
        timeline_months: int,
        letter_months: int,
        pause: Callable[[], Awaitable[None]] = lambda: asyncio.sleep(PAUSE_S),
    ) -> None:
        self._store, self._log, self._fold = store, log, fold
        self._timeline_months, self._letter_months, self._pause = timeline_months, letter_months, pause
        self._aged_in = -1

    async def apply(self, now: int) -> Kept:
        """Raises `Unavailable`, `Contended`, and `Fenced` beside a newer release; the next call goes on."""
        ledgers = await self._drop_ledgers(now)
        letters = await self._store.drop_letters("replayed", now - REPLAYED_KEPT_DAYS * DAY_MS)
        unreplayed = await self._store.drop_letters("open", horizon(now, self._letter_months))
        events = months = placements = 0
        if self._aged_in != month_of(now):
            events, months = await self._age_all(now)
            placements = await self._drop_placements(horizon(now, self._timeline_months))
            self._aged_in = month_of(now)
        return Kept(events, months, ledgers, letters, unreplayed, placements)

    async def _drop_ledgers(self, now: int) -> int:
        """Keeps a ledger as long as a repeat of its events may still wait in the log. Days are counted from the last on
        which anything was accepted: by the clock of this machine alone, were it ahead, repeats would count again."""
        days = await self._store.ledger_days()
        if not days or days[0] >= min(now // DAY_MS, days[-1]) - DAYS_KEPT:
            return 0
        oldest = await self._oldest_waiting(now)
        if oldest is None:
            return 0
        return len(await self._store.drop_ledgers(min(oldest // DAY_MS, days[-1]) - DAYS_KEPT))

    async def _oldest_waiting(self, now: int) -> int | None:
        """When the log took the oldest event that is not applied yet (ms); `now` if none waits, None if it cannot be
        known."""
        topic = CHANNEL_EVENTS.name
        ends, identity = await self._log.ends(topic), await self._log.topic_id(topic)
        stored = await self._store.positions(topic, list(ends))
        oldest = now
        for partition, (first, end) in ends.items():
            position = stored.get(partition)
            if position is not None and position.topic_id != identity:
                return None
            reached = position.next if position else first
            if reached < end:
                record = await self._log.record(topic, partition, reached)
                if record is None:
                    return None
                oldest = min(oldest, record.timestamp_ms)
        return oldest

    async def _age_all(self, now: int) -> tuple[int, int]:
        events = months = 0
        before, month = horizon(now, self._timeline_months), month_of(now) - MONTHS_KEPT + 1
        last: str | None = ""
        while last is not None:
            subjects, last = await self._store.page_to_age(last, before, month, SUBJECTS_AT_ONCE)
            for subject in subjects:
                more = True
                while more:
                    done, dropped = await again_when_contended(partial(self._age, subject, before))
                    events, months, more = events + done, months + dropped, done == EVENTS_AT_ONCE
                    await self._pause()
            await self._pause()
        return events, months

    async def _drop_placements(self, before: int) -> int:
        """Of each customer the last one of before stays: a backtest begins with it."""
        dropped, after = 0, ("", 0)
        while page := await self._store.placements_page(after, PLACEMENTS_AT_ONCE):
            gone = [one[:2] for one, after_it in pairwise(page) if one.lead == after_it.lead and after_it.at < before]
            await again_when_contended(partial(self._store.drop_placements, gone))
            dropped += len(gone)
            if len(page) < PLACEMENTS_AT_ONCE:
                break
            after = page[-2][:2]  # the last one is compared with the first of the next page
            await self._pause()
        return dropped

    async def _age(self, subject: str, before: int) -> tuple[int, int]:
        async with self._store.updating() as tx:
            await tx.lock_subjects({subject: frozenset()})
            months = frozenset(await tx.months_of(subject))
            row = (await tx.lock_subjects({subject: months}))[subject]
            if row.fold_version > self._fold.version:
                raise Fenced("a newer release has folded this state: its own upkeep will come by")
            return await self._age_events(tx, row, before), await _drop_months(tx, row)

    async def _age_events(self, tx: UpdateTransaction, row: StoredSubject, before: int) -> int:
        old = await tx.aged_of(row.subject, before, EVENTS_AT_ONCE)
        if old:
            stored = await tx.base_of(row.subject)
            base = decode_base(stored.body, stored.fold_version) if stored else []
            pieces = aged(base, row.cuts, (decode_event(one.event) for one in old), self._fold)
            await tx.save_base(BaseRow(row.subject, self._fold.version, encode_base(pieces)))
            await tx.drop_timeline(old)
        return len(old)


async def _drop_months(tx: UpdateTransaction, row: StoredSubject) -> int:
    try:
        segments = unpack(row.cuts, row.heads, row.months)
    except OtherShape:
        return 0  # the rebuild keeps only what is due
    gone = expired(segments.heads, segments.months)
    if gone:
        await tx.keep_parts(row.subject, row.months.keys() - gone)
    return len(gone)
