"""Folds events into states under lock, one subject after the other: unpack, fold, pack."""

from collections.abc import Iterable, Mapping, Sequence

from schemas.events import ChannelEvent
from services.profile.domain.identity.links import kind_of
from services.profile.domain.states.fold import Fold
from services.profile.domain.states.months import OtherShape
from services.profile.domain.states.packing import pack_heads, pack_months, unpack
from services.profile.domain.states.segments import Segments
from services.profile.domain.states.state import Month
from services.profile.ports.records import StoredSubject
from services.profile.ports.updating import UpdateTransaction
from services.profile.refold import refold


async def fold_events(
    tx: UpdateTransaction, events: Mapping[str, Sequence[ChannelEvent]], stored: Mapping[str, StoredSubject], fold: Fold
) -> dict[str, int]:
    """`events` by subject. Changes the rows in `stored`; the caller saves them. Returns subject → when the oldest of
    its urgent events was accepted (ms)."""
    urgent: dict[str, int] = {}
    for subject, new in events.items():
        row = stored[subject]
        segments = await _open(tx, row, fold)
        for event in new:
            if segments.add(event, fold):
                urgent[subject] = min(urgent.get(subject, event.accepted_at), event.accepted_at)
        row.heads, row.months = pack_heads(segments.heads), pack_months(_kept(segments, row.months))
        await note_staff(tx, subject, segments)
    return urgent


def _kept(segments: Segments, before: Iterable[int]) -> dict[int, list[Month]]:
    """The months to store. A month that has just fallen behind the horizon is emptied: its stored bytes may still be
    in the segments from before a cut."""
    months = segments.months
    return {number: [Month() for _ in segments.heads] for number in before if number not in months} | months


async def _open(tx: UpdateTransaction, row: StoredSubject, fold: Fold) -> Segments:
    """A state of an older fold version or of another shape is folded anew when an event first touches it."""
    older, row.fold_version = row.fold_version < fold.version, fold.version
    if row.version and older:
        return await refold(tx, row, row.cuts, fold)
    try:
        return unpack(row.cuts, row.heads, row.months)
    except OtherShape:
        return await refold(tx, row, row.cuts, fold)


async def note_staff(tx: UpdateTransaction, manager: str, segments: Segments) -> None:
    """Marks every customer in the care of a manager who leaves or is absent, as a delegate, too. Other subjects are no
    staff."""
    if kind_of(manager) != "manager":
        return
    number, thing = manager.partition(":")[2], segments.heads[-1].things.get(manager, {})
    await tx.put_staff(number, {name: entry.value for name, entry in thing.items()})
    await tx.mark_customers_of(number)
