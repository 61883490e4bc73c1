"""What leaves the profile: dead letters, and changes in the lane of their customer's shard.

One publisher a lane, the worker that leases its shard.
"""

from collections.abc import Iterable, Mapping

from schemas.changes import ProfileChange
from schemas.codec import NOTHING_WRITTEN, decode_dead_letter, encode_change, encode_dead_letter
from schemas.dead_letters import DeadLetter
from schemas.topics import DEAD_LETTERS, PROFILE_CHANGES
from services.outbox import OutboxMessage
from services.profile.ports.records import StoredDeadLetter

DEAD_LETTER_LANE = "dead-letters"
_SHARD_LANE = "shard-"


def lane_of_shard(shard: int) -> str:
    return f"{_SHARD_LANE}{shard}"


def shard_of_lane(lane: str) -> int:
    """The shard whose lease decides who publishes the lane. A lane of no shard goes with shard 0."""
    return int(lane.removeprefix(_SHARD_LANE)) if lane.startswith(_SHARD_LANE) else 0


def dead_letter_messages(letters: Iterable[DeadLetter]) -> list[OutboxMessage]:
    return [OutboxMessage(DEAD_LETTERS.name, one.source.encode(), encode_dead_letter(one)) for one in letters]


def kept_letter(record: bytes) -> StoredDeadLetter:
    """A dead letter as it came back from the log, fit for the table. Raises `CodecError`."""
    letter = decode_dead_letter(record)
    return StoredDeadLetter(
        letter.id, letter.at, letter.stage, letter.source, letter.reason, letter.field, letter.message,
        letter.event_id or None, letter.body, letter.length, letter.sha256,
    )  # fmt: skip


def change_message(change: ProfileChange, written: Mapping[str, bytes] = NOTHING_WRITTEN) -> OutboxMessage:
    """`written`: fields of the change as JSON, where they have been encoded before."""
    return OutboxMessage(PROFILE_CHANGES.name, change.customer_id.encode(), encode_change(change, written))
