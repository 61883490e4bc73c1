"""USE CASE: folds all states anew after the fold has changed: subject by subject, throttled, resumable, and all that a
customer has together, so that the customer is refreshed once. It raises no alerts about the past.

Workers go on meanwhile: an event that touches a subject of an older fold re-folds it first, and facts of subjects that
are not yet rebuilt are missing.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from functools import partial
from typing import NamedTuple

from services.attempts import again_when_contended
from services.profile.domain.states.fold import Fold
from services.profile.ports.records import Mark
from services.profile.ports.store import ProfileStore
from services.profile.refold import fold_anew

AT_ONCE, LOOKED_AT = 10, 500
TOGETHER = 300
"""With those beside them, in one transaction: ten customers have a hundred, a group may have thousands."""
COUNTED = 100_000
"""Behind; beyond, all subjects are taken to be: counting millions takes longer than a statement may."""


class Rebuilt(NamedTuple):
    done: int
    waiting: int


async def rebuild(
    store: ProfileStore,
    fold: Fold,
    on_progress: Callable[[Rebuilt], None] = lambda progress: None,
    pause: Callable[[int], Awaitable[None]] = lambda folded: asyncio.sleep(0),
) -> int:
    """Re-folds every subject of an older fold version; returns how many. Stopped and started again, it goes on.
    `pause`: after each transaction, which has folded so many."""
    done, waited = 0, await _count_behind(store, fold.version)
    async for subjects in _behind(store, fold.version):
        folded = await again_when_contended(partial(_refold, store, fold, await _together(store, subjects)))
        done += folded
        if folded:
            on_progress(Rebuilt(done, max(waited - done, 0)))
            await pause(folded)
    return done


async def _count_behind(store: ProfileStore, version: int) -> int:
    behind = await store.count_behind(version, COUNTED)
    return behind if behind < COUNTED else max(behind, (await store.counts(["subjects"]))["subjects"])


async def _behind(store: ProfileStore, version: int) -> AsyncIterator[list[str]]:
    """In the order of their names, so that nobody walks again through those that are done; and once more from the
    first, until nobody has been left behind meanwhile."""
    again = True
    while again:
        again = False
        last: str | None = ""
        while last is not None:
            subjects, last = await store.page_behind(last, version, LOOKED_AT)
            for start in range(0, len(subjects), AT_ONCE):
                again = True
                yield subjects[start : start + AT_ONCE]


async def _together(store: ProfileStore, subjects: Sequence[str]) -> Sequence[str]:
    """And what else the same customers have."""
    async with store.updating() as tx:
        roots = {one.root for one in await tx.memberships_of(subjects)} | set(subjects)
    beside = {one.subject for one in await store.memberships(sorted(roots))} | set(subjects)
    return sorted(beside) if len(beside) <= TOGETHER else subjects


async def _refold(store: ProfileStore, fold: Fold, subjects: Sequence[str]) -> int:
    async with store.updating() as tx:
        stored = await tx.lock_subjects({subject: frozenset() for subject in subjects})
        behind = [row for row in stored.values() if 0 < row.fold_version < fold.version]
        for row in behind:
            await fold_anew(tx, row, row.cuts, fold)
        await tx.save_subjects(behind)
        await tx.mark([Mark(root, 0) for root in sorted({root for row in behind for root in row.roots})])
    return len(behind)
