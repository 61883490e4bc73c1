"""What must hold when all has come to rest: nothing lost, nothing doubled, every view the sum of its states."""

import asyncio
import time
from collections.abc import Mapping, Sequence
from typing import NamedTuple

import msgspec
from aiokafka import AIOKafkaConsumer, TopicPartition

from schemas.codec import CodecError, decode_change, decode_dead_letter, decode_event
from schemas.events import ChannelEvent
from schemas.identifiers import PERSONAL_KINDS, SUBJECT_OF
from schemas.topics import CHANNEL_EVENTS, DEAD_LETTERS, PROFILE_CHANGES, TOPICS
from services.alerts.adapters.sql import SqlAlertStore
from services.kafka.log import KafkaLog
from services.profile.adapters import rows
from services.profile.adapters.policies import load_declarations
from services.profile.adapters.sql import SqlProfileStore
from services.profile.domain.customers.customer import Completeness
from services.profile.domain.identity.customer_ids import customer_id
from services.profile.domain.identity.links import ANY_ROLE, COLLECTIVES, Link, clusters, kind_of
from services.profile.domain.summarise import summarise
from services.profile.erasing import ERASE
from services.profile.gathering import Gathering, gathered
from services.profile.ports.records import StoredView
from services.sql.session import reading
from tests.profile.expected import differences, expected, held
from tests.profile.told import SECRET, new_fold

MOST = 8
_DECISIONS = f"select {rows.DECISION} from decisions"  # noqa: S608 - constants
_VIEWS = f"select {rows.VIEW} from views"  # noqa: S608 - constants
PERSONAL_SUBJECTS = frozenset(SUBJECT_OF[kind] for kind in PERSONAL_KINDS)
SETTLED = ("accounts", "channels", "identifiers", "person", "members", "consents", "mandates")
"""Parts of a view that do not depend on when one looks."""


class Topic(NamedTuple):
    """Every record of a topic by partition, in the order of the log."""

    records: Mapping[int, Sequence[tuple[int, bytes]]]

    def values(self) -> list[bytes]:
        return [value for partition in sorted(self.records) for _, value in self.records[partition]]


async def read_topic(servers: str, topic: str) -> Topic:
    consumer = AIOKafkaConsumer(bootstrap_servers=servers, enable_auto_commit=False, auto_offset_reset="none")
    await consumer.start()
    try:
        declared = next(one for one in TOPICS if one.name == topic)
        places = [TopicPartition(topic, at) for at in range(declared.partitions)]
        consumer.assign(places)
        await consumer.seek_to_beginning(*places)
        ends = await consumer.end_offsets(places)
        found: dict[int, list[tuple[int, bytes]]] = {place.partition: [] for place in places}
        while [place for place in places if await consumer.position(place) < ends[place]]:
            for place, fetched in (await consumer.getmany(timeout_ms=500)).items():
                found[place.partition] += [(record.offset, record.value or b"") for record in fetched]
        return Topic(found)
    finally:
        await consumer.stop()


async def at_rest(log: KafkaLog, store: SqlProfileStore, alerts: SqlAlertStore, seconds: float) -> str | None:
    """Waits until everything is worked off; what still waits, in words, when the time is over."""
    deadline, quiet = time.monotonic() + seconds, 0
    while True:
        waiting = await _waiting(log, store, alerts)
        quiet = quiet + 1 if waiting is None else 0
        if quiet == 4:
            return None
        if time.monotonic() > deadline:
            return waiting
        await asyncio.sleep(0.3)


async def _waiting(log: KafkaLog, store: SqlProfileStore, alerts: SqlAlertStore) -> str | None:
    for topic in (CHANNEL_EVENTS.name, DEAD_LETTERS.name, PROFILE_CHANGES.name):
        ends = await log.ends(topic)
        positions = await (alerts if topic == PROFILE_CHANGES.name else store).positions(topic, list(ends))
        behind = {at: (positions[at].next if at in positions else 0, end) for at, (_, end) in ends.items()}
        if any(reached != end for reached, end in behind.values()):
            return f"{topic}: positions and ends {behind}"
    if marks := sum((await store.marks_waiting()).values()):
        return f"{marks} marks"
    lanes = await store.lanes_waiting() | await alerts.lanes_waiting()
    return f"outbox {sorted(lanes)}" if lanes else None


def accepted(topic: Topic) -> tuple[list[ChannelEvent], int]:
    """(events in the order of the log, how many records nobody can read)"""
    events, unreadable = [], 0
    for value in topic.values():
        try:
            events.append(decode_event(value))
        except CodecError:
            unreadable += 1
    return events, unreadable


class Verdict(NamedTuple):
    """`wrong`: every difference found, in words; empty when all is well. `compared`: of what, and how much."""

    wrong: list[str]
    compared: str


async def verdict(servers: str, store: SqlProfileStore) -> Verdict:
    events, unreadable = accepted(await read_topic(servers, CHANNEL_EVENTS.name))
    decided = [*await _barred(store), *await _ended_by_erasing(store)]
    found = await held(store)
    wrong = differences(expected(events, new_fold(), decided), found, MOST)
    wrong += await _letters(servers, store, unreadable)
    wrong += await _clusters(store)
    wrong += await _views(store)
    changes = await read_topic(servers, PROFILE_CHANGES.name)
    versions, told = await _changes(changes, store)
    return Verdict(
        wrong + told,
        f"{len(events)} accepted events, {len(found.timeline)} of them distinct, {unreadable} unreadable records,"
        f" {len(found.states)} states, {len(found.memberships)} memberships, {versions} versions of views published"
        f" in {len(changes.values())} records",
    )


async def _barred(store: SqlProfileStore) -> list[Link]:
    """Decisions on links are no events: they are taken from where they are recorded."""
    async with reading(store._database) as session:
        found = await session.rows("select subject, target, role, barred_by from links where barred_by <> ''")
    return [Link(subject=row[0], target=row[1], role=row[2], barred_by=row[3]) for row in found]


async def _ended_by_erasing(store: SqlProfileStore) -> list[Link]:
    """Of who was erased, phone, e-mail and national id: these end when all that was told of them by then has."""
    async with reading(store._database) as session:
        decided = await session.rows("select subjects from decisions where kind = $1", ERASE)
        ended = await session.rows("select subject, target, ends from links where role = $1", ANY_ROLE)
    erased = {subject for row in decided for subject in rows.strings(row[0])}
    return [
        Link(subject=subject, target=target, role=ANY_ROLE, ends=tuple(rows.integers(ends)))
        for subject, target, ends in ended
        if target in erased and kind_of(subject) in PERSONAL_SUBJECTS
    ]


async def _letters(servers: str, store: SqlProfileStore, unreadable: int) -> list[str]:
    sent = {one.id: one for one in map(decode_dead_letter, (await read_topic(servers, DEAD_LETTERS.name)).values())}
    kept = {one.letter_id for one in await store.dead_letters(100_000, "open")}
    wrong = [f"dead letter not kept: {one}" for one in sorted(sent.keys() - kept)[:MOST]]
    told = sum(one.reason != "bug" for one in sent.values())
    if told != unreadable:
        wrong.append(f"{unreadable} records cannot be read, {told} dead letters tell of it")
    return wrong


async def _clusters(store: SqlProfileStore) -> list[str]:
    async with reading(store._database) as session:
        decisions = [rows.decision_of(row) for row in await session.rows(_DECISIONS)]
        found = {row[0]: row[1] for row in await session.rows("select root, lead from clusters")}
    undone = {one.undoes for one in decisions}
    merges = [one.subjects for one in decisions if one.kind == "merge" and one.decision_id not in undone]
    wanted = {root: one.lead for one in clusters((pair[0], pair[1]) for pair in merges) for root in one.roots}
    return [] if found == wanted else [f"clusters {sorted(wanted.items())} are due, {sorted(found.items())} found"]


async def _views(store: SqlProfileStore) -> list[str]:
    """Every view against the states of its subjects, combined here once more."""
    async with reading(store._database) as session:
        views = {view.lead: view for view in [StoredView(*row) for row in await session.rows(_VIEWS)]}
        subjects = await session.rows("select subject, roots from subjects where version > 0")
        leads = {row[0]: row[1] for row in await session.rows("select root, lead from clusters")}
    live = {leads.get(root, root) for _, roots in subjects for root in rows.strings(roots)}
    alive = {lead for lead, view in views.items() if view.state == "live"}
    wrong = [f"a view of nobody: {lead}" for lead in sorted(alive - live)][:MOST]
    policy, now = load_declarations().policy, time.time_ns() // 1_000_000
    gathering = Gathering(Completeness, lambda subject: customer_id(subject, SECRET))
    for lead in sorted(live):
        async with store.refreshing() as tx:
            cluster = (await tx.clusters([lead])).get(lead) or next(iter(clusters([(lead, lead)])))
            found = await gathered(tx, list(cluster.roots))
            context = await gathering.context(tx, found.members, now, policy.portfolio.managers)
        customer = gathering.customer(lead, cluster, found.of(cluster), views.get(lead), context)
        told = not customer.tells_nothing
        if told != (lead in alive):
            wrong.append(f"{lead}: a live view is {'missing' if told else 'of nothing'}")
        if not told or lead not in alive:
            continue
        summary = summarise(customer, policy, now)
        owner, due = views[lead].owner, summary.decided.owner
        if owner != due and (owner or customer.kind in COLLECTIVES):  # without one, there may be room by now
            wrong.append(f"{lead} is in the care of {owner}, {due} is due")
        body = msgspec.json.decode(msgspec.json.encode(summary.body))
        shown = msgspec.json.decode(views[lead].body)
        wrong += [
            f"view of {lead}, {part}: {body[part]!r:.300} is due, {shown[part]!r:.300} found"
            for part in SETTLED
            if body[part] != shown[part]
        ]
        if len(wrong) > MOST:
            break
    return wrong[:MOST]


async def _changes(topic: Topic, store: SqlProfileStore) -> tuple[int, list[str]]:
    """Every version of every customer was published, first in order, and never with another content."""
    told: dict[str, dict[int, bytes]] = {}
    wrong: list[str] = []
    for value in topic.values():
        change = decode_change(value)
        versions = told.setdefault(change.customer_id, {})
        known = versions.setdefault(change.version, value)
        if known != value:
            wrong.append(f"{change.customer_id}: version {change.version} was published with two contents")
    async with reading(store._database) as session:
        reached = {row[0]: row[1] for row in await session.rows("select customer_id, version from views")}
        [(written,)] = await session.rows("select sum(last_n)::bigint from lanes where lane like 'shard-%'")
    for customer, version in sorted(reached.items()):
        published = list(told.get(customer, {}))
        if published != sorted(published) or published[-1:] != [version]:
            wrong.append(f"{customer} stands at version {version}, published were {published[:50]}")
    wrong += [f"{one} was published and has no view" for one in sorted(told.keys() - reached.keys())]
    published_in_all = sum(map(len, told.values()))
    if published_in_all != written:
        wrong.append(f"{written} versions were written, {published_in_all} published")
    return published_in_all, wrong[:MOST]
