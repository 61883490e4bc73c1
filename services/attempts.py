"""What follows when a batch fails. Contention: again, with jitter. A server away: the log waits and seeks back. A bug:
once more as a whole, then event by event; the poison event is parked, and too many in a row stop the partition. So is
what is rejected, which says nothing of the release and stops nothing."""

import asyncio
import random
from collections.abc import Awaitable, Callable, Iterator
from functools import partial
from typing import TypeVar

import structlog

from services import metrics as measure
from services.failures import Contended, FailureKind, Fenced, Rejected, Unavailable
from services.log import Batch, Stop, TopicPartition
from services.metrics import Metrics

T = TypeVar("T")
ATTEMPTS = 8
PARKED_IN_A_ROW = 20
CONTENDED_PAUSE_S = 0.5
log = structlog.get_logger(__name__)


async def again_when_contended(work: Callable[[], Awaitable[T]]) -> T:
    """Raises `Contended` when it loses every time."""
    for attempt in range(ATTEMPTS - 1):
        try:
            return await work()
        except Contended:
            jitter = random.uniform(0.002, 0.02)  # noqa: S311 - only spreads retries apart, nothing secret hangs on it
            await asyncio.sleep(jitter * 2**attempt)
    return await work()


class Attempts:
    """A handler that applies batches, counts failures, and remembers for each partition the batch that failed last."""

    def __init__(
        self,
        apply: Callable[[Batch], Awaitable[None]],
        park: Callable[[Batch, BaseException], Awaitable[None]],
        metrics: Metrics,
    ) -> None:
        self._apply, self._park, self._metrics = apply, park, metrics
        self._failed_at: dict[TopicPartition, int] = {}

    async def __call__(self, batch: Batch) -> None:
        partition = TopicPartition(batch.topic, batch.partition)
        try:
            if self._failed_at.get(partition) == batch.start:
                await self._one_by_one(batch)
            else:
                await again_when_contended(partial(self._apply, batch))
        except Exception as error:
            kind = kind_of(error)
            self._metrics.add(measure.BATCHES_FAILED, 1, batch.topic, kind)
            if kind == "contended":
                raise Unavailable("other workers held its rows all the time", CONTENDED_PAUSE_S) from error
            if kind == "bug":
                self._failed_at[partition] = batch.start
                log.error("batch failed", partition=batch.partition, start=batch.start, error=type(error).__name__)
            raise
        self._failed_at.pop(partition, None)

    async def _one_by_one(self, batch: Batch) -> None:
        in_a_row = 0
        for single in singles(batch):
            try:
                await again_when_contended(partial(self._apply, single))
                in_a_row = 0
            except (Fenced, Unavailable, Contended, Stop):
                raise
            except Exception as error:
                if not isinstance(error, Rejected):
                    in_a_row += 1
                log.error(
                    "event parked", partition=single.partition, offset=single.until - 1, error=type(error).__name__
                )
                if in_a_row > PARKED_IN_A_ROW:
                    raise Stop(f"{in_a_row} events in a row failed: the release is wrong and not the events") from error
                await again_when_contended(partial(self._park, single, error))


def kind_of(error: Exception) -> FailureKind:
    """Any failure that the platform has no name for is a bug."""
    match error:
        case Contended():
            return "contended"
        case Unavailable():
            return "unavailable"
        case Fenced():
            return "fenced"
        case Stop():
            return "stopped"
    return "bug"


def singles(batch: Batch) -> Iterator[Batch]:
    """One batch for each record; together they move the position exactly as far."""
    start = batch.start
    for place, record in enumerate(batch.records):
        until = batch.until if place == len(batch.records) - 1 else record.offset + 1
        yield batch._replace(start=start, until=until, records=[record])
        start = until
