"""What waits in an outbox lane reaches the log in order; what the log will never take does not hold up the rest."""

import hashlib
from pathlib import Path

import pytest

from schemas.codec import decode_dead_letter
from schemas.topics import Topic
from services.embedded.log import EmbeddedLog, Limits
from services.log import EventLog
from services.outbox import OutboxMessage, publish_lanes
from services.profile.adapters.memory import MemoryProfileStore

LANE = "shard-0"
TOPICS = [Topic("profile-changes", 1), Topic("dead-letters", 1)]


async def records(log: EventLog, topic: str) -> list[bytes]:
    _, until = (await log.ends(topic))[0]
    found = [await log.record(topic, 0, offset) for offset in range(until)]
    return [record.value for record in found if record is not None]


async def test_rows_are_published_once_and_in_order(tmp_path: Path) -> None:
    log, store = EmbeddedLog(tmp_path), MemoryProfileStore(str)
    await log.ensure_topics(TOPICS)
    async with store.updating() as tx:
        await tx.send({LANE: [OutboxMessage("profile-changes", b"c", bytes([n])) for n in range(3)]}, 1)
    assert await publish_lanes(store, log, [LANE]) == {"profile-changes": 3}
    assert await publish_lanes(store, log, [LANE]) == {}
    assert await records(log, "profile-changes") == [b"\x00", b"\x01", b"\x02"]
    await log.close()


async def test_lanes_go_out_together_each_in_its_order(tmp_path: Path) -> None:
    log, store = EmbeddedLog(tmp_path), MemoryProfileStore(str)
    await log.ensure_topics(TOPICS)
    async with store.updating() as tx:
        sent = {lane: [OutboxMessage("profile-changes", lane.encode(), bytes([n])) for n in range(2)] for lane in "abc"}
        await tx.send(sent, 1)
    assert await publish_lanes(store, log, ["a", "b", "unknown"]) == {"profile-changes": 4}
    assert sorted(await store.lanes_waiting()) == ["c"]
    found = [await log.record("profile-changes", 0, offset) for offset in range(4)]
    told = [(one.key, one.value) for one in found if one is not None]
    assert told == [(b"a", b"\0"), (b"a", b"\1"), (b"b", b"\0"), (b"b", b"\1")]
    await log.close()


async def test_a_message_that_the_log_will_never_take_becomes_a_dead_letter_and_the_lane_goes_on(
    tmp_path: Path,
) -> None:
    log, store = EmbeddedLog(tmp_path, limits=Limits(message_bytes=1_000)), MemoryProfileStore(str)
    await log.ensure_topics(TOPICS)
    large = OutboxMessage("profile-changes", b"cus_large", b"x" * 5_000)
    async with store.updating() as tx:
        await tx.send({LANE: [OutboxMessage("profile-changes", b"a", b"1"), large]}, 7)
        await tx.send({LANE: [OutboxMessage("profile-changes", b"b", b"2")]}, 8)
    assert await publish_lanes(store, log, [LANE]) == {"profile-changes": 3}
    assert await records(log, "profile-changes") == [b"1", b"2"]
    (letter,) = [decode_dead_letter(value) for value in await records(log, "dead-letters")]
    assert (letter.stage, letter.reason, letter.length, letter.body) == ("publish", "message_too_large", 5_000, b"")
    digest = hashlib.sha256(large.value).hexdigest()
    assert (letter.id, letter.sha256, letter.at) == (f"profile-changes-{digest[:32]}", digest, 7)
    found = await log.record("dead-letters", 0, 0)
    assert found is not None
    assert found.key == b"cus_large"
    await log.close()


@pytest.mark.parametrize("lane", [["large"], ["large", "small"], ["small", "large"]])
async def test_a_message_that_is_too_large_takes_no_other_with_it_however_few_wait(
    tmp_path: Path, lane: list[str]
) -> None:
    log, store = EmbeddedLog(tmp_path, limits=Limits(message_bytes=1_000)), MemoryProfileStore(str)
    await log.ensure_topics(TOPICS)
    values = {"large": b"x" * 5_000, "small": b"1"}
    async with store.updating() as tx:
        await tx.send({LANE: [OutboxMessage("profile-changes", b"c", values[one]) for one in lane]}, 7)
    await publish_lanes(store, log, [LANE])
    assert await records(log, "profile-changes") == [b"1"] * ("small" in lane)
    assert len(await records(log, "dead-letters")) == 1
    assert await store.lanes_waiting() == {}
    await log.close()
