"""One chaos run from start to verdict."""

import asyncio
import time
from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import NamedTuple

from schemas.codec import decode_dead_letter
from schemas.topics import CHANNEL_EVENTS, DEAD_LETTERS, TOPICS
from services.alerts.adapters.sql import SqlAlertStore
from services.failures import Unavailable
from services.kafka.log import KafkaLog
from services.log import Message
from services.profile.adapters.sql import SqlProfileStore
from services.profile.domain.identity.customer_ids import customer_id
from services.sql.database import Database, open_database
from services.sql.migrations import upgrade
from tests.chaos.alerts_verdict import verdict_on_alerts
from tests.chaos.erased_verdict import verdict_on_the_erased
from tests.chaos.havoc import Havoc, Staff
from tests.chaos.load import messages
from tests.chaos.verdict import at_rest, read_topic, verdict
from tests.chaos.workers import KINDS, Crew
from tests.conftest import RunningServers
from tests.profile.told import SECRET

REST_S = 120.0
STEP_S = 0.1


class Plan(NamedTuple):
    seed: int
    seconds: float
    events: int
    fail_every: int


async def chaos(plan: Plan, servers: RunningServers) -> list[str]:
    """Runs it all on servers of its own, prints what was done to whom, and returns the differences in words."""
    urls = servers.up("kafka", "postgres")
    with TemporaryDirectory(prefix="counterpoint-chaos-") as directory:
        return await _run(plan, servers, urls["kafka"], urls["postgres"], Path(directory))


async def _run(plan: Plan, servers: RunningServers, kafka: str, database_url: str, directory: Path) -> list[str]:
    started = time.monotonic()

    def tell(what: str) -> None:
        print(f"{time.monotonic() - started:6.1f} s  {what}", flush=True)

    crew = Crew(_environment(kafka, database_url), directory)
    log, database = KafkaLog(kafka.removeprefix("kafka://")), open_database(database_url)
    store = SqlProfileStore(database, lambda subject: customer_id(subject, SECRET))
    try:
        await log.ensure_topics(TOPICS)
        await upgrade(database)
        load = messages(plan.seed, plan.events)
        havoc, staff = Havoc(plan.seed, crew, servers, plan.fail_every, tell), Staff(plan.seed, store)
        for kind in KINDS * 2:
            havoc.start_worker(kind)
        tell(f"seed {plan.seed}: {len(load)} records in {plan.seconds:.0f} s")
        await asyncio.gather(_append(log, load, plan.seconds), havoc.rage(plan.seconds), staff.decide(plan.seconds))
        tell(f"done: {havoc.done}; decided: {staff.done}")
        tell(f"worked off amid all that: {await _worked_off(log, store)} of {len(load)} records")
        wrong = await _settle(kafka.removeprefix("kafka://"), log, database, store, crew, tell)
    finally:
        crew.kill_all()
        await log.close()
        await database.close()
    wrong += [f"{one.name} died by itself ({one.exit_code}): {one.last_words()}" for one in crew.died]
    for one in wrong:
        tell(one)
    tell("NOT AS IT MUST BE" if wrong else "nothing lost, nothing doubled")
    return wrong


def _environment(kafka: str, database_url: str) -> dict[str, str]:
    return {
        "COUNTERPOINT_LOG": kafka,
        "COUNTERPOINT_DATABASE": database_url,
        "COUNTERPOINT_SECRET": SECRET.decode(),
        "COUNTERPOINT_PORT": "0",
        "COUNTERPOINT_SESSION_TIMEOUT_MS": "6000",
        "COUNTERPOINT_BATCH_EVENTS": "200",
    }


async def _append(log: KafkaLog, load: list[Message], seconds: float) -> None:
    steps = max(1, int(seconds / STEP_S))
    for step in range(steps):
        await log.append(CHANNEL_EVENTS.name, load[len(load) * step // steps : len(load) * (step + 1) // steps])
        await asyncio.sleep(STEP_S)


async def _settle(
    servers: str, log: KafkaLog, database: Database, store: SqlProfileStore, crew: Crew, tell: Callable[[str], None]
) -> list[str]:
    """Workers that nobody sabotages finish the work; what was parked is replayed; then the books are compared."""
    alerts = SqlAlertStore(database)
    crew.deaths()
    crew.kill_all()
    for kind in KINDS * 2:
        crew.start(kind)
    if waiting := await _rest(log, store, alerts):
        return [f"no rest within {REST_S:.0f} s: {waiting}", *(one.last_words() for one in crew.working())]
    replayed = await _replay(servers, log)
    tell(f"at rest; {replayed} parked events replayed")
    if waiting := await _rest(log, store, alerts):
        return [f"no rest after the replay: {waiting}"]
    crew.deaths()
    found = [
        await verdict(servers, store), await verdict_on_the_erased(servers, store),
        await verdict_on_alerts(servers, database),
    ]  # fmt: skip
    for one in found:
        tell(one.compared)
    return [wrong for one in found for wrong in one.wrong]


async def _worked_off(log: KafkaLog, store: SqlProfileStore) -> int:
    ends = await log.ends(CHANNEL_EVENTS.name)
    while True:
        try:
            return sum(one.next for one in (await store.positions(CHANNEL_EVENTS.name, list(ends))).values())
        except Unavailable as away:
            await asyncio.sleep(away.retry_after)


async def _rest(log: KafkaLog, store: SqlProfileStore, alerts: SqlAlertStore) -> str | None:
    while True:
        try:
            return await at_rest(log, store, alerts, REST_S)
        except Unavailable as away:
            await asyncio.sleep(away.retry_after)


async def _replay(servers: str, log: KafkaLog) -> int:
    """Every event that was parked once more, as it was accepted."""
    places = set()
    for value in (await read_topic(servers, DEAD_LETTERS.name)).values():
        letter = decode_dead_letter(value)
        if letter.reason == "bug" and letter.place is not None:
            places.add((letter.place.partition, letter.place.offset))
    for partition, offset in sorted(places):
        record = await log.record(CHANNEL_EVENTS.name, partition, offset)
        assert record is not None, "the log has lost what a dead letter points to"
        await log.append(CHANNEL_EVENTS.name, [Message(record.key, record.value)])
    return len(places)
