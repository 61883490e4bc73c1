"""Puts ingest together from values handed in: its routes, and the loop that sends heartbeats beside them."""

import asyncio
import time
from collections.abc import Mapping
from typing import Any, NamedTuple

import msgspec

from schemas.catalogue import EventType
from schemas.instants import HOUR_MS
from schemas.naming import Naming
from schemas.topics import CHANNEL_EVENTS, TOPICS
from services.clock import Clock
from services.failures import Unavailable
from services.ingest.access import KeyAccess
from services.ingest.channels.documents import document_routes, openapi_document
from services.ingest.channels.http import EventsEndpoint
from services.ingest.channels.publish import EVENTS_PATH, Publisher
from services.ingest.channels.taking import Taking, at_once
from services.ingest.domain.examples import refuse_bad_examples
from services.ingest.domain.heartbeat import heartbeats, vouched
from services.ingest.domain.rules import Rules, plans_of
from services.ingest.ports import KeyStore, RateLimiter, SourceStore
from services.ingest.settings import Choices, Limits
from services.log import EventLog, UnknownTopic
from services.metrics import Metrics
from services.web.asgi import App


class Stores(NamedTuple):
    keys: KeyStore
    sources: SourceStore


class Ingest:
    """`routes`: by path, described by `openapi`. `beat`: to be run beside them until cancelled. `check`: for
    `/health/ready`."""

    def __init__(
        self,
        routes: Mapping[str, App],
        openapi: Mapping[str, Any],
        publisher: Publisher,
        log: EventLog,
        clock: Clock,
        sources: SourceStore,
        period_s: float,
        *,
        vouches: bool,
    ) -> None:
        self.routes, self.openapi = routes, openapi
        self._publisher, self._log, self._clock = publisher, log, clock
        self._sources, self._period_s, self._vouches = sources, period_s, vouches

    async def beat(self) -> None:
        """Every few seconds tells the profile of the sources, and vouches for those heard of within their rhythm."""
        while True:
            await asyncio.sleep(self._period_s)
            try:
                await self.beat_once()
            except Unavailable:
                continue  # a heartbeat missed is repeated by the next one

    async def check(self) -> str | None:
        """Why nothing is accepted, None where all is well. What the log refused a while ago says nothing of now: who is
        not ready is sent no events, and would never hear that the log is back."""
        if why := self._publisher.refused_within(2 * self._period_s):
            return f"nothing is accepted: {why}"
        try:
            await self._log.ends(CHANNEL_EVENTS.name)
        except Unavailable:
            return "the event log is away"
        except UnknownTopic as unknown:
            return unknown.message
        return None

    async def beat_once(self) -> int:
        """Returns how many sources it vouched for. Raises `Unavailable`."""
        now = self._clock.now_ms()
        heard = self._publisher.heard
        known = await self._sources.sources()
        if not self._vouches:
            known = [msgspec.structs.replace(source, heartbeats=False) for source in known]
        messages = heartbeats(known, heard, now, self._publisher.partitions)
        if messages:
            await self._log.append(CHANNEL_EVENTS.name, messages)
        return sum(vouched(source, heard, now) for source in known)


async def open_ingest(
    log: EventLog,
    stores: Stores,
    rates: RateLimiter,
    naming: Naming,
    catalogue: Mapping[str, EventType],
    clock: Clock,
    metrics: Metrics,
    limits: Limits = Limits(),  # noqa: B008 - frozen
    choices: Choices = Choices(),  # noqa: B008 - frozen
    taking: Taking | None = None,
) -> Ingest:
    """`naming`: with another one, the same card is another card. `taking`: at once, by the clock, if not said; else
    no source is vouched for beyond what it sends.

    Raises `Unavailable`; `CatalogueError` where an example is no event."""
    refuse_bad_examples(catalogue)
    await log.ensure_topics(TOPICS)
    partitions = len(await log.ends(CHANNEL_EVENTS.name))
    rules = rules_of(naming, catalogue, choices)
    publisher = Publisher(log, partitions, metrics)
    access = KeyAccess(stores.keys, stores.sources, time.monotonic)
    endpoint = EventsEndpoint(access, rules, publisher, rates, clock, limits, taking or at_once(clock))
    routes: dict[str, App] = {EVENTS_PATH: endpoint, **document_routes(catalogue)}
    return Ingest(
        routes, openapi_document(catalogue, limits), publisher, log, clock, stores.sources, choices.heartbeat_s,
        vouches=taking is None,
    )  # fmt: skip


def rules_of(naming: Naming, catalogue: Mapping[str, EventType], choices: Choices) -> Rules:
    return Rules(
        plans=plans_of(catalogue),
        secret=naming.secret,
        key=naming.key,
        accept_unknown_types=choices.accept_unknown_types,
        max_event_bytes=choices.max_event_bytes,
        max_skew_ms=choices.max_skew_hours * HOUR_MS,
        region=naming.region,
    )
