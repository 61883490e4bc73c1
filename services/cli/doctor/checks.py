"""What may be wrong while a platform works, one check each."""

import asyncio
import os
from collections.abc import Awaitable, Callable, Sequence

import httpx

from services.cli.beside import address_of
from services.cli.declared import declared_fold
from services.cli.doctor.busy import but_busy, turns
from services.cli.doctor.findings import Finding, Patient, ok, warning, wrong
from services.cli.doctor.sources import sources
from services.cli.doctor.tokens import tokens
from services.cli.doctor.topics import topics
from services.cli.output import counted
from services.cli.positions import all_backlogs
from services.cli.refusals import Refusal
from services.cli.rewinding import Backlog
from services.cli.set_back import set_back
from services.log import EventLog
from services.profile.rebuild import COUNTED

LATE_OUTBOX_MS = 30_000
LOOKS_WHILE_MOVING = 15
LOOKS_AT_STANDSTILL = 5  # one transaction of a busy worker may take seconds, and then nothing moves meanwhile
MANY_MARKS = 50_000
MARKS_COUNTED = 6_250
"""Of each shard: after the close of a day every customer may wait, and the board looks each second."""


async def positions(patient: Patient) -> Sequence[Finding]:
    """Inside the log, and moving where something waits. A second look tells a stopped partition from a busy one."""
    if patient.log is None:
        return []
    before = await all_backlogs(patient.log, patient.beside)
    outside: dict[str, list[Backlog]] = {}
    for one in before:
        if one.state != "ok":
            outside.setdefault(one.state, []).append(one)
    if outside:
        told = "; ".join(f"{_where(found)}: {state}" for state, found in outside.items())
        return [wrong("positions", f"{told}; restore the log, or `counterpoint positions rewind` and start again")]
    waiting = [one for one in before if one.lag]
    if not waiting:
        return [ok("positions", "inside the log, nothing is waiting")]
    stopped = await _stopped(waiting, patient, patient.log)
    if stopped:
        fix = "start a worker, or its log says why (`partition stopped`, `partition waits`, `batch failed`)"
        told = f"{_where(stopped)}: nothing moves although {_waiting(stopped)}: {fix}"
        return [wrong("positions", told + but_busy())]
    return [ok("positions", f"inside the log and moving; {_waiting(waiting)}")]


async def _stopped(waiting: Sequence[Backlog], patient: Patient, log: EventLog) -> Sequence[Backlog]:
    """A busy worker comes to its partitions in turn: as long as any of them moves, the others are given time."""
    still, quiet, longer = waiting, 0, turns()
    for _ in range(LOOKS_WHILE_MOVING * longer):
        await asyncio.sleep(patient.patience)
        now = {(one.topic, one.partition): one.stored for one in await all_backlogs(log, patient.beside)}
        before, still = still, [one for one in still if now[one.topic, one.partition] == one.stored]
        quiet = quiet + 1 if len(still) == len(before) else 0
        if not still or quiet == LOOKS_AT_STANDSTILL * longer:
            break
    return still


def _where(some: Sequence[Backlog]) -> str:
    """Each topic once, with its partitions."""
    topics: dict[str, list[str]] = {}
    for one in some:
        topics.setdefault(one.topic, []).append(str(one.partition))
    return ", ".join(f"{topic}/{','.join(partitions)}" for topic, partitions in topics.items())


def _waiting(some: Sequence[Backlog]) -> str:
    return counted(sum(one.lag or 0 for one in some), "event waits", "events wait")


async def restored(patient: Patient) -> Sequence[Finding]:
    told = await set_back(patient.log, patient.beside.database) if patient.log is not None else None
    return [wrong("restored", told)] if told else []


async def workers(patient: Patient) -> Sequence[Finding]:
    """Those that refresh hold leases. Who updates, evaluates and delivers is known to the log's groups alone: there
    `positions` looks at what moves."""
    names = await patient.beside.store.leaseholders()
    if names:
        return [ok("workers", f"{len(names)} that refresh; those that update, evaluate and deliver: see positions")]
    return [warning("workers", "no worker refreshes: start `counterpoint run`, or `counterpoint profile` on Kafka")]


async def set_aside(patient: Patient) -> Sequence[Finding]:
    aside = await patient.beside.store.count_aside()
    if not aside:
        return [ok("refresh", "no customer is set aside")]
    told = f"{counted(aside, 'customer is', 'customers are')} set aside: refresh fails, the last view is shown"
    why = "a worker tries again now and then, and its log says why (`customer set aside`)"
    return [wrong("refresh", f"{told}; {why}; mend the release, or run `counterpoint rebuild` if states are behind")]


async def marks(patient: Patient) -> Sequence[Finding]:
    found = (await patient.beside.store.marks_waiting(most=MARKS_COUNTED)).values()
    waiting, more = sum(found), "at least " if MARKS_COUNTED in found else ""
    told = more + counted(waiting, "customer waits for a refresh", "customers wait for a refresh")
    if waiting and not await _is_refreshed(patient):
        return [wrong("marks", f"{told}, and no worker that refreshes is running: start one{but_busy()}")]
    return [warning("marks", f"{told}: start another worker") if waiting > MANY_MARKS else ok("marks", told)]


async def _is_refreshed(patient: Patient) -> bool:
    """On a busy machine a worker may come too late to renew its leases, and takes them again."""
    working = await patient.beside.store.leaseholders()
    for _ in range(LOOKS_AT_STANDSTILL * (turns() - 1)):
        if working:
            break
        await asyncio.sleep(patient.patience)
        working = await patient.beside.store.leaseholders()
    return bool(working)


async def outbox(patient: Patient) -> Sequence[Finding]:
    store, now = patient.beside.store, await patient.beside.now_ms()
    oldest = min((await store.lanes_waiting()).values(), default=None)
    if oldest is None:
        return [ok("outbox", "published")]
    late = now - oldest
    if late <= LATE_OUTBOX_MS:
        return [ok("outbox", "being published")]
    told = f"changes wait since {late // 1000} s to be published"
    for _ in range(LOOKS_AT_STANDSTILL * turns()):
        await asyncio.sleep(patient.patience)
        if min((await store.lanes_waiting()).values(), default=now) > oldest:
            return [warning("outbox", f"{told}, and leave one after the other: start another worker if that lasts")]
    return [wrong("outbox", f"{told}: is a worker running, and the log?{but_busy()}")]


async def letters(patient: Patient) -> Sequence[Finding]:
    open_letters = (await patient.beside.store.counts(["dead_letters"]))["dead_letters"]
    if open_letters:
        told = counted(open_letters, "is open", "are open")
        return [warning("dead letters", f"{told}: `counterpoint dead-letters list` says what to do")]
    return [ok("dead letters", "none")]


async def deliveries(patient: Patient) -> Sequence[Finding]:
    from services.alerts.adapters.sql_deliveries import SqlDeliveryStore

    kept = await SqlDeliveryStore(patient.beside.database).count()
    dead = sorted({destination for destination, state in kept if state == "dead"})
    if dead:
        why = "`counterpoint deliveries list` says why"
        return [warning("deliveries", f"some did not arrive and are tried no more, to {', '.join(dead)}: {why}")]
    return [ok("deliveries", "none has failed for good")]


async def rules(patient: Patient) -> Sequence[Finding]:
    from services.alerts.adapters.sql import SqlAlertStore
    from services.alerts.domain.notices import in_force, sentence, to_do

    silent = in_force(await SqlAlertStore(patient.beside.database).notices()).values()
    if silent:
        return [warning("rules", f"{sentence(one, 'en')}. {to_do(one, 'en')}") for one in silent]
    return [ok("rules", "every rule that is switched on is active")]


async def folds(patient: Patient) -> Sequence[Finding]:
    store, own = patient.beside.store, declared_fold().version
    newest = await store.newest_fold()
    if newest > own:
        told = (
            f"some were folded by a newer release, or with declarations that are missing here (fold {newest}, this one "
            f"has {own}): a worker that is like this one stops its partitions; bring it up to date"
        )
        return [wrong("states", told)]
    behind = await store.count_behind(own, COUNTED + 1)
    if behind:
        many = f"more than {COUNTED:,}" if behind > COUNTED else behind
        return [warning("states", f"{many} are of an older fold, their facts are missing: run `counterpoint rebuild`")]
    return [ok("states", "all are folded by this release")]


async def platform(patient: Patient) -> Sequence[Finding]:
    try:
        url = address_of(patient.data, os.environ.get("COUNTERPOINT_URL"))
    except Refusal:
        return [warning("platform", "its address is not known here: set COUNTERPOINT_URL to have it asked, too")]
    try:
        async with httpx.AsyncClient(timeout=5) as client:
            answer = await client.get(f"{url}/health/ready")
    except httpx.HTTPError:
        return [warning("platform", f"nobody answers at {url}: is it running? COUNTERPOINT_URL names another one")]
    if answer.status_code == 200:
        return [ok("platform", f"{url} is ready")]
    return [wrong("platform", f"{url} is not ready: {_why(answer)}")]


def _why(answer: httpx.Response) -> str:
    """What the checks of `/health/ready` say, where it is this that has answered."""
    try:
        return "; ".join(f"{name}: {what}" for name, what in answer.json()["checks"].items())
    except (ValueError, LookupError, TypeError, AttributeError):
        return f"it answers {answer.status_code}"


Check = Callable[[Patient], Awaitable[Sequence[Finding]]]
CHECKS: Sequence[tuple[str, Check]] = (
    ("topics", topics), ("positions", positions), ("restored", restored), ("workers", workers), ("marks", marks),
    ("refresh", set_aside), ("outbox", outbox), ("states", folds), ("dead letters", letters),
    ("deliveries", deliveries), ("rules", rules), ("sources", sources), ("tokens", tokens),
    ("platform", platform),
)  # fmt: skip
