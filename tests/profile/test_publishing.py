"""What publishing tells of itself: how long the outbox waits, and what has left it."""

import asyncio
from collections.abc import Sequence
from pathlib import Path
from types import SimpleNamespace
from typing import cast

import msgspec

from schemas.changes import ProfileChange
from schemas.dead_letters import DeadLetter
from schemas.topics import PROFILE_CHANGES
from services.embedded.log import EmbeddedLog
from services.failures import Unavailable
from services.log import Message, Placed
from services.metrics import Metrics
from services.profile.adapters.memory import MemoryProfileStore
from services.profile.outbox import change_message, dead_letter_messages, kept_letter, lane_of_shard, shard_of_lane
from services.profile.ports.records import Shard
from services.profile.stream import publishing
from services.profile.worker import Worker
from tests.clocks import ManualClock

LANE = lane_of_shard(0)


class Away(EmbeddedLog):
    """A log that is away until it is told otherwise."""

    is_away = True

    async def append(self, topic: str, messages: Sequence[Message]) -> Sequence[Placed]:
        if self.is_away:
            raise Unavailable("the log is away", 0.01)
        return await super().append(topic, messages)


def test_a_lane_of_a_shard_goes_with_it_and_any_other_with_the_first() -> None:
    assert [shard_of_lane(lane) for lane in (lane_of_shard(7), lane_of_shard(0), "dead-letters")] == [7, 0, 0]


def test_a_dead_letter_without_an_event_id_is_kept_without_one() -> None:
    letter = DeadLetter(
        id="l", stage="accept", source="atm", reason="r", message="m", body=b"", length=0, sha256="", at=1
    )
    for event_id, kept in (("e1", "e1"), ("", None)):
        told = msgspec.structs.replace(letter, event_id=event_id)
        (message,) = dead_letter_messages([told])
        assert kept_letter(message.value).event_id == kept


async def test_the_age_of_the_outbox_is_told_while_the_log_is_away_and_then_what_left_it(tmp_path: Path) -> None:
    change = ProfileChange(customer_id="cus_a", version=1, kind="person", changed_at=1_000)
    log, store, metrics = Away(tmp_path), MemoryProfileStore(str), Metrics()
    await log.ensure_topics([PROFILE_CHANGES])
    async with store.updating() as tx:
        await tx.send({LANE: [change_message(change)]}, 1_000)
    made_of = SimpleNamespace(
        store=store, log=log, metrics=metrics, clock=ManualClock(4_000), leases={0: Shard(0, "worker", 1)},
        written=asyncio.Event(),
    )  # fmt: skip

    async def tells(line: str) -> None:
        while f"counterpoint_{line}\n" not in metrics.render().decode():  # noqa: ASYNC110 - metrics set no event
            await asyncio.sleep(0.01)

    work = asyncio.create_task(publishing(cast(Worker, made_of)))
    await tells(f'outbox_age_seconds{{lane="{LANE}"}} 3.0')
    log.is_away = False
    await tells(f'outbox_age_seconds{{lane="{LANE}"}} 0.0')
    await tells('outbox_published_total{topic="profile-changes"} 1.0')
    work.cancel()
    await asyncio.wait([work])
    await log.close()
