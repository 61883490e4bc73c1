"""USE CASE: a customer is erased. What the customer's own subjects have told of persons is forgotten, and phone, e-mail
and national id lead to the customer no longer; what happened stays, under keys that name nobody.

It cannot be undone, and whatever follows from it later (a late event, a repeat, a rebuild) brings nothing back.
"""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import NamedTuple

from schemas.identifiers import PERSONAL_KINDS, SUBJECT_OF
from services.attempts import again_when_contended
from services.profile.domain.identity.links import ANY_ROLE, COLLECTIVES, COUNTED_ROLES, Link, kind_of
from services.profile.domain.identity.memberships import Graph
from services.profile.linking import Linking, descendants, lock_below
from services.profile.ports.records import Decision, Mark, StoredSubject
from services.profile.ports.store import ProfileStore
from services.profile.ports.updating import UpdateTransaction

ERASE = "erase"
_PERSONAL = frozenset(SUBJECT_OF[kind] for kind in PERSONAL_KINDS)


class Seen(NamedTuple):
    """`locked`: some subjects, and all that stand below them. `around`: their links, and all above."""

    locked: dict[str, StoredSubject]
    around: Sequence[Link]
    graph: Graph

    def own_of(self, roots: Sequence[str]) -> list[str]:
        """Those that count for no other customer and never have: what a shared account told is the other holder's, too.
        Whoever may only act on an account (an attorney) does not share it."""
        return sorted(one for one in self.locked if one in roots or self._counts_only_for(roots, one))

    def _counts_only_for(self, roots: Sequence[str], subject: str) -> bool:
        counted = [one for one in self.graph.memberships(subject) if one.role in COUNTED_ROLES]
        held_by = {one.root for one in counted if kind_of(one.root) not in COLLECTIVES} - {subject}
        return bool(held_by) and held_by <= set(roots)


async def lock_and_see(tx: UpdateTransaction, subjects: Sequence[str], limits: Mapping[str, int]) -> Seen:
    """Who tells of these subjects waits from now on, and so does who would link others to them."""
    named = set(subjects)
    below = descendants(named, await tx.links_around(sorted(named)))  # all in one order: deadlocks are rare then
    locked = await tx.lock_subjects(dict.fromkeys(below, frozenset()))
    around, _ = await lock_below(tx, named, locked)
    return Seen(locked, around, Graph(around, limits))


async def erase_customer(
    store: ProfileStore,
    roots: Callable[[], Awaitable[Sequence[str]]],
    decided: Callable[[tuple[str, ...]], Decision],
    linking: Linking,
) -> Decision:
    """`roots` reads those of the customer, `decided` makes the decision on subjects; whatever they raise, nothing is
    written then."""

    async def own() -> Decision:
        named = await roots()
        async with store.updating() as tx:
            return decided(tuple((await lock_and_see(tx, named, linking.limits)).own_of(named)))

    async def once() -> Decision:
        named = await roots()
        async with store.updating() as tx:
            seen = await lock_and_see(tx, named, linking.limits)
            decision = decided(tuple(seen.own_of(named)))
            await erase(tx, decision, seen, linking)
        return decision

    # by themselves: of a million letters, all are read, and who tells of the customer would wait for that
    await store.forget_letters((await again_when_contended(own)).subjects)
    return await again_when_contended(once)


async def erase(tx: UpdateTransaction, decision: Decision, seen: Seen, linking: Linking) -> None:
    """Erases the subjects that the decision names; all of them are locked."""
    locked, own = seen.locked, set(decision.subjects)
    await tx.record([decision])
    ends = [_end(link, decision) for link in seen.around if link.target in own and _identifies(link)]
    linked = await linking.link(tx, ends, locked, decision.at)
    await tx.save_subjects([locked[subject] for subject in sorted(own | linked.moved)])
    roots = linked.roots | {root for subject in own for root in locked[subject].roots}
    await tx.mark([Mark(root, 0) for root in sorted(roots)])
    await tx.erase_personal(sorted(own), decision.at)  # last: all who save values wait for it


def _identifies(link: Link) -> bool:
    return kind_of(link.subject) in _PERSONAL and link.role != ANY_ROLE and link.first_at is not None


def _end(link: Link, decision: Decision) -> Link:
    """Ends the link, whatever it was told of by now; an assertion from later on lets it hold again."""
    return Link(
        subject=link.subject, target=link.target, role=ANY_ROLE, ends=(max(decision.at, *link.told_at),),
        source="decision", event_id=decision.decision_id,
    )  # fmt: skip
