"""Appends to Kafka: acknowledged by all in-sync replicas, idempotent, in bounded time.

Appends that come while others are on their way go out together next.
"""

import asyncio
from collections import deque
from collections.abc import Sequence

import structlog
from aiokafka import AIOKafkaProducer
from aiokafka.errors import KafkaError, MessageSizeTooLargeError, RecordListTooLargeError

from services.failures import Rejected, Unavailable
from services.kafka.away import away
from services.kafka.cluster import Connection, answered_within
from services.kafka.sending import Append, send_together
from services.log import Message, Placed
from services.outage import Outage
from services.partitioning import place_of

log = structlog.get_logger()

_STOPPING_S = 5.0
_MOST_TOGETHER_BYTES = 4 << 20


class Lane:
    """The appends to one topic that wait, and the task that works them off, one group after another."""

    def __init__(self, topic: str) -> None:
        self.topic, self._outage = topic, Outage("append", topic=topic)
        self.waiting: deque[Append] = deque()
        self.task: asyncio.Task[None] | None = None

    def tell(self, failed: BaseException | None) -> None:
        if isinstance(failed, Unavailable):
            self._outage.waits(failed)
            return
        if failed is None or isinstance(failed, Rejected):  # whoever refuses something has answered
            self._outage.goes_on()
        if failed is not None:
            log.warning("append failed", topic=self.topic, what=str(failed), cause=type(failed).__name__)

    def take(self) -> list[Append]:
        """Those that go out together; without those that nobody waits for any more."""
        taken: list[Append] = []
        size = 0
        while self.waiting and size < _MOST_TOGETHER_BYTES:
            append = self.waiting.popleft()
            if not append.done.done():
                taken.append(append)
                size += append.size
        return taken


class Producer:
    """`linger_ms`: how long the first append of a group waits for others, which saves both ends a request. Only where
    many append side by side: who appends one after another would wait for nobody."""

    def __init__(self, connection: Connection, timeout_s: float, max_message_bytes: int, linger_ms: int) -> None:
        self._connection, self._timeout_s, self._linger_s = connection, timeout_s, linger_ms / 1000
        self._max_message_bytes = max_message_bytes
        self._producer: AIOKafkaProducer | None = None
        self._starting = asyncio.Lock()
        self._retiring: set[asyncio.Task[None]] = set()
        self._lanes: dict[str, Lane] = {}

    async def append(self, topic: str, messages: Sequence[Message], partitions: int) -> list[Placed]:
        lane = self._lanes.get(topic)
        if lane is None:
            lane = self._lanes[topic] = Lane(topic)
        done: asyncio.Future[list[Placed]] = asyncio.get_running_loop().create_future()
        places = [place_of(message, topic, partitions, self._max_message_bytes) for message in messages]
        lane.waiting.append(Append(messages, places, sum(len(one.key) + len(one.value) for one in messages), done))
        if lane.task is None:
            lane.task = asyncio.create_task(self._work_off(lane), name=f"append to {topic}")
        return await done

    async def _work_off(self, lane: Lane) -> None:
        while lane.waiting:
            await asyncio.sleep(self._linger_s)
            if appends := lane.take():
                _tell(appends, await self._outcomes(appends, lane))
        lane.task = None

    async def _outcomes(self, appends: list[Append], lane: Lane) -> list[list[Placed] | BaseException]:
        producer: AIOKafkaProducer | None = None
        try:
            async with answered_within(self._timeout_s):
                producer = await self._started()
                outcomes = await send_together(producer, lane.topic, appends)
        except Unavailable as away:
            appends += lane.waiting  # nobody waits for a dead broker longer than for one answer
            lane.waiting.clear()
            outcomes = [away] * len(appends)
        except Exception as bug:  # those who wait are told
            outcomes = [bug] * len(appends)
        answers = [_in_our_words(one) if isinstance(one, BaseException) else one for one in outcomes]
        failed = next((one for one in answers if isinstance(one, BaseException)), None)
        lane.tell(failed)
        if failed is not None and producer is self._producer:  # not one that was started since, for another topic
            self._retire()  # what it still holds may fail with it; the next append starts with a clean one
        return answers

    async def _started(self) -> AIOKafkaProducer:
        async with self._starting:
            if self._producer is not None:
                return self._producer
            # Kept at hand: while it starts, an append that failed may retire it, and then it says so itself.
            producer = self._producer = AIOKafkaProducer(
                **self._connection, acks="all", enable_idempotence=True,
                compression_type="lz4", max_batch_size=256 << 10, request_timeout_ms=int(self._timeout_s * 1000),
            )  # fmt: skip
            try:
                await producer.start()
            except BaseException:
                self._retire()
                raise
            return producer

    def _retire(self) -> None:
        producer, self._producer = self._producer, None
        if producer is not None:
            task = asyncio.create_task(_stop(producer), name="retire a Kafka producer")
            self._retiring.add(task)
            task.add_done_callback(self._retiring.discard)

    async def close(self) -> None:
        """What was appended is sent first, or fails in its time."""
        while working := [lane.task for lane in self._lanes.values() if lane.task is not None]:
            await asyncio.wait(working)
        self._retire()
        if self._retiring:
            await asyncio.wait(self._retiring)


def _tell(appends: Sequence[Append], outcomes: Sequence[list[Placed] | BaseException]) -> None:
    for append, outcome in zip(appends, outcomes, strict=True):
        if append.done.done():  # who appended has been cancelled
            continue
        if isinstance(outcome, BaseException):
            append.done.set_exception(outcome)
        else:
            append.done.set_result(outcome)


async def _stop(producer: AIOKafkaProducer) -> None:
    try:
        async with answered_within(_STOPPING_S):
            await producer.stop()
    except Unavailable:
        await producer.client.close()


def _in_our_words(error: BaseException) -> BaseException:
    cause = error.__cause__ if isinstance(error, Unavailable) else error
    if isinstance(cause, MessageSizeTooLargeError | RecordListTooLargeError):
        return Rejected("message_too_large", "the broker takes no message of this size")
    return away(error) if isinstance(error, KafkaError) else error
