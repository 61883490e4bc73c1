"""USE CASE: sends alerts to destinations outside. A batch of the topic becomes rows in the queues of the destinations.
Each queue is worked by itself, so that a dead receiver delays nobody else."""

from collections.abc import Awaitable, Callable, Sequence

import msgspec
import structlog

from schemas.alerts import Alert
from schemas.codec import decode_alert
from schemas.instants import HOUR_MS
from services.alerts.delivery.ports import DeliveryStore, Parcel, Sender
from services.alerts.domain.delivering import (
    NOTICE,
    OLD_MS,
    Delivery,
    delivered,
    deliveries,
    held,
    is_stale,
    message_id,
    missed,
    news,
    notice_deliveries,
    refused,
    room_at,
)
from services.alerts.domain.destinations import Destination, quiet_until
from services.alerts.domain.messages import News
from services.alerts.domain.notices import Notice
from services.attempts import again_when_contended
from services.clock import Clock
from services.failures import Rejected, Unavailable, trace_of
from services.log import Batch

LEASE_MS = 180_000
"""Longer than the slowest attempt; it is renewed before each."""
AT_ONCE = 100
DIGEST_AT_ONCE = 5_000
AWAY_AFTER = 3
"""Messages in a row that did not arrive: the receiver is away, and the others keep their turn."""

log = structlog.get_logger(__name__)


class Served(msgspec.Struct):
    """Messages of one pass over a queue. `away`: several in a row did not arrive."""

    delivered: int = 0
    missed: int = 0
    dead: int = 0
    held: int = 0
    away: bool = False


class Pass:
    """Counts what became of the messages of one pass."""

    def __init__(self) -> None:
        self.served, self._missed_in_a_row = Served(), 0

    def count(self, attempted: Delivery) -> None:
        if attempted.state == "delivered":
            self.served.delivered += 1
            self._missed_in_a_row = 0
        elif attempted.state == "waiting":
            self.served.missed += 1
            self._missed_in_a_row += 1
        else:  # a receiver that refuses a message may be there or not
            self.served.dead += 1
        self.served.away = self._missed_in_a_row >= AWAY_AFTER


class Deliver:
    """`destinations`: those declared now. `name`: of this worker."""

    def __init__(
        self, store: DeliveryStore, sender: Sender, destinations: Callable[[], Sequence[Destination]], clock: Clock,
        name: str,
    ) -> None:  # fmt: skip
        self._store, self._sender, self._destinations = store, sender, destinations
        self._clock, self._name = clock, name

    async def accept(self, batch: Batch) -> int:
        """Queues what the batch has to tell; returns how many messages. Raises `Fenced`, `Contended`, `Unavailable`;
        nothing is written then."""
        newest, now, destinations = _newest(batch), self._clock.now_ms(), self._destinations()
        async with self._store.accepting() as tx:
            await tx.advance([batch.move])
            seen, queued = await tx.seen(sorted(newest)), list[Delivery]()
            for alert_id, (alert, body) in newest.items():
                queued += deliveries(alert, body, news(alert, seen.get(alert_id, 0), now), destinations, now)
            for one in destinations:
                stale = [alert_id for alert_id, (alert, _) in newest.items()
                         if is_stale(alert, seen.get(alert_id, 0), one, now)]  # fmt: skip
                if stale:
                    await tx.drop_untold(stale, [one.id], now)
            await tx.add(queued)
            steps = {alert_id: len(alert.history) for alert_id, (alert, _) in newest.items()}
            await tx.save_seen({one: max(count, seen.get(one, 0)) for one, count in steps.items()}, now)
        return len(queued)

    async def accept_notices(self, recent: Callable[[int], Awaitable[Sequence[Notice]]]) -> None:
        """Queues notices. `recent` reads those since a time (ms); one that is queued already stays as it is. Raises as
        `accept`."""
        now, destinations = self._clock.now_ms(), self._destinations()
        queued = [
            one for told in await recent(now - OLD_MS)
            for one in notice_deliveries(told, msgspec.json.encode(told), destinations, now)
        ]  # fmt: skip
        if queued:
            async with self._store.accepting() as tx:
                await tx.add(queued)

    async def serve(self, destination: Destination) -> Served:
        """One pass over the messages of a destination that are due. `Unavailable` and `Contended` are the database's,
        never the receiver's."""
        now, together = self._clock.now_ms(), bool(destination.digest_at)
        if quiet_until(destination, now):
            return Served()
        due = await self._store.due(destination.id, now, DIGEST_AT_ONCE if together else AT_ONCE)
        if not due or not await self._leased(destination):
            return Served()
        try:
            # read again: another worker may have sent them before it let go
            due = await self._store.due(destination.id, now, DIGEST_AT_ONCE if together else AT_ONCE)
            return await (self._digests(destination, due) if together else self._singles(destination, due))
        finally:
            await self._store.release(destination.id, self._name)

    async def _leased(self, destination: Destination) -> bool:
        return await self._store.lease(destination.id, self._name, LEASE_MS)

    async def _singles(self, destination: Destination, due: Sequence[Delivery]) -> Served:
        sent = await self._store.sent_since(destination.id, self._clock.now_ms() - HOUR_MS)
        attempts = Pass()
        for one in due:
            later = room_at(destination.most_an_hour, sent.get(one.person, ()))
            if later > self._clock.now_ms():
                await self._store.settle([held(one, later)])
                attempts.served.held += 1
                continue
            if not await self._leased(destination):
                break
            after = await self._send(destination, [one])
            if after[0].state == "delivered":
                sent.setdefault(one.person, []).append(after[0].ended_at)
            attempts.count(after[0])
            if attempts.served.away:
                break
        return attempts.served

    async def _digests(self, destination: Destination, due: Sequence[Delivery]) -> Served:
        by_person: dict[str, list[Delivery]] = {}
        for one in due:
            by_person.setdefault(one.person, []).append(one)
        attempts = Pass()
        for together in by_person.values():
            if not await self._leased(destination):
                break
            attempts.count((await self._send(destination, together))[0])
            if attempts.served.away:
                break
        return attempts.served

    async def _send(self, destination: Destination, together: Sequence[Delivery]) -> list[Delivery]:
        """The outcome is written before anything else is sent."""
        try:
            parcel = _parcel(together)
            await self._sender.send(destination, parcel, self._clock.now_ms())
            after = [delivered(one, self._clock.now_ms()) for one in together]
        except Unavailable as error:
            after = [missed(one, str(error), error.retry_after, self._clock.now_ms()) for one in together]
        except Rejected as error:
            after = [refused(one, str(error), self._clock.now_ms()) for one in together]
        except Exception as error:
            # one message that we cannot make must hold up neither its queue nor the others
            log.error("message cannot be made", destination=destination.id, error=trace_of(error))
            why = f"a mistake of ours ({type(error).__name__}): see the log"
            after = [refused(one, why, self._clock.now_ms()) for one in together]
        await again_when_contended(lambda: self._store.settle(after))
        return after


def _newest(batch: Batch) -> dict[str, tuple[Alert, bytes]]:
    """Each alert by its id, decoded and as it came. Each record tells the whole history, so the longest says all."""
    newest: dict[str, tuple[Alert, bytes]] = {}
    for record in batch.records:
        alert = decode_alert(record.value)
        known = newest.get(alert.alert_id)
        if known is None or len(alert.history) >= len(known[0].history):
            newest[alert.alert_id] = alert, record.value
    return newest


def _parcel(together: Sequence[Delivery]) -> Parcel:
    first = together[0]
    if first.happening == NOTICE:
        return Parcel(message_id(together), first.person, (), msgspec.json.decode(first.body, type=Notice))
    return Parcel(message_id(together), first.person, [_news(one) for one in together])


def _news(one: Delivery) -> News:
    assert one.happening != NOTICE  # noqa: S101 - a digest tells of alerts alone
    alert = decode_alert(one.body)
    return News(alert, one.happening, alert.history[one.step].at)
