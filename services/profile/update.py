"""USE CASE: applies one batch of each of several partitions in one transaction.

Ledger, links, subject states, timeline, marks and the new positions are written together or not at all.
"""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from schemas.catalogue import EventType
from schemas.events import HEARTBEAT, ChannelEvent
from services.failures import Contended, Fenced, Unavailable, trace_of
from services.log import Batch
from services.profile.decoding import Arrival, Decoder
from services.profile.domain.identity.links import Link, join
from services.profile.domain.ledger import days_of
from services.profile.domain.letters import conflict, parked, unreadable
from services.profile.domain.states.fold import Fold, months_touched
from services.profile.domain.states.personal import is_erased
from services.profile.folding import fold_events
from services.profile.linking import Linked, Linking, reach
from services.profile.outbox import DEAD_LETTER_LANE, dead_letter_messages
from services.profile.ports.records import LedgerEntry, Mark, StoredSubject, TimelineRow
from services.profile.ports.store import ProfileStore
from services.profile.ports.updating import UpdateTransaction
from services.profile.refold import refuse_newer

MOST_LINKS_REMEMBERED = 200_000


class Updated(NamedTuple):
    """Counts over all batches: records = applied + repeats + dead letters + heartbeats. `marked`: roots to be
    refreshed. `accepted`: when ingest accepted each event that was applied (ms)."""

    applied: int
    repeats: int
    dead_letters: int
    heartbeats: int
    marked: int
    accepted: Sequence[int] = ()


class Update:
    """`limits`: subject kind → how many customers one such identifier may identify."""

    def __init__(
        self,
        store: ProfileStore,
        fold: Fold,
        catalogue: Mapping[str, EventType],
        secret: bytes,
        limits: Mapping[str, int],
    ) -> None:
        self._store, self._fold, self._linking = store, fold, Linking(limits, fold)
        self._decode = Decoder(catalogue, secret).decode
        self._known_links: dict[tuple[str, str, str], Link] = {}

    async def apply(self, batches: Sequence[Batch], now: int) -> Updated:
        """Takes at most one batch of each partition. Raises `Fenced`, `Contended` or `Unavailable`; nothing is written
        then."""
        try:
            return await self._apply(batches, now)
        except (Fenced, Unavailable):
            # a database that was away may come back as a replica that never heard of the last links
            self._known_links.clear()
            raise

    async def _apply(self, batches: Sequence[Batch], now: int) -> Updated:
        decoded = [self._decode(batch, now) for batch in batches]
        arrivals = [arrival for part in decoded for arrival in part.arrivals]
        letters = [letter for part in decoded for letter in part.letters]
        events = [arrival for arrival in arrivals if arrival.event.type != HEARTBEAT]
        async with self._store.updating() as tx:
            await tx.advance([batch.move for batch in batches])
            fresh, conflicts = await _enter(tx, events)
            letters += [conflict(arrival.event, now) for arrival in conflicts]
            asserted = self._asserted(fresh)
            stored = await tx.lock_subjects(_wanted(fresh, await reach(tx, asserted)))
            refuse_newer(stored.values(), self._fold)
            linked = await self._linking.link(tx, asserted, stored, now)
            marks = await _fold_fresh(tx, fresh, stored, linked, self._fold)
            await tx.mark(marks)
            await tx.append_timeline([_timeline_row(arrival) for arrival in fresh])
            await _save_personal(tx, fresh, stored)
            await tx.note_sources([seen for part in decoded for seen in part.sources])
            await tx.send({DEAD_LETTER_LANE: dead_letter_messages(letters)}, now)
        self._remember(linked)
        repeats = len(events) - len(fresh) - len(conflicts)
        accepted = tuple(arrival.event.accepted_at for arrival in fresh)
        return Updated(len(fresh), repeats, len(letters), len(arrivals) - len(events), len(marks), accepted)

    async def park(self, batch: Batch, error: BaseException, now: int) -> None:
        """Makes the event of `batch` a dead letter, and marks its ledger row so that a replay may take it over. One
        that cannot be entered there either must not hold up its partition: its letter says where it stands."""
        try:
            await self._park(batch, error, now)
        except (Fenced, Unavailable, Contended):
            raise
        except Exception:
            letters = [unreadable(batch, record, "bug", trace_of(error), now) for record in batch.records]
            async with self._store.updating() as tx:
                await tx.advance([batch.move])
                await tx.send({DEAD_LETTER_LANE: dead_letter_messages(letters)}, now)

    async def _park(self, batch: Batch, error: BaseException, now: int) -> None:
        decoded = self._decode(batch, now)
        trace, offset = trace_of(error), batch.until - 1
        letters = [*decoded.letters, *(parked(one.event, batch, offset, trace, now) for one in decoded.arrivals)]
        async with self._store.updating() as tx:
            await tx.advance([batch.move])
            fresh, _ = await _enter(tx, decoded.arrivals)
            await tx.park([(one.key, days_of(one.event.accepted_at)[0]) for one in fresh])
            await tx.send({DEAD_LETTER_LANE: dead_letter_messages(letters)}, now)

    def _asserted(self, fresh: Sequence[Arrival]) -> list[Link]:
        """The links of these events that add something to what is known to be stored."""
        asserted: dict[tuple[str, str, str], Link] = {}
        for arrival in fresh:
            for link in arrival.links:
                known = asserted.get(link.key) or self._known_links.get(link.key)
                joined = link if known is None else join(known, link)
                if joined != known:
                    asserted[link.key] = joined
        return list(asserted.values())

    def _remember(self, linked: Linked) -> None:
        if len(self._known_links) > MOST_LINKS_REMEMBERED:
            self._known_links.clear()
        self._known_links |= linked.asserted


async def _fold_fresh(
    tx: UpdateTransaction, fresh: Sequence[Arrival], stored: Mapping[str, StoredSubject], linked: Linked, fold: Fold
) -> list[Mark]:
    """Folds the events into their subjects' states; returns a mark for every root that they or the links concern."""
    oldest = dict.fromkeys(linked.roots, 0)
    events: dict[str, list[ChannelEvent]] = {}
    for arrival in fresh:
        events.setdefault(arrival.event.subject, []).append(arrival.event)
    for subject, told in events.items():  # an account may have thousands of holders, and a batch hundreds of its events
        first = min(event.accepted_at for event in told)
        for root in stored[subject].roots:
            oldest[root] = min(oldest.get(root) or first, first)
    urgent: dict[str, int] = {}
    for subject, accepted_at in (await fold_events(tx, events, stored, fold)).items():
        for root in stored[subject].roots:
            urgent[root] = min(urgent.get(root, accepted_at), accepted_at)
    await tx.save_subjects([stored[subject] for subject in sorted(events.keys() | linked.moved)])
    return [Mark(root, accepted_at, urgent.get(root, 0)) for root, accepted_at in oldest.items()]


async def _save_personal(tx: UpdateTransaction, fresh: Sequence[Arrival], stored: Mapping[str, StoredSubject]) -> None:
    values: dict[str, str] = {}
    subjects: set[tuple[str, str]] = set()
    for arrival in fresh:
        if arrival.personal and is_erased(arrival.event, stored[arrival.event.subject].erased_at):
            continue
        values |= arrival.personal
        subjects.update((ref, arrival.event.subject) for ref in arrival.personal)
    if values:
        await tx.save_personal(values, subjects)


def _wanted(fresh: Sequence[Arrival], linked: set[str]) -> dict[str, frozenset[int]]:
    """Every subject to lock → the months of its state to read with it."""
    wanted = dict.fromkeys(linked, frozenset[int]())
    for arrival in fresh:
        subject, months = arrival.event.subject, months_touched(arrival.event)
        known = wanted.get(subject)
        wanted[subject] = months if known is None else known | months
    return wanted


async def _enter(tx: UpdateTransaction, arrivals: Sequence[Arrival]) -> tuple[list[Arrival], list[Arrival]]:
    """Returns the events seen for the first time, and those whose id stands in the ledger with other content."""
    first: dict[bytes, Arrival] = {}
    for arrival in arrivals:
        first.setdefault(arrival.key, arrival)
    entries = [
        LedgerEntry(key, one.content, *days_of(one.event.accepted_at), one.event.subject, one.event.occurred_at)
        for key, one in first.items()
    ]
    known = await tx.enter_ledger(entries)
    fresh = [arrival for key, arrival in first.items() if key not in known]
    recorded = {key: known.get(key, arrival.content) for key, arrival in first.items()}
    return fresh, [arrival for arrival in arrivals if arrival.content != recorded[arrival.key]]


def _timeline_row(arrival: Arrival) -> TimelineRow:
    event = arrival.event
    sequence = -1 if event.sequence is None else event.sequence
    place = event.subject, event.occurred_at, sequence, arrival.key
    return TimelineRow(*place, event.type, event.channel, event.accepted_at, arrival.encoded)
