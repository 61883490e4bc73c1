"""Update and refresh on a database of their own, without log and processes: where single steps can be timed."""

import time
from collections.abc import AsyncIterator, Iterable, Sequence
from contextlib import asynccontextmanager
from itertools import islice
from pathlib import Path
from tempfile import TemporaryDirectory

import msgspec

from schemas.asked import Asked
from schemas.catalogue import load_catalogue
from schemas.codec import encode_event
from schemas.events import ChannelEvent
from schemas.identifiers import SUBJECT_LIMITS
from services.alerts.adapters.cel import Cel
from services.alerts.adapters.rule_files import PRODUCT, load_rules
from services.alerts.domain.asking import asked_of
from services.cli.declared import known_to_rules
from services.clock import LONGEST_LEASE_MS
from services.declared_files import Directories
from services.deployment import calm_collector
from services.log import Batch, Record
from services.profile.adapters.policies import load_declarations
from services.profile.adapters.sql import SqlProfileStore
from services.profile.domain.customers.customer import Completeness
from services.profile.domain.identity.customer_ids import customer_id
from services.profile.domain.shards import together
from services.profile.domain.states.fold import Fold
from services.profile.domain.states.series import Counting
from services.profile.ports.records import Shard
from services.profile.ports.store import ProfileStore
from services.profile.refresh import Refresh
from services.profile.resting import Resting
from services.profile.update import Update
from services.sql.database import Database, open_database
from services.sql.migrations import upgrade
from tests.conftest import started_servers

SECRET = b"a secret of benchmarks, 32 bytes"
MARKS_AT_ONCE, MINUTE_MS = 400, 60_000


class Workshop:
    """One worker's use cases. `store` may be one that measures; `now` is the system's clock in ms, `ahead_ms` later.
    `name`: in which it leases shards."""

    def __init__(self, store: ProfileStore, name: str = "benchmark") -> None:
        catalogue, self.declarations, completeness = load_catalogue(), load_declarations(), Completeness()
        policy = msgspec.structs.replace(self.declarations.policy, asked=asked_by_rules())
        self.fold = Fold(catalogue, Counting(self.declarations.series), self.declarations.series.version)
        self.store, self.update = store, Update(store, self.fold, catalogue, SECRET, SUBJECT_LIMITS)
        self.refresh = Refresh(store, lambda: policy, lambda: completeness, alias_of, Resting(0, 0))
        self._name, self._offset, self._shards, self.ahead_ms = name, 0, dict[int, Shard](), 0

    @property
    def now(self) -> int:
        return time.time_ns() // 1_000_000 + self.ahead_ms

    def close_bank_day(self) -> None:
        """Goes on to the moment after the next close: on a weekend that is days away."""
        self.ahead_ms += self.declarations.policy.reference.next_close(self.now) + MINUTE_MS - self.now

    def batch(self, events: Sequence[ChannelEvent]) -> Batch:
        start = self._offset
        records = [
            Record(start + place, 0, one.subject.encode(), encode_event(one)) for place, one in enumerate(events)
        ]
        self._offset = start + len(records)
        return Batch("channel-events", "topic", 0, start, self._offset, records)

    async def apply(self, events: Iterable[ChannelEvent], size: int) -> None:
        iterator = iter(events)
        while some := list(islice(iterator, size)):
            await self.update.apply([self.batch(some)], self.now)

    async def lease(self) -> int:
        """Its fair share of the shards; returns how many it has."""
        held = await self.store.lease(self._name, LONGEST_LEASE_MS)
        self._shards = {one.shard: one for one in held}
        return len(held)

    async def release(self) -> None:
        await self.store.release(self._name)
        self._shards.clear()

    async def refresh_all(self) -> int:
        """Until no mark is left in its shards, which are all where it works alone; returns how many views were
        written."""
        if not self._shards:
            await self.lease()
        written = 0
        while waiting := await self._waiting():
            for numbers in together(waiting, MARKS_AT_ONCE):
                done = await self.refresh.apply([self._shards[one] for one in numbers], MARKS_AT_ONCE, self.now)
                self._shards.update({shard.shard: shard for shard in done.shards})
                written += len(done.changed)
        return written

    async def _waiting(self) -> dict[int, int]:
        return {shard: marks for shard, marks in (await self.store.marks_waiting()).items() if shard in self._shards}


def asked_by_rules() -> Asked:
    """By the rules that come with the product."""
    return asked_of(load_rules(Directories(PRODUCT), known_to_rules(), Cel(), {}).rule_set)


def alias_of(subject: str) -> str:
    return customer_id(subject, SECRET)


@asynccontextmanager
async def new_database(embedded: bool) -> AsyncIterator[Database]:
    """PostgreSQL of one's own, or a file; with every table."""
    with TemporaryDirectory(prefix="counterpoint-benchmark-") as directory, started_servers() as servers:
        url = f"sqlite:{Path(directory) / 'profile.db'}" if embedded else servers.up("postgres")["postgres"]
        database = open_database(url)
        try:
            await upgrade(database)
            calm_collector()  # as the services do
            yield database
        finally:
            await database.close()


def sql_store(database: Database) -> SqlProfileStore:
    return SqlProfileStore(database, alias_of)
