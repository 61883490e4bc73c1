"""Follows the log from now on, for somebody who watches: what came last, and how much of it."""

from collections import Counter, deque
from collections.abc import Mapping, Sequence
from typing import NamedTuple

from schemas import alerts as wire
from schemas.codec import CodecError, decode_alert, decode_change, decode_event
from schemas.events import HEARTBEAT
from schemas.topics import ALERTS, CHANNEL_EVENTS, PROFILE_CHANGES
from services.alerts.domain.alert import Alert
from services.log import Batch, EventLog, Position

KEPT = 12


class SeenEvent(NamedTuple):
    """`subject` is a key: personal identifiers stand in it as hashes."""

    accepted_at: int
    type: str
    channel: str
    source: str
    subject: str


class SeenView(NamedTuple):
    at: int
    customer_id: str
    kind: str


class SeenAlert(NamedTuple):
    at: int
    alert_id: str
    title: str
    severity: int
    customer_id: str
    owner: str
    state: str


def seen_alert(alert: wire.Alert | Alert) -> SeenAlert:
    at = alert.history[-1].at if alert.history else alert.opened_at
    return SeenAlert(at, alert.alert_id, alert.title.en, alert.severity, alert.customer_id, alert.owner, alert.state)


class Following:
    """A handler of batches, and the store of its own positions: it begins at the end of each partition."""

    def __init__(self, log: EventLog) -> None:
        self._log = log
        self._positions: dict[tuple[str, int], Position] = {}
        self.events: deque[SeenEvent] = deque(maxlen=KEPT)
        self.views: deque[SeenView] = deque(maxlen=KEPT)
        self.by_channel: Counter[str] = Counter()
        self.alerts: deque[SeenAlert] = deque(maxlen=KEPT)
        self.changes = self.alert_steps = 0

    async def positions(self, topic: str, partitions: Sequence[int]) -> Mapping[int, Position]:
        if any((topic, partition) not in self._positions for partition in partitions):
            topic_id = await self._log.topic_id(topic)
            for partition, (_, end) in (await self._log.ends(topic)).items():
                self._positions.setdefault((topic, partition), Position(topic_id, end))
        return {partition: self._positions[topic, partition] for partition in partitions}

    async def follow(self, group: str) -> None:
        """Until cancelled. `group` must be nobody else's."""
        await self._log.consume([CHANNEL_EVENTS.name, PROFILE_CHANGES.name, ALERTS.name], group, self, self.look)

    async def look(self, batch: Batch) -> None:
        sees = {CHANNEL_EVENTS.name: self._see_event, PROFILE_CHANGES.name: self._see_change}
        see = sees.get(batch.topic, self._see_alert)
        for record in batch.records:
            try:
                see(record.value)
            except CodecError:
                continue  # the profile makes a dead letter of it
        self._positions[batch.topic, batch.partition] = Position(batch.topic_id, batch.until)

    def _see_event(self, value: bytes) -> None:
        event = decode_event(value)
        if event.type != HEARTBEAT:
            self.by_channel[event.channel] += 1
            self.events.append(SeenEvent(event.accepted_at, event.type, event.channel, event.source, event.subject))

    def _see_change(self, value: bytes) -> None:
        change = decode_change(value)
        self.changes += 1
        self.views.append(SeenView(change.changed_at, change.customer_id, change.kind))

    def _see_alert(self, value: bytes) -> None:
        """Its newest step stands for it."""
        alert = decode_alert(value)
        self.alert_steps += 1
        for former in [one for one in self.alerts if one.alert_id == alert.alert_id]:
            self.alerts.remove(former)
        self.alerts.append(seen_alert(alert))
