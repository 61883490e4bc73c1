"""What the tests of ingest share: a source with its key, rules over the real catalogue, a log in memory."""

import gzip
import time
from collections.abc import Mapping, Sequence
from typing import Any
from zoneinfo import ZoneInfo

import httpx
import msgspec

from schemas.catalogue import load_catalogue
from schemas.codec import decode_dead_letter, decode_event
from schemas.dead_letters import DeadLetter
from schemas.events import ChannelEvent
from schemas.naming import Naming
from schemas.tokens import TokenKey
from schemas.topics import Topic
from services.failures import Rejected, Unavailable
from services.ingest.adapters.memory import TokenBuckets
from services.ingest.app import Ingest, Stores, open_ingest, rules_of
from services.ingest.channels.taking import Taking
from services.ingest.domain import admission
from services.ingest.domain.rules import Rules
from services.ingest.domain.sources import Grant, Source, Terms
from services.ingest.registry import create_key, set_source
from services.ingest.settings import Choices, Limits
from services.log import Handler, Message, Placed, PositionStore, Record, TopicPartition, UnknownTopic
from services.metrics import Metrics
from services.partitioning import partition_of
from services.web.asgi import routes
from tests.clocks import ManualClock
from tests.ingest.memory import MemoryKeyStore, MemorySourceStore

NOW = 1_795_320_000_000  # 2026-11-22T12:00:00+08:00
SECRET = b"a secret of thirty-two bytes...."
NAMING = Naming(TokenKey(SECRET))
VISA = "4111111111111111"
UNIONPAY = "6222020200112345679"
CATALOGUE = load_catalogue()


def rules(naming: Naming = NAMING, **choices: Any) -> Rules:
    return rules_of(naming, CATALOGUE, Choices(**choices))


def terms(*channels: str, **parameters: Any) -> Terms:
    source = Source(**{"id": "core", "of_record": ("*",), **parameters})
    grant = Grant(key_id="key_1", source="core", channels=channels or ("corebank",))
    return Terms(grant, source, ZoneInfo(source.time_zone))


def transaction(**changes: Any) -> dict[str, Any]:
    """A valid one; a change to None leaves the field out."""
    event = {
        "id": "t-1",
        "type": "transaction.posted",
        "occurred_at": "2026-11-22T09:30:00+08:00",
        "sequence": 17,
        "identifiers": {"account_no": "6001000000017"},
        "amount": {"value": "1200.50", "currency": "CNY"},
        "direction": "debit",
        "attributes": {"purpose": "household_payment"},
    }
    return {name: value for name, value in {**event, **changes}.items() if value is not None}


def encoded(event: object) -> bytes:
    return msgspec.json.encode(event)


class ListLog:
    """The part of an event log that ingest uses, in lists; `failing` topics are unavailable, and `why`."""

    def __init__(self, partitions: int = 8) -> None:
        self.partitions = partitions
        self.topics: dict[str, list[list[Message]]] = {}
        self.failing: set[str] = set()
        self.why = "the log is away"

    async def ensure_topics(self, topics: Sequence[Topic]) -> None:
        for topic in topics:
            self.topics.setdefault(topic.name, [[] for _ in range(self.partitions)])

    async def append(self, topic: str, messages: Sequence[Message]) -> Sequence[Placed]:
        if topic in self.failing:
            raise Unavailable(self.why, retry_after=2.4)
        return [self._place(self.topics[topic], message) for message in messages]

    def _place(self, streams: list[list[Message]], message: Message) -> Placed:
        at = message.partition if message.partition is not None else partition_of(message.key, self.partitions)
        streams[at].append(message)
        return Placed(at, len(streams[at]) - 1)

    async def ends(self, topic: str) -> Mapping[int, tuple[int, int]]:
        if topic not in self.topics:
            raise UnknownTopic(topic)
        return {at: (0, len(stream)) for at, stream in enumerate(self.topics[topic])}

    async def topic_id(self, topic: str) -> str:
        return topic

    async def offsets_at(self, topic: str, at_ms: int) -> Mapping[int, int]:
        raise NotImplementedError("ingest looks nothing up")

    async def record(self, topic: str, partition: int, offset: int) -> Record | None:
        raise NotImplementedError("ingest looks nothing up")

    def stopped(self) -> Mapping[TopicPartition, str]:
        return {}

    def waiting(self) -> Mapping[TopicPartition, str]:
        return {}

    async def consume(self, topics: Sequence[str], group: str, positions: PositionStore, handler: Handler) -> None:
        raise NotImplementedError("ingest reads nothing")

    async def close(self) -> None:
        return None

    def events(self) -> list[ChannelEvent]:
        return [decode_event(message.value) for stream in self.topics["channel-events"] for message in stream]

    def dead_letters(self) -> list[DeadLetter]:
        return [decode_dead_letter(message.value) for stream in self.topics["dead-letters"] for message in stream]


class Bank:
    """Ingest on a `ListLog`, behind HTTP, with one source `core` and its key."""

    def __init__(
        self, ingest: Ingest, log: ListLog, stores: Stores, clock: ManualClock, key: str, metrics: Metrics
    ) -> None:
        self.ingest, self.log, self.stores, self.clock, self.key = ingest, log, stores, clock, key
        self.metrics = metrics
        self.client = httpx.AsyncClient(
            transport=httpx.ASGITransport(app=routes(ingest.routes)),
            base_url="http://bank.test",
            headers={"authorization": f"Bearer {key}", "content-type": "application/json"},
        )

    async def post(self, body: object, **headers: str) -> httpx.Response:
        """Bytes go as they are, everything else as JSON."""
        content = body if isinstance(body, bytes) else encoded(body)
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        return await self.client.post("/v1/events", content=content, headers=named)

    async def post_gzip(self, body: bytes, packed: bytes | None = None) -> httpx.Response:
        return await self.post(gzip.compress(body) if packed is None else packed, content_encoding="gzip")


async def open_bank(
    limits: Limits | None = None,
    choices: Choices | None = None,
    channels: Sequence[str] = ("corebank",),
    rate: int = 10_000,
    taking: Taking | None = None,
) -> Bank:
    stores = Stores(MemoryKeyStore(), MemorySourceStore())
    await set_source(stores.sources, Source(id="core", of_record=("*",)), CATALOGUE)
    key, _ = await create_key(stores.keys, stores.sources, "core", channels, NOW, rate)
    log, clock = ListLog(), ManualClock(NOW)
    metrics = Metrics()
    rates = TokenBuckets(time.monotonic)
    ingest = await open_ingest(
        log, stores, rates, NAMING, CATALOGUE, clock, metrics, limits or Limits(), choices or Choices(), taking
    )
    return Bank(ingest, log, stores, clock, key, metrics)


def admit(body: bytes, under: Terms, by: Rules, now_ms: int) -> ChannelEvent:
    """One event alone. Raises `Rejected`."""
    (event,) = admission.admit([body], under, by, now_ms)
    if isinstance(event, Rejected):
        raise event
    return event
