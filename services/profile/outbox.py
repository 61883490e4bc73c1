"""What leaves the profile: rows of an outbox lane, written with the effects that they tell of, published in order.

One publisher a lane, the worker that leases its shard, moving by compare-and-set: a message may be sent twice after a
crash, never left out. Readers of `profile-changes` skip a version they have passed; dead letters are told apart by id.
"""

from collections.abc import Iterable, Mapping, Sequence

from schemas.changes import ProfileChange
from schemas.codec import NOTHING_WRITTEN, encode_change, encode_dead_letter
from schemas.dead_letters import DeadLetter
from schemas.topics import DEAD_LETTERS, PROFILE_CHANGES
from services.failures import Rejected
from services.log import EventLog, Message
from services.profile.domain.letters import unpublished
from services.profile.ports import OutboxMessage, ProfileStore

LANE_BATCH = 500
_SHARD_LANE = "shard-"


def lane_of_shard(shard: int) -> str:
    return f"{_SHARD_LANE}{shard}"


def shard_of_lane(lane: str) -> int:
    """Whose lease says who publishes the lane: its own shard's, and for one that is no shard's the first one's."""
    return int(lane.removeprefix(_SHARD_LANE)) if lane.startswith(_SHARD_LANE) else 0


def dead_letter_messages(letters: Iterable[DeadLetter]) -> list[OutboxMessage]:
    return [OutboxMessage(DEAD_LETTERS.name, one.source.encode(), encode_dead_letter(one)) for one in letters]


def change_message(change: ProfileChange, written: Mapping[str, bytes] = NOTHING_WRITTEN) -> OutboxMessage:
    """`written`: fields of the change as JSON, where they have been encoded before."""
    return OutboxMessage(PROFILE_CHANGES.name, change.customer_id.encode(), encode_change(change, written))


async def publish_lane(store: ProfileStore, log: EventLog, lane: str) -> dict[str, int]:
    """Publishes what waits in one lane; returns how many for each topic. Raises `Unavailable`; the rows then stay."""
    rows = await store.outbox(lane, LANE_BATCH)
    by_topic: dict[str, list[OutboxMessage]] = {}
    for row in rows:
        by_topic.setdefault(row.message.topic, []).append(row.message)
    for topic, messages in by_topic.items():
        await _append(log, topic, messages, rows[0].created_at)
    if rows:
        await store.published(lane, rows[0].n - 1, rows[-1].n)
    return {topic: len(messages) for topic, messages in by_topic.items()}


async def _append(log: EventLog, topic: str, messages: Sequence[OutboxMessage], at: int) -> None:
    """What the log will never take, because it is too large, becomes a dead letter; it must not hold up the others."""
    try:
        await log.append(topic, [Message(one.key, one.value) for one in messages])
    except Rejected as error:
        if len(messages) > 1:
            for one in messages:
                await _append(log, topic, [one], at)
            return
        letter = unpublished(topic, messages[0].key, messages[0].value, error.reason, at)
        await log.append(DEAD_LETTERS.name, [Message(messages[0].key, encode_dead_letter(letter))])
