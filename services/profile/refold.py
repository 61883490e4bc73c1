"""Folds the whole past of a subject anew, under its lock: first its base (what has aged out), then its timeline."""

from collections.abc import Iterable

from schemas.codec import decode_event
from services.log import Stop
from services.profile.domain.states.base import decode_base, laid
from services.profile.domain.states.fold import Fold
from services.profile.domain.states.packing import pack_heads, pack_months
from services.profile.domain.states.segments import Segments
from services.profile.ports.records import StoredSubject
from services.profile.ports.updating import UpdateTransaction


async def refold(tx: UpdateTransaction, row: StoredSubject, cuts: list[int], fold: Fold) -> Segments:
    """Drops stored months that the new state does not have; the caller saves the rest."""
    if not row.version:
        return Segments.empty(cuts)
    base = await tx.base_of(row.subject)
    if base is not None:
        _refuse_newer(base.fold_version, fold)
    segments = laid(decode_base(base.body, base.fold_version) if base else (), cuts)
    async for kept in tx.timeline_of(row.subject):
        segments.add(decode_event(kept.event), fold)
    await tx.keep_parts(row.subject, segments.months.keys())
    return segments


async def fold_anew(tx: UpdateTransaction, row: StoredSubject, cuts: list[int], fold: Fold) -> None:
    """Changes the row to what its past comes to, cut there; the caller saves it."""
    segments = await refold(tx, row, cuts, fold)
    row.heads, row.months = pack_heads(segments.heads), pack_months(segments.months)
    row.cuts, row.fold_version = cuts, fold.version


def refuse_newer(rows: Iterable[StoredSubject], fold: Fold) -> None:
    """Raises `Stop` if a newer release has folded one of these states: this one would lose what it does not know."""
    _refuse_newer(max((row.fold_version for row in rows), default=0), fold)


def _refuse_newer(fold_version: int, fold: Fold) -> None:
    if fold_version > fold.version:
        raise Stop(
            f"states were folded here by a newer release (fold {fold_version}, this one has {fold.version}): "
            f"bring this worker up to date"
        )
