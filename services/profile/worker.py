"""What a profile worker is made of, handed to each step of its topology."""

import asyncio
from typing import NamedTuple

from services.clock import Clock
from services.log import EventLog
from services.metrics import Metrics
from services.notifications import Notifications
from services.profile.giving_way import GivingWay
from services.profile.ports.records import Shard
from services.profile.ports.store import ProfileStore
from services.profile.refresh import Refresh
from services.profile.reload import Reload
from services.profile.sources import Freshness
from services.profile.update import Update
from services.profile.upkeep import Upkeep
from services.progress import Progress


class Worker(NamedTuple):
    """`name` is unique among all workers. `leases`: the shards that this one holds now, by number. `marked` wakes
    the step that refreshes, `written` the one that publishes. While `may_refresh` is not set, nothing is refreshed: a
    past goes by in steps."""

    name: str
    log: EventLog
    store: ProfileStore
    update: Update
    refresh: Refresh
    upkeep: Upkeep | None
    notifications: Notifications
    metrics: Metrics
    clock: Clock
    freshness: Freshness
    reload: Reload
    giving_way: GivingWay
    progress: Progress
    marked: asyncio.Event
    written: asyncio.Event
    may_refresh: asyncio.Event
    leases: dict[int, Shard]
