"""What readers of the log have heard since the backup that the database came back from: all beyond the positions that
came back with it."""

import asyncio
import secrets
from collections.abc import Callable, Mapping, Sequence
from typing import Protocol

from schemas.alerts import Alert
from schemas.changes import ProfileChange
from schemas.codec import CodecError, decode_alert, decode_change
from schemas.topics import ALERTS, PROFILE_CHANGES
from services.log import Batch, EventLog, Position, PositionStore, UnknownTopic
from services.profile.adapters.restoring import LastHeard


class Positions(PositionStore, Protocol):
    """Those of a service, as they came back."""

    async def set_position(self, topic: str, partition: int, position: Position) -> None: ...


async def changes_since(log: EventLog, positions: Positions) -> tuple[dict[str, LastHeard], "Ahead"]:
    """By customer id what was said last. Raises `Unavailable`."""
    heard: dict[str, LastHeard] = {}

    def hear(value: bytes) -> None:
        change: ProfileChange = decode_change(value)
        known = heard.get(change.customer_id)
        if known is None or known.version < change.version:
            heard[change.customer_id] = LastHeard(change.version, change.kind, change.changed_at)

    return heard, await hear_beyond(positions, log, PROFILE_CHANGES.name, hear)


async def alerts_since(log: EventLog, positions: Positions) -> tuple[dict[str, Alert], "Ahead"]:
    """By id what was said last. Raises `Unavailable`."""
    heard: dict[str, Alert] = {}

    def hear(value: bytes) -> None:
        alert = decode_alert(value)
        known = heard.get(alert.alert_id)
        if known is None or known.revision < alert.revision:
            heard[alert.alert_id] = alert

    return heard, await hear_beyond(positions, log, ALERTS.name, hear)


class Ahead:
    """A handler of batches, and the store of its own positions: how far one topic was heard."""

    def __init__(
        self, topic: str, at: Mapping[int, Position], ends: Mapping[int, int], hear: Callable[[bytes], None]
    ) -> None:
        self.topic, self.at = topic, dict(at)
        self._ends, self._hear = ends, hear
        self.heard = asyncio.Event()
        self._look()

    async def positions(self, topic: str, partitions: Sequence[int]) -> Mapping[int, Position]:
        return {partition: self.at[partition] for partition in partitions}

    async def take(self, batch: Batch) -> None:
        for record in batch.records:
            try:
                self._hear(record.value)
            except CodecError:
                continue  # none of ours
        self.at[batch.partition] = Position(batch.topic_id, batch.until)
        self._look()

    def _look(self) -> None:
        if all(self.at[partition].next >= end for partition, end in self._ends.items()):
            self.heard.set()

    async def skip(self, positions: Positions) -> None:
        """What was heard is of a past that is no more: nobody acts on it."""
        for partition, position in self.at.items():
            await positions.set_position(self.topic, partition, position)


async def hear_beyond(positions: PositionStore, log: EventLog, topic: str, hear: Callable[[bytes], None]) -> Ahead:
    """All that the log holds of the topic now. Raises `Unavailable`."""
    try:
        topic_id, bounds = await log.topic_id(topic), await log.ends(topic)
    except UnknownTopic:
        return Ahead(topic, {}, {}, hear)
    stored = await positions.positions(topic, sorted(bounds))
    at = {
        partition: Position(topic_id, _within(stored.get(partition), topic_id, *bounds[partition]))
        for partition in bounds
    }
    ahead = Ahead(topic, at, {partition: end for partition, (_, end) in bounds.items()}, hear)
    if not ahead.heard.is_set():
        await _until_heard(log, ahead)
    return ahead


def _within(stored: Position | None, topic_id: str, first: int, end: int) -> int:
    return min(max(stored.next, first), end) if stored is not None and stored.topic_id == topic_id else first


async def _until_heard(log: EventLog, ahead: Ahead) -> None:
    group = f"counterpoint-restored-{secrets.token_hex(4)}"
    consuming = asyncio.create_task(log.consume([ahead.topic], group, ahead, ahead.take))
    heard = asyncio.create_task(ahead.heard.wait())
    try:
        await asyncio.wait([consuming, heard], return_when=asyncio.FIRST_COMPLETED)
    finally:
        for task in (consuming, heard):
            task.cancel()
        await asyncio.wait([consuming, heard])
    if not consuming.cancelled():
        await consuming
