"""What must hold of personal values at rest: what was erased is gone and has not come back, whatever else was told is
there."""

from collections.abc import Iterable, Mapping

from schemas.events import HEARTBEAT, ChannelEvent
from schemas.topics import CHANNEL_EVENTS
from services.profile.adapters.sql import SqlProfileStore
from services.profile.domain.ledger import ledger_key
from services.profile.domain.states.personal import Pseudonymiser, is_erased
from services.sql.session import reading
from tests.chaos.verdict import MOST, Verdict, accepted, read_topic
from tests.profile.told import CATALOGUE, SECRET

_ERASED = "select subject, erased_at from subjects where erased_at > 0"
_VALUES = "select ref, value from personal"
_TOLD = "select ref, subject from personal_subjects"
Told = dict[tuple[str, str], str]
"""(reference, the subject that told of it) → the value."""


async def verdict_on_the_erased(servers: str, store: SqlProfileStore) -> Verdict:
    events, _ = accepted(await read_topic(servers, CHANNEL_EVENTS.name))
    async with reading(store._database) as session:
        erased = {row[0]: row[1] for row in await session.rows(_ERASED)}
        values = {row[0]: row[1] for row in await session.rows(_VALUES)}
        told = {(row[0], row[1]) for row in await session.rows(_TOLD)}
    due = due_of(events, erased)
    wrong = [f"{subject} told of {ref}, which is lost" for ref, subject in sorted(due.keys() - told)[:MOST]]
    wrong += [f"{subject} tells of {ref} and must not" for ref, subject in sorted(told - due.keys())[:MOST]]
    kept = {ref for ref, _ in due}
    wrong += [f"a value is lost: {ref}" for ref in sorted(kept - values.keys())[:MOST]]
    wrong += [f"a value is there that nobody tells of: {ref}" for ref in sorted(values.keys() - kept)[:MOST]]
    return Verdict(wrong, f"{len(erased)} subjects erased, {len(due)} personal values told of by the others")


def due_of(events: Iterable[ChannelEvent], erased: Mapping[str, int]) -> Told:
    """`events` as they stand in the log; of those with one id the first counts. `erased`: subject → when (ms)."""
    pseudonymiser, seen, due = Pseudonymiser(CATALOGUE, SECRET), set[bytes](), Told()
    for event in events:
        key = ledger_key(event.source, event.id)
        if event.type == HEARTBEAT or key in seen:
            continue
        seen.add(key)
        if not is_erased(event, erased.get(event.subject, 0)):
            due |= {(ref, event.subject): value for ref, value in pseudonymiser.apply(event).values.items()}
    return due
