"""What may be wrong while a platform works, one check each."""

import asyncio
import os
from collections.abc import Awaitable, Callable, Sequence

import httpx

from schemas.topics import TOPICS
from services.cli.beside import address_of
from services.cli.declared import declared_fold
from services.cli.findings import Finding, Patient, ok, warning, wrong
from services.cli.positions import WORKED, Place, places
from services.cli.refusals import Refusal
from services.cli.sources import last_heard
from services.clock import SystemClock
from services.log import EventLog, UnknownTopic

LATE_OUTBOX_MS = 30_000
MANY_MARKS = 50_000


async def topics(patient: Patient) -> Sequence[Finding]:
    if patient.log is None:
        return []
    found, missing = [], []
    for topic in TOPICS:
        try:
            found.append((topic, len(await patient.log.ends(topic.name))))
        except UnknownTopic:
            missing.append(topic.name)
    few = [
        f"{topic.name} has {held} partitions, {topic.partitions} are declared"
        for topic, held in found
        if held < topic.partitions
    ]
    if missing:
        return [wrong("topics", f"{', '.join(missing)} missing: start the platform, it makes them")]
    return [warning("topics", "; ".join(few))] if few else [ok("topics", f"all {len(found)} are there")]


async def positions(patient: Patient) -> Sequence[Finding]:
    """Inside the log, and moving where something waits. A second look tells a stopped partition from a busy one."""
    if patient.log is None:
        return []
    before = await _all_places(patient, patient.log)
    outside = [f"{one.topic}/{one.partition} is {one.state}" for one in before if one.state != "ok"]
    if outside:
        fix = "restore the log, or `counterpoint positions rewind` and start again"
        return [wrong("positions", f"{'; '.join(outside)}: {fix}")]
    waiting = [one for one in before if one.lag]
    if not waiting:
        return [ok("positions", "inside the log, nothing waits")]
    if not await patient.beside.store.leaseholders(SystemClock().now_ms()):
        return [wrong("positions", f"{_sum(waiting)} events wait, and no worker is running: start one")]
    await asyncio.sleep(patient.patience)
    after = {(one.topic, one.partition): one for one in await _all_places(patient, patient.log)}
    stopped = [one for one in waiting if after[one.topic, one.partition].stored == one.stored]
    if stopped:
        where = ", ".join(f"{one.topic}/{one.partition}" for one in stopped)
        fix = "the worker's log says why (`partition stopped`, `batch failed`)"
        return [wrong("positions", f"{where} stand still although {_sum(stopped)} events wait: {fix}")]
    return [ok("positions", f"inside the log and moving; {_sum(waiting)} events wait")]


async def _all_places(patient: Patient, log: EventLog) -> list[Place]:
    return [place for topic in WORKED for place in await places(log, patient.beside, topic)]


def _sum(some: Sequence[Place]) -> int:
    return sum(one.lag or 0 for one in some)


async def workers(patient: Patient) -> Sequence[Finding]:
    names = await patient.beside.store.leaseholders(SystemClock().now_ms())
    if names:
        return [ok("workers", f"{len(names)} at work")]
    return [warning("workers", "none at work: `counterpoint run`, or `counterpoint profile` beside Kafka")]


async def marks(patient: Patient) -> Sequence[Finding]:
    waiting = sum((await patient.beside.store.marks_waiting()).values())
    told = f"{waiting} customers wait for their refresh"
    working = await patient.beside.store.leaseholders(SystemClock().now_ms())
    if waiting and not working:
        return [wrong("marks", f"{told}, and no worker is running: start one")]
    return [warning("marks", f"{told}: start another worker") if waiting > MANY_MARKS else ok("marks", told)]


async def outbox(patient: Patient) -> Sequence[Finding]:
    store, now = patient.beside.store, SystemClock().now_ms()
    oldest = list((await store.lanes_waiting()).values())
    late = now - min(oldest, default=now)
    if late > LATE_OUTBOX_MS:
        return [
            wrong("outbox", f"changes wait since {late // 1000} s to be published: is a worker running, and the log?")
        ]
    return [ok("outbox", "published" if not oldest else "being published")]


async def letters(patient: Patient) -> Sequence[Finding]:
    open_letters = (await patient.beside.store.counts())["dead_letters"]
    if open_letters:
        return [warning("dead letters", f"{open_letters} are open: `counterpoint dead-letters list` says what to do")]
    return [ok("dead letters", "none")]


async def deliveries(patient: Patient) -> Sequence[Finding]:
    from services.alerts.adapters.sql_deliveries import SqlDeliveryStore

    counted = await SqlDeliveryStore(patient.beside.database).count()
    dead = sorted({destination for destination, state in counted if state == "dead"})
    if dead:
        why = "`counterpoint deliveries list` says why"
        return [warning("deliveries", f"some did not arrive and are tried no more, to {', '.join(dead)}: {why}")]
    return [ok("deliveries", "none is given up")]


async def sources(patient: Patient) -> Sequence[Finding]:
    heard, now = last_heard(await patient.beside.store.sources_seen()), SystemClock().now_ms()
    known = [one for one in await patient.beside.stores.sources.sources() if one.enabled]
    silent = [one.id for one in known if now - heard.get(one.id, 0) > one.rhythm_ms]
    if silent:
        return [warning("sources", f"silent beyond their rhythm: {', '.join(silent)}; ask those who run them")]
    return [ok("sources", f"all {len(known)} are heard of") if known else warning("sources", "none are registered")]


async def folds(patient: Patient) -> Sequence[Finding]:
    behind = await patient.beside.store.count_behind(declared_fold().version)
    if behind:
        return [
            warning("states", f"{behind} are of an older fold, their facts are missing: run `counterpoint rebuild`")
        ]
    return [ok("states", "all are of this release's fold")]


async def platform(patient: Patient) -> Sequence[Finding]:
    try:
        url = address_of(patient.data, os.environ.get("COUNTERPOINT_URL"))
    except Refusal:
        return [warning("platform", "its address is not known here: set COUNTERPOINT_URL to have it asked, too")]
    try:
        async with httpx.AsyncClient(timeout=5) as client:
            answer = await client.get(f"{url}/health/ready")
    except httpx.HTTPError:
        return [warning("platform", f"nobody answers at {url}: is it running?")]
    if answer.status_code == 200:
        return [ok("platform", f"{url} is ready")]
    return [wrong("platform", f"{url} is not ready: {answer.text[:300]}")]


Check = Callable[[Patient], Awaitable[Sequence[Finding]]]
CHECKS: Sequence[tuple[str, Check]] = (
    ("topics", topics), ("positions", positions), ("workers", workers), ("marks", marks), ("outbox", outbox),
    ("states", folds), ("dead letters", letters), ("deliveries", deliveries), ("sources", sources),
    ("platform", platform),
)  # fmt: skip
