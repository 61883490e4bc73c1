"""The outbox: messages are rows of a lane, written in the transaction whose effects they tell of, and published in
order.

The lane's mark moves by compare-and-set: a message may be sent twice (after a crash, or by two publishers at once) but
is never left out. Readers skip a version or revision that they have passed; dead letters have an id.
"""

import hashlib
from collections.abc import Mapping, Sequence
from typing import NamedTuple, Protocol

from schemas.codec import encode_dead_letter
from schemas.dead_letters import DeadLetter
from schemas.topics import DEAD_LETTERS
from services.attempts import again_when_contended
from services.failures import Rejected
from services.log import EventLog, Message

TOGETHER = 1_000
"""Messages that are appended at once, shared among the lanes that wait."""


class OutboxMessage(NamedTuple):
    topic: str
    key: bytes
    value: bytes


class OutboxRow(NamedTuple):
    """`n` counts the lane's rows without a gap; `created_at` in ms."""

    n: int
    created_at: int
    message: OutboxMessage


class Outbox(Protocol):
    """Raises `Unavailable`."""

    async def lanes_waiting(self) -> dict[str, int]:
        """lane → when its oldest unpublished row was written (ms)."""

    async def outbox(self, lane: str, limit: int) -> list[OutboxRow]:
        """The rows after the lane's published mark, in order."""

    async def published(self, marks: Mapping[str, tuple[int, int]]) -> list[str]:
        """Of each lane (after, until): moves its mark `until where published = after` and drops the rows. Returns the
        lanes whose mark nobody else has moved."""


async def publish_lanes(store: Outbox, log: EventLog, lanes: Sequence[str]) -> dict[str, int]:
    """Publishes what waits in these lanes, not all of it where one has much; returns how many for each topic. Raises
    `Unavailable`; the rows then stay."""
    most = max(1, TOGETHER // max(1, len(lanes)))
    waiting = {lane: rows for lane in lanes if (rows := await store.outbox(lane, most))}
    by_topic: dict[str, list[OutboxRow]] = {}
    for rows in waiting.values():
        for row in rows:
            by_topic.setdefault(row.message.topic, []).append(row)
    for topic, messages in by_topic.items():
        await _append(log, topic, messages)
    marks = {lane: (rows[0].n - 1, rows[-1].n) for lane, rows in waiting.items()}
    await again_when_contended(lambda: store.published(marks))
    return {topic: len(messages) for topic, messages in by_topic.items()}


async def _append(log: EventLog, topic: str, rows: Sequence[OutboxRow]) -> None:
    """A message that the log will never take, because it is too large, becomes a dead letter and does not hold up the
    others."""
    try:
        await log.append(topic, [Message(one.message.key, one.message.value) for one in rows])
    except Rejected as error:
        if len(rows) > 1:
            half = len(rows) // 2
            await _append(log, topic, rows[:half])
            await _append(log, topic, rows[half:])
            return
        letter = _unpublished(rows[0], error.reason)
        await log.append(DEAD_LETTERS.name, [Message(rows[0].message.key, encode_dead_letter(letter))])


def _unpublished(row: OutboxRow, reason: str) -> DeadLetter:
    """Keeps length and hash; the next message on the same customer or alert says all of it again."""
    topic, key, value = row.message
    digest = hashlib.sha256(value).hexdigest()
    return DeadLetter(
        id=f"{topic}-{digest[:32]}", stage="publish", source="", reason=reason,
        message=f"The log took no message of {len(value)} bytes for {key.decode(errors='replace')} on {topic}.",
        body=b"", length=len(value), sha256=digest, at=row.created_at,
    )  # fmt: skip
