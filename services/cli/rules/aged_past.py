"""What has aged out of the timeline, for a past that is lived through again: states begin with their bases, and links
with what was told of them by then."""

from collections.abc import Iterable, Sequence
from typing import NamedTuple, Self

import msgspec

from schemas.identifiers import SUBJECT_LIMITS
from schemas.instants import DAY_MS
from services.cli.refusals import Refusal
from services.profile.domain.identity.links import Link
from services.profile.domain.states.base import decode_base
from services.profile.domain.states.fold import Fold
from services.profile.domain.states.packing import unpack
from services.profile.domain.states.periods import first_day_of, month_of
from services.profile.folding import note_staff
from services.profile.linking import Linking
from services.profile.ports.reading import ProfileReader
from services.profile.ports.records import BaseRow, Mark
from services.profile.ports.updating import UpdateTransaction
from services.profile.refold import fold_anew

ROWS_AT_ONCE = 5_000


class AgedPast(NamedTuple):
    """`until`: all that happened and was accepted before (ms) is in there; 0 where nothing has aged."""

    until: int
    bases: Sequence[BaseRow]
    links: Sequence[Link]

    @classmethod
    async def read(cls, reader: ProfileReader) -> Self:
        bases: list[BaseRow] = []
        while rows := await reader.bases_page(bases[-1].subject if bases else "", ROWS_AT_ONCE):
            bases += rows
        until = _end_of(bases)
        return cls(until, bases, await _links_before(reader, until) if bases else [])


NOTHING_AGED = AgedPast(0, (), ())


def _end_of(bases: Iterable[BaseRow]) -> int:
    """Months age as a whole."""
    newest = [piece.at for base in bases for piece in decode_base(base.body, base.fold_version)]
    return first_day_of(month_of(max(newest)) + 1) * DAY_MS if newest else 0


async def _links_before(reader: ProfileReader, until: int) -> list[Link]:
    found: list[Link] = []
    after = ("", "", "")
    while rows := await reader.links_page(after, ROWS_AT_ONCE):
        after = rows[-1].key
        found += [link for one in rows if (link := _as_told_by(one, until)) is not None]
    return found


def _as_told_by(link: Link, until: int) -> Link | None:
    """None of which nothing was told by then. What people have decided is decided again."""
    ends = tuple(at for at in link.ends if at < until)
    if link.first_at is None or link.first_at >= until:
        return Link(subject=link.subject, target=link.target, role=link.role, ends=ends) if ends else None
    told_at = tuple(at for at in link.told_at if at < until)
    return msgspec.structs.replace(link, told_at=told_at, ends=ends, barred_by="")


async def lay_beneath(tx: UpdateTransaction, past: AgedPast, fold: Fold) -> None:
    """Into a store that knows nothing yet. Raises `Refusal`."""
    if any(base.fold_version > fold.version for base in past.bases):
        raise Refusal(
            "what has aged was folded by a newer release, or with declarations that are missing here: bring this one "
            "up to date"
        )
    stored = await tx.lock_subjects(dict.fromkeys((base.subject for base in past.bases), frozenset()))
    for base in past.bases:
        await tx.save_base(base)
        stored[base.subject].fold_version = fold.version
    await tx.save_subjects(list(stored.values()))


async def link_and_fold(tx: UpdateTransaction, past: AgedPast, fold: Fold) -> None:
    """What `lay_beneath` has laid there becomes states, in the segments that the links make."""
    ends = {end for link in past.links for end in (link.subject, link.target)}
    based = {base.subject for base in past.bases}
    locked = await tx.lock_subjects(dict.fromkeys(ends | based, frozenset()))
    for subject in sorted(based):
        row = locked[subject]
        await fold_anew(tx, row, row.cuts, fold)
        await note_staff(tx, subject, unpack(row.cuts, row.heads, row.months))
    linked = await Linking(SUBJECT_LIMITS, fold).link(tx, past.links, locked, past.until)
    await tx.save_subjects([locked[subject] for subject in sorted(based | linked.moved)])
    await tx.mark([Mark(root, 0) for root in sorted({root for row in locked.values() for root in row.roots})])
